"""The status bar's view of the long-work thread."""

from PySide6.QtCore import QObject, Qt, QTimer, Slot

from app.jobs.job import Job, JobProgress
from app.jobs.job_threads import QueueThread
from widgets.job_status import JobStatusBar

APPEARS_AFTER_MS = 300
"""A job that ends sooner is not worth the flicker."""


class JobDisplay(QObject):
    """Shows the running job in a :class:`JobStatusBar`, and passes its Pause, Continue and Cancel on.

    A paused job that another one passed stays on show while nothing else runs.
    """

    def __init__(self, bar: JobStatusBar, long_work: QueueThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self._long_work = long_work
        self._job: Job | None = None
        self._shown = False
        self._appear = QTimer(self, singleShot=True, interval=APPEARS_AFTER_MS)
        self._appear.timeout.connect(self._show)
        bar.cancel_requested.connect(self._cancel)
        bar.pause_requested.connect(self._pause)
        bar.continue_requested.connect(self._continue)
        long_work.job_started.connect(self._start)
        long_work.job_progressed.connect(self._progress)
        long_work.job_ended.connect(self._end)
        long_work.queue_changed.connect(self._follow_queue)
        long_work.pause_changed.connect(self._show_pause)

    def text(self) -> str:
        """Return what the status bar says of the job, "" while it says nothing of one."""
        return self._bar.text_label.text() if self._shown else ""

    @Slot(object)
    def _start(self, job: Job) -> None:
        if job is self._job:  # it waited paused, and begins anew
            return
        if self._job is not None and not job.quiet:
            self._leave()
        if not job.quiet:
            self._job = job
            self._appear.start()
            self._follow_queue()

    @Slot()
    def _show(self) -> None:
        if self._job is not None:
            self._shown = True
            self._bar.start_job(self._job.title, unit=self._job.unit, pausable=self._job.pausable)
            self._progress(self._job)

    @Slot(object)
    def _progress(self, job: Job) -> None:
        if not self._shown or job is not self._job:
            return
        progress = job.progress
        if progress is not None:
            self._bar.set_progress(progress.done, progress.total, phase(progress))
        if job.paused:
            self._bar.set_paused(True, waiting=job.is_waiting)

    @Slot(object)
    def _show_pause(self, job: Job) -> None:
        if self._shown and job is self._job:
            self._bar.set_paused(job.paused, waiting=job.is_waiting)

    @Slot(object)
    def _end(self, job: Job) -> None:
        if job is not self._job:
            return
        shown = self._shown
        self._leave()
        if shown:
            word = {"succeeded": "done", "failed": "failed", "cancelled": "cancelled"}[job.outcome]
            self._bar.finish_job(f"{job.title}: {word}")
        self._show_paused_job()

    def _leave(self) -> None:
        self._appear.stop()
        self._job, self._shown = None, False

    @Slot()
    def _follow_queue(self) -> None:
        others = [job for job in self._long_work.waiting if not job.quiet and job is not self._job]
        self._bar.set_queue([job.title + (" (paused)" if job.paused else "") for job in others])

    def _show_paused_job(self) -> None:
        """Show a paused job that waits in the queue, if nothing else is on show or about to be."""
        paused = next((job for job in self._long_work.waiting if job.paused), None)
        if paused is not None and self._job is None:
            self._job = paused
            # Cancelled in the queue, it never comes back to the thread that tells of ends.
            paused.ended.connect(self._end_shown, Qt.ConnectionType.UniqueConnection)
            self._show()
            self._follow_queue()

    @Slot()
    def _end_shown(self) -> None:
        if self._job is not None and self._job.has_ended:
            self._end(self._job)

    @Slot()
    def _cancel(self) -> None:
        if self._job is not None:
            self._long_work.cancel(self._job)

    @Slot()
    def _pause(self) -> None:
        if self._job is not None:
            self._long_work.pause(self._job)

    @Slot()
    def _continue(self) -> None:
        if self._job is not None:
            self._long_work.resume(self._job)


def phase(progress: JobProgress) -> str:
    """Return what a job is at, without the speed that some messages tell after a colon."""
    return progress.message.partition(": ")[0]
