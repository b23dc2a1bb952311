"""Which part of a picture a network sees: its input, back in the coordinates of the picture."""

from __future__ import annotations

from dataclasses import dataclass

from backend.image_files.image_decoding import Size
from backend.image_files.image_preprocessing import input_offset, resized_size
from backend.networks.model_source import Preprocessing


@dataclass(frozen=True)
class Region:
    """A rectangle in a picture, as fractions of its width and height.

    The picture itself is (0, 0, 1, 1); what lies beside it has coordinates below 0 or above 1.
    """

    left: float
    top: float
    right: float
    bottom: float

    def part(self, other: Region) -> Region:
        """Return a rectangle that is given in fractions of this one in fractions of the picture."""
        width, height = self.right - self.left, self.bottom - self.top
        return Region(
            self.left + other.left * width,
            self.top + other.top * height,
            self.left + other.right * width,
            self.top + other.bottom * height,
        )

    def within_picture(self) -> Region:
        """Return what of it lies in the picture."""
        return Region(max(self.left, 0.0), max(self.top, 0.0), min(self.right, 1.0), min(self.bottom, 1.0))


def seen_region(size: Size, preprocessing: Preprocessing) -> Region:
    """Return where a network's input lies in a picture.

    Parameters
    ----------
    size
        Width and height of the picture in pixels, after its EXIF orientation was applied.
    preprocessing
        Sizes and crop, as :func:`backend.images.preprocess_image` follows them.

    Returns
    -------
    Region
        Within the picture if the crop is ``"center"``, all of it if ``"squash"``; with ``"pad"`` it may reach
        beyond.
    """
    width, height = resized_size(size, preprocessing)
    side = preprocessing.input_size
    left, top = input_offset(width, side), input_offset(height, side)
    return Region(left / width, top / height, (left + side) / width, (top + side) / height)
