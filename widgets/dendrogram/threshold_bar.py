"""The threshold as numbers (d_max and the number of clusters), and how to look at the tree."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from widgets import theme
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.threshold_steps import arrow_step, threshold_for_clusters
from widgets.number_boxes import PreciseNumberBox, WholeNumberBox


class ThresholdBar(QWidget):
    """Boxes for d_max and C, switches for logarithmic height and the table, buttons for zoom.

    Signals
    -------
    threshold_wanted(float)
        The user typed or stepped to another threshold, or to a number of clusters.
    log_height_wanted(bool), table_wanted(bool)
        A switch was turned.
    zoom_wanted(float)
        Zoom by this factor; 0 shows the whole tree.
    """

    threshold_wanted = Signal(float)
    log_height_wanted = Signal(bool)
    table_wanted = Signal(bool)
    zoom_wanted = Signal(float)

    def __init__(self, state: DendrogramState, zoom_step: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._threshold = PreciseNumberBox()
        self._clusters = WholeNumberBox(1, 1)
        self._log = self._switch("Log", "Logarithmic height: equal ratios are equally high")
        self._table = self._switch("Table", "Show the merges as a table")
        self._zoom = [
            self._button("zoom-out", "Show more leaves (Ctrl −)", 1 / zoom_step),
            self._button("zoom-fit", "Show the whole tree (Ctrl 0)", 0.0),
            self._button("zoom-in", "Show fewer leaves, larger (Ctrl +, wheel)", zoom_step),
        ]
        self._arrange()
        self._threshold.valueChanged.connect(self.threshold_wanted)
        self._clusters.valueChanged.connect(self._on_clusters_wanted)
        self._log.toggled.connect(self.log_height_wanted)
        self._table.toggled.connect(self.table_wanted)

    def _arrange(self) -> None:
        self.unit_changed()
        self._threshold.setAccessibleName("Distance threshold d_max")
        self._clusters.setToolTip("Number of clusters C: takes the threshold to the middle of that plateau")
        self._clusters.setAccessibleName("Number of clusters")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, 2, theme.SPACING, 2)
        layout.setSpacing(theme.SPACING // 2)
        for name, box in (("d_max", self._threshold), ("clusters", self._clusters)):
            label = QLabel(name)
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
            layout.addSpacing(theme.SPACING)
        self._fit_boxes()
        layout.addStretch(1)
        for button in (self._log, self._table, *self._zoom):
            layout.addWidget(button)

    def _fit_boxes(self) -> None:
        """Give the boxes room for seven digits and for four, in whatever font."""
        for box, digits in ((self._threshold, "000.0000"), (self._clusters, "0,000")):
            room = box.fontMetrics().horizontalAdvance(digits)
            box.setMinimumWidth(room + 2 * box.fontMetrics().height())

    def changeEvent(self, event: QEvent) -> None:
        """Fit the boxes to another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_boxes()

    def _switch(self, text: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        return button

    def _button(self, icon: str, tip: str, factor: float) -> QToolButton:
        button = QToolButton()
        theme.set_icon(button, icon)
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda _checked=False: self.zoom_wanted.emit(factor))
        return button

    def tree_changed(self) -> None:
        """Take the ranges of another tree."""
        heights = self._state.merge_heights
        with QSignalBlocker(self._threshold), QSignalBlocker(self._clusters):
            self._threshold.setSingleStep(arrow_step(heights))
            self._clusters.setRange(1, len(heights) + 1)
        self.setEnabled(len(heights) > 0)
        self.threshold_changed()

    def threshold_changed(self) -> None:
        """Show the state's threshold, without a signal."""
        with QSignalBlocker(self._threshold), QSignalBlocker(self._clusters):
            self._threshold.setValue(self._state.threshold)
            self._clusters.setValue(self._state.n_clusters)

    def unit_changed(self) -> None:
        """Say what merge heights, and so d_max, are measured in."""
        unit = self._state.height_unit or "units of merge height"
        self._threshold.setToolTip(f"Distance threshold d_max, in {unit}: merges below it are joined")

    def show_log_height(self, log: bool) -> None:
        """Turn the switch, without a signal."""
        with QSignalBlocker(self._log):
            self._log.setChecked(log)

    def show_table(self, table: bool) -> None:
        """Turn the switch, without a signal; a table has no height axis and no zoom."""
        with QSignalBlocker(self._table):
            self._table.setChecked(table)
        for button in (self._log, *self._zoom):
            button.setEnabled(not table)

    @Slot(int)
    def _on_clusters_wanted(self, count: int) -> None:
        fewer = count < self._state.n_clusters
        self.threshold_wanted.emit(threshold_for_clusters(self._state.merge_heights, count, or_fewer=fewer))
