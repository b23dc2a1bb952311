"""Any image file to upright 8-bit RGB: how extraction, thumbnails and reports alike see an image."""

from __future__ import annotations

import errno
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from backend.errors import ImageError
from backend.image_files.colour_profiles import to_srgb
from backend.image_files.dicom_decoding import decode_dicom, is_dicom_file
from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling, scaled_grey
from backend.image_files.image_address import ImageAddress, image_file

# Pillow warns of large pictures and of damaged EXIF blocks; what matters of that is an ImageError here.
# Filtered once for the process, because warnings.catch_warnings does not work across threads and images are
# decoded in a pool.
warnings.filterwarnings("ignore", module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

MAX_PIXELS: Final = 178_000_000  # a header that promises more is refused: 0.5 GB as RGB
MAX_RESIZED_PIXELS: Final = 64_000_000  # of a resized image, which only extremely elongated ones exceed

_ORIENTATION_TAG: Final = 0x0112
_PROFILE_TAG: Final = 0x8773
_ORIENTATIONS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = (5, 6, 7, 8)
_DRAFT_FACTOR: Final = 2  # a JPEG is decoded at least this many times as large as it is needed
_WHITE: Final = (255, 255, 255, 255)

Size = tuple[int, int]  # width, height


class ImageUnreachableError(ImageError):
    """The file itself cannot be read now: it is gone, may not be read, or its disk does not answer.

    Unlike a broken image it may be there again later.
    """


def decode_image(
    path: str | Path, *, max_side: int | None = None, grey_scaling: GreyScaling = DEFAULT_GREY_SCALING
) -> Image.Image:
    """Decode an image file to upright RGB.

    The orientation in the EXIF block is applied; colours of an ICC profile are converted to sRGB; transparent
    parts lie on white; of an animation the first image is taken, and of a file of several pages unless its
    path names another; DICOM files are shown through their window.

    Parameters
    ----------
    path
        The file, or the address of a page in it (``stack.tif#page=3``).
    max_side
        Shrink the image, keeping its proportions, so that no side is longer than this many pixels. JPEG files
        are then decoded at a smaller scale from the start, which is several times cheaper.
    grey_scaling
        How grey values of more than eight bits become eight: see
        :data:`backend.image_files.grey_scaling.GREY_SCALING_RULES`.

    Returns
    -------
    Image
        Mode RGB, loaded, without a file behind it.

    Raises
    ------
    ImageUnreachableError
        If the file is gone or cannot be read.
    ImageError
        If it is empty, truncated, damaged, no image, has no such page, or is larger than :data:`MAX_PIXELS`.
    """
    if max_side is None:
        return decode_resized(path, lambda size: size, grey_scaling=grey_scaling)

    def fitting(size: Size) -> Size:
        factor = min(1.0, max_side / max(size))
        return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))

    return decode_resized(
        path, fitting, resample=Image.Resampling.BICUBIC, reducing_gap=2.0, grey_scaling=grey_scaling
    )


def decode_resized(
    path: str | Path,
    target_size: Callable[[Size], Size],
    *,
    resample: Image.Resampling = Image.Resampling.BILINEAR,
    reducing_gap: float | None = None,
    draft: bool = True,
    mode: str = "RGB",
    grey_scaling: GreyScaling = DEFAULT_GREY_SCALING,
) -> Image.Image:
    """Decode an image file and resize it, with an antialiasing filter.

    Parameters
    ----------
    path
        The file, or the address of a page in it.
    target_size
        From the upright image's width and height to those wanted, pixels.
    resample, reducing_gap
        As for :meth:`PIL.Image.Image.resize`.
    draft
        Let the JPEG decoder shrink by 2, 4 or 8 as long as at least twice the wanted size remains.
    mode
        ``"RGB"`` or ``"L"`` (grey).
    grey_scaling
        How grey values of more than eight bits become eight.

    Raises
    ------
    ImageUnreachableError, ImageError
        As :func:`decode_image`.
    """
    path = Path(path)
    with _sentences_about(path), _opened(path, grey_scaling) as opened:
        loaded = _load(opened, path, target_size if draft else None)
        target = _turned(target_size(_turned(loaded.size, loaded.orientation)), loaded.orientation)
        if target[0] * target[1] > max(MAX_RESIZED_PIXELS, loaded.size[0] * loaded.size[1]):
            raise ImageError(
                f"The image '{path}' is too elongated ({_by(loaded.size)} pixels): resized it would have "
                f"{_by(target)} pixels."
            )
        image = _to_rgb(loaded.image, grey_scaling)
        if mode != "RGB":
            image = image.convert(mode)
        # Resized first and turned then: turning the small image is cheaper, and gives the same.
        if target != image.size or loaded.box is not None:
            image = image.resize(target, resample, box=loaded.box, reducing_gap=reducing_gap)
        if loaded.orientation in _ORIENTATIONS:
            image = image.transpose(_ORIENTATIONS[loaded.orientation])
        return image.copy() if image is opened else image


@contextmanager
def _opened(path: Path, grey_scaling: GreyScaling) -> Iterator[Image.Image]:
    """Open an image, not yet decoded except for DICOM, at the page that its path names."""
    address = ImageAddress.of(path)
    if is_dicom_file(address.file):
        yield decode_dicom(address.file, address.page or 1, grey_scaling, MAX_PIXELS)
        return
    with Image.open(address.file) as image:
        if address.page not in (None, 1):
            _turn_to(image, address)
        yield image


def _turn_to(image: Image.Image, address: ImageAddress) -> None:
    assert address.page is not None
    try:
        image.seek(address.page - 1)
    except EOFError as error:
        raise ImageError(f"The image '{address.file}' has no page {address.page} (any more).") from error
    # Pillow keeps the first page's profile for a page that has none.
    if _PROFILE_TAG not in getattr(image, "tag_v2", {_PROFILE_TAG: None}):
        image.info.pop("icc_profile", None)


@dataclass(frozen=True)
class _Loaded:
    """Pixels of a file, not yet turned upright."""

    image: Image.Image
    size: Size  # in the file; larger than the image's if that is a draft
    orientation: int
    box: tuple[float, float, float, float] | None  # part of a draft that is the picture; None: all of it


def _load(image: Image.Image, path: Path, draft_size: Callable[[Size], Size] | None) -> _Loaded:
    size = image.size
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        raise ImageError(_too_large(path, f"{_by(size)} pixels"))
    if image.format not in {"JPEG", "MPO"}:
        # Read after loading: TIFF files are turned upright as they are loaded, and then say so.
        image.load()
        return _Loaded(image, image.size, _orientation(image), None)
    orientation, box = _orientation(image), None
    if draft_size is not None:
        wanted = _turned(draft_size(_turned(size, orientation)), orientation)
        drafted = image.draft(image.mode, (wanted[0] * _DRAFT_FACTOR, wanted[1] * _DRAFT_FACTOR))
        box = drafted[1] if drafted is not None and image.size != size else None
    image.load()
    return _Loaded(image, size, orientation, box)


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error):
        return 1  # a damaged EXIF block says nothing about the pixels
    return value if isinstance(value, int) and value in _ORIENTATIONS else 1


def _turned(size: Size, orientation: int) -> Size:
    return (size[1], size[0]) if orientation in _SIDEWAYS else size


def _to_rgb(image: Image.Image, grey_scaling: GreyScaling) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(scaled_grey(np.asarray(image), grey_scaling)).convert("RGB")
    if image.mode == "LAB":
        return _lab_to_rgb(image)
    image = to_srgb(image)
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), rgba).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    converted = ImageCms.profileToProfile(
        image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None  # only None when converting in place
    return converted


@contextmanager
def _sentences_about(path: Path) -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # decoders of damaged files fail in every possible way
        raise _image_error(error, path) from error


def _image_error(error: Exception, path: Path) -> ImageError:
    text = str(error)
    if isinstance(error, FileNotFoundError):
        return ImageUnreachableError(f"The image '{path}' is no longer there.")
    if isinstance(error, IsADirectoryError) or (
        isinstance(error, PermissionError) and image_file(path).is_dir()
    ):
        return ImageError(f"'{path}' is a folder, not an image.")
    if isinstance(error, PermissionError):
        return ImageUnreachableError(f"The image '{path}' may not be read: permission is denied.")
    if isinstance(error, UnidentifiedImageError):
        if image_file(path).stat().st_size == 0:
            return ImageError(f"The image '{path}' is empty (0 bytes).")
        return ImageError(f"'{path}' is not an image in any format that can be read.")
    if isinstance(error, Image.DecompressionBombError):
        return ImageError(_too_large(path, "too many pixels"))
    if isinstance(error, MemoryError):
        return ImageError(f"The image '{path}' does not fit into memory.")
    # A seek to a place that a damaged header names fails with EINVAL; decoders' own errors have no number.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return ImageUnreachableError(f"The image '{path}' cannot be read: {error.strerror or text}.")
    if isinstance(error, (EOFError, struct.error)) or "truncated" in text.lower():
        return ImageError(f"The image '{path}' is truncated: its end is missing.")
    return ImageError(f"The image '{path}' is damaged ({text or type(error).__name__}).")


def _too_large(path: Path, found: str) -> str:
    return (
        f"The image '{path}' is not decoded: its header promises {found}, "
        f"and at most {MAX_PIXELS // 10**6} million are taken."
    )


def _by(size: Size) -> str:
    return f"{size[0]} × {size[1]}"
