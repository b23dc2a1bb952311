"""What mouse and keys do to an embedding."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from widgets.embedding.embedding_canvas import EmbeddingCanvas
from widgets.embedding.embedding_state import EmbeddingState, next_point
from widgets.images.thumbnails import ThumbnailLoader

ZOOM_STEP = 1.25
_PAN_PIXELS = 60.0
_DIRECTIONS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_Modifier = Qt.KeyboardModifier
_Button = Qt.MouseButton


class EmbeddingPlot(EmbeddingCanvas):
    """Lets the user pick points by click, lasso and keys, zoom and pan.

    Signals
    -------
    points_picked(object, object)
        int64 (m,): points clicked, encircled or gone to, and the keyboard modifiers; empty for the ground.
    point_hovered(int)
        The point under the pointer, −1 for none.
    point_activated(int)
        A point was clicked twice, or Enter or Space pressed on it.
    current_changed(int)
        The keyboard is at this point.
    menu_requested(int, object)
        Right click or the menu key: on which point (−1 for the ground), and where on the screen.
    """

    points_picked = Signal(object, object)
    point_hovered = Signal(int)
    point_activated = Signal(int)
    current_changed = Signal(int)
    menu_requested = Signal(int, object)

    def __init__(
        self, state: EmbeddingState, thumbnails: ThumbnailLoader | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(state, thumbnails, parent)
        self._pans = False
        self._pressed: QPointF | None = None
        self._panned_from: QPointF | None = None
        self._menu_is_due = True
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def set_pans(self, pans: bool) -> None:
        """Let dragging with the left button move the picture, or draw a lasso."""
        self._pans = pans
        self._show_cursor()

    def is_busy(self) -> bool:
        """Tell whether the user draws a lasso or moves the picture."""
        return self._lasso.size() > 1 or self._panned_from is not None

    def points_changed(self, *, moved: bool, animate: bool = True) -> None:
        """Show the state's points; a lasso that was being drawn around others is given up."""
        if moved:
            self.cancel_drag()
        super().points_changed(moved=moved, animate=animate)

    # --- mouse ------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a click, a lasso or a pan; the right button gives a lasso up."""
        event.accept()
        self._menu_is_due = True
        if event.button() == _Button.RightButton:
            self._menu_is_due = not self.is_busy()
            self.cancel_drag()
        elif self._pressed is None and len(self._state):
            if event.button() == _Button.MiddleButton:
                self._pressed = self._panned_from = event.position()
            elif event.button() == _Button.LeftButton:
                self._pressed = event.position()
        self._show_cursor()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Go on with a lasso or a pan, or point at something."""
        event.accept()
        place = event.position()
        self._set_uses_keys(False)
        if self._pressed is None:
            self._hover(place, event)
        elif self._panned_from is not None:
            self.pan_by(place - self._panned_from)
            self._panned_from = place
        elif self._lasso.size():
            self._lasso.append(place)
            self.update()
        elif (place - self._pressed).manhattanLength() >= QApplication.startDragDistance():
            self._set_hovered(-1)
            if self._pans:
                self.pan_by(place - self._pressed)
                self._panned_from = place
            else:
                self._lasso = QPolygonF([self._pressed, place])
            self._show_cursor()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Pick what was clicked or encircled."""
        event.accept()
        if self._pressed is None or event.button() == _Button.RightButton:
            return
        if self._lasso.size():
            points = self.points_within(self._lasso)
            self.cancel_drag()
            self.points_picked.emit(points, event.modifiers())
        elif self._panned_from is None:
            self.cancel_drag()
            self._click(self.point_at(event.position()), event.modifiers())
        else:
            self.cancel_drag()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open the image of a point."""
        point = self.point_at(event.position())
        if event.button() == _Button.LeftButton and point >= 0:
            event.accept()
            self.point_activated.emit(point)
        else:
            self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done here, unless the click gave a lasso up."""
        event.accept()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            self.menu_requested.emit(self._state.current, event.globalPos())
        elif self._menu_is_due:
            self.menu_requested.emit(self.point_at(QPointF(event.pos())), event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom; with Shift, or sideways, move."""
        if not len(self._state):
            event.ignore()
            return
        event.accept()
        steps, sideways = event.angleDelta().y() / 120, event.angleDelta().x() / 120
        if event.modifiers() & _Modifier.ShiftModifier:
            self.pan_by(QPointF(_PAN_PIXELS * (steps or sideways), 0))
        elif sideways and not steps:
            self.pan_by(QPointF(_PAN_PIXELS * sideways, 0))
        else:
            self.zoom_by(ZOOM_STEP**steps, event.position())

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is pointed at any more."""
        super().leaveEvent(event)
        self._set_hovered(-1)

    def _click(self, point: int, modifiers: Qt.KeyboardModifier) -> None:
        if point >= 0:
            self._go_to(point)
        picked = [point] if point >= 0 else []
        self.points_picked.emit(np.array(picked, dtype=np.int64), modifiers)

    def cancel_drag(self) -> None:
        """Give up a lasso or a pan."""
        self._pressed = self._panned_from = None
        self._lasso = QPolygonF()
        self._show_cursor()
        self.update()

    # --- keys -------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from point to point, pick, zoom, or give up."""
        event.accept()
        key, modifiers = Qt.Key(event.key()), event.modifiers()
        self._set_uses_keys(key in _DIRECTIONS)
        if key == Qt.Key.Key_Escape:
            self._escape(event)
        elif not len(self._state):
            event.ignore()
        elif key in _DIRECTIONS and not modifiers & _Modifier.AltModifier:
            self._step(_DIRECTIONS[key], modifiers)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._press_current(key, modifiers)
        elif key == Qt.Key.Key_A and modifiers & _Modifier.ControlModifier:
            self.points_picked.emit(np.arange(len(self._state)), _Modifier.NoModifier)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(ZOOM_STEP, self._zoom_place())
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom_by(1 / ZOOM_STEP, self._zoom_place())
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.zoom_to_fit()
        else:
            super().keyPressEvent(event)

    def _escape(self, event: QKeyEvent) -> None:
        if self.is_busy():
            self.cancel_drag()
        elif self._state.chosen.any():
            self.points_picked.emit(np.empty(0, dtype=np.int64), _Modifier.NoModifier)
        else:
            event.ignore()

    def _step(self, direction: tuple[int, int], modifiers: Qt.KeyboardModifier) -> None:
        """Go to the next point; with Shift it joins the selection, with Ctrl the selection stays."""
        point = next_point(self._pixels, self._state.current, direction)
        if point == self._state.current:
            return
        self._go_to(point)
        self.bring_into_sight(point)
        if not modifiers & _Modifier.ControlModifier:
            self.points_picked.emit(np.array([point]), modifiers & _Modifier.ShiftModifier)

    def _press_current(self, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> None:
        point = self._state.current
        if point < 0:
            return
        if key == Qt.Key.Key_Space and modifiers & _Modifier.ControlModifier:
            self.points_picked.emit(np.array([point]), _Modifier.ControlModifier)
        else:
            self.point_activated.emit(point)

    def _go_to(self, point: int) -> None:
        self._state.current = point
        self.pointed_changed()
        self.current_changed.emit(point)

    def _zoom_place(self) -> QPointF | None:
        """Zoom around the current point, which is what the keyboard is about; else around the middle."""
        current = self._state.current
        return QPointF(*self._pixels[current]) if current >= 0 else None

    # --- pointing ---------------------------------------------------------------------------------

    def _hover(self, place: QPointF, event: QMouseEvent) -> None:
        point = -1 if self.is_moving() else self.point_at(place)
        if point == self._state.hovered:
            return
        self._set_hovered(point)
        if point < 0:
            QToolTip.hideText()
            return
        QToolTip.showText(event.globalPosition().toPoint(), self._tooltip(point), self, QRect())

    def _tooltip(self, point: int) -> str:
        """Return what is known of a point's image, its concept last."""
        lines, title = self._state.items[point].tooltip.splitlines(), self._state.group(point).title
        return "\n".join(lines if lines[-1:] == [title] else [*lines, title])

    def _set_uses_keys(self, keys: bool) -> None:
        """Show the picture of the point that the keyboard is at, or of the one under the pointer."""
        if keys != self._uses_keys:
            self._uses_keys = keys
            self.pointed_changed()

    def _set_hovered(self, point: int) -> None:
        if point != self._state.hovered:
            self._state.hovered = point
            self._show_cursor()
            self.pointed_changed()
            self.point_hovered.emit(point)

    def _show_cursor(self) -> None:
        if self._panned_from is not None:
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._lasso.size():
            shape = Qt.CursorShape.CrossCursor
        elif self._state.hovered >= 0:
            shape = Qt.CursorShape.PointingHandCursor
        else:
            shape = Qt.CursorShape.OpenHandCursor if self._pans else Qt.CursorShape.CrossCursor
        self.setCursor(shape)

    # --- focus ------------------------------------------------------------------------------------

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show where the keys go."""
        super().focusInEvent(event)
        self.pointed_changed()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show it no longer."""
        super().focusOutEvent(event)
        self.pointed_changed()
