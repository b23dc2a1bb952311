"""How far an extraction is, how fast, and how long it will still take."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

from backend.task import Task

_SECONDS_BETWEEN_REPORTS = 0.1

# The speed shown is that of about the last this many seconds.
_SPEED_SECONDS = 20.0


@dataclass(frozen=True)
class ExtractionProgress:
    """How far an extraction is; handed to ``task.partial`` after every batch.

    Attributes
    ----------
    n_done, n_images
        Images finished, and all.
    n_skipped
        Images that could not be read, in this run.
    images_per_second
        Of late; 0 before the first batch.
    seconds_left
        At that speed; None before the first batch.
    """

    n_done: int
    n_images: int
    n_skipped: int
    images_per_second: float
    seconds_left: float | None


class ProgressMeter:
    """Tells a task how an extraction gets on.

    Parameters
    ----------
    task : Task
        Whom to tell.
    n_images : int
        Images of the project.
    what : str
        The layers, for the message.
    doing : str
        What is done with them.
    """

    def __init__(self, task: Task, n_images: int, what: str, doing: str = "Extracting") -> None:
        self._task = task
        self._n_images = n_images
        self._what = f"{doing} {what}"
        self._n_done = 0
        self._n_skipped = 0
        self._last_report = 0.0
        self._marks: deque[tuple[float, int]] = deque()

    def begin(self, n_done: int) -> None:
        """Begin with this many images done."""
        self._n_done = n_done
        self._marks.clear()
        self._marks.append((time.perf_counter(), n_done))
        self._task.progress(n_done, self._n_images, self._what)

    def add_skipped(self, n_skipped: int) -> None:
        """Count images that could not be read."""
        self._n_skipped += n_skipped

    def advance(self, n_images: int) -> None:
        """Count images that went through the model, and tell the task."""
        self._n_done += n_images
        now = time.perf_counter()
        self._marks.append((now, self._n_done))
        if now - self._last_report < _SECONDS_BETWEEN_REPORTS and self._n_done < self._n_images:
            return
        self._last_report = now
        while now - self._marks[1][0] > _SPEED_SECONDS:
            self._marks.popleft()
        since, n_then = self._marks[0]
        speed = (self._n_done - n_then) / max(now - since, 1e-9)
        seconds_left = (self._n_images - self._n_done) / speed
        self._task.progress(
            self._n_done,
            self._n_images,
            f"{self._what}: {speed:.3g} images/s, {duration(seconds_left)} left",
        )
        self._task.partial(
            ExtractionProgress(self._n_done, self._n_images, self._n_skipped, speed, seconds_left)
        )


def duration(seconds: float) -> str:
    """Return a duration in words: ``45 s``, ``3 min 05 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
