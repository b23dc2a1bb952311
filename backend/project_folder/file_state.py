"""Size and time of modification of files, by which a changed one is noticed without reading it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from backend.image_files.image_address import file_name
from backend.task import Task

# More would answer sooner, and leave the window too few turns.
_N_THREADS = 8
_FILES_A_CHUNK = 64


@dataclass(frozen=True)
class FileState:
    """Size in bytes and time of modification (nanoseconds since 1970) of an image file."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: str | Path) -> FileState | None:
        """Read the state of an image's file; None if it cannot be reached."""
        try:
            # Names, not paths: of a million images, that is ten seconds rather than a minute.
            found = os.stat(file_name(str(path)))  # noqa: PTH116
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


def states_of_files(
    paths: Mapping[int, Path], what: str, task: Task
) -> Iterator[tuple[int, FileState | None]]:
    """Yield each row with the state of its image's file, in the mapping's order.

    Several threads ask, because each waits: for a share to answer, or, beside threads that compute, for its
    turn.

    Parameters
    ----------
    paths
        Row → path.
    what
        What is being done, for the progress.
    task
        Can stop it.
    """
    rows = list(paths)
    chunks = [rows[start : start + _FILES_A_CHUNK] for start in range(0, len(rows), _FILES_A_CHUNK)]

    def look(chunk: Sequence[int]) -> list[tuple[int, FileState | None]]:
        task.check_cancelled()
        return [(row, FileState.of(paths[row])) for row in chunk]

    pool = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="looking at files")
    try:
        for done, found in enumerate(pool.map(look, chunks)):
            task.progress(done * _FILES_A_CHUNK, len(rows), what)
            yield from found
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def is_folder(path: Path) -> bool:
    """Return whether a folder is there and can be looked at; unlike ``Path.is_dir`` never an error."""
    try:
        return path.is_dir()
    except OSError:
        return False
