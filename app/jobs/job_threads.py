"""The persistent worker threads: one answers the newest request, the others work through a queue.

A job function runs in a worker thread and must hold no QObject: whoever drops the last reference deletes
it, and that must be the GUI thread. Answers come back as queued signals to slots in the GUI thread.
"""

import logging
from collections import deque
from dataclasses import dataclass

from PySide6.QtCore import QObject, QThread, QTimer, Signal, Slot

from app.jobs.job import Job, JobFunction, ThreadTask, failure_of
from backend.errors import NeuronPrismError
from backend.task import Cancelled

logger = logging.getLogger(__name__)

PROGRESS_INTERVAL_MS = 50
SHUTDOWN_LIMIT_MS = 15_000


@dataclass(frozen=True)
class _Request:
    number: int
    title: str
    function: JobFunction
    task: ThreadTask


@dataclass(frozen=True)
class _Answer:
    number: int
    kind: str
    payload: object = None


class _Worker(QObject):
    """Runs one request at a time in the thread that it was moved to."""

    answered = Signal(object)

    @Slot(object)
    def run(self, request: _Request) -> None:
        try:
            request.task.check_cancelled()
            answer = _Answer(request.number, "succeeded", request.function(request.task))
        except Cancelled:
            answer = _Answer(request.number, "cancelled")
        except NeuronPrismError as error:
            answer = _Answer(request.number, "failed", failure_of(request.title, error))
        except Exception as error:
            logger.exception("The job %r failed", request.title)
            answer = _Answer(request.number, "failed", failure_of(request.title, error))
        self.answered.emit(answer)


class _PythonThread(QThread):
    """A thread that keeps Python's state of it from the first job to the last.

    A plain QThread gets a new state with each job. Extension modules made with pybind11 (SciPy's, torch's)
    note the state of the thread that imports them and use it in that thread ever after: it must not be gone.
    """

    def run(self) -> None:
        """Serve the event loop, within Python."""
        self.exec()


class _JobThread(QObject):
    """A thread with one job at a time, begun with the first; subclasses decide which is next.

    Signals
    -------
    job_started(Job), job_progressed(Job), job_failed(Job, JobFailure), job_ended(Job)
    """

    job_started = Signal(object)
    job_progressed = Signal(object)
    job_failed = Signal(object, object)
    job_ended = Signal(object)
    _requested = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: Job | None = None
        self._number = 0
        self._closing = False
        self._worker = _Worker()
        self._thread = _PythonThread()
        self._thread.setObjectName(name)
        self._worker.moveToThread(self._thread)
        self._requested.connect(self._worker.run)
        self._worker.answered.connect(self._on_answer)
        self._poll = QTimer(self)
        self._poll.setInterval(PROGRESS_INTERVAL_MS)
        self._poll.timeout.connect(self._on_poll)
        # A timer comes after the paint events that were posted before it; QTimer.singleShot(0) would not.
        self._painted = QTimer(self, singleShot=True, interval=0)
        self._painted.timeout.connect(self._on_painted)

    @property
    def running(self) -> Job | None:
        """The job that runs now."""
        return self._running

    @property
    def is_alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.isRunning()

    def cancel_all(self) -> None:
        """Cancel what runs and what waits."""
        if self._running is not None:
            self._running.request_cancel()

    def begin_shutdown(self) -> None:
        """Take no more jobs, cancel what runs, and let the thread end."""
        self._closing = True
        self._poll.stop()
        self.cancel_all()
        self._thread.quit()

    def finish_shutdown(self, limit_ms: int) -> bool:
        """Wait for the thread; False if it is still inside something that cannot be cancelled."""
        ended = self._thread.wait(limit_ms)
        if ended and self._running is not None:
            job, self._running = self._running, None
            job.end("cancelled")
        return ended

    def _start(self, job: Job) -> None:
        if not self._thread.isRunning():
            self._thread.start()
        self._running = job
        self._number += 1
        number = self._number
        answered = self._worker.answered
        job.task = ThreadTask(lambda partial: answered.emit(_Answer(number, "partial", partial)))
        if job.cancel_requested:
            job.task.cancel()
        if job.paused:
            job.task.pause()
        self._poll.start()
        self.job_started.emit(job)
        self._requested.emit(_Request(number, job.title, job.function, job.task))

    @Slot()
    def _on_poll(self) -> None:
        if self._running is not None:
            self._running.announce_progress()
            self.job_progressed.emit(self._running)

    @Slot()
    def _on_painted(self) -> None:
        if self._running is not None and self._running.task is not None:
            self._running.task.note_painted()

    @Slot(object)
    def _on_answer(self, answer: _Answer) -> None:
        job = self._running
        if self._closing or job is None or answer.number != self._number:
            return
        if answer.kind == "partial":
            if not job.cancel_requested:
                job.partial.emit(answer.payload)
            self._painted.start()
            return
        self._poll.stop()
        job.announce_progress()
        self._running = None
        self._finish(job, answer)
        self._start_next()

    def _finish(self, job: Job, answer: _Answer) -> None:
        job.end(answer.kind, answer.payload)
        if answer.kind == "failed":
            self.job_failed.emit(job, answer.payload)
        self.job_ended.emit(job)

    def _start_next(self) -> None:
        raise NotImplementedError


class InteractiveThread(_JobThread):
    """Answers the newest request: a new one cancels the one that runs and replaces the one that waits.

    The answer of a job that was overtaken is dropped, even if it had finished.
    """

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(name, parent)
        self._waiting: Job | None = None

    def submit(self, title: str, function: JobFunction) -> Job:
        """Run ``function(task)`` as soon as possible and forget every earlier request.

        Its signals come through the event loop, so there is time to connect to them.
        """
        job = Job(title, function, quiet=True)
        if self._closing:
            job.request_cancel()
            return job
        self.cancel_all()
        self._waiting = job
        self._start_next()
        return job

    def cancel_all(self) -> None:
        """Cancel the request that runs and the one that waits."""
        super().cancel_all()
        if self._waiting is not None:
            overtaken, self._waiting = self._waiting, None
            overtaken.request_cancel()
            overtaken.end("cancelled")

    def _finish(self, job: Job, answer: _Answer) -> None:
        overtaken = job.cancel_requested
        super()._finish(job, _Answer(answer.number, "cancelled") if overtaken else answer)

    @Slot()
    def _start_next(self) -> None:
        if self._running is None and self._waiting is not None and not self._closing:
            job, self._waiting = self._waiting, None
            self._start(job)


class QueueThread(_JobThread):
    """Works through a queue, one job after the other; each can be cancelled by itself.

    A *background* job gives way: when an ordinary job comes, it is cancelled and queued again behind it. So
    does a *paused* one, which then waits in the queue until it is resumed. Their functions must therefore be
    able to begin anew (or keep what they have through their partial results).

    Signals
    -------
    queue_changed()
        A job was queued or left the queue.
    pause_changed(Job)
        A job was paused or resumed.
    """

    queue_changed = Signal()
    pause_changed = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(name, parent)
        self._queue: deque[Job] = deque()
        self._giving_way = False

    @property
    def waiting(self) -> tuple[Job, ...]:
        """The jobs that wait, next one first."""
        return tuple(self._queue)

    def submit(
        self,
        title: str,
        function: JobFunction,
        *,
        background: bool = False,
        quiet: bool = False,
        unit: str = "",
        pausable: bool = False,
    ) -> Job:
        """Queue ``function(task)``; the rest as in :class:`~app.jobs.job.Job`."""
        job = Job(title, function, background=background, quiet=quiet, unit=unit, pausable=pausable)
        if self._closing:
            job.request_cancel()
            return job
        self._enqueue(job)
        if self._running is None:
            self._start_next()
        elif not background:
            self._let_pass()
        return job

    def pause(self, job: Job) -> None:
        """Let a job wait at its next cancellation point; nothing happens if it cannot, or has ended."""
        if not job.pausable or job.paused or job.has_ended or job.cancel_requested:
            return
        job.paused = True
        if job.task is not None:
            job.task.pause()
        self.pause_changed.emit(job)
        if any(not waiting.paused and not waiting.background for waiting in self._queue):
            self._let_pass()

    def resume(self, job: Job) -> None:
        """Let a paused job go on, at once or when its turn comes."""
        if not job.paused or job.has_ended:
            return
        job.paused = False
        if job.task is not None:
            job.task.resume()
        self.pause_changed.emit(job)
        self._start_next()

    def cancel(self, job: Job) -> None:
        """Cancel one job, whether it runs or waits; nothing happens if it has ended."""
        if job.has_ended:
            return
        job.request_cancel()
        if job in self._queue:
            self._queue.remove(job)
            self.queue_changed.emit()
            job.end("cancelled")

    def cancel_all(self) -> None:
        """Cancel the job that runs and all that wait."""
        super().cancel_all()
        for job in tuple(self._queue):
            self.cancel(job)

    def _let_pass(self) -> None:
        """Take what runs off the thread, if it is of the kind that gives way."""
        running = self._running
        if running is None or running.cancel_requested or not (running.background or running.paused):
            return
        self._giving_way = True
        if running.task is not None:
            running.task.cancel()

    def _enqueue(self, job: Job) -> None:
        """Ordinary jobs wait before background ones and paused ones."""
        if job.background or job.paused:
            self._queue.append(job)
        else:
            position = sum(not (waiting.background or waiting.paused) for waiting in self._queue)
            self._queue.insert(position, job)
        self.queue_changed.emit()

    def _finish(self, job: Job, answer: _Answer) -> None:
        gave_way, self._giving_way = self._giving_way, False
        if gave_way and answer.kind == "cancelled" and not job.cancel_requested:
            job.task = None
            self._enqueue(job)
            return
        super()._finish(job, answer)

    @Slot()
    def _start_next(self) -> None:
        ready = [job for job in self._queue if not job.paused]
        if self._running is None and ready and not self._closing:
            self._queue.remove(ready[0])
            self.queue_changed.emit()
            self._start(ready[0])


class JobThreads(QObject):
    """All worker threads, and their end.

    Attributes
    ----------
    interactive : InteractiveThread
        What the user waits for: analyses.
    long_work : QueueThread
        What the user started and the status bar shows: extraction, visualisation, export, opening a project.
    aside : QueueThread
        What must not wait behind an extraction: the questions of the new-project dialog, and the sweep over a
        layer, which gives way to them.
    embedding : InteractiveThread
        The picture in the embedding tab, which no analysis waits for.
    maps : InteractiveThread
        Where concepts are in the pictures in sight.
    concept_effects : InteractiveThread
        What concepts do to the classes.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.interactive = InteractiveThread("interactive", self)
        self.long_work = QueueThread("long work", self)
        self.aside = QueueThread("aside", self)
        self.embedding = InteractiveThread("embedding", self)
        self.maps = InteractiveThread("projection maps", self)
        self.concept_effects = InteractiveThread("concept effects", self)
        self._threads: tuple[_JobThread, ...] = (
            self.interactive,
            self.long_work,
            self.aside,
            self.embedding,
            self.maps,
            self.concept_effects,
        )

    @property
    def any_alive(self) -> bool:
        """Whether a worker thread still runs."""
        return any(thread.is_alive for thread in self._threads)

    def shutdown(self, limit_ms: int = SHUTDOWN_LIMIT_MS) -> bool:
        """Cancel everything and wait for all threads; never terminates one.

        Returns
        -------
        bool
            False if a thread is still inside something that cannot be cancelled after ``limit_ms``.
        """
        for thread in self._threads:
            thread.begin_shutdown()
        ended = [thread.finish_shutdown(limit_ms) for thread in self._threads]
        return all(ended)
