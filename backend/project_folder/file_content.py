"""SHA-256 of files' contents: of one, or of many at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from backend.task import SilentTask, Task

_Key = TypeVar("_Key")

_BYTES_AT_ONCE = 1 << 20
# Hashing lets other threads run, and so does waiting for a disk or a share.
_N_THREADS = 4
_FILES_AT_ONCE = 256


def file_sha256(
    path: Path, task: Task | None = None, report: Callable[[int], None] | None = None
) -> str | None:
    """Return the SHA-256 (64 hexadecimal digits) of a file's bytes; None if it cannot be read.

    Parameters
    ----------
    task
        Can stop it.
    report
        Is called with the number of bytes read so far.

    Raises
    ------
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(_BYTES_AT_ONCE):
                task.check_cancelled()
                digest.update(data)
                if report is not None:
                    report(file.tell())
    except OSError:
        return None
    return digest.hexdigest()


def hashes_of_files(files: Mapping[_Key, Path], what: str, task: Task) -> Iterator[tuple[_Key, str | None]]:
    """Yield each key with the SHA-256 of its file, None if that cannot be read, in the mapping's order.

    A file that several keys in a row share (the pages of one file) is read once.

    Parameters
    ----------
    files
        Key → file.
    what
        What is being done, for the progress, which counts keys.
    task
        Can stop it, also within a large file.
    """
    items = iter(files.items())
    n_done = 0
    last: dict[Path, str | None] = {}
    pool = ThreadPoolExecutor(_N_THREADS, thread_name_prefix="hashing")
    try:
        while some := list(islice(items, _FILES_AT_ONCE)):
            task.check_cancelled()
            task.progress(n_done, len(files), what)
            wanted = [path for path in dict.fromkeys(path for _, path in some) if path not in last]
            known = last | dict(zip(wanted, pool.map(partial(file_sha256, task=task), wanted), strict=True))
            for key, path in some:
                yield key, known[path]
            last = {some[-1][1]: known[some[-1][1]]}
            n_done += len(some)
        task.progress(n_done, len(files), what)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
