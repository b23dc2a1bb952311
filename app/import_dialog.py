"""The dialog that imports activations: the form, and the jobs that answer its questions."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, QStandardPaths, Qt, Signal, Slot
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from app.code_permission import CodePermission
from app.form_questions import FormQuestions
from app.jobs.extraction_jobs import list_timm_names, list_torchvision_names
from app.jobs.import_jobs import ImportOrder, examine_import, import_request, try_network_of_import
from app.jobs.job import JobFailure
from app.jobs.job_threads import QueueThread
from app.model_cache import ModelCache
from backend.project import Project
from widgets.import_activations.import_choices import (
    Field,
    ImportChoice,
    ImportExamination,
    ImportFormRequest,
)
from widgets.import_activations.import_form import ImportForm

if TYPE_CHECKING:
    from backend.activations.network_check import TriedNetwork

_SIZE = QSize(1060, 620)
_ROOM_AROUND = QSize(40, 60)  # for the window's frame and the desktop's bars


class ImportDialog(QDialog):
    """Asks for activations, images, layer, network and place, looking at each as it is chosen.

    Signals
    -------
    chosen(ImportOrder)
        The user pressed Import.

    Parameters
    ----------
    project
        The open project, that a layer can be added to; None: there is none, or it is read-only.
    file
        Activations to begin with.
    """

    chosen = Signal(object)

    def __init__(
        self,
        thread: QueueThread,
        models: ModelCache,
        permission: CodePermission,
        project: Project | None = None,
        file: Path | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Import activations")
        self.resize(_SIZE.boundedTo(self.screen().availableSize() - _ROOM_AROUND))
        self._project = project
        self._models = models
        self._permission = permission
        self._network: TriedNetwork | None = None
        name = "" if project is None else project.name
        self.form = ImportForm(name, None if project is None else project.images_root)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form)
        self._questions: FormQuestions[Field] = FormQuestions(thread, self.form, self)
        self.form.examination_requested.connect(self._examine)
        self.form.networks_requested.connect(self._list_networks)
        self.form.trial_requested.connect(self._try)
        self.form.accepted.connect(self._accept)
        self.form.cancelled.connect(self.reject)
        self.finished.connect(self._questions.drop_all)
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        self.form.set_destination_folder(Path(documents or Path.home()))
        if file is not None:
            self.form.set_activations(file)

    @Slot(object)
    def _examine(self, choice: ImportChoice | None) -> None:
        self._questions.drop("activations")
        self._questions.drop("network")
        if choice is not None:
            function = partial(examine_import, choice, self._target(choice))
            self._questions.ask("activations", "Looking at the activations", function, self._show_examination)

    @Slot()
    def _list_networks(self) -> None:
        self._questions.ask_quietly("Listing networks", list_torchvision_names, self._show_names)

    @Slot(object)
    def _try(self, request: ImportFormRequest) -> None:
        self._network = None
        network = request.network
        if network is None:
            return
        if network.allow_code:
            self._permission.allow(network.source)
        function = partial(
            try_network_of_import, self._models, request.choice, network, self._target(request.choice)
        )
        self._questions.ask("network", "Trying the network", function, self._show_agreement)

    @Slot(object)
    def _accept(self, request: ImportFormRequest) -> None:
        order = ImportOrder(
            import_request(request.choice),
            self._target(request.choice),
            request.destination,
            None if request.network is None else self._network,
        )
        self.accept()
        self.chosen.emit(order)

    def _target(self, choice: ImportChoice) -> Project | None:
        return self._project if choice.into_open else None

    @Slot(object)
    def _show_examination(self, found: ImportExamination) -> None:
        self.form.set_examination(found)

    @Slot(object)
    def _show_names(self, names: tuple[str, ...]) -> None:
        self.form.set_torchvision_names(names)
        self._questions.ask_quietly(
            "Listing timm's networks", list_timm_names, self._show_timm, self._no_timm
        )

    @Slot(object)
    def _show_timm(self, names: tuple[str, ...]) -> None:
        self.form.set_timm_names(names)

    @Slot(object)
    def _no_timm(self, failure: JobFailure) -> None:
        self.form.set_timm_names((), failure.sentence)

    @Slot(object)
    def _show_agreement(self, network: TriedNetwork) -> None:
        self._network = network
        name = network.loaded.source.architecture
        self.form.set_agreement(f"{name} gives these activations: {network.check.agreement.text()}.")
