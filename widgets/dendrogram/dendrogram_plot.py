"""What mouse and keys do to a dendrogram."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from widgets.dendrogram.dendrogram_canvas import ZOOM_STEP, DendrogramCanvas
from widgets.dendrogram.dendrogram_keys import is_threshold_key, threshold_after_key
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.subtree_description import describe_node, plain_tooltip
from widgets.images.thumbnails import ThumbnailLoader


class DendrogramPlot(DendrogramCanvas):
    """Lets the user move the threshold of a :class:`DendrogramState` and choose subtrees.

    Signals
    -------
    threshold_dragging(float)
        The line follows the pointer or a key that is held.
    threshold_committed(float)
        The line was let go.
    threshold_cancelled(float)
        Esc or the right button put the line back to this threshold.
    node_clicked(int, object)
        A subtree was clicked, with the keyboard modifiers; −1 for empty ground.
    leaf_hovered(int)
        The leaf under the pointer, −1 for none.
    leaf_activated(int)
        A leaf was clicked twice.
    menu_requested(int, object)
        Right click on a node, and where on the screen; −1 for the menu key, which means what is selected.
    """

    threshold_dragging = Signal(float)
    threshold_committed = Signal(float)
    threshold_cancelled = Signal(float)
    node_clicked = Signal(int, object)
    leaf_hovered = Signal(int)
    leaf_activated = Signal(int)
    menu_requested = Signal(int, object)

    def __init__(
        self, state: DendrogramState, thumbnails: ThumbnailLoader | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(state, thumbnails, parent)
        self._drag_start: float | None = None
        self._drag_offset = 0.0
        self._key_start: float | None = None
        self._pressed: QPointF | None = None
        self._panning = False
        self._menu_is_due = True
        self._leaf = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)

    def show_tree(self) -> None:
        """Show the state's tree from its leaves to its root; a drag that was going on is over."""
        self._drag_start = self._key_start = self._pressed = None
        self._line.active = False
        self._set_leaf(-1)
        super().show_tree()

    def is_dragging(self) -> bool:
        """Tell whether the user holds the line."""
        return self._drag_start is not None or self._key_start is not None

    # --- mouse ------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the line, or begin a click or a pan; the right button gives a drag up."""
        point, button = event.position(), event.button()
        event.accept()
        self._menu_is_due = True
        if button == Qt.MouseButton.RightButton and self._drag_start is not None:
            self.cancel_drag()
            self._menu_is_due = False
            return
        if self._drag_start is not None or self.zone(point) == "none":
            return
        if button == Qt.MouseButton.MiddleButton:
            self._pressed, self._panning = point, True
        elif button == Qt.MouseButton.LeftButton:
            if self.zone(point) == "axis":
                self._begin_drag(point, jump=True)
            elif self.is_near_line(point):
                self._begin_drag(point, jump=False)
            else:
                self._pressed, self._panning = point, False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the line, pan, or point at a subtree."""
        point = event.position()
        event.accept()
        if self._drag_start is not None:
            self._drag_to(point)
        elif self._pressed is not None:
            distance = (point - self._pressed).manhattanLength()
            if self._panning or distance >= QApplication.startDragDistance():
                self._panning = True
                self._pan_to(point)
        else:
            self._hover(point, event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let the line go, or choose what was clicked."""
        event.accept()
        if event.button() == Qt.MouseButton.LeftButton and self._drag_start is not None:
            self._end_drag()
        elif self._pressed is not None and event.button() != Qt.MouseButton.RightButton:
            if not self._panning:
                self.node_clicked.emit(self.node_at(event.position()), event.modifiers())
            self._pressed, self._panning = None, False
        self._show_cursor(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the image of a leaf, or zoom to a subtree."""
        node, layout = self.node_at(event.position()), self._state.layout
        on_line = self.zone(event.position()) == "tree" and self._line.is_near(self.to_view(event.position()))
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if event.button() != Qt.MouseButton.LeftButton or layout is None or node < 0 or on_line or not plain:
            self.mousePressEvent(event)
            return
        event.accept()
        if node < layout.n_leaves:
            self.leaf_activated.emit(node)
        else:
            self.zoom_to_node(node)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the subtree under the pointer, unless the click ended a drag."""
        event.accept()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_requested.emit(-1, event.globalPos())
            return
        node = self.node_at(QPointF(event.pos()))
        if self._menu_is_due and node >= 0:
            self.menu_requested.emit(node, event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom into the leaves, or into the heights over the axis; Shift or sideways moves along."""
        if self._state.layout is None:
            return
        event.accept()
        steps, sideways = event.angleDelta().y() / 120, event.angleDelta().x() / 120
        data = self._view.mapToView(self.to_view(event.position()))
        (left, right), _ = self._view.viewRange()
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if sideways or shift:
            self.pan_leaves(-(sideways or steps) * (right - left) / 10)
        elif self.zone(event.position()) == "axis":
            self.zoom_height(ZOOM_STEP**steps, data.y())
        else:
            self.zoom_leaves(ZOOM_STEP**steps, data.x())

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        self._set_hovered(-1)
        self._set_leaf(-1)
        super().leaveEvent(event)

    # --- the threshold ----------------------------------------------------------------------------

    def _begin_drag(self, point: QPointF, *, jump: bool) -> None:
        self._drag_start = self._state.threshold
        self._drag_offset = 0.0 if jump else self._line.line_y() - self.to_view(point).y()
        self._line.active = True
        self.viewport().setCursor(Qt.CursorShape.SizeVerCursor)
        self._set_hovered(-1)
        if jump:
            self._drag_to(point)
        self._line.update()

    def _drag_to(self, point: QPointF) -> None:
        self._move_threshold(self.height_at(point + QPointF(0, self._drag_offset)))

    def _move_threshold(self, threshold: float) -> None:
        if threshold == self._state.threshold:
            return
        self._state.threshold = threshold
        self.refresh()
        self.threshold_dragging.emit(threshold)

    def _end_drag(self) -> None:
        self._drag_start = None
        self._line.active = False
        self.refresh()
        self.threshold_committed.emit(self._state.threshold)

    def cancel_drag(self) -> None:
        """Put the line back to where it was taken from."""
        start = self._drag_start if self._drag_start is not None else self._key_start
        if start is None:
            return
        self._drag_start = self._key_start = None
        self._line.active = False
        self._state.threshold = start
        self.refresh()
        self.threshold_cancelled.emit(start)

    # --- keys -------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the threshold, zoom, pan, or give up."""
        event.accept()
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self._escape(event)
        elif self._state.layout is None:
            event.ignore()
        elif is_threshold_key(key):
            if self._drag_start is None:
                self._step_by_key(key, event.modifiers())
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_leaves(ZOOM_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom_leaves(1 / ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.zoom_to_fit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.zoom_to_chosen()
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            (left, right), _ = self._view.viewRange()
            self.pan_leaves((right - left) / 10 * (1 if key == Qt.Key.Key_Right else -1))
        else:
            super().keyPressEvent(event)

    def _escape(self, event: QKeyEvent) -> None:
        if self.is_dragging():
            self.cancel_drag()
        elif self._state.chosen.any():
            self.node_clicked.emit(-1, Qt.KeyboardModifier.NoModifier)
        else:
            event.ignore()

    def _step_by_key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        coarse = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        threshold = threshold_after_key(self._state, key, coarse=coarse)
        if self._key_start is None:
            self._key_start = self._state.threshold
        self._move_threshold(threshold)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let the line go with the key that moved it."""
        if is_threshold_key(Qt.Key(event.key())) and not event.isAutoRepeat():
            self._commit_keys()
            event.accept()
        else:
            super().keyReleaseEvent(event)

    def _commit_keys(self) -> None:
        start, self._key_start = self._key_start, None
        if start is not None and start != self._state.threshold:
            self.threshold_committed.emit(self._state.threshold)

    # --- pointing ---------------------------------------------------------------------------------

    def _hover(self, point: QPointF, where: QPoint) -> None:
        near_line = self.is_near_line(point)
        node = -1 if near_line else self.node_at(point)
        layout = self._state.layout
        changed = node != self._state.hovered
        self._set_hovered(node)
        is_leaf = layout is not None and 0 <= node < layout.n_leaves
        self._set_leaf(node if is_leaf else -1)
        if near_line != self._line.active:
            self._line.active = near_line
            self._line.update()
        self._show_cursor(point)
        if node < 0:
            QToolTip.hideText()
        elif changed:
            QToolTip.showText(where, plain_tooltip(self._description(node)), self, QRect())

    def _description(self, node: int) -> str:
        """Return what there is to say about a node; of a picture that cannot be read, also why."""
        text, layout, paths = describe_node(self._state, node), self._state.layout, self._state.paths
        if layout is None or paths is None or self._thumbnails is None or node >= layout.n_leaves:
            return text
        reason = self._thumbnails.failure(paths[node])
        return text if reason is None else f"{text}\n{reason}"

    def _show_cursor(self, point: QPointF) -> None:
        zone = self.zone(point)
        if zone == "axis" or (zone == "tree" and self._line.is_near(self.to_view(point))):
            shape = Qt.CursorShape.SizeVerCursor
        elif self._state.hovered >= 0:
            shape = Qt.CursorShape.PointingHandCursor
        else:
            shape = Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def _pan_to(self, point: QPointF) -> None:
        assert self._pressed is not None
        pixel = self._view.viewPixelSize()
        moved = self._pressed - point
        self._pressed = point
        self.pan_leaves(moved.x() * pixel[0])
        _, (low, high) = self._view.viewRange()
        self._set_heights(low - moved.y() * pixel[1], high - low)
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def _set_hovered(self, node: int) -> None:
        if node != self._state.hovered:
            self._state.hovered = node
            self._tree.update()
            self._strip.update()

    def _set_leaf(self, leaf: int) -> None:
        if leaf != self._leaf:
            self._leaf = leaf
            self.leaf_hovered.emit(leaf)

    # --- focus ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the scene, and the frame that says where the keys go."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(self.viewport().rect().adjusted(1, 1, -1, -1))
            painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the frame."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the frame away, and let the line go."""
        super().focusOutEvent(event)
        self._commit_keys()
        self.viewport().update()
