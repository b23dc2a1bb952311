"""The pictures inside a report: each once, small, as a JPEG in its style sheet."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from backend.errors import ImageError
from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling
from backend.images import decode_image

THUMBNAIL_SIDE = 96
"""Pixels: shown at 64 to 80, sharp on a fine screen, about 4 kB each."""

_JPEG_QUALITY = 80


class Thumbnails:
    """Collects the images that a report shows, so that each is embedded once however often it appears.

    Parameters
    ----------
    image_paths
        Path of each row relative to the images' folder: what the reader is told.
    locate
        Gives the file of a row.
    grey_scaling
        Rule for grey values of more than eight bits.
    """

    def __init__(
        self,
        image_paths: Sequence[str],
        locate: Callable[[int], Path],
        grey_scaling: GreyScaling = DEFAULT_GREY_SCALING,
    ) -> None:
        self._paths = image_paths
        self._grey_scaling = grey_scaling
        self._locate = locate
        self._uris: dict[int, str | None] = {}

    def html(self, row: int, caption: str, *, own: bool = False) -> str:
        """Return the element that shows one image.

        Parameters
        ----------
        row
            Of the activation array.
        caption
            Plain text that follows the path in the tooltip.
        own
            Whether to frame it in the concept's colour.
        """
        text = escape(f"{self._paths[row]} · {caption}" if caption else self._paths[row], quote=True)
        if row not in self._uris:
            self._uris[row] = self._encode(row)
        if self._uris[row] is None:
            return f'<span class="i broken" role="img" title="{text}" aria-label="{text}">no image</span>'
        classes = f"i i{row}{' own' if own else ''}"
        return f'<span class="{classes}" role="img" title="{text}" aria-label="{text}"></span>'

    @property
    def n_absent(self) -> int:
        """How many of the images shown so far could not be read."""
        return sum(uri is None for uri in self._uris.values())

    def style_rules(self) -> str:
        """Return a style rule for every image shown so far."""
        return "\n".join(
            f".i{row}{{background-image:url({uri})}}" for row, uri in sorted(self._uris.items()) if uri
        )

    def _encode(self, row: int) -> str | None:
        try:
            image = decode_image(
                self._locate(row), max_side=4 * THUMBNAIL_SIDE, grey_scaling=self._grey_scaling
            )
        except ImageError:
            # The images may have moved or a file may have gone: the report says so in its place.
            return None
        return jpeg_uri(ImageOps.fit(image, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS))


def jpeg_uri(image: Image.Image, quality: int = _JPEG_QUALITY) -> str:
    """Return an RGB image as a ``data:`` URI that needs no other file."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def picture_uri(pixels: NDArray[np.uint8], max_side: int = 320) -> str:
    """Return pixels uint8 (H, W, 3) as a ``data:`` URI, shrunk to ``max_side``."""
    image = Image.fromarray(pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return jpeg_uri(image, quality=88)
