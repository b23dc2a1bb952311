"""The parameters of the method: presets, the suggestion, and every number with its unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QToolButton, QVBoxLayout, QWidget

from backend.method.parameters import (
    LINKAGE_METHODS,
    MAX_TOP_N,
    METRICS,
    PUBLISHED,
    Parameters,
    Suggestion,
    incompatibility,
)
from widgets import theme
from widgets.labels import heading_label, secondary_label
from widgets.number_boxes import ChoiceBox, PreciseNumberBox, WholeNumberBox
from widgets.parameters.parameter_texts import CHOICES, LABELS, TOOLTIPS, UNITS
from widgets.quantity_text import activation_text

SUGGESTED, AS_PUBLISHED, CUSTOM = "suggested", "published", "custom"

_GROUPS = {
    "Clustering": ("top_n", "distance_threshold", "n_clusters", "linkage", "metric"),
    "Members": ("outlier_radius_squared", "min_cluster_size"),
    "k-means": ("kmeans_start", "kmeans_restarts", "kmeans_max_iter", "seed"),
}
_SPINNING_PAUSE = 200  # milliseconds: a held arrow key or a turned wheel is one change


class ParametersPanel(QWidget):
    """Shows one set of parameters and asks for another.

    Signals
    -------
    parameters_changed(Parameters)
        The user changed something: once per change, spinning is debounced. Never sent by the setters.
    n_clusters_requested(int)
        The user asked for this number of clusters; whoever knows the tree answers with the distance threshold
        (``set_parameters``, ``set_n_clusters``).
    """

    parameters_changed = Signal(object)
    n_clusters_requested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parameters = Parameters()
        self._given = self._parameters
        self._suggestion: Suggestion | None = None
        self._showing = False
        self._build_boxes()
        self._build_layout()
        self._send_later = QTimer(self, singleShot=True, interval=_SPINNING_PAUSE)
        self._send_later.timeout.connect(self.flush)
        self._ask_later = QTimer(self, singleShot=True, interval=_SPINNING_PAUSE)
        self._ask_later.timeout.connect(self._ask_for_clusters)
        self._connect()
        self.set_suggestion(None)
        self.set_n_clusters(None)
        self._show_parameters()

    # --- building ------------------------------------------------------------------------------------

    def _build_boxes(self) -> None:
        self.preset_box = ChoiceBox()
        self.reset_button = QToolButton()
        theme.set_icon(self.reset_button, "reset")
        self.reset_button.setAutoRaise(True)
        self.reset_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.top_n_box = WholeNumberBox(2, MAX_TOP_N)
        self.threshold_box = PreciseNumberBox()
        self.n_clusters_box = WholeNumberBox(1, MAX_TOP_N)
        self.radius_box = PreciseNumberBox()
        self.min_size_box = WholeNumberBox(1, MAX_TOP_N)
        self.linkage_box = ChoiceBox()
        self.metric_box = ChoiceBox()
        self.start_box = ChoiceBox()
        self.restarts_box = WholeNumberBox(1, 1000)
        self.iterations_box = WholeNumberBox(1, 1_000_000)
        self.seed_box = PreciseNumberBox(0, 2**32 - 1, whole=True)
        self._boxes: dict[str, QWidget] = {
            "preset": self.preset_box,
            "top_n": self.top_n_box,
            "distance_threshold": self.threshold_box,
            "n_clusters": self.n_clusters_box,
            "outlier_radius_squared": self.radius_box,
            "min_cluster_size": self.min_size_box,
            "linkage": self.linkage_box,
            "metric": self.metric_box,
            "kmeans_start": self.start_box,
            "kmeans_restarts": self.restarts_box,
            "kmeans_max_iter": self.iterations_box,
            "seed": self.seed_box,
        }
        for name, box in self._boxes.items():
            box.setToolTip(TOOLTIPS[name])
            box.setAccessibleName(LABELS[name].replace("<sub>", " ").replace("</sub>", ""))
            if isinstance(box, ChoiceBox):
                for value, text, tooltip in CHOICES[name]:
                    box.add_choice(text, value, tooltip)
        self.top_n_box.setSingleStep(10)

    def _build_layout(self) -> None:
        self._build_suggestion()
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(theme.MARGIN, theme.SPACING, theme.MARGIN, theme.MARGIN)
        column.setSpacing(theme.SPACING)
        preset_row = QHBoxLayout()
        preset_row.addWidget(self.preset_box, 1)
        preset_row.addWidget(self.reset_button)
        column.addLayout(preset_row)
        column.addWidget(self._suggestion_row)
        column.addWidget(self.reason_label)
        column.addLayout(self._grid())
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inner)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the focus of what it holds
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    def _build_suggestion(self) -> None:
        self.suggestion_label = secondary_label()
        self.why_button = QToolButton()
        self.why_button.setText("Why?")
        self.why_button.setCheckable(True)
        self.why_button.setAutoRaise(True)
        self.why_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.reason_label = secondary_label()
        self.reason_label.hide()
        self.why_button.toggled.connect(self.reason_label.setVisible)
        self._suggestion_row = QWidget()
        row = QHBoxLayout(self._suggestion_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.suggestion_label, 1)
        row.addWidget(self.why_button, 0, Qt.AlignmentFlag.AlignTop)

    def _grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.SPACING)
        grid.setVerticalSpacing(theme.SPACING - 2)
        grid.setColumnStretch(1, 1)
        for title, names in _GROUPS.items():
            heading = heading_label(title, 1.0)
            heading.setContentsMargins(0, theme.SPACING, 0, 0)
            grid.addWidget(heading, grid.rowCount(), 0, 1, 3)
            for name in names:
                row = grid.rowCount()
                label = QLabel(LABELS[name])
                label.setToolTip(TOOLTIPS[name])
                label.setBuddy(self._boxes[name])
                grid.addWidget(label, row, 0)
                grid.addWidget(self._boxes[name], row, 1, 1, 1 if name in UNITS else 2)
                if name in UNITS:
                    unit = secondary_label(UNITS[name])
                    unit.setWordWrap(False)
                    grid.addWidget(unit, row, 2)
        return grid

    def _connect(self) -> None:
        spinning: dict[str, WholeNumberBox | PreciseNumberBox] = {
            "top_n": self.top_n_box,
            "distance_threshold": self.threshold_box,
            "outlier_radius_squared": self.radius_box,
            "min_cluster_size": self.min_size_box,
            "kmeans_restarts": self.restarts_box,
            "kmeans_max_iter": self.iterations_box,
        }
        choices = {"linkage": self.linkage_box, "metric": self.metric_box, "kmeans_start": self.start_box}
        for name, box in spinning.items():
            box.valueChanged.connect(lambda value, name=name: self._spun(name, value))
        self.seed_box.valueChanged.connect(lambda value: self._spun("seed", int(value)))
        for name, choice in choices.items():
            choice.currentIndexChanged.connect(lambda _, name=name: self._chosen(name))
        self.n_clusters_box.valueChanged.connect(self._clusters_spun)
        self.preset_box.currentIndexChanged.connect(self._preset_chosen)
        self.reset_button.clicked.connect(self._reset)

    # --- what is shown -------------------------------------------------------------------------------

    def parameters(self) -> Parameters:
        """Return the parameters on show, with what the user just changed."""
        return self._parameters

    def set_parameters(self, parameters: Parameters) -> None:
        """Show these parameters; no signal.

        A change of the user that is about to be sent is newer than the parameters given before, and stays.
        """
        if self._send_later.isActive() and parameters == self._given:
            return
        self._send_later.stop()
        self._parameters = self._given = parameters
        self._show_parameters()

    def show_nothing(self) -> None:
        """Leave every field blank: there is no layer that the parameters could be of; no signal."""
        self._send_later.stop()
        self._ask_later.stop()
        self._parameters = self._given = Parameters()
        self.set_suggestion(None)
        self._showing = True
        try:
            for box in self._boxes.values():
                if isinstance(box, ChoiceBox):
                    box.choose("")
                elif isinstance(box, WholeNumberBox | PreciseNumberBox):
                    box.clear()
        finally:
            self._showing = False

    def set_distance_threshold(self, threshold: float) -> None:
        """Follow the dendrogram's line while it is dragged; no signal."""
        self._parameters = replace(self._parameters, distance_threshold=float(threshold))
        self._given = replace(self._given, distance_threshold=float(threshold))
        self._showing = True
        try:
            self.threshold_box.setValue(threshold)
        finally:
            self._showing = False
        self._show_preset()

    def set_threshold_range(self, highest_merge: float | None) -> None:
        """Scale the step of the threshold's spin box to the tree on show."""
        highest = highest_merge if highest_merge and highest_merge > 0 else 100.0
        self.threshold_box.setSingleStep(_round_step(highest / 100))

    def set_suggestion(self, suggestion: Suggestion | None) -> None:
        """Offer a layer's suggested threshold and radius, with the reason; None if there is none yet."""
        self._suggestion = suggestion
        missing = "" if suggestion else "No suggestion yet: it needs all activations of the layer."
        self.preset_box.forbid(SUGGESTED, missing)
        if suggestion:
            self.suggestion_label.setText(
                f"Suggested: d_max\u00a0{activation_text(suggestion.distance_threshold)}, "
                f"radius²\u00a0{activation_text(suggestion.outlier_radius_squared)}"
            )
            self.reason_label.setText(suggestion.reason)
            for widget in (self.suggestion_label, self.why_button):
                widget.setToolTip(suggestion.reason)
        else:
            self.why_button.setChecked(False)
        self._suggestion_row.setVisible(suggestion is not None)
        back_to = "the suggestion for this layer" if suggestion else "the defaults"
        self.reset_button.setToolTip(f"Set every parameter back to {back_to}.")
        self.reset_button.setAccessibleName(f"Back to {back_to}")
        self._show_preset()

    def set_n_clusters(self, n_clusters: int | None, maximum: int | None = None) -> None:
        """Show the number of clusters at the present threshold; no signal. None: there is no tree."""
        if self._ask_later.isActive() and n_clusters is not None:
            return
        self._showing = True
        try:
            self.n_clusters_box.setEnabled(n_clusters is not None)
            if maximum is not None:
                self.n_clusters_box.setMaximum(max(1, maximum))
            if n_clusters is not None:
                self.n_clusters_box.setValue(n_clusters)
        finally:
            self._showing = False

    def _show_parameters(self) -> None:
        values = self._parameters
        self._showing = True
        try:
            self.top_n_box.setValue(values.top_n)
            self.threshold_box.setValue(values.distance_threshold)
            self.radius_box.setValue(values.outlier_radius_squared)
            self.min_size_box.setValue(values.min_cluster_size)
            self.linkage_box.choose(values.linkage)
            self.metric_box.choose(values.metric)
            self.start_box.choose(values.kmeans_start)
            self.restarts_box.setValue(values.kmeans_restarts)
            self.iterations_box.setValue(values.kmeans_max_iter)
            self.seed_box.setValue(values.seed)
        finally:
            self._showing = False
        self._show_what_goes_together()
        self._show_preset()

    def _show_what_goes_together(self) -> None:
        for linkage in LINKAGE_METHODS:
            self.linkage_box.forbid(linkage, incompatibility(linkage, self._parameters.metric))
        for metric in METRICS:
            self.metric_box.forbid(metric, incompatibility(self._parameters.linkage, metric))
        reason = next((r for m in METRICS if (r := incompatibility(self._parameters.linkage, m))), "")
        self.metric_box.setToolTip("\n\n".join(part for part in (TOOLTIPS["metric"], reason) if part))
        random = self._parameters.kmeans_start == "random"
        for name in ("kmeans_restarts", "seed"):
            box = self._boxes[name]
            box.setEnabled(random)
            box.setToolTip(TOOLTIPS[name] + ("" if random else "\n\nOnly a random start uses it."))

    def _show_preset(self) -> None:
        if self._suggestion and self._parameters == self._suggestion.parameters():
            preset = SUGGESTED
        elif self._parameters == PUBLISHED:
            preset = AS_PUBLISHED
        else:
            preset = CUSTOM
        self.preset_box.choose(preset)

    # --- what the user does --------------------------------------------------------------------------

    def _spun(self, name: str, value: float) -> None:
        if not self._showing:
            self._change(**{name: value})
            self._send_later.start()

    def _chosen(self, name: str) -> None:
        box = self._boxes[name]
        if not self._showing and isinstance(box, ChoiceBox):
            self._change(**{name: box.choice()})
            self.flush()

    def _change(self, **values: Any) -> None:
        self._parameters = replace(self._parameters, **values)
        self._show_what_goes_together()
        self._show_preset()

    @Slot()
    def flush(self) -> None:
        """Send a change that still waits for the spinning to end."""
        self._send_later.stop()
        if self._parameters != self._given:
            self._given = self._parameters
            self.parameters_changed.emit(self._parameters)

    @Slot(int)
    def _clusters_spun(self, n_clusters: int) -> None:
        if not self._showing:
            self._ask_later.start()

    @Slot()
    def _ask_for_clusters(self) -> None:
        self.n_clusters_requested.emit(self.n_clusters_box.value())

    @Slot()
    def _preset_chosen(self) -> None:
        preset = self.preset_box.choice()
        if preset == SUGGESTED and self._suggestion:
            self._replace_all(self._suggestion.parameters())
        elif preset == AS_PUBLISHED:
            self._replace_all(PUBLISHED)
        else:
            self._show_preset()

    @Slot()
    def _reset(self) -> None:
        self._replace_all(self._suggestion.parameters() if self._suggestion else Parameters())

    def _replace_all(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._show_parameters()
        self.flush()


def _round_step(step: float) -> float:
    """Return 1, 2 or 5 times a power of ten, close to ``step``."""
    exponent = 0
    while step >= 10:
        step, exponent = step / 10, exponent + 1
    while step < 1:
        step, exponent = step * 10, exponent - 1
    leading = 1 if step < 1.5 else 2 if step < 3.5 else 5 if step < 7.5 else 10
    return float(f"{leading}e{exponent}")
