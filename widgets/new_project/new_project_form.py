"""The form for a new project: network, layers, images, destination, precision, and what it will cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from backend.image_files.grey_scaling import GreyScaling
from backend.networks.model_source import LayerInfo
from widgets import theme
from widgets.labels import secondary_label
from widgets.new_project.destination_section import DestinationSection
from widgets.new_project.form_section import FormSection
from widgets.new_project.images_section import ImagesSection
from widgets.new_project.layer_tree import LayerTree
from widgets.new_project.model_section import ModelSection
from widgets.new_project.new_project_request import Field, ImagesChoice, ModelChoice, NewProjectRequest
from widgets.new_project.precision_section import PrecisionSection
from widgets.quantity_text import bytes_text, count_text, duration_text

if TYPE_CHECKING:
    from backend.activations.precision_check_result import PrecisionCheck
    from backend.image_files.grey_depth import GreyDepth

__all__ = ["Field", "ImagesChoice", "ModelChoice", "NewProjectForm", "NewProjectRequest"]

_ESTIMATE_PAUSE = 400  # milliseconds
_CHECKING = "The fast precision is being measured on these images…"
_READING = "Reading the network…"
_MEASURING = "Measuring the time on a few images…"
_VALUE_BYTES = 4  # an activation is stored in single precision
_LEAST_WIDTH = 920  # pixels: two columns in which paths can be read
_LEFT_SHARE, _RIGHT_SHARE = 6, 5  # of the width: the tree of layers has four columns


class NewProjectForm(QWidget):
    """A pure form: it asks through signals, and is answered through setters.

    Signals
    -------
    model_changed(ModelChoice or None)
        Another network: list its layers, then ``set_layers`` (or ``set_error("model", …)``).
    images_changed(ImagesChoice or None)
        Other images: look at the folder, then ``set_image_summary``.
    estimate_requested(NewProjectRequest)
        All that an extraction takes is known, or changed while it was: answer with ``set_estimate``. Where
        the project will be does not matter, and is not said.
    precision_check_requested(NewProjectRequest or None)
        What does the fast precision change: answer with ``set_precision_check``. None: it does not matter
        any more.
    accepted(NewProjectRequest), cancelled()
        The user pressed Create, or Cancel.
    """

    model_changed = Signal(object)
    images_changed = Signal(object)
    estimate_requested = Signal(object)
    precision_check_requested = Signal(object)
    accepted = Signal(object)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._estimated: NewProjectRequest | None = None
        self._checked: NewProjectRequest | None = None
        self.model_section = ModelSection()
        self.layers_section = FormSection("2   Layers")
        self.layer_tree = LayerTree()
        self.layers_section.add_wide(self.layer_tree, 1)
        self.images_section = ImagesSection()
        self.destination_section = DestinationSection()
        self.precision_section = PrecisionSection()
        self.estimate_section = FormSection("6   What it takes")
        self.estimate_label = secondary_label(factor=1.0)
        self.estimate_section.add_wide(self.estimate_label)
        self._sections: dict[Field, FormSection] = {
            "model": self.model_section,
            "layers": self.layers_section,
            "images": self.images_section,
            "destination": self.destination_section,
            "precision": self.precision_section,
            "estimate": self.estimate_section,
        }
        self._build_layout()
        self._estimate_later = QTimer(self, singleShot=True, interval=_ESTIMATE_PAUSE)
        self._estimate_later.timeout.connect(self._ask)
        self.model_section.choice_changed.connect(self._model_chosen)
        self.images_section.choice_changed.connect(self._images_chosen)
        self.images_section.grey_scaling_changed.connect(self._update)
        self.layer_tree.selection_changed.connect(self._update)
        self.layer_tree.poolings_changed.connect(self._update)
        self.precision_section.precision_changed.connect(self._precision_chosen)
        self.precision_section.measuring_requested.connect(self._measure_precision)
        self.destination_section.destination_changed.connect(self._update)
        self._update()

    def _build_layout(self) -> None:
        self.create_button = QPushButton("Create project")
        theme.set_icon(self.create_button, "check")
        self.create_button.clicked.connect(self._accept)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.clicked.connect(self.cancelled)
        for button in (self.create_button, self.cancel_button):
            button.setAutoDefault(False)
        self.missing_label = secondary_label()
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(2 * theme.SPACING)
        left.addWidget(self.model_section)
        left.addWidget(self.layers_section, 1)
        for section in (
            self.images_section,
            self.destination_section,
            self.precision_section,
            self.estimate_section,
        ):
            right.addWidget(section)
        right.addStretch(1)
        inner = QWidget()
        columns = QHBoxLayout(inner)
        columns.setContentsMargins(*(2 * theme.MARGIN,) * 4)
        columns.setSpacing(3 * theme.MARGIN)
        columns.addLayout(left, _LEFT_SHARE)
        columns.addLayout(right, _RIGHT_SHARE)
        self.setMinimumWidth(_LEAST_WIDTH)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(2 * theme.MARGIN, theme.SPACING, 2 * theme.MARGIN, theme.MARGIN)
        buttons.addWidget(self.missing_label, 1)
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.create_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area, 1)
        layout.addLayout(buttons)

    # --- answers -------------------------------------------------------------------------------------

    def set_torchvision_names(self, names: Sequence[str]) -> None:
        """Offer these networks."""
        self.model_section.set_torchvision_names(names)

    def set_timm_names(self, names: Sequence[str], hint: str = "") -> None:
        """Offer timm's networks too; none: it is not installed, or ``hint`` says what else is the matter."""
        self.model_section.set_timm_names(names, hint)

    def set_fast_unavailable(self, reason: str) -> None:
        """Say why this machine has no fast precision; an empty reason: it has."""
        self.precision_section.set_fast_unavailable(reason)
        self._update()

    def set_destination_folder(self, folder: Path) -> None:
        """Propose where projects go."""
        self.destination_section.set_folder(folder)

    def set_images_folder(self, folder: Path) -> None:
        """Choose a folder of images, as if the user had."""
        self.images_section.set_folder(folder)

    def set_layers(self, layers: Sequence[LayerInfo], note: str = "") -> None:
        """Show the layers of the network as chosen, none while it is not; ``note`` stands below them."""
        self.set_busy("layers", False)
        self.layer_tree.set_layers(layers)
        self.layers_section.show_note(note)
        self._update()

    def set_own_input_size(self, pixels: int | None) -> None:
        """Name the network's own input size in pixels; None: it is not known yet."""
        self.model_section.set_own_input_size(pixels)

    def set_own_grey_scaling(self, rule: GreyScaling) -> None:
        """Name the rule for deep grey values that the network has of its own."""
        self.images_section.grey_scaling.set_own_grey_scaling(rule)
        self._update()

    def set_image_summary(
        self,
        n_images: int,
        n_classes: int,
        n_chosen: int,
        skipped: Sequence[tuple[str, str]] = (),
        depths: Sequence[GreyDepth] = (),
    ) -> None:
        """Say what the folder holds.

        Parameters
        ----------
        n_images, n_classes
            Images that can be read, and their classes (0 if the folder is flat).
        n_chosen
            Images after undersampling.
        skipped
            Path and reason of each file left out.
        depths
            What is known of the grey values, for each format that can hold deep ones.
        """
        self.set_busy("images", False)
        self.images_section.set_summary(n_images, n_classes, n_chosen, skipped, depths)
        self._update()

    def set_estimate(
        self, bytes_on_disk: int, seconds: float | None, images_per_second: float | None = None
    ) -> None:
        """Say what the project takes; ``seconds`` None: not measured."""
        self.set_busy("estimate", False)
        parts = [f"{bytes_text(bytes_on_disk)} on disk"]
        if seconds is not None:
            parts.append(f"about {duration_text(max(seconds, 1.0))}")
        text = ", ".join(parts)
        if images_per_second is not None:
            text += f" at {images_per_second:,.0f} images/s on this computer"
        self.estimate_label.setText(text + ". It can be stopped and continued at any time.")
        self.estimate_section.set_error("")

    def set_precision_check(self, check: PrecisionCheck) -> None:
        """Show what the fast precision changes on a sample of the images."""
        self.set_busy("precision", False)
        self.precision_section.set_error("")
        self.precision_section.show_check(check)
        self._update()

    def set_progress(self, field: Field, done: int, total: int, message: str) -> None:
        """Say how far the answer to a question is; ``total`` 0: that is not known."""
        text = f"{message}: {done:,} of {total:,}" if total else message
        if field == "precision":
            counted = f"{message}: {done:,} of {count_text(total, 'image')}" if total else message
            self.precision_section.show_progress(counted)
        elif field == "layers":
            self.layer_tree.set_message(_READING, text)

    def set_error(self, field: Field, sentence: str) -> None:
        """Say under the field what is wrong; an empty sentence takes it back."""
        self.set_busy(field, False)
        self._sections[field].set_error(sentence)
        if field == "estimate" and sentence:
            self._show_size("")
        if field == "model" and sentence:
            self.layer_tree.set_message("No layers", "The network could not be read.")
        self._update()

    def set_busy(self, field: Field, busy: bool) -> None:
        """Show that something about a field is being found out."""
        self._sections[field].set_busy(busy)
        if field == "layers" and busy:
            self.layer_tree.set_message(_READING, "One dry run finds its layers.")
        self._update()

    # --- what the user asks --------------------------------------------------------------------------

    def request(self) -> NewProjectRequest | None:
        """Return the project as asked for; None while something is missing or wrong."""
        request, destination = self._measurable_request(), self.destination_section.destination()
        if request is None or destination is None or self._problem():
            return None
        check = self.precision_section.check if request.precision == "fast" else None
        return replace(request, destination=destination, precision_check=check)

    def _measurable_request(self) -> NewProjectRequest | None:
        """Return what is asked for as far as the extraction goes, wherever the project may be."""
        model, images = self.model_section.choice(), self.images_section.choice()
        layers = self.layer_tree.checked_layers()
        if self._missing() or model is None or images is None:
            return None
        source = replace(model.source, grey_scaling=self.images_section.grey_scaling.grey_scaling())
        return NewProjectRequest(
            replace(model, source=source),
            layers,
            images,
            Path(),
            self.layer_tree.poolings(),
            self.precision_section.precision(),
        )

    def _missing(self) -> str:
        """Return a sentence that says what an extraction cannot be measured without; "" if nothing."""
        measured: tuple[Field, ...] = ("model", "images")
        if any(self._sections[field].error() for field in measured):
            return "Put right what is marked."
        if self.model_section.missing():
            return self.model_section.missing()
        if any(self._sections[field].is_busy() for field in ("model", "layers", "images")):
            return "Looking at the network and the images…"
        if not self.layer_tree.checked_layers():
            return "Check at least one layer."
        if self.images_section.choice() is None:
            return "Choose a folder of images."
        return "" if self.images_section.n_chosen else "The folder has not been looked at yet."

    def _problem(self) -> str:
        """Return a sentence that says what stands in the way of the project, the first thing first."""
        if self.destination_section.error():
            return "Put right what is marked."
        if problem := self._missing() or self.destination_section.missing():
            return problem
        precision = self.precision_section
        if precision.precision() == "float32" or precision.check is not None:
            return ""
        return "Put right what is marked, or choose float32." if precision.error() else _CHECKING

    @Slot(object)
    def _model_chosen(self, choice: ModelChoice | None) -> None:
        if choice is None:
            self.layer_tree.set_message("No network yet", "Its layers are listed once you have chosen it.")
        self._suggest_name()
        self._update()
        self.model_changed.emit(choice)

    @Slot(object)
    def _images_chosen(self, choice: ImagesChoice | None) -> None:
        self._suggest_name()
        self._update()
        self.images_changed.emit(choice)

    def _suggest_name(self) -> None:
        model, images = self.model_section.choice(), self.images_section.choice()
        parts = [images.folder.name if images else ""]
        if model is not None:
            file = model.source.python_file
            parts.append(file.stem if file else model.source.architecture)
        self.destination_section.suggest_name(" ".join(part for part in parts if part))

    @Slot()
    def _precision_chosen(self) -> None:
        self.precision_section.set_error("")
        if self.precision_section.check is None and not self.precision_section.is_busy():
            self._checked = None
        self._update()

    @Slot()
    def _update(self) -> None:
        request = self._measurable_request()
        if self._checked is not None and (request is None or not request.computes_the_same_as(self._checked)):
            self._forget_check()
        problem = self._problem()
        self.missing_label.setText(problem)
        self.create_button.setEnabled(not problem)
        self.create_button.setToolTip(problem or "Create the project and read the activations.")
        self.precision_section.set_can_measure(request is not None)
        if request is None:
            self._estimated = None
            self._estimate_later.stop()
            self._show_size("The time is measured once everything above is chosen.")
        elif not request.takes_as_long_as(self._estimated):
            self._show_size(_MEASURING)
            self._estimate_later.start()
        elif request.precision == "fast" and self._checked is None:
            self._estimate_later.start()

    def _forget_check(self) -> None:
        self._checked = None
        self.precision_section.show_check(None)
        self.precision_section.set_error("")
        self.precision_check_requested.emit(None)

    def _show_size(self, then: str) -> None:
        """Say how large the activations are, which follows from their shape, and what of the time."""
        n_neurons, n_images = self.layer_tree.n_neurons_checked(), self.images_section.n_chosen
        size = ""
        if n_neurons and n_images:
            size = f"{bytes_text(n_neurons * n_images * _VALUE_BYTES)} of activations."
        self.estimate_label.setText(f"{size} {then}".strip())

    @Slot()
    def _ask(self) -> None:
        """Ask for what is to be measured, once the form has been left alone for a moment."""
        request = self._measurable_request()
        if request is None:
            return
        if not request.takes_as_long_as(self._estimated):
            self._estimated = request
            self._show_size(_MEASURING)
            self.estimate_requested.emit(request)
        if request.precision == "fast" and self._checked is None:
            self._measure_precision()

    @Slot()
    def _measure_precision(self) -> None:
        request = self._measurable_request()
        if request is not None:
            self._checked = request
            self.precision_section.set_error("")
            self.precision_check_requested.emit(request)

    @Slot()
    def _accept(self) -> None:
        request = self.request()
        if request is not None:
            self.accepted.emit(request)
