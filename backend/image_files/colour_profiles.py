"""Colours as a file's ICC profile means them, to sRGB."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

_SRGB_MODES: Final = ("RGB", "L", "CMYK")
_CHECKED_LEVELS: Final = (0, 51, 102, 153, 204, 255)
_UNSEEN: Final = 2  # levels out of 255: profiles that change no colour by more are sRGB in another form


def to_srgb(image: Image.Image) -> Image.Image:
    """Convert an image from the colours of its ICC profile to sRGB.

    The conversion is relative colorimetric with black point compensation. A profile that means sRGB itself
    changes nothing; a damaged profile, or one for another kind of image, is passed over.

    Parameters
    ----------
    image
        Of any mode. Only 8-bit grey, RGB and CMYK, and palettes of RGB, have a profile that counts here.

    Returns
    -------
    Image
        RGB, with the alpha channel that the image had; or the image as it was.
    """
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not profile:
        return image
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colours = _without_alpha(image)
    transform = None if colours.mode not in _SRGB_MODES else _transform(profile, colours.mode)
    if transform is None:
        return image
    converted = transform.apply(colours)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _without_alpha(image: Image.Image) -> Image.Image:
    if image.mode in ("P", "PA", "RGBA", "RGBX"):
        return image.convert("RGBA").convert("RGB")
    return image.convert("L") if image.mode in ("1", "LA") else image


@lru_cache(maxsize=64)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return the transform from a profile to sRGB; None if it changes nothing or cannot be made."""
    try:
        transform = ImageCms.buildTransform(
            ImageCms.getOpenProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode == "CMYK":
        return transform
    samples = _samples(mode)
    change = np.asarray(transform.apply(samples), int) - np.asarray(samples.convert("RGB"), int)
    return transform if np.abs(change).max() > _UNSEEN else None


def _samples(mode: str) -> Image.Image:
    """Return an image of colours all over the range of an image mode."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    grid = np.stack(np.meshgrid(*(_CHECKED_LEVELS,) * 3, indexing="ij"), axis=-1)
    return Image.fromarray(grid.reshape(1, -1, 3).astype(np.uint8))
