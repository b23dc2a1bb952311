"""From an image file to the pixels of a network's input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.image_files.image_decoding import Size, decode_resized
from backend.networks.model_source import Preprocessing

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def preprocess_image(
    path: str | Path, preprocessing: Preprocessing, *, draft: bool = True
) -> NDArray[np.uint8]:
    """Decode an image, resize it and cut out the central square, as its preprocessing says.

    As torchvision's ``Resize`` and ``CenterCrop`` do on a Pillow image: equal to them for every format but
    JPEG, and for JPEG without ``draft``. With it, large JPEG files are decoded at 1/2, 1/4 or 1/8 of their
    size as long as at least twice the wanted size remains, which is several times faster and moves pixels by
    a few levels.

    Parameters
    ----------
    path
        The image file, or the address of a page in it; see :func:`backend.images.decode_image` for what is
        done with unusual ones.
    preprocessing
        Sizes, crop, interpolation, number of channels, and the rule for grey values of more than eight bits.
    draft
        Whether JPEG files may be decoded at a smaller scale.

    Returns
    -------
    ndarray
        uint8, shape (input_size, input_size, channels), 0 to 255; RGB, or grey by ITU-R 601.

    Raises
    ------
    ImageUnreachableError
        If the file is gone or cannot be read.
    ImageError
        If it is no image, damaged, or too large.
    """
    return preprocess_with_size(path, preprocessing, draft=draft)[0]


def preprocess_with_size(
    path: str | Path, preprocessing: Preprocessing, *, draft: bool = True
) -> tuple[NDArray[np.uint8], Size]:
    """Do as :func:`preprocess_image`, and return the upright picture's width and height in pixels too."""
    sizes: list[Size] = []

    def target_size(size: Size) -> Size:
        sizes.append(size)
        return resized_size(size, preprocessing)

    mode = "RGB" if preprocessing.channels == 3 else "L"
    image = decode_resized(
        path,
        target_size,
        resample=_RESAMPLING[preprocessing.interpolation],
        draft=draft,
        mode=mode,
        grey_scaling=preprocessing.grey_scaling,
    )
    beside = tuple(min(max(round(255 * value), 0), 255) for value in preprocessing.mean)
    pixels = np.array(_central_square(image, preprocessing.input_size, beside))
    shape = (preprocessing.input_size, preprocessing.input_size, preprocessing.channels)
    return pixels.reshape(shape), sizes[-1]


def resized_size(size: Size, preprocessing: Preprocessing) -> Size:
    """Return the size of the resized image, from which the square is cut out."""
    width, height = size
    side = preprocessing.resize_size
    if preprocessing.crop == "squash":
        return side, side
    if preprocessing.crop == "pad":
        longer = max(size)
        return max(1, round(side * width / longer)), max(1, round(side * height / longer))
    # The longer side is rounded down, as torchvision does.
    if width <= height:
        return side, int(side * height / width)
    return int(side * width / height), side


def _central_square(image: Image.Image, side: int, beside: tuple[int, ...]) -> Image.Image:
    """Cut out the central square; where the image does not reach, it has the colour ``beside``."""
    left, top = input_offset(image.width, side), input_offset(image.height, side)
    if left >= 0 and top >= 0:
        return image.crop((left, top, left + side, top + side))
    square = Image.new(image.mode, (side, side), beside if image.mode == "RGB" else beside[0])
    square.paste(image, (-left, -top))
    return square


def input_offset(length: int, side: int) -> int:
    """Return where the central ``side`` pixels of a length begin; negative if it is shorter."""
    return round((length - side) / 2) if length >= side else -((side - length) // 2)
