"""A large button that says what it does: an icon, a title, a sentence."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from widgets import theme
from widgets.palette import blend

_ICON = 28
_PADDING = 16
_RADIUS = 8


class ActionCard(QAbstractButton):
    """One of few large actions.

    Parameters
    ----------
    icon, title, description
        What it shows; ``title`` may hold a mnemonic (&).
    primary
        Whether it is the one to begin with.
    """

    def __init__(
        self, icon: str, title: str, description: str, *, primary: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._icon_name = icon
        self._description = description
        self._primary = primary
        self.setText(title)
        self.setAccessibleName(title.replace("&", ""))
        self.setAccessibleDescription(description)
        self.setToolTip(description)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Ask for the title and three lines of description."""
        title, description = self._metrics()
        height = 2 * _PADDING + _ICON + theme.SPACING + title.height() + 4 + 3 * description.lineSpacing()
        return QSize(240, height)

    def minimumSizeHint(self) -> QSize:
        """Stay readable."""
        return QSize(160, self.sizeHint().height())

    def _metrics(self) -> tuple[QFontMetrics, QFontMetrics]:
        title = QFontMetrics(theme.scaled_font(self.font(), 1.1, bold=True))
        return title, QFontMetrics(theme.scaled_font(self.font(), 0.95))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card as it is: hovered, pressed, focused, disabled."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_frame(painter)
        palette = self.palette()
        x, y, width = _PADDING, _PADDING, self.width() - 2 * _PADDING
        role = (
            QPalette.ColorRole.Accent if self._primary and self.isEnabled() else QPalette.ColorRole.ButtonText
        )
        pixmap = theme.icon_pixmap(self._icon_name, palette.color(role), _ICON, self.devicePixelRatioF())
        painter.drawPixmap(x, y, pixmap)
        title, _ = self._metrics()
        y += _ICON + theme.SPACING
        painter.setFont(theme.scaled_font(self.font(), 1.1, bold=True))
        painter.setPen(palette.color(QPalette.ColorRole.WindowText))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextShowMnemonic
        painter.drawText(QRect(x, y, width, title.height()), int(flags), self.text())
        y += title.height() + 4
        painter.setFont(theme.scaled_font(self.font(), 0.95))
        painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(QRect(x, y, width, self.height() - y - _PADDING // 2), int(flags), self._description)

    def _draw_frame(self, painter: QPainter) -> None:
        palette = self.palette()
        accent, base = palette.color(QPalette.ColorRole.Accent), palette.color(QPalette.ColorRole.Base)
        border, width = palette.color(QPalette.ColorRole.Mid), 1.0
        fill = blend(accent, base, 0.07) if self._primary else base
        if self.isEnabled() and (self.underMouse() or self.hasFocus()):
            border, width = accent, 2.0 if self.hasFocus() else 1.0
        if self.isDown():
            fill = blend(accent, base, 0.2)
        elif self.isEnabled() and self.underMouse():
            fill = blend(accent, base, 0.12)
        painter.setPen(QPen(border, width))
        painter.setBrush(fill)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), _RADIUS, _RADIUS)
