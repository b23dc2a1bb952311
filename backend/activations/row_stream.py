"""Reading activations that may be larger than the memory: all rows once, or a few rows here and there."""

from __future__ import annotations

import errno
import mmap
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.errors import ProjectError
from backend.processor_cores import available_cores
from backend.task import SilentTask, Task

_CHUNK_BYTES: Final = 8 << 20  # enough for a disk to read it in one go

# A few threads take all that memory delivers.
_MOST_THREADS: Final = 4

# Of Linux 5.14 and later; Python has no name for it.
_MADV_POPULATE_READ: Final = 22

Work: TypeAlias = Callable[[int, int, NDArray[np.float32]], None]
"""Takes the number of a worker, the first row of a chunk, and the chunk's rows."""


def stream_rows(
    activations: NDArray[np.float32], work: Work, *, task: Task | None = None, message: str = ""
) -> None:
    """Hand all rows to a function, in chunks, on several threads.

    Worker ``w`` of ``W`` takes the chunks ``w``, ``w + W``, ``w + 2 W``, … in this order, so that what is
    gathered for each worker depends on nothing but the number of workers. Rows of a memory map are brought
    into memory a chunk at a time, and let go of afterwards: however large the file, little of it is mapped.

    Parameters
    ----------
    activations : ndarray of float32, shape (images, d)
        An array or a memory map.
    work : callable
        Called with a worker's number, a first row, and rows; by different workers at the same time.
    task
        Is told of the rows that are done, if there is a message, and may stop the work between two chunks.
    message
        For the task's progress.

    Raises
    ------
    Cancelled
        If the task was asked to stop.
    ProjectError
        If the file behind a memory map cannot be read.
    """
    task = task or SilentTask()
    n_images = len(activations)
    rows = chunk_rows(activations)
    n_workers = n_stream_workers(activations)
    stop = threading.Event()

    def run(worker: int) -> None:
        try:
            for start in range(worker * rows, n_images, n_workers * rows):
                if stop.is_set():
                    return
                if worker == 0:
                    task.check_cancelled()
                    if message:
                        task.progress(start, n_images, message)
                with rows_in_memory(activations, start, start + rows) as chunk:
                    work(worker, start, chunk)
        except BaseException:
            stop.set()
            raise

    if n_workers == 1:
        run(0)
        return
    # This thread is worker 0: a task is asked by the thread that it was given to.
    with ThreadPoolExecutor(n_workers - 1, thread_name_prefix="rows") as pool:
        others = [pool.submit(run, worker) for worker in range(1, n_workers)]
        run(0)
        for other in others:
            other.result()


def chunk_rows(activations: NDArray[np.float32]) -> int:
    """Return the number of rows in a chunk."""
    row_bytes = activations.shape[1] * activations.itemsize
    return max(1, _CHUNK_BYTES // max(1, row_bytes))


def n_stream_workers(activations: NDArray[np.float32]) -> int:
    """Return how many workers :func:`stream_rows` employs for an array."""
    n_chunks = -(-len(activations) // chunk_rows(activations))
    return max(1, min(_MOST_THREADS, available_cores(), n_chunks))


@contextmanager
def rows_in_memory(activations: NDArray[np.float32], start: int, stop: int) -> Iterator[NDArray[np.float32]]:
    """Give rows of an array; those of a memory map are read at once, rather than page by page when touched.

    Raises
    ------
    ProjectError
        If the file behind a memory map cannot be read. (To touch its pages would end the process.)
    """
    rows = activations[start:stop]
    pages = _Pages.of(rows)
    if pages is not None:
        pages.fetch()
    try:
        yield rows
    finally:
        if pages is not None:
            pages.release()


def gather_rows(activations: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Copy some rows of an array; of a memory map these alone are read, all at the same time.

    Pages that are read as they are touched are waited for one by one, and much around each is read as well: a
    hundred rows of a file that was not in memory take 0.7 s in that way, and 6 ms in this.

    Parameters
    ----------
    activations : ndarray of float32, shape (images, d)
        An array or a memory map.
    rows : ndarray of int, shape (n,)
        In any order.

    Returns
    -------
    ndarray of float32, shape (n, d)
    """
    pages = _Pages.of(activations)
    if pages is not None:
        row_bytes = activations.shape[1] * activations.itemsize
        for row in np.unique(rows % len(activations)).tolist():
            pages.part(row * row_bytes, row_bytes).announce()
    return np.asarray(activations[rows], dtype=np.float32)


@dataclass(frozen=True)
class _Pages:
    """The pages of a memory map that hold some rows."""

    mapping: mmap.mmap
    first: int
    n_bytes: int

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> _Pages | None:
        """Find them; None if the rows are no contiguous part of a mapped file."""
        mapping: object = rows
        while isinstance(mapping, (np.ndarray, memoryview)):
            mapping = mapping.obj if isinstance(mapping, memoryview) else mapping.base
        if sys.platform != "linux" or not isinstance(mapping, mmap.mmap):
            return None
        if not rows.flags.c_contiguous or not rows.nbytes:
            return None
        return cls(mapping, _address(rows) - _address(np.frombuffer(mapping, np.uint8)), rows.nbytes)

    def part(self, first: int, n_bytes: int) -> _Pages:
        """Return the pages of some of the rows' bytes."""
        return _Pages(self.mapping, self.first + first, n_bytes)

    def announce(self) -> None:
        """Have them read, without waiting for it."""
        self._advise(mmap.MADV_WILLNEED)

    def fetch(self) -> None:
        """Read them."""
        self.announce()
        try:
            self._advise(_MADV_POPULATE_READ)
        except OSError as error:
            if error.errno == errno.EINVAL:
                return  # An older kernel reads them when they are touched.
            raise ProjectError(
                f"The activations cannot be read from their file ({error.strerror}): its disk is gone, "
                "or the file was cut off. Extract the layer again; what is sound of it is kept."
            ) from error

    def release(self) -> None:
        """Take them out of this process's mapping; the system keeps them as long as it has memory."""
        self._advise(mmap.MADV_DONTNEED)

    def _advise(self, advice: int) -> None:
        start = self.first - self.first % mmap.PAGESIZE
        self.mapping.madvise(advice, start, self.first + self.n_bytes - start)


def _address(array: NDArray) -> int:  # type: ignore[type-arg]
    address: int = array.__array_interface__["data"][0]
    return address
