"""Jobs: plain functions ``run(task)``, what they report, and the handle by which the window follows one.

Nothing here starts a thread; :mod:`app.jobs.job_threads` does.
"""

import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from backend.errors import NeuronPrismError
from backend.task import Cancelled, Task

JobFunction = Callable[[Task], Any]

PAINTING_LIMIT_S = 0.25
"""A job waits at most this long for its intermediate result to be painted: the window may be out of sight."""


@dataclass(frozen=True)
class JobProgress:
    """How far a job is.

    Attributes
    ----------
    done, total : int
        Units finished and units in all; ``total`` is 0 while that is not known.
    message : str
        What is being done, or "".
    """

    done: int
    total: int
    message: str


@dataclass(frozen=True)
class JobFailure:
    """An error of a job, ready to be shown.

    Attributes
    ----------
    title : str
        What the job was doing.
    sentence : str
        What happened and what to do, for the user.
    details : str
        The traceback, or "" where the sentence says everything.
    expected : bool
        True for a :class:`~backend.errors.NeuronPrismError`: not a fault of the program.
    error : BaseException or None
        The exception, without the frames it came through.
    """

    title: str
    sentence: str
    details: str
    expected: bool
    error: BaseException | None = None


def failure_of(title: str, error: BaseException) -> JobFailure:
    """Turn an exception into what the user is shown."""
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    if isinstance(error, NeuronPrismError):
        caused = details if error.__cause__ is not None else ""
        return JobFailure(title, str(error), caused, True, error.with_traceback(None))
    sentence = f"Something went wrong in “{title}”: {type(error).__name__}: {error}"
    return JobFailure(title, sentence.rstrip(": "), details, False, error.with_traceback(None))


class ThreadTask:
    """The :class:`~backend.task.Task` that a job sees inside its worker thread.

    Progress is only noted (the GUI thread looks at it about 20 times a second), so that a job may report
    every image without flooding the event queue. Partial results are handed on one by one.

    While paused, the job waits at its next cancellation point; a job that can be paused holds no lock there.
    """

    def __init__(self, hand_on: Callable[[object], None]) -> None:
        self._hand_on = hand_on
        self._condition = threading.Condition()
        self._cancelled = False
        self._paused = False
        self._n_waiting = 0
        self._unpainted = False
        self.latest: JobProgress | None = None

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Note that ``done`` of ``total`` units are finished."""
        self.latest = JobProgress(done, total, message)

    def partial(self, result: object) -> None:
        """Hand an intermediate result to the GUI thread."""
        if not self._cancelled:
            self._unpainted = True
            self._hand_on(result)

    def note_painted(self) -> None:
        """Say that what was handed on has been painted. Safe from any thread."""
        with self._condition:
            self._unpainted = False
            self._condition.notify_all()

    def wait_until_painted(self) -> None:
        """Wait until what was handed on is painted, the job is cancelled, or it takes too long."""
        with self._condition:
            self._condition.wait_for(lambda: self._cancelled or not self._unpainted, PAINTING_LIMIT_S)

    def check_cancelled(self) -> None:
        """Wait as long as the job is paused; raise :class:`~backend.task.Cancelled` if it is to stop."""
        if self._paused and not self._cancelled:
            self._wait()
        if self._cancelled:
            raise Cancelled

    def cancel(self) -> None:
        """Ask the job to stop at its next cancellation point, also while paused. Safe from any thread."""
        with self._condition:
            self._cancelled = True
            self._condition.notify_all()

    def pause(self) -> None:
        """Ask the job to wait at its next cancellation point. Safe from any thread."""
        with self._condition:
            self._paused = True

    def resume(self) -> None:
        """Let a paused job go on. Safe from any thread."""
        with self._condition:
            self._paused = False
            self._condition.notify_all()

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._cancelled

    @property
    def is_waiting(self) -> bool:
        """Whether the job has come to a point where it waits to be resumed."""
        return self._n_waiting > 0

    def _wait(self) -> None:
        with self._condition:
            self._n_waiting += 1
            try:
                self._condition.wait_for(lambda: self._cancelled or not self._paused)
            finally:
                self._n_waiting -= 1


class _WithoutPause:
    """The task of a job that holds something others need: it can be cancelled, and does not wait."""

    def __init__(self, task: ThreadTask) -> None:
        self._task = task
        self.progress = task.progress
        self.partial = task.partial

    def check_cancelled(self) -> None:
        if self._task.is_cancelled:
            raise Cancelled


def without_pause(task: Task) -> Task:
    """Return the same task for work that must not be paused, because it holds a lock meanwhile."""
    return _WithoutPause(task) if isinstance(task, ThreadTask) else task


def let_it_be_painted(task: Task) -> None:
    """Wait until the window has painted what the job handed over, before work goes on that nobody waits for.

    Python runs one thread at a time: meanwhile the painting would take two or three times as long.
    """
    if isinstance(task, ThreadTask):
        task.wait_until_painted()


class Job(QObject):
    """The handle of one job. Lives in the GUI thread, and so do all its signals.

    Attributes
    ----------
    title : str
        What it does, as the status bar says it ("Extracting activations").
    background : bool
        Gives way to every other long job and begins anew afterwards.
    quiet : bool
        Runs without being shown in the status bar.
    unit : str
        What its progress counts, in the singular ("image"), or "".
    pausable : bool
        Holds no lock at its cancellation points, so that it may wait there.
    paused : bool
        Was asked to wait; see :attr:`is_waiting`.
    outcome : str
        "succeeded", "failed" or "cancelled" once it has ended, "" before.

    Signals
    -------
    progressed(JobProgress), partial(object), succeeded(object), failed(JobFailure), cancelled()
    ended()
        After any of the last three.
    """

    progressed = Signal(object)
    partial = Signal(object)
    succeeded = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    ended = Signal()

    def __init__(
        self,
        title: str,
        function: JobFunction,
        *,
        background: bool = False,
        quiet: bool = False,
        unit: str = "",
        pausable: bool = False,
    ) -> None:
        super().__init__()
        self.title = title
        self.function = function
        self.background = background
        self.quiet = quiet
        self.unit = unit
        self.pausable = pausable
        self.paused = False
        self.outcome = ""
        self.task: ThreadTask | None = None
        self.cancel_requested = False
        self._shown: JobProgress | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the outcome is known."""
        return bool(self.outcome)

    @property
    def progress(self) -> JobProgress | None:
        """The newest progress that was announced."""
        return self._shown

    @property
    def is_waiting(self) -> bool:
        """Whether a paused job has stopped working: it waits at a cancellation point, or in the queue."""
        return self.paused and (self.task is None or self.task.is_waiting)

    def request_cancel(self) -> None:
        """Flag the job as unwanted; the thread that runs it stops at its next cancellation point."""
        self.cancel_requested = True
        if self.task is not None:
            self.task.cancel()

    def announce_progress(self) -> None:
        """Emit :attr:`progressed` if the worker noted something new since the last call."""
        latest = self.task.latest if self.task is not None else None
        if latest is not None and latest is not self._shown:
            self._shown = latest
            self.progressed.emit(latest)

    def end(self, outcome: str, payload: object = None) -> None:
        """Announce the outcome, one of "succeeded", "failed" and "cancelled", once."""
        if self.has_ended:
            return
        self.outcome = outcome
        if outcome == "succeeded":
            self.succeeded.emit(payload)
        elif outcome == "failed":
            self.failed.emit(payload)
        else:
            self.cancelled.emit()
        self.ended.emit()
