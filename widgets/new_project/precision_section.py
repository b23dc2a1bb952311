"""The choice of the network's arithmetic, with what the fast one changes on the user's own images."""

from __future__ import annotations

import math
from typing import cast

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from backend.activations.precision_check_result import LayerOverlap, PrecisionCheck
from backend.networks.model_source import Precision
from widgets import theme
from widgets.labels import ElidedLabel, secondary_label
from widgets.new_project.form_section import FormSection
from widgets.number_boxes import ChoiceBox

_EXACT = "As exact as single precision is."
_FAST = "Convolutions and linear layers in bfloat16: faster, and some of a neuron's top images become others."
_TITLES = ("layer", "on average", "at worst", "neurons counted")


class PrecisionSection(FormSection):
    """Chooses between float32 and the fast precision.

    Signals
    -------
    precision_changed()
        The other one is chosen.
    measuring_requested()
        The user wants to know what the fast one changes: answer with :meth:`show_check`.
    """

    precision_changed = Signal()
    measuring_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("5   Precision", parent)
        self.check: PrecisionCheck | None = None
        self._unavailable = ""
        self._can_measure = False
        self.box = ChoiceBox()
        self.box.add_choice("float32", "float32", _EXACT)
        self.box.add_choice("fast (bfloat16)", "fast", _FAST)
        self._explanation = (
            f"float32: {_EXACT}\nfast: {_FAST}\nPooling and ranking are in float32 either way."
        )
        self.measure_button = QPushButton("Mea&sure on my images")
        self.measure_button.setToolTip(
            "Run a sample of these images through the network in both precisions, and compare."
        )
        self.measure_button.setAutoDefault(False)
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.box, 1)
        row.addWidget(self.measure_button)
        self.box_label = QLabel("A&rithmetic")
        self.box_label.setBuddy(self.box)
        self.box.setAccessibleName("Precision of the network's arithmetic")
        self.grid.addWidget(self.box_label, 0, 0)
        self.grid.addWidget(line, 0, 1)
        self.sentence_label = secondary_label(factor=1.0)
        self.add_wide(self.sentence_label)
        self.figures = QWidget()
        self._figures_grid = QGridLayout(self.figures)
        self._figures_grid.setContentsMargins(0, 0, 0, 0)
        self._figures_grid.setHorizontalSpacing(theme.MARGIN)
        self._figures_grid.setVerticalSpacing(2)
        self._figures_grid.setColumnStretch(0, 1)
        self.add_wide(self.figures)
        self.speed_label = secondary_label(factor=1.0)
        self.add_wide(self.speed_label)
        self.box.currentIndexChanged.connect(self.precision_changed)
        self.measure_button.clicked.connect(self._request_measuring)
        self.set_fast_unavailable("")
        self.set_can_measure(False)
        self.show_check(None)

    def precision(self) -> Precision:
        """Return the precision as chosen."""
        return cast(Precision, self.box.choice())

    def set_fast_unavailable(self, reason: str) -> None:
        """Say why this machine has no fast precision; an empty reason: it has."""
        self._unavailable = reason
        self.box.setEnabled(not reason)
        self.box.setToolTip(reason or self._explanation)
        if reason:
            self.box.choose("float32")
        self.show_note(reason)
        self._enable_button()

    def set_can_measure(self, possible: bool) -> None:
        """Say whether everything is chosen that a measurement needs."""
        self._can_measure = possible
        self._enable_button()

    def set_busy(self, busy: bool) -> None:
        """Show that a measurement runs."""
        super().set_busy(busy)
        self._enable_button()
        self.show_progress("Measuring what the fast precision changes…" if busy else "")

    def show_progress(self, text: str) -> None:
        """Say how far a measurement is, in the place of what it found."""
        if text or self.check is None:
            self.show_check(None)
            self.sentence_label.setText(text)
            self.sentence_label.setVisible(bool(text))

    def show_check(self, check: PrecisionCheck | None) -> None:
        """Show what was measured; None: nothing is."""
        self.check = check
        while (item := self._figures_grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.sentence_label.setVisible(check is not None)
        self.figures.setVisible(check is not None)
        self.speed_label.setVisible(check is not None)
        if check is None:
            return
        images = f"On {check.n_images:,} of these images" + (
            ", too few to say much" if check.says_little else ""
        )
        self.sentence_label.setText(
            f"{images}, this much of each neuron's top {check.top_n} stays the same with the fast precision:"
        )
        for column, title in enumerate(_TITLES):
            self._add_figure(0, column, secondary_label(title))
        for row, layer in enumerate(check.layers, start=1):
            self._add_layer(row, layer)
        self.speed_label.setText(
            f"The network runs {check.speed_up:.1f} times as fast "
            f"({check.float32_images_per_second:.3g} → {check.fast_images_per_second:.3g} images/s), "
            f"the whole extraction {check.extraction_speed_up:.1f} times."
        )
        self.figures.setAccessibleName(check.sentence)

    def _add_layer(self, row: int, layer: LayerOverlap) -> None:
        name = ElidedLabel(layer.layer, elide=Qt.TextElideMode.ElideMiddle)
        worst = f"neuron {layer.worst_neuron}:  " if layer.worst_neuron is not None else ""
        counted = f"{layer.n_ranked:,}" + (
            f" of {layer.n_neurons:,}" if layer.n_ranked < layer.n_neurons else ""
        )
        texts = (_percent(layer.mean_overlap), worst + _percent(layer.worst_overlap), counted)
        self._add_figure(row, 0, name)
        for column, text in enumerate(texts, start=1):
            self._add_figure(row, column, QLabel(text))
        for column in range(len(_TITLES)):
            item = self._figures_grid.itemAtPosition(row, column)
            if item is not None and (widget := item.widget()) is not None:
                widget.setToolTip(layer.sentence)

    def _add_figure(self, row: int, column: int, label: QWidget) -> None:
        if isinstance(label, QLabel):
            label.setWordWrap(False)
            label.setAlignment(Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
        label.setBackgroundRole(QPalette.ColorRole.NoRole)
        self._figures_grid.addWidget(label, row, column)

    def _enable_button(self) -> None:
        possible = self._can_measure and not self._unavailable and not self.is_busy()
        self.measure_button.setEnabled(possible)

    @Slot()
    def _request_measuring(self) -> None:
        self.measuring_requested.emit()


def _percent(share: float | None) -> str:
    """Return a share in per cent, never rounded up to all."""
    return "–" if share is None else f"{math.floor(1000 * share) / 10:.1f} %"
