"""The dialog for a new project: the form, and the jobs that answer its questions."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QStandardPaths, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.code_permission import CodePermission
from app.form_questions import FormQuestions
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
from app.jobs.job import JobFailure
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
        self._questions: FormQuestions[Field] = FormQuestions(thread, self.form, self)
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
