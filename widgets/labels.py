"""Labels that recur in every panel: headings, secondary text, paths that shorten, messages, empty states."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from widgets import theme

MessageKind = Literal["error", "warning", "info"]

_ICONS: dict[MessageKind, str] = {"error": "error", "warning": "warning", "info": "info"}
_ROLES: dict[MessageKind, QPalette.ColorRole] = {
    "error": QPalette.ColorRole.BrightText,
    "warning": QPalette.ColorRole.WindowText,
    "info": QPalette.ColorRole.PlaceholderText,
}


def heading_label(text: str, factor: float = 1.15) -> QLabel:
    """Return a semibold label at ``factor`` times the usual size."""
    label = QLabel(text)
    label.setFont(theme.scaled_font(label.font(), factor, bold=True))
    return label


def secondary_label(text: str = "", *, factor: float = 0.92) -> QLabel:
    """Return a wrapping label in the palette's secondary text colour."""
    label = QLabel(text)
    label.setFont(theme.scaled_font(label.font(), factor))
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


class ElidedLabel(QWidget):
    """One line of text that is shortened in the middle when there is no room; the tooltip has it whole."""

    def __init__(
        self,
        text: str = "",
        *,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text = text
        self._elide = elide
        self.setForegroundRole(QPalette.ColorRole.WindowText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def text(self) -> str:
        """Return the whole text."""
        return self._text

    def setText(self, text: str) -> None:
        """Show another text."""
        self._text = text
        self.setAccessibleName(text)
        self._update_tooltip()
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Ask for room for the whole text."""
        metrics = self.fontMetrics()
        return QSize(metrics.horizontalAdvance(self._text) + 2, metrics.height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Make do with an ellipsis."""
        return QSize(24, self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole text in the tooltip while it is cut."""
        super().resizeEvent(event)
        self._update_tooltip()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        shown = self.fontMetrics().elidedText(self._text, self._elide, self.width())
        flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(self.rect(), int(flags), shown)

    def _update_tooltip(self) -> None:
        cut = self.fontMetrics().horizontalAdvance(self._text) > self.width()
        self.setToolTip(self._text if cut else "")


class Pictogram(QWidget):
    """An icon in the colour of a palette role, drawn afresh when the palette changes."""

    def __init__(self, name: str, size: int, role: QPalette.ColorRole, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._role = role
        self.setFixedSize(size, size)

    def show_icon(self, name: str, role: QPalette.ColorRole) -> None:
        """Show another icon, or the same in the colour of another role."""
        self._name, self._role = name, role
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon for the screen that it is on."""
        color: QColor = self.palette().color(self._role)
        pixmap = theme.icon_pixmap(self._name, color, self.width(), self.devicePixelRatioF())
        QPainter(self).drawPixmap(0, 0, pixmap)


class MessageLabel(QWidget):
    """A sentence with a sign before it (error, warning, information); hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = Pictogram("error", 16, QPalette.ColorRole.BrightText)
        self._sentence = QLabel()
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2 + 2)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._sentence, 1)
        self.hide()

    def text(self) -> str:
        """Return the sentence on show, empty if none is."""
        return self._sentence.text()

    def show_message(self, text: str, kind: MessageKind = "error") -> None:
        """Show a sentence; an empty one hides the label."""
        self._sentence.setText(text)
        self._sentence.setForegroundRole(_ROLES[kind])
        self._sign.show_icon(_ICONS[kind], _ROLES[kind])
        self.setAccessibleName(text)
        self.setVisible(bool(text))


class EmptyState(QWidget):
    """What stands where there is nothing to show yet: a sign, what is missing, and what to do about it.

    Signals
    -------
    action_requested()
        The user pressed the button, which is there only where :meth:`show_state` names an action.
    """

    action_requested = Signal()

    def __init__(self, icon: str, title: str = "", text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = Pictogram(icon, 40, QPalette.ColorRole.Dark)
        self._title = heading_label(title, 1.1)
        self._text = secondary_label(text, factor=1.0)
        for label in (self._title, self._text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        self._text.setMaximumWidth(360)
        layout = QVBoxLayout(self)
        layout.setSpacing(theme.SPACING)
        layout.addStretch(2)
        layout.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self._title)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._text, 8)
        row.addStretch(1)
        layout.addLayout(row)
        self.action_button = QPushButton()
        self.action_button.setAutoDefault(False)
        self.action_button.clicked.connect(self._request_action)
        layout.addWidget(self.action_button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self.show_state(icon, title, text)

    def show_state(self, icon: str, title: str, text: str = "", action: str = "") -> None:
        """Show another sign, title and text, and a button for what can be done about it."""
        self._sign.show_icon(icon, QPalette.ColorRole.Dark)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.action_button.setText(action)
        self.action_button.setVisible(bool(action))
        self.setAccessibleName(f"{title} {text}".strip())

    def _request_action(self) -> None:
        self.action_requested.emit()

    def title(self) -> str:
        """Return the title on show."""
        return self._title.text()

    def text(self) -> str:
        """Return the text under the title."""
        return self._text.text()
