"""A strip above what it concerns: what is special about it, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets import theme
from widgets.flow_layout import FlowLayout
from widgets.labels import Pictogram
from widgets.palette import blend

NoticeKind = Literal["info", "warning"]

_BAR = 3  # pixels
_SIGN = 16  # pixels
_TINT = 0.10
_LEAST_TEXT_WIDTH = 300  # pixels: with less beside the buttons, these go below
_ICONS: dict[NoticeKind, str] = {"info": "info", "warning": "warning"}
_ROLES: dict[NoticeKind, QPalette.ColorRole] = {
    "info": QPalette.ColorRole.Accent,
    "warning": QPalette.ColorRole.BrightText,
}


@dataclass(frozen=True)
class NoticeAction:
    """A button of a notice.

    Attributes
    ----------
    key
        What :attr:`NoticeBanner.action_requested` says.
    text, tooltip
        On it, and about it.
    enabled
        Whether it can be pressed now.
    """

    key: str
    text: str
    tooltip: str = ""
    enabled: bool = True


class NoticeBanner(QWidget):
    """A sentence with a sign before it and buttons behind it; hidden while there is none.

    Signals
    -------
    action_requested(str)
        The user pressed the button of this key.
    """

    action_requested = Signal(str)

    def __init__(self, kind: NoticeKind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = _ROLES[kind]
        self._actions: tuple[NoticeAction, ...] = ()
        self._buttons: dict[str, QPushButton] = {}
        sign = Pictogram(_ICONS[kind], _SIGN, self._role)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._button_box = QWidget()
        self._flow = FlowLayout(self._button_box, theme.SPACING // 2)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._button_box.setSizePolicy(policy)
        texts = QHBoxLayout()
        texts.setSpacing(theme.SPACING)
        texts.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        texts.addWidget(self._sentence, 1)
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._line.setSpacing(theme.SPACING)
        self._line.addLayout(texts, 1)
        self._buttons_line = QHBoxLayout()
        self._buttons_line.addWidget(self._button_box)
        self._line.addLayout(self._buttons_line)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.MARGIN + _BAR, 6, theme.MARGIN, 6)
        layout.addLayout(self._line)
        self.hide()

    def text(self) -> str:
        """Return the sentence on show, "" if none is."""
        return self._sentence.text()

    def button(self, key: str) -> QPushButton:
        """Return the button of an action on show.

        Raises
        ------
        KeyError
            If there is no such action.
        """
        return self._buttons[key]

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the actions on show."""
        return tuple(self._buttons)

    def show_notice(self, text: str, actions: Sequence[NoticeAction] = ()) -> None:
        """Show a sentence and its buttons; an empty one hides the banner."""
        came = bool(text) and not self._sentence.text()
        if text != self._sentence.text():
            self._sentence.setText(text)
            self.setAccessibleName(text)
        self._show_actions(tuple(actions))
        self.setVisible(bool(text))
        if came:
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the buttons below where there is no room beside the text."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a tint of the sign's colour, with a bar of it on the left and a line below."""
        color, window = self.palette().color(self._role), self.palette().color(QPalette.ColorRole.Window)
        painter = QPainter(self)
        painter.fillRect(self.rect(), blend(color, window, _TINT))
        painter.fillRect(0, 0, _BAR, self.height(), color)
        line: QColor = self.palette().color(QPalette.ColorRole.Mid)
        painter.fillRect(0, self.height() - 1, self.width(), 1, line)

    def _show_actions(self, actions: tuple[NoticeAction, ...]) -> None:
        if actions == self._actions:
            return
        if [action.key for action in actions] != list(self._buttons):
            self._make_buttons(actions)
        for action in actions:
            button = self._buttons[action.key]
            button.setText(action.text)
            button.setToolTip(action.tooltip)
            button.setEnabled(action.enabled)
        self._actions = actions
        self._arrange()

    def _make_buttons(self, actions: tuple[NoticeAction, ...]) -> None:
        """Make buttons for these actions; one that stays keeps the keyboard's focus."""
        wanted = {action.key for action in actions}
        for key in [key for key in self._buttons if key not in wanted]:
            button = self._buttons.pop(key)
            button.hide()
            button.deleteLater()
        kept, self._buttons = self._buttons, {}
        for action in actions:
            button = kept.get(action.key) or self._make_button(action.key)
            self._flow.removeWidget(button)
            self._flow.insertWidget(self._flow.count(), button)
            self._buttons[action.key] = button

    def _make_button(self, key: str) -> QPushButton:
        button = QPushButton()
        button.setAutoDefault(False)
        button.clicked.connect(partial(self._request, key))
        return button

    def _request(self, key: str, _checked: bool = False) -> None:
        self.action_requested.emit(key)

    def _arrange(self) -> None:
        needed = self._flow.sizeHint().width()
        beside = self.width() - needed >= _LEAST_TEXT_WIDTH
        self._button_box.setVisible(bool(self._buttons))
        self._button_box.setMinimumWidth(needed if beside else 0)
        # Below the text they stand in line with it, not with the sign.
        self._buttons_line.setContentsMargins(0 if beside else _SIGN + theme.SPACING, 0, 0, 0)
        direction = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self._line.direction() != direction:
            self._line.setDirection(direction)
