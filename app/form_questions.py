"""What a dialog's form has to find out: one job for each of its fields, the newest question counting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Slot

from app.jobs.job import Job, JobFailure, JobFunction, JobProgress
from app.jobs.job_threads import QueueThread

_Name = TypeVar("_Name", bound=str)
_Field = TypeVar("_Field", bound=str, contravariant=True)


class QuestionForm(Protocol[_Field]):
    """A form whose fields say that something is being found out, how far that is, and what is wrong."""

    def set_busy(self, field: _Field, busy: bool) -> None:
        """Show that something about a field is being found out."""

    def set_progress(self, field: _Field, done: int, total: int, message: str) -> None:
        """Say how far that is."""

    def set_error(self, field: _Field, sentence: str) -> None:
        """Say under the field what is wrong; an empty sentence takes it back."""


class FormQuestions(QObject, Generic[_Name]):
    """At most one job for each field; a newer question replaces the older one, whose answer is dropped."""

    def __init__(self, thread: QueueThread, form: QuestionForm[_Name], parent: QObject) -> None:
        super().__init__(parent)
        self._thread = thread
        self._form = form
        self._jobs: dict[_Name, Job] = {}
        self._quiet: list[Job] = []

    def ask(
        self,
        field: _Name,
        title: str,
        function: JobFunction,
        answer: Callable[[object], None] | Callable[..., None],
        *,
        blame: _Name | None = None,
    ) -> None:
        """Run a job for a field; an error is shown under ``blame`` (default: the same field)."""
        self.drop(field)
        job = self._thread.submit(title, function, quiet=True)
        self._jobs[field] = job
        self._form.set_busy(field, True)

        def succeeded(result: object) -> None:
            if self._finish(field, job):
                answer(result)

        def failed(failure: JobFailure) -> None:
            if self._finish(field, job):
                self._form.set_error(blame or field, failure.sentence)

        def progressed(progress: JobProgress) -> None:
            if self._jobs.get(field) is job:
                self._form.set_progress(field, progress.done, progress.total, progress.message)

        job.succeeded.connect(succeeded)
        job.failed.connect(failed)
        job.progressed.connect(progressed)

    def ask_quietly(
        self,
        title: str,
        function: JobFunction,
        answer: Callable[[object], None] | Callable[..., None],
        fail: Callable[[JobFailure], None] | None = None,
    ) -> None:
        """Run a job that no field waits for."""
        job = self._thread.submit(title, function, quiet=True)
        self._quiet.append(job)
        job.succeeded.connect(answer)
        if fail is not None:
            job.failed.connect(fail)

    def drop(self, field: _Name) -> None:
        """Forget a field's question."""
        job = self._jobs.pop(field, None)
        if job is not None:
            self._form.set_busy(field, False)
            self._thread.cancel(job)

    @Slot()
    def drop_all(self) -> None:
        """Forget every question, when the dialog closes."""
        for field in tuple(self._jobs):
            self.drop(field)
        for job in self._quiet:
            self._thread.cancel(job)

    def _finish(self, field: _Name, job: Job) -> bool:
        """Take a job off the list; False if it is not the field's newest."""
        if self._jobs.get(field) is not job:
            return False
        del self._jobs[field]
        self._form.set_busy(field, False)
        return True
