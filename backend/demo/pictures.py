"""The demo's pictures by the thousand: as a folder with a class folder for each concept, or as an array."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from backend.demo.concepts import CONCEPTS, DEMO_STREAM, draw_concept
from backend.errors import ImageError
from backend.task import SilentTask, Task

_CHUNK = 40
_JPEG_QUALITY = 93
_MOST_WORKERS = 8
_FEW_JOBS = 4  # drawn here sooner than processes start

Result = TypeVar("Result")


def picture_path(folder: Path, concept: str, number: int) -> Path:
    """Where :func:`write_images` puts a picture."""
    return folder / concept / f"{concept}-{number:04d}.jpg"


def write_images(
    folder: Path, *, per_concept: int, stream: int = DEMO_STREAM, task: Task | None = None
) -> int:
    """Draw pictures into class folders; those that are there already are kept.

    A picture appears under its name only when it is complete, so that an interrupted run is continued by
    calling this again.

    Parameters
    ----------
    folder : Path
        Gets one folder for each concept.
    per_concept : int
        Pictures of each concept, numbered from 0.
    stream : int
        Which family of pictures, see :mod:`backend.demo.concepts`.
    task : Task, optional
        Progress in pictures, and cancellation.

    Returns
    -------
    int
        How many pictures were drawn now.

    Raises
    ------
    ImageError
        The folder cannot be written to.
    Cancelled
        The task was asked to stop.
    """
    task = task or SilentTask()
    try:
        missing = [(c, n) for c in CONCEPTS for n in _missing(folder, c, per_concept)]
        total = per_concept * len(CONCEPTS)
        done = total - len(missing)
        jobs = [(str(folder), stream, chunk) for chunk in _chunks(missing)]
        for written in _each_result(_write_chunk, jobs, task):
            done += written
            task.progress(done, total, "Drawing the demo's pictures")
    except OSError as error:
        raise ImageError(
            f"The demo's pictures cannot be written to {folder}: {error}. Choose a folder with "
            "free space that you may write to."
        ) from error
    return len(missing)


def draw_arrays(*, per_concept: int, stream: int, size: int, task: Task | None = None) -> NDArray[np.uint8]:
    """Draw pictures into memory, resized as the network's preprocessing does.

    Parameters
    ----------
    per_concept : int
        Pictures of each concept, numbered from 0.
    stream : int
        Which family of pictures.
    size : int
        Side in pixels.
    task : Task, optional
        Progress in pictures, and cancellation.

    Returns
    -------
    ndarray of uint8, shape (concepts × per_concept, size, size, 3)
        Concept by concept in the order of :data:`backend.demo.concepts.CONCEPTS`.
    """
    task = task or SilentTask()
    wanted = [(c, n) for c in CONCEPTS for n in range(per_concept)]
    images = np.empty((len(wanted), size, size, 3), dtype=np.uint8)
    jobs = [(start * _CHUNK, stream, size, chunk) for start, chunk in enumerate(_chunks(wanted))]
    done = 0
    for start, drawn in _each_result(_draw_chunk, jobs, task):
        images[start : start + len(drawn)] = drawn
        done += len(drawn)
        task.progress(done, len(wanted), "Drawing pictures")
    return images


def _missing(folder: Path, concept: str, per_concept: int) -> list[int]:
    there = {path.name for path in (folder / concept).iterdir()} if (folder / concept).is_dir() else set()
    return [n for n in range(per_concept) if picture_path(folder, concept, n).name not in there]


def _chunks(pictures: Sequence[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    for start in range(0, len(pictures), _CHUNK):
        yield list(pictures[start : start + _CHUNK])


def _write_chunk(job: tuple[str, int, list[tuple[str, int]]]) -> int:
    folder, stream, pictures = job
    for concept, number in pictures:
        path = picture_path(Path(folder), concept, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        draw_concept(concept, number, stream=stream).save(
            unfinished, format="JPEG", quality=_JPEG_QUALITY, subsampling=0
        )
        unfinished.replace(path)
    return len(pictures)


def _draw_chunk(job: tuple[int, int, int, list[tuple[str, int]]]) -> tuple[int, NDArray[np.uint8]]:
    start, stream, size, pictures = job
    drawn = [
        np.asarray(draw_concept(c, n, stream=stream).resize((size, size), Image.Resampling.BILINEAR))
        for c, n in pictures
    ]
    return start, np.stack(drawn)


Job = TypeVar("Job")


def _each_result(function: Callable[[Job], Result], jobs: Sequence[Job], task: Task) -> Iterator[Result]:
    """Run the jobs on all cores, in processes of their own, and yield results as they come.

    Few jobs, and all where processes cannot be started (a locked-down machine), run here one after the other.
    """
    workers = min(os.cpu_count() or 1, _MOST_WORKERS, len(jobs))
    finished: set[int] = set()
    if workers > 1 and len(jobs) > _FEW_JOBS:
        with suppress(BrokenProcessPool, PermissionError, NotImplementedError):
            # Spawned, not forked: the application has threads by now, which a fork would copy half-way.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
                futures: dict[Future[Result], int] = {pool.submit(function, j): i for i, j in enumerate(jobs)}
                try:
                    for future in as_completed(futures):
                        task.check_cancelled()
                        result = future.result()
                        finished.add(futures[future])
                        yield result
                finally:
                    pool.shutdown(wait=True, cancel_futures=True)
    for i, job in enumerate(jobs):
        if i not in finished:
            task.check_cancelled()
            yield function(job)


def _end_with_parent() -> None:
    """Let a worker end when the application does, even if that was killed."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
