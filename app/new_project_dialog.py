"""The dialog for a new project: the form, and the jobs that answer its questions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, QStandardPaths, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.code_permission import CodePermission
from app.jobs.extraction_jobs import (
    ImagesFound,
    ModelFound,
    compare_precisions,
    estimate_extraction,
    list_model_layers,
    list_timm_names,
    list_torchvision_names,
    look_for_images,
    why_no_fast_precision,
)
from app.jobs.job import Job, JobFailure, JobFunction, JobProgress
from app.jobs.job_threads import QueueThread
from app.model_cache import ModelCache
from widgets.new_project.new_project_form import (
    Field,
    ImagesChoice,
    ModelChoice,
    NewProjectForm,
    NewProjectRequest,
)

if TYPE_CHECKING:
    from backend.activations.extraction_estimate import ExtractionEstimate
    from backend.activations.precision_check_result import PrecisionCheck


_SIZE = QSize(1160, 780)
_ROOM_AROUND = QSize(40, 60)  # for the window's frame and the desktop's bars


class NewProjectDialog(QDialog):
    """Asks for network, layers, images and destination, and says what the project will cost.

    Signals
    -------
    chosen(NewProjectRequest)
        The user pressed Create.
    """

    chosen = Signal(object)

    def __init__(
        self,
        thread: QueueThread,
        models: ModelCache,
        permission: CodePermission,
        images: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("New project")
        room = self.screen().availableSize() - _ROOM_AROUND
        self.resize(_SIZE.boundedTo(room))
        self.form = NewProjectForm()
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        self._models = models
        self._permission = permission
        self._architecture = ""
        self._questions = _Questions(thread, self.form, self)
        self.form.model_changed.connect(self._list_layers)
        self.form.images_changed.connect(self._look_for_images)
        self.form.estimate_requested.connect(self._estimate)
        self.form.precision_check_requested.connect(self._compare_precisions)
        self.form.accepted.connect(self._accept)
        self.form.cancelled.connect(self.reject)
        self.finished.connect(self._questions.drop_all)
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.form.set_destination_folder(Path(documents or Path.home()))
        self._questions.ask("model", "Listing networks", list_torchvision_names, self._show_names)
        if images is not None:
            self.form.set_images_folder(images)

    @Slot(object)
    def _list_layers(self, choice: ModelChoice | None) -> None:
        self._questions.drop("layers")
        self._questions.drop("estimate")
        self.form.set_error("model", "")
        architecture = choice.source.architecture if choice is not None else ""
        if architecture != self._architecture:
            self._architecture = architecture
            self.form.set_own_input_size(None)
        if choice is None:
            return
        if choice.allow_code:
            self._permission.allow(choice.source)
        self._permission.request(choice.source, partial(self._ask_for_layers, choice))

    def _ask_for_layers(self, choice: ModelChoice) -> None:
        allowed = ModelChoice(choice.source, self._permission.is_allowed(choice.source))
        function = partial(list_model_layers, self._models, allowed)
        own_size = choice.source.input_size is None
        answer = partial(self._show_model, own_size)
        self._questions.ask("layers", "Listing layers", function, answer, blame="model")

    @Slot(object)
    def _look_for_images(self, choice: ImagesChoice | None) -> None:
        self._questions.drop("images")
        self.form.set_error("images", "")
        if choice is not None:
            function = partial(look_for_images, choice)
            self._questions.ask("images", "Looking for images", function, self._show_images)

    @Slot(object)
    def _estimate(self, request: NewProjectRequest) -> None:
        self.form.set_error("estimate", "")
        function = partial(estimate_extraction, self._models, self._allowed(request))
        self._questions.ask("estimate", "Estimating", function, self._show_estimate)

    @Slot(object)
    def _compare_precisions(self, request: NewProjectRequest | None) -> None:
        self._questions.drop("precision")
        if request is not None:
            function = partial(compare_precisions, self._models, self._allowed(request))
            self._questions.ask("precision", "Comparing precisions", function, self._show_check)

    def _allowed(self, request: NewProjectRequest) -> NewProjectRequest:
        """Return the request with what is known of the leave to run its Python file."""
        source = request.model.source
        return replace(request, model=ModelChoice(source, self._permission.is_allowed(source)))

    @Slot(object)
    def _accept(self, request: NewProjectRequest) -> None:
        self.accept()
        self.chosen.emit(request)

    @Slot(object)
    def _show_names(self, names: tuple[str, ...]) -> None:
        self.form.set_torchvision_names(names)
        # Imports timm, which nobody who wants a network of torchvision's has to wait for.
        self._questions.ask_quietly(
            "Listing timm's networks", list_timm_names, self._show_timm, self._no_timm
        )
        self._questions.ask_quietly("Asking the processor", why_no_fast_precision, self._show_fast)

    @Slot(object)
    def _show_timm(self, names: tuple[str, ...]) -> None:
        self.form.set_timm_names(names)

    @Slot(object)
    def _no_timm(self, failure: JobFailure) -> None:
        self.form.set_timm_names((), failure.sentence)

    @Slot(object)
    def _show_fast(self, unavailable: str) -> None:
        self.form.set_fast_unavailable(unavailable)

    def _show_model(self, own_size: bool, found: ModelFound) -> None:
        if own_size:
            self.form.set_own_input_size(found.input_size)
        self.form.set_own_grey_scaling(found.grey_scaling)
        self.form.set_layers(found.layers)

    @Slot(object)
    def _show_images(self, found: ImagesFound) -> None:
        self.form.set_image_summary(
            found.n_images, found.n_classes, found.n_chosen, found.skipped, found.depths
        )

    @Slot(object)
    def _show_estimate(self, estimate: ExtractionEstimate) -> None:
        self.form.set_estimate(estimate.bytes_on_disk, estimate.seconds, estimate.images_per_second)

    @Slot(object)
    def _show_check(self, check: PrecisionCheck) -> None:
        self.form.set_precision_check(check)


class _Questions(QObject):
    """At most one job for each field; a newer question replaces the older one, whose answer is dropped."""

    def __init__(self, thread: QueueThread, form: NewProjectForm, parent: QObject) -> None:
        super().__init__(parent)
        self._thread = thread
        self._form = form
        self._jobs: dict[Field, Job] = {}
        self._quiet: list[Job] = []

    def ask(
        self,
        field: Field,
        title: str,
        function: JobFunction,
        answer: Callable[[object], None] | Callable[..., None],
        *,
        blame: Field | None = None,
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

    def drop(self, field: Field) -> None:
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

    def _finish(self, field: Field, job: Job) -> bool:
        """Take a job off the list; False if it is not the field's newest."""
        if self._jobs.get(field) is not job:
            return False
        del self._jobs[field]
        self._form.set_busy(field, False)
        return True
