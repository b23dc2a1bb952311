"""Which image each row of imported activations belongs to."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

from backend.activations.list_file import read_entries
from backend.errors import ActivationImportError
from backend.image_files.image_address import image_file

# What is no plain relative path yet: an absolute one, a backslash, a segment that is empty, "." or "..".
_NOT_PLAIN: Final = re.compile(r"^/|\\|//|(^|/)\.{1,2}(/|$)|^[A-Za-z]:|/$")
_N_SHOWN: Final = 5
_N_LOOKED_AT: Final = 500


@dataclass(frozen=True)
class ImageList:
    """Which image each row belongs to.

    Attributes
    ----------
    file
        Where the list was read.
    paths
        By row: relative to the images folder, with forward slashes, each once.
    labels
        By row: the class as listed, or else the folder directly below the images folder; None without either.
    """

    file: Path
    paths: tuple[str, ...]
    labels: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.paths)

    def require_rows(self, n_rows: int, what: str) -> None:
        """Make sure that there is one image for each row of an array, which is named for the error.

        Raises
        ------
        ActivationImportError
            If there are more or fewer.
        """
        if len(self) != n_rows:
            raise ActivationImportError(
                f"{what} has {n_rows:,} rows, but {self.file.name} lists {len(self):,} images: row i belongs "
                "to line i, so both need as many."
            )

    def require_same(self, project_paths: Sequence[str]) -> None:
        """Make sure that these are the images of a project, in its order.

        Raises
        ------
        ActivationImportError
            If they are not; the sentence names the first difference.
        """
        if self.paths == tuple(project_paths):
            return
        pairs = zip(self.paths, project_paths, strict=False)
        row = next(
            (row for row, (mine, others) in enumerate(pairs) if mine != others),
            min(len(self), len(project_paths)),
        )
        mine, others = (_quoted(paths, row) for paths in (self.paths, project_paths))
        sorted_alike = len(self) == len(project_paths) and set(self.paths) == set(project_paths)
        hint = " They are the same images in another order." if sorted_alike else ""
        raise ActivationImportError(
            f"{self.file.name} does not list the project's {len(project_paths):,} images: row {row} is "
            f"{mine} there and {others} in the project.{hint} Make a new project for these activations, or "
            "write them in the project's order."
        )


@dataclass(frozen=True)
class ListedImages:
    """What is there of the images of a list.

    Attributes
    ----------
    first
        The first paths, each with whether its file exists.
    n_looked_at, n_found
        How many files were looked for, spread over the list, and found.
    """

    first: tuple[tuple[str, bool], ...]
    n_looked_at: int
    n_found: int


def look_for_listed(images: ImageList, root: Path) -> ListedImages:
    """Look for some of the files of a list: the first, and more that are spread over all of it."""
    first = tuple((path, image_file(root / path).is_file()) for path in images.paths[:_N_SHOWN])
    some = images.paths[:: max(1, len(images) // _N_LOOKED_AT)]
    return ListedImages(first, len(some), sum(image_file(root / path).is_file() for path in some))


def read_image_list(file: Path, root: Path | None = None) -> ImageList:
    """Read a list of images.

    Parameters
    ----------
    file
        A text file with one path a line; a ``.csv`` file with a column ``path`` and, if wanted, ``label``
        (separated by commas, semicolons or tabs); a ``.json`` file with a list of paths, or of objects with
        ``path`` and ``label``; or a ``.npz`` or ``.npy`` file with an array of paths.
    root
        The images folder. Paths are relative to it, or absolute and below it. Backslashes separate folders,
        unless a file below it has one in its name.

    Raises
    ------
    ActivationImportError
        If the file cannot be read, is empty, or names an image twice, outside the folder, or not at all.
    """
    try:
        entries = read_entries(file)
    except FileNotFoundError as error:
        raise ActivationImportError(f"There is no list of images {file}.") from error
    except OSError as error:
        raise ActivationImportError(
            f"The list of images {file} cannot be read ({error.strerror or error})."
        ) from error
    if not entries.texts:
        raise ActivationImportError(f"The list of images {file} is empty.")
    folder = None if root is None else root.absolute()
    paths: dict[str, int] = {}
    for place, text in enumerate(entries.texts):
        problem, path = "", text
        if not text or _NOT_PLAIN.search(text) or not text.isprintable():
            path, problem = _relative(text, folder)
        if not problem and paths.setdefault(path, place) != place:
            problem = f"is {path} again, as {entries.where(paths[path])}"
        if problem:
            raise ActivationImportError(f"{entries.where(place)} of {file} {problem}.")
    listed = tuple(paths)
    if entries.labels is None:
        return ImageList(file, listed, tuple(_folder_of(path) for path in listed))
    return ImageList(file, listed, tuple(label or None for label in entries.labels))


def _relative(text: str, root: Path | None) -> tuple[str, str]:
    """Return a path relative to the images folder, and what is wrong with it ("" if nothing)."""
    if not text:
        return "", "names no image"
    if "\0" in text or "\n" in text or not _is_unicode(text):
        return "", f"is no path ({text!r})"
    path = text
    if "\\" in text and not (root is not None and os.sep == "/" and image_file(root / text).is_file()):
        path = text.replace("\\", "/")
    if path.startswith("/") or PureWindowsPath(path).drive:
        below = _below(path, root)
        if below is None:
            folder = "no images folder was given" if root is None else f"it is not below {root}"
            return "", f"is the absolute path {text}, but {folder}"
        path = below
    path = posixpath.normpath(path)
    if path == "." or path == ".." or path.startswith("../"):
        return "", f"leaves the images folder ({text})"
    return path, ""


def _below(path: str, root: Path | None) -> str | None:
    """Return an absolute path as seen from the images folder, None if it is not below that."""
    if root is None:
        return None
    wanted = _comparable(path)
    for folder in (root, Path(os.path.realpath(root))):
        prefix = _comparable(str(folder)).rstrip("/") + "/"
        if wanted.startswith(prefix):
            return posixpath.normpath(path)[len(prefix) :]
    return None


def _comparable(path: str) -> str:
    normal = posixpath.normpath(path.replace("\\", "/") if os.sep == "\\" else path)
    return normal.casefold() if os.sep == "\\" else normal


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _folder_of(path: str) -> str | None:
    top, separator, _ = path.partition("/")
    return top if separator else None


def _quoted(paths: Sequence[str], row: int) -> str:
    return f"“{paths[row]}”" if row < len(paths) else "missing"
