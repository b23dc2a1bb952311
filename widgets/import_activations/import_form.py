"""The form for an import: activations, images, layer, network, place, and what it takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.import_activations.activations_section import ActivationsSection
from widgets.import_activations.import_choices import (
    Field,
    ImportChoice,
    ImportExamination,
    ImportFormRequest,
)
from widgets.import_activations.listed_images_section import ListedImagesSection
from widgets.labels import secondary_label
from widgets.new_project.destination_section import DestinationSection
from widgets.new_project.form_section import FormSection, PathEdit
from widgets.new_project.model_section import ModelSection
from widgets.new_project.new_project_request import ModelChoice
from widgets.quantity_text import bytes_text

__all__ = ["ImportForm"]

_PAUSE = 300  # milliseconds
_LEAST_WIDTH = 920  # pixels: two columns in which paths can be read
_NAME_LISTS = "Names (*.txt *.json);;All files (*)"
_WITHOUT_NETWORK = "Without one everything works but feature visualisation. It can be named later."


class ImportForm(QWidget):
    """A pure form: it asks through signals, and is answered through setters.

    Signals
    -------
    examination_requested(ImportChoice or None)
        Another choice: look at its files, then ``set_examination``; None: there is no file to look at.
    networks_requested()
        A network is to be named: list them, then ``set_torchvision_names`` and ``set_timm_names``.
    trial_requested(ImportFormRequest)
        The form is complete, with a network: try it, then ``set_agreement``, or ``set_error("network", …)``.
    accepted(ImportFormRequest), cancelled()
        The user pressed Import, or Cancel.

    Parameters
    ----------
    project_name
        Of the open project that a layer can be added to; "": there is none.
    project_images
        Its images folder.
    """

    examination_requested = Signal(object)
    networks_requested = Signal()
    trial_requested = Signal(object)
    accepted = Signal(object)
    cancelled = Signal()

    def __init__(
        self, project_name: str = "", project_images: Path | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._project_images = project_images
        self._examined: ImportChoice | None = None
        self._examination = ImportExamination()
        self._tried: ImportFormRequest | None = None
        self._agreement = ""
        self.activations_section = ActivationsSection()
        self.images_section = ListedImagesSection()
        self._build_layer()
        self._build_network()
        self._build_place(project_name)
        self.size_label = secondary_label(factor=1.0)
        self._sections: dict[Field, FormSection] = {
            "activations": self.activations_section,
            "images": self.images_section,
            "layer": self.layer_section,
            "network": self.network_section,
            "destination": self.place_section,
        }
        self._build_layout()
        self._ask_later = QTimer(self, singleShot=True, interval=_PAUSE)
        self._ask_later.timeout.connect(self._ask)
        self._connect()
        self._place_changed()

    # --- building ------------------------------------------------------------------------------------

    def _build_layer(self) -> None:
        self.layer_section = FormSection("3   Layer")
        self.layer_edit = QLineEdit()
        self.layer_edit.setPlaceholderText("features.18")
        self.layer_section.add_row(
            "&Name",
            self.layer_edit,
            "What the layer is called in the project; the network's own name is best.",
        )
        self.names_edit = PathEdit("file", "Choose the names of the neurons", _NAME_LISTS, placeholder="none")
        self.layer_section.add_row(
            "N&euron names", self.names_edit, "A name for each neuron: one a line, or a JSON list."
        )

    def _build_network(self) -> None:
        self.network_section = FormSection("4   Network")
        self.network_check = QCheckBox("Name the network that &gave them")
        self.network_check.setToolTip(
            "It is tried on some of the images, and taken if it gives these activations."
        )
        self.network_section.add_wide(self.network_check)
        self.network_note = secondary_label(_WITHOUT_NETWORK)
        self.network_section.add_wide(self.network_note)
        self.model_section = ModelSection("")
        self.model_section.hide()
        self.network_section.add_wide(self.model_section)

    def _build_place(self, project_name: str) -> None:
        self.place_section = FormSection("5   Project")
        self.into_open_button = QRadioButton(f"A&dd a layer to “{project_name}”")
        self.into_open_button.setToolTip("The list must name the project's images, in its order.")
        self.new_button = QRadioButton("New pro&ject")
        self.new_button.setToolTip("Make a project of the listed images.")
        for button in (self.into_open_button, self.new_button):
            self.place_section.add_wide(button)
            button.setVisible(bool(project_name))
        self.new_button.setChecked(True)
        self.destination_section = DestinationSection("")
        self.place_section.add_wide(self.destination_section)

    def _build_layout(self) -> None:
        self.import_button = QPushButton("Import")
        theme.set_icon(self.import_button, "check")
        self.import_button.clicked.connect(self._accept)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancelled)
        for button in (self.import_button, self.cancel_button):
            button.setAutoDefault(False)
        self.missing_label = secondary_label()
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(2 * theme.SPACING)
        left.addWidget(self.activations_section)
        left.addWidget(self.images_section)
        for widget in (self.layer_section, self.network_section, self.place_section, self.size_label):
            right.addWidget(widget)
        for column in (left, right):
            column.addStretch(1)
        inner = QWidget()
        columns = QHBoxLayout(inner)
        columns.setContentsMargins(*(2 * theme.MARGIN,) * 4)
        columns.setSpacing(3 * theme.MARGIN)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        self.setMinimumWidth(_LEAST_WIDTH)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(2 * theme.MARGIN, theme.SPACING, 2 * theme.MARGIN, theme.MARGIN)
        buttons.addWidget(self.missing_label, 1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.import_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addLayout(buttons)

    def _connect(self) -> None:
        self.activations_section.changed.connect(self._changed)
        self.activations_section.file_edit.path_changed.connect(self._suggest_names)
        self.images_section.changed.connect(self._changed)
        self.layer_edit.textChanged.connect(self._changed)
        self.names_edit.path_changed.connect(self._changed)
        self.network_check.toggled.connect(self._network_toggled)
        self.model_section.choice_changed.connect(self._network_changed)
        self.new_button.toggled.connect(self._place_changed)
        self.destination_section.destination_changed.connect(self._update)

    # --- answers -------------------------------------------------------------------------------------

    def set_activations(self, file: Path) -> None:
        """Choose a file of activations, as if the user had."""
        self.activations_section.set_file(file)
        self._suggest_names()

    def set_into_open(self, into_open: bool) -> None:
        """Choose between the open project and a new one."""
        (self.into_open_button if into_open else self.new_button).setChecked(True)

    def set_destination_folder(self, folder: Path) -> None:
        """Propose where projects go."""
        self.destination_section.set_folder(folder)

    def set_torchvision_names(self, names: Sequence[str]) -> None:
        """Offer these networks."""
        self.model_section.set_torchvision_names(names)

    def set_timm_names(self, names: Sequence[str], hint: str = "") -> None:
        """Offer timm's networks too; none: it is not installed, or ``hint`` says what else is the matter."""
        self.model_section.set_timm_names(names, hint)

    def set_examination(self, found: ImportExamination) -> None:
        """Show what looking at the files came to."""
        self._examination = found
        self.activations_section.show_arrays(found.arrays, found.array, found.shape_text)
        self.images_section.show_listed(found.listed, found.images_text)
        for field in ("activations", "images", "layer"):
            self._sections[field].set_error(found.errors.get(field, ""))
        # Which array is meant, and whether it needs a pooling, may be known only now.
        self._examined = self.choice()
        self._update()

    def set_agreement(self, text: str) -> None:
        """Say how well the network gives the activations."""
        self._agreement = text
        self.network_section.set_error("")
        self.network_section.show_note(text)
        self._update()

    def set_progress(self, field: Field, done: int, total: int, message: str) -> None:
        """Say how far the answer to a question is; ``total`` 0: that is not known."""
        if field == "network":
            self.network_section.show_note(f"{message}: {done:,} of {total:,}" if total else message)

    def set_error(self, field: Field, sentence: str) -> None:
        """Say under the field what is wrong; an empty sentence takes it back."""
        self._sections[field].set_error(sentence)
        self._update()

    def set_busy(self, field: Field, busy: bool) -> None:
        """Show that something about a field is being found out."""
        self._sections[field].set_busy(busy)
        self._update()

    # --- what the user asks --------------------------------------------------------------------------

    def choice(self) -> ImportChoice | None:
        """Return what is chosen of the files and the layer; None without a file of activations."""
        file = self.activations_section.file()
        if file is None:
            return None
        names = self.names_edit.path()
        return ImportChoice(
            file,
            self.activations_section.array(),
            self.activations_section.pooling(),
            self.images_section.list_file(),
            self.images_section.folder(),
            self.layer_edit.text().strip(),
            Path(names).expanduser() if names else None,
            self.into_open_button.isChecked(),
        )

    def request(self) -> ImportFormRequest | None:
        """Return the import as asked for; None while something is missing or wrong."""
        request = self._untried()
        if request is None or (request.network is not None and not self._agreement):
            return None
        return request

    def _untried(self) -> ImportFormRequest | None:
        """Return the import as asked for, whether or not its network was tried."""
        choice = self.choice()
        if self._missing() or choice is None:
            return None
        destination = None if choice.into_open else self.destination_section.destination()
        return ImportFormRequest(choice, self._network(), destination)

    def _network(self) -> ModelChoice | None:
        return self.model_section.choice() if self.network_check.isChecked() else None

    def _missing(self) -> str:
        """Return a sentence that says what stands in the way, the first thing first."""
        choice = self.choice()
        if choice is None:
            return "Choose a file of activations."
        fields: tuple[Field, ...] = ("activations", "images", "layer", "destination")
        if any(self._sections[field].error() for field in fields) or self.destination_section.error():
            return "Put right what is marked."
        if choice != self._examined or self._ask_later.isActive() or self.activations_section.is_busy():
            return "Looking at the files…"
        if not self._examination.images_text:
            return "Choose the list of images."
        if not choice.layer:
            return "Give the layer a name."
        if not choice.into_open and self.destination_section.missing():
            return self.destination_section.missing()
        return self.model_section.missing() if self.network_check.isChecked() else ""

    @Slot()
    def _changed(self) -> None:
        file = self.activations_section.file()
        self.images_section.set_same_file(file is not None and file.suffix.lower() == ".npz")
        self._forget_trial()
        self._ask_later.start()
        self._update()

    @Slot()
    def _ask(self) -> None:
        choice = self.choice()
        if choice is None:
            self.set_examination(ImportExamination())
        self.examination_requested.emit(choice)

    @Slot()
    def _suggest_names(self) -> None:
        file = self.activations_section.file()
        if file is not None:
            self.destination_section.suggest_name(file.stem)

    @Slot(bool)
    def _network_toggled(self, named: bool) -> None:
        self.model_section.setVisible(named)
        self.network_note.setVisible(not named)
        if named:
            self.networks_requested.emit()
        self._forget_trial()
        self._update()

    @Slot()
    def _network_changed(self) -> None:
        self._forget_trial()
        self._update()

    def _forget_trial(self) -> None:
        self._tried, self._agreement = None, ""
        self.network_section.set_error("")

    @Slot()
    def _place_changed(self) -> None:
        into_open = self.into_open_button.isChecked()
        self.destination_section.setVisible(not into_open)
        self.images_section.set_project_folder(self._project_images if into_open else None)
        self._changed()

    @Slot()
    def _update(self) -> None:
        missing, request = self._missing(), self._untried()
        if request is not None and request.network is not None and not self._agreement:
            missing = "Put right what is marked." if self.network_section.error() else "Trying the network…"
            self._try(request)
        self.missing_label.setText(missing)
        self.import_button.setEnabled(self.request() is not None)
        self.import_button.setToolTip(missing or "Copy the activations into the project.")
        size = self._examination.bytes_on_disk
        self.size_label.setText(
            f"{bytes_text(size)} on disk. It can be stopped and continued at any time." if size else ""
        )

    def _try(self, request: ImportFormRequest) -> None:
        # Where a new project goes makes no difference.
        asked = ImportFormRequest(request.choice, request.network, None)
        if asked != self._tried:
            self._tried = asked
            self.trial_requested.emit(asked)

    @Slot()
    def _accept(self) -> None:
        request = self.request()
        if request is not None:
            self.accepted.emit(request)
