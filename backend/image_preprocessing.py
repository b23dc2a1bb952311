"""From an image file to the pixels of a network's input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.image_decoding import Size, decode_resized
from backend.model_source import Preprocessing

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def preprocess_image(
    path: str | Path, preprocessing: Preprocessing, *, draft: bool = True
) -> NDArray[np.uint8]:
    """Decode an image, resize its shorter side and cut out the central square.

    As torchvision's ``Resize`` and ``CenterCrop`` do on a Pillow image: equal to them for every format but
    JPEG, and for JPEG without ``draft``. With it, large JPEG files are decoded at 1/2, 1/4 or 1/8 of their
    size as long as at least twice the wanted size remains, which is several times faster and moves pixels by
    a few levels.

    Parameters
    ----------
    path
        The image file; see :func:`backend.images.decode_image` for what is done with unusual ones.
    preprocessing
        Sizes, interpolation and number of channels.
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
    image = decode_resized(
        path,
        lambda size: _resized_size(size, preprocessing.resize_size),
        resample=_RESAMPLING[preprocessing.interpolation],
        draft=draft,
        mode="RGB" if preprocessing.channels == 3 else "L",
    )
    pixels = np.array(_central_square(image, preprocessing.input_size))
    return pixels.reshape(preprocessing.input_size, preprocessing.input_size, preprocessing.channels)


def _resized_size(size: Size, shorter: int) -> Size:
    """Scale the shorter side to ``shorter``; the longer is rounded down, as torchvision does."""
    width, height = size
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter


def _central_square(image: Image.Image, side: int) -> Image.Image:
    left, top = round((image.width - side) / 2), round((image.height - side) / 2)
    return image.crop((left, top, left + side, top + side))
