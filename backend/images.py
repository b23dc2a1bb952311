"""A folder of images: which files belong to it, their classes, and the same number of each class.

Decoding and preparing single images have modules of their own; their names are gathered here.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.errors import ImageError
from backend.image_files.dicom_decoding import (
    DICOM_SUFFIXES,
    PYDICOM_IS_MISSING,
    dicom_frames,
    is_dicom_file,
    pydicom_is_installed,
)
from backend.image_files.grey_scaling import GREY_SCALING_RULES, GREY_SCALINGS
from backend.image_files.image_address import ImageAddress, address_order, image_file, page_address
from backend.image_files.image_decoding import ImageUnreachableError, decode_image
from backend.image_files.image_preprocessing import preprocess_image
from backend.image_files.tiff_pages import tiff_pages
from backend.task import SilentTask, Task

__all__ = [
    "DICOM_SUFFIXES",
    "GREY_SCALINGS",
    "GREY_SCALING_RULES",
    "IMAGE_SUFFIXES",
    "ImageAddress",
    "ImageSet",
    "ImageUnreachableError",
    "SkippedFile",
    "decode_image",
    "find_images",
    "image_file",
    "preprocess_image",
]

IMAGE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
)
_TIFF_SUFFIXES: Final = frozenset({".tif", ".tiff"})
_REPORT_EVERY: Final = 1000  # images


@dataclass(frozen=True)
class SkippedFile:
    """A file or folder that looks like it belongs to the images but cannot be taken.

    Parameters
    ----------
    path
        Relative to the images' folder, with forward slashes.
    reason
        A sentence.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class ImageSet:
    """The images of a folder, in an order that depends on nothing but their names.

    Parameters
    ----------
    root
        The folder, absolute.
    paths
        The images' paths relative to ``root``, with forward slashes, sorted. Of a file that holds several
        images each has a path of its own: ``stack.tif#page=3`` (pages of a TIFF file), ``scan.dcm#frame=12``
        (frames of a DICOM file), from 1. :func:`backend.image_files.image_address.image_file` gives the file.
    labels
        The class of each image: the name of the folder directly below ``root`` that it is in, or None for an
        image in ``root`` itself.
    skipped
        What was left out, and why.
    """

    root: Path
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    skipped: tuple[SkippedFile, ...] = ()

    def __len__(self) -> int:
        return len(self.paths)


def find_images(
    root: str | Path, *, per_class: int | None = None, seed: int = 0, task: Task | None = None
) -> ImageSet:
    """Find the image files in a folder and in the folders below it, by their suffixes.

    Hidden files and folders (whose names begin with a dot) are left out without mention; links are followed,
    but never in a circle. Each page of a TIFF file and each frame of a DICOM file is an image; DICOM files
    are known by their suffix, or, where they have none, by how they begin, and need the package pydicom. No
    other files are opened: a broken one is noticed when it is decoded.

    Parameters
    ----------
    root
        The folder, with one folder for each class or flat.
    per_class
        Take at most this many images of each class (of all, if the folder is flat), by chance.
    seed
        Decides which. An image's chance is drawn from the seed and its own path: the choice does not depend
        on the file system, nor that in one class on the others, and more images of a class include the fewer.
    task
        Is told how many images were found (their total is unknown: 0) and can stop the search.

    Raises
    ------
    ImageError
        If the folder is gone, is no folder, cannot be read, or holds no image; if ``per_class`` is not
        positive.
    Cancelled
        If the task was asked to stop.
    """
    folder = Path(root).expanduser().absolute()
    if per_class is not None and per_class < 1:
        raise ImageError(f"At least 1 image of each class is needed, not {per_class}.")
    skipped: list[SkippedFile] = []
    paths = sorted(_walk(folder, skipped, task or SilentTask()), key=address_order)
    if not paths:
        raise ImageError(_nothing_found(folder, skipped))
    if per_class is not None:
        paths = _undersampled(paths, per_class, seed)
    labels = tuple(_label(path) for path in paths)
    return ImageSet(folder, tuple(paths), labels, tuple(sorted(skipped, key=lambda file: file.path)))


def _walk(root: Path, skipped: list[SkippedFile], task: Task) -> Iterator[str]:
    """Yield the relative paths of image files; note in ``skipped`` what cannot be taken."""
    folders: list[tuple[str, tuple[tuple[int, int], ...]]] = [
        ("", ())
    ]  # relative path, identities of it and above
    n_found = 0
    while folders:
        relative, above = folders.pop()
        task.check_cancelled()
        task.progress(n_found, 0, "Searching for images")
        try:
            status = (root / relative).stat()
            identity = (status.st_dev, status.st_ino)
            if identity in above:
                continue  # a link back to a folder that this one is in
            entries = _entries(root / relative)
        except OSError as error:
            if not relative:
                raise ImageError(_unreadable_folder(root, error)) from error
            skipped.append(
                SkippedFile(_printable(relative), f"This folder cannot be read: {error.strerror or error}.")
            )
            continue
        for entry in entries:
            path = f"{relative}/{entry.name}" if relative else entry.name
            if entry.is_folder:
                folders.append((path, (*above, identity)))
                continue
            for image in _images_of(entry, root, path, skipped):
                n_found += 1
                if n_found % _REPORT_EVERY == 0:
                    task.check_cancelled()
                    task.progress(n_found, 0, "Searching for images")
                yield image


def _images_of(entry: _Entry, root: Path, path: str, skipped: list[SkippedFile]) -> Iterator[str]:
    """Yield the paths of the images in what is no folder; note in ``skipped`` why there are none."""
    if not _may_be_image(root / path, entry):
        return
    reason = _cannot_be_taken(entry, path)
    if reason:
        skipped.append(SkippedFile(_printable(path), reason))
        return
    try:
        yield from _pages_of(root / path, path)
    except ImageError as error:
        skipped.append(SkippedFile(path, str(error)))
    except OSError:
        yield path  # what is wrong is said when it is decoded


def _may_be_image(file: Path, entry: _Entry) -> bool:
    if file.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        return is_dicom_file(file) if entry.is_file else file.suffix.lower() in DICOM_SUFFIXES
    except OSError:
        return False  # without a suffix, and not readable: nothing says that it is an image


def _pages_of(file: Path, path: str) -> list[str]:
    """Return the paths of the images in a file: its own, or one for each of its pages."""
    suffix = file.suffix.lower()
    if suffix in _TIFF_SUFFIXES:
        pages = tiff_pages(file)
        return [path] if pages == (1,) else [page_address(path, page) for page in pages]
    if suffix in IMAGE_SUFFIXES:
        return [path]
    if not pydicom_is_installed():
        raise ImageError(PYDICOM_IS_MISSING)
    n_frames = dicom_frames(file)
    if n_frames == 1:
        return [path]
    return [page_address(path, frame, "frame") for frame in range(1, n_frames + 1)]


@dataclass(frozen=True)
class _Entry:
    name: str
    is_folder: bool
    is_file: bool


def _entries(folder: Path) -> list[_Entry]:
    with os.scandir(folder) as entries:
        return [
            _Entry(entry.name, entry.is_dir(), entry.is_file())
            for entry in entries
            if not entry.name.startswith(".")
        ]


def _cannot_be_taken(entry: _Entry, path: str) -> str:
    if not entry.is_file:
        return "This link leads nowhere, or this is not a file."
    if path != _printable(path):
        return "The file's name, or that of its folder, is not valid Unicode; rename it."
    if ImageAddress.of(path).page is not None:
        return "The file's name ends as the address of a page does (#page=…); rename it."
    return ""


def _printable(name: str) -> str:
    return name.encode(errors="replace").decode()


def _label(path: str) -> str | None:
    top, separator, _ = path.partition("/")
    return top if separator else None


def _undersampled(paths: list[str], per_class: int, seed: int) -> list[str]:
    classes: dict[str | None, list[str]] = defaultdict(list)
    for path in paths:
        classes[_label(path)].append(path)

    def chance(path: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{path}".encode()).digest()

    chosen = (path for members in classes.values() for path in sorted(members, key=chance)[:per_class])
    return sorted(chosen, key=address_order)


def _unreadable_folder(root: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"The images folder '{root}' does not exist (any more); choose another or connect its disk."
    if isinstance(error, NotADirectoryError):
        return f"'{root}' is a file, not a folder of images; choose the folder that it is in."
    return f"The images folder '{root}' cannot be read: {error.strerror or error}."


def _nothing_found(root: Path, skipped: list[SkippedFile]) -> str:
    suffixes = ", ".join(sorted(suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES | DICOM_SUFFIXES))
    left_out = f" {len(skipped)} were left out, the first because: {skipped[0].reason}" if skipped else ""
    return f"The folder '{root}' and the folders in it hold no images ({suffixes}).{left_out}"
