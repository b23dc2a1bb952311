"""Where an image is: a file, or one page of a file that holds several."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

PageKind = Literal["page", "frame"]
"""What the images in a file are called: pages of a TIFF file, frames of a DICOM file."""

_ADDRESS: Final = re.compile(r"^(?P<file>.+)#(?:page|frame)=(?P<page>[1-9]\d{0,8})$", re.DOTALL)


@dataclass(frozen=True)
class ImageAddress:
    """The file of an image, and which of its pages is meant.

    Attributes
    ----------
    file
        The file itself.
    page
        Number of the page or frame, from 1; None: the file's only or first image.
    """

    file: Path
    page: int | None

    @classmethod
    def of(cls, path: str | Path) -> ImageAddress:
        """Take an image's path apart: ``stack.tif#page=3`` is page 3 of ``stack.tif``."""
        found = _ADDRESS.match(str(path))
        return cls(Path(path), None) if found is None else cls(Path(found["file"]), int(found["page"]))


def file_name(path: str) -> str:
    """Do as :func:`image_file` does, with names alone: for very many of them, several times faster."""
    found = _ADDRESS.match(path) if "#" in path else None
    return path if found is None else found["file"]


def image_file(path: str | Path) -> Path:
    """Return the file that an image is in: its path, without the page if it names one.

    Whatever looks at files (whether one is there, its size and time of modification, copying it, showing it
    in a file manager) calls this first.
    """
    return Path(file_name(str(path)))


def page_address(file: str, page: int, kind: PageKind = "page") -> str:
    """Return the path of one image in a file of several: ``stack.tif#page=3``, ``scan.dcm#frame=12``."""
    return f"{file}#{kind}={page}"


def address_order(path: str) -> tuple[str, int]:
    """Return the key by which paths of images are sorted: by file, then by the number of the page."""
    found = _ADDRESS.match(path)
    return (path, 0) if found is None else (found["file"], int(found["page"]))
