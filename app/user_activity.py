"""Is the user busy with mouse or keyboard? What changes by itself on the screen waits until they are not."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QApplication, QPlainTextEdit

_INPUT = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseButtonRelease,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TouchUpdate,
        QEvent.Type.DragMove,
    }
)


class UserActivity(QObject):
    """Watches the application's input events between :meth:`begin` and :meth:`end`: that costs a little."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._since = QElapsedTimer()
        self._watching = False

    def begin(self) -> None:
        """Watch; until the first event the user counts as busy a moment ago."""
        application = QApplication.instance()
        if not self._watching and application is not None:
            self._watching = True
            self._since.start()
            application.installEventFilter(self)

    def end(self) -> None:
        """Watch no longer."""
        application = QApplication.instance()
        if self._watching and application is not None:
            application.removeEventFilter(self)
        self._watching = False

    def milliseconds_idle(self) -> int:
        """Return how long there has been no input; 0 while nothing is watched."""
        return self._since.elapsed() if self._watching else 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note the time of input."""
        if event.type() in _INPUT:
            self._since.restart()
        return False


def is_in_the_middle() -> bool:
    """Return whether the user is dragging, in a menu or a dialog, or writing into a cell of a list."""
    if QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
        return True
    if QApplication.activePopupWidget() is not None or QApplication.activeModalWidget() is not None:
        return True
    focus = QApplication.focusWidget()
    # An editor within a list or a table is a child of its viewport.
    parent = focus.parentWidget() if focus is not None else None
    return parent is not None and isinstance(parent.parentWidget(), QAbstractItemView)


def is_in_a_text() -> bool:
    """Return whether the cursor stands in a text of several lines, which is left when it is done."""
    return isinstance(QApplication.focusWidget(), QPlainTextEdit)
