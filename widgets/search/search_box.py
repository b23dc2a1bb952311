"""A line that searches everything, with what was found in a list below it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QAction,
    QFocusEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPalette,
)
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QVBoxLayout, QWidget

from widgets import theme
from widgets.search.search_results import SearchGroup, SearchHit, SearchResultList

MINIMUM_WIDTH = 440
"""Of the list, in pixels, where the window has room."""

_PAGE = 6


class SearchBox(QLineEdit):
    """Type, choose with the arrows, go there with Enter.

    Down and Up move through what was found, Page Up and Page Down six at a time; Enter or a click chooses;
    Escape closes the list, and once more returns to where the focus was.

    Signals
    -------
    opened()
        The box got the focus: what can be found may be looked up now.
    query_changed(str)
        Other words are to be searched for, without blanks around them; "" for none.
    chosen(object)
        The target of the hit that was chosen.
    """

    opened = Signal()
    query_changed = Signal(str)
    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._before: QWidget | None = None
        self._has_answer = False
        self._popup: QFrame | None = None
        self.results = SearchResultList()
        self.setClearButtonEnabled(True)
        sign = QAction(self)
        theme.set_icon(sign, "search")
        self.addAction(sign, QLineEdit.ActionPosition.LeadingPosition)
        self.textChanged.connect(self._on_text_changed)
        self.results.hit_chosen.connect(self._choose)
        self.results.selectionModel().currentChanged.connect(self._describe)

    def start(self) -> None:
        """Take the focus, to be given back, with the earlier words selected."""
        focus = QApplication.focusWidget()
        if focus is not None and focus is not self:
            self._before = focus
        self.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.selectAll()

    def query(self) -> str:
        """Return what is searched for."""
        return self.text().strip()

    def set_results(self, groups: Sequence[SearchGroup], message: str = "") -> None:
        """Show what was found, and a remark below it."""
        self.results.results.set_groups(groups, message)
        self._has_answer = bool(self.results.results.rowCount())
        self._show_list()

    def is_list_shown(self) -> bool:
        """Tell whether the list is open."""
        return self._popup is not None and self._popup.isVisible()

    def close_list(self) -> None:
        """Put the list away; what was found stays for when the box is entered again."""
        if self._popup is not None:
            self._popup.hide()

    # --- the list ---------------------------------------------------------------------------------

    def _show_list(self) -> None:
        if not (self._has_answer and self.query() and self.hasFocus()):
            self.close_list()
            return
        popup = self._made_popup()
        window = self.window()
        corner = self.mapTo(window, QPoint(0, self.height() + 2))
        width = min(max(self.width(), MINIMUM_WIDTH), window.width() - 2 * theme.SPACING)
        left = min(corner.x(), window.width() - width - theme.SPACING)
        room = window.height() - corner.y() - theme.SPACING
        popup.setGeometry(left, corner.y(), width, max(0, min(self.results.content_height() + 2, room)))
        popup.show()
        popup.raise_()

    def _made_popup(self) -> QFrame:
        # A child of the window and no window itself: the line keeps the focus, and no platform moves it.
        if self._popup is None:
            popup = QFrame(self.window())
            popup.setFrameStyle(QFrame.Shape.Box | QFrame.Shadow.Plain)
            popup.setForegroundRole(QPalette.ColorRole.Mid)
            popup.setAutoFillBackground(True)
            layout = QVBoxLayout(popup)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.addWidget(self.results)
            self.results.setFrameShape(QFrame.Shape.NoFrame)
            self._popup = popup
            self._popup_sizer = _WindowSize(self.window(), self)
            self._popup_sizer.resized.connect(self._show_if_open)
        return self._popup

    @Slot()
    def _show_if_open(self) -> None:
        if self.is_list_shown():
            self._show_list()

    @Slot()
    def _describe(self) -> None:
        """Tell screen readers what Enter would choose: the list itself never has the focus."""
        index = self.results.currentIndex()
        text = str(index.data(Qt.ItemDataRole.AccessibleTextRole) or "") if index.isValid() else ""
        self.setAccessibleDescription(text)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    # --- what the user does -----------------------------------------------------------------------

    @Slot(str)
    def _on_text_changed(self) -> None:
        if not self.query():
            self.set_results(())
        self.query_changed.emit(self.query())

    @Slot(object)
    def _choose(self, hit: SearchHit) -> None:
        self.close_list()
        self._give_focus_back()
        self.chosen.emit(hit.target)

    def _give_focus_back(self) -> None:
        before, self._before = self._before, None
        if before is not None and before.isVisible() and before.window() is self.window():
            before.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.clearFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move in the list, choose, or type on."""
        key = event.key()
        steps = {
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageDown: _PAGE,
            Qt.Key.Key_PageUp: -_PAGE,
        }
        if key in steps:
            if self.is_list_shown():
                self.results.step(steps[Qt.Key(key)])
            else:
                self._show_list()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            hit = self.results.current_hit()
            if self.is_list_shown() and hit is not None:
                self._choose(hit)
            else:
                self._show_list()
        elif key == Qt.Key.Key_Escape:
            if self.is_list_shown():
                self.close_list()
            else:
                self._give_focus_back()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Show again what was found."""
        super().mousePressEvent(event)
        self._show_list()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Announce that something is going to be searched for."""
        super().focusInEvent(event)
        self.opened.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Put the list away."""
        super().focusOutEvent(event)
        self.close_list()

    def hideEvent(self, event: QHideEvent) -> None:
        """Put the list away with the box."""
        super().hideEvent(event)
        self.close_list()


class _WindowSize(QObject):
    """Tells when a window has another size, once everything in it has its place."""

    resized = Signal()

    def __init__(self, window: QWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._settled = QTimer(self, singleShot=True, interval=0)
        self._settled.timeout.connect(self.resized)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._settled.start()
        return False
