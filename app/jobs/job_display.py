"""The status bar's view of the long-work thread."""

from PySide6.QtCore import QObject, QTimer, Slot

from app.jobs.job import Job, JobProgress
from app.jobs.job_threads import QueueThread
from widgets.job_status import JobStatusBar

APPEARS_AFTER_MS = 300
"""A job that ends sooner is not worth the flicker."""


class JobDisplay(QObject):
    """Shows the running job in a :class:`JobStatusBar` and passes its Cancel on."""

    def __init__(self, bar: JobStatusBar, long_work: QueueThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bar = bar
        self._long_work = long_work
        self._job: Job | None = None
        self._shown = False
        self._appear = QTimer(self, singleShot=True, interval=APPEARS_AFTER_MS)
        self._appear.timeout.connect(self._show)
        bar.cancel_requested.connect(self._cancel)
        long_work.job_started.connect(self._start)
        long_work.job_progressed.connect(self._progress)
        long_work.job_ended.connect(self._end)
        long_work.queue_changed.connect(self._list_queue)

    def text(self) -> str:
        """Return what the status bar says of the job, "" while it says nothing of one."""
        return self._bar.text_label.text() if self._shown else ""

    @Slot(object)
    def _start(self, job: Job) -> None:
        self._job = None if job.quiet else job
        if self._job is not None:
            self._appear.start()

    @Slot()
    def _show(self) -> None:
        if self._job is not None:
            self._shown = True
            self._bar.start_job(self._job.title, unit=self._job.unit)
            self._progress(self._job)

    @Slot(object)
    def _progress(self, job: Job) -> None:
        progress = job.progress
        if self._shown and job is self._job and progress is not None:
            self._bar.set_progress(progress.done, progress.total, phase(progress))

    @Slot(object)
    def _end(self, job: Job) -> None:
        if job is not self._job:
            return
        self._appear.stop()
        if self._shown:
            word = {"succeeded": "done", "failed": "failed", "cancelled": "cancelled"}[job.outcome]
            self._bar.finish_job(f"{job.title}: {word}")
        self._job, self._shown = None, False

    @Slot()
    def _list_queue(self) -> None:
        self._bar.set_queue([job.title for job in self._long_work.waiting if not job.quiet])

    @Slot()
    def _cancel(self) -> None:
        if self._job is not None:
            self._long_work.cancel(self._job)


def phase(progress: JobProgress) -> str:
    """Return what a job is at, without the speed that some messages tell after a colon."""
    return progress.message.partition(": ")[0]
