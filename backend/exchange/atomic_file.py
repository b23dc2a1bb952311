"""Writing files whole or not at all, and saying in a sentence why one cannot be written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backend.errors import ExportError

_REASONS = {
    errno.ENOSPC: "the disk is full. Free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up. Free some space or choose another folder",
    errno.EROFS: "the disk is read-only. Choose another folder",
    errno.EACCES: "there is no permission to write there. Choose another folder",
    errno.EPERM: "there is no permission to write there. Choose another folder",
    errno.EISDIR: "it is a folder. Choose a file name",
    errno.ENOTDIR: "a part of its path is a file, not a folder. Choose another folder",
    errno.EEXIST: "a part of its path is a file, not a folder. Choose another folder",
    errno.ENAMETOOLONG: "its name is too long. Choose a shorter one",
}


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes the place of ``path`` when the block ends well, and vanishes otherwise.

    Missing folders are made. An older file of that name stays as it is until the new one is complete. A link
    is followed; what is no file on a disk (a pipe, a terminal) cannot be replaced and is written to directly.

    Raises
    ------
    ExportError
        If the file cannot be written: where, why, and what to do.
    """
    target = path.resolve() if path.is_symlink() else path
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(target) as file:
            yield file
    except OSError as error:
        raise unwritable(path, error) from error


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    temporary = target.with_name(target.name + ".part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        _remove(temporary)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all (ExportError as :func:`atomic_file`)."""
    with atomic_file(path) as file:
        file.write(content)


def unwritable(path: Path, error: OSError) -> ExportError:
    """Say why a file could not be written."""
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}. Choose another folder")
    return ExportError(f"{path} cannot be written: {reason}.")


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        # The folder itself went away or turned out to be a file: nothing of ours is left there.
        return
