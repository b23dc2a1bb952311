"""The strip of cluster counts above a dendrogram, in which the threshold can be dragged too."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

from widgets.dendrogram.cluster_count_canvas import ClusterCountCanvas
from widgets.dendrogram.dendrogram_state import DendrogramState


class ClusterCountStrip(ClusterCountCanvas):
    """A staircase of C over d_max with the threshold and the suggestion in it.

    The threshold can be dragged here too; Esc and the right button give the drag up.

    Signals
    -------
    threshold_dragging(float), threshold_committed(float), threshold_cancelled(float)
        As of the dendrogram.
    """

    threshold_dragging = Signal(float)
    threshold_committed = Signal(float)
    threshold_cancelled = Signal(float)

    def __init__(self, state: DendrogramState, parent: QWidget | None = None) -> None:
        super().__init__(state, parent)
        self._drag_start: float | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    def tree_changed(self) -> None:
        """Show another tree, or the same on another axis; a drag that was going on is over."""
        self._take_hold(None)
        super().tree_changed()

    def _take_hold(self, start: float | None) -> None:
        """Note where the line was taken from, or that it was let go."""
        self._drag_start, self._is_held = start, start is not None

    def is_dragging(self) -> bool:
        """Tell whether the user holds the line."""
        return self._drag_start is not None

    def cancel_drag(self) -> None:
        """Put the line back to where it was taken from."""
        if self._drag_start is None:
            return
        start = self._drag_start
        self._take_hold(None)
        self._state.threshold = start
        self.update()
        self.threshold_cancelled.emit(start)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the threshold to the pointer; the right button gives a drag up."""
        if self._state.layout is None:
            return
        if event.button() == Qt.MouseButton.RightButton:
            self.cancel_drag()
        elif event.button() == Qt.MouseButton.LeftButton and self._drag_start is None:
            self._take_hold(self._state.threshold)
            self._drag_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the threshold, or tell how many clusters there are here."""
        if self._state.layout is None:
            return
        if self._drag_start is not None:
            self._drag_to(event.position().x())
            return
        self.setCursor(Qt.CursorShape.SizeHorCursor)
        threshold = self.threshold_at(event.position().x())
        low, high, count = next(
            (step for step in self.plateaus() if step[0] < threshold <= step[1]), (0.0, 0.0, 0)
        )
        if count:
            clusters = "1 cluster" if count == 1 else f"{count:,} clusters"
            upper = f"to {high:.4g}" if count > 1 else "on"
            text = f"{clusters} for d_max from {low:.4g} {upper}{self._suggestion_text()}"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)

    def _suggestion_text(self) -> str:
        suggestion = self._state.suggestion
        if suggestion is None:
            return ""
        count = self._state.n_clusters_at(suggestion)
        return f"\nSuggested: d_max {suggestion:.4g}, {count:,} cluster{'s' if count != 1 else ''}"

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the threshold go."""
        if event.button() == Qt.MouseButton.LeftButton and self._drag_start is not None:
            self._take_hold(None)
            self.update()
            self.threshold_committed.emit(self._state.threshold)

    def _drag_to(self, x: float) -> None:
        threshold = self.threshold_at(x)
        if threshold != self._state.threshold:
            self._state.threshold = threshold
            self.update()
            self.threshold_dragging.emit(threshold)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc gives a drag up."""
        if event.key() == Qt.Key.Key_Escape and self._drag_start is not None:
            self.cancel_drag()
        else:
            event.ignore()
