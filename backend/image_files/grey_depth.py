"""Which formats of a folder hold grey values of more than eight bits: told from the headers of a sample."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from PIL import Image

from backend.image_files.image_address import image_file
from backend.images import IMAGE_SUFFIXES
from backend.task import SilentTask, Task

DICOM: Final = "DICOM"

# Of the other formats that are read, none holds grey values of more than eight bits.
_FORMATS: Final = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".pgm": "PGM"}
_SAMPLE: Final = 64  # files of a format


@dataclass(frozen=True)
class GreyDepth:
    """What a sample of a folder's images of one format says of their grey values.

    Attributes
    ----------
    format
        ``PNG``, ``TIFF``, ``PGM`` or ``DICOM``: those that can hold more than eight bits.
    n_files
        Files of the format.
    n_examined
        Those whose header was read, spread over all of them. DICOM files are not read, and count as deep.
    n_deep
        Those of them with grey values of more than eight bits.
    example
        Path of the first of these as the folder's images are named; "" if there is none.
    """

    format: str
    n_files: int
    n_examined: int
    n_deep: int
    example: str


def grey_depths(root: Path, paths: Sequence[str], *, task: Task | None = None) -> tuple[GreyDepth, ...]:
    """Look for grey values of more than eight bits, to which a rule of grey scaling applies.

    Parameters
    ----------
    root
        The images' folder.
    paths
        The images in it, as :class:`backend.images.ImageSet` names them.
    task
        Can stop it.

    Returns
    -------
    tuple of GreyDepth
        One for each format that is there and can hold them.

    Raises
    ------
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    files: dict[str, dict[str, None]] = defaultdict(dict)
    for path in paths:
        file = str(image_file(path))
        suffix = PurePath(file).suffix.lower()
        # What is taken for an image in spite of its suffix is DICOM.
        name = _FORMATS.get(suffix, "") if suffix in IMAGE_SUFFIXES else DICOM
        if name:
            files[name][file] = None
    return tuple(_depth(name, root, list(of_format), task) for name, of_format in sorted(files.items()))


def _depth(name: str, root: Path, files: list[str], task: Task) -> GreyDepth:
    if name == DICOM:
        return GreyDepth(name, len(files), len(files), len(files), files[0])
    n_examined = min(len(files), _SAMPLE)
    sample = [files[place * len(files) // n_examined] for place in range(n_examined)]
    deep: list[str] = []
    for file in sample:
        task.check_cancelled()
        if _is_deep(root / file):
            deep.append(file)
    return GreyDepth(name, len(files), n_examined, len(deep), deep[0] if deep else "")


def _is_deep(file: Path) -> bool:
    try:
        with Image.open(file) as image:
            return image.mode.startswith("I") or image.mode == "F"
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error, OverflowError):
        return False  # what is wrong with it is said when it is decoded
    except Image.DecompressionBombError:
        return False
