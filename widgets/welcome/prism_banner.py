"""The application's picture: a white ray that a prism splits into colours."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPalette, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets import theme

_UNITS = 256  # of the icon's own coordinates
_ICON = 116
_HEIGHT = 168
_REACH = 1.5  # how far the rays go on beyond the icon, in icon widths

# Upper and lower edge of each ray, (x, y) to (x, y) in the icon's coordinates, and its colour, as in app.svg.
_RAYS = (
    ((150, 106, 248, 88), (154, 115, 248, 106), "#f0b429"),
    ((154, 115, 248, 111), (158, 124, 248, 130), "#ef6a4c"),
    ((158, 124, 248, 135), (162, 133, 248, 154), "#c264c9"),
    ((162, 133, 248, 159), (166, 142, 248, 178), "#3f9cf0"),
)
_BEAM = ((94, 122, 8, 150), (98, 131, 8, 161))


class PrismBanner(QWidget):
    """The icon in the middle, its rays going on to both sides until they fade."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._icon = theme.application_icon()

    def sizeHint(self) -> QSize:
        """Ask for the icon's height and the rays' reach."""
        return QSize(4 * _ICON, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rays, and the icon over their origin."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRectF((self.width() - _ICON) / 2, 8, _ICON, _ICON)
        painter.setPen(Qt.PenStyle.NoPen)
        light = self.palette().color(QPalette.ColorRole.WindowText)
        _draw_ray(painter, place, *_BEAM, light, -1, 0.35)
        for upper, lower, color in _RAYS:
            _draw_ray(painter, place, upper, lower, QColor(color), 1, 0.9)
        self._icon.paint(painter, place.toRect())


def _draw_ray(
    painter: QPainter,
    place: QRectF,
    upper: tuple[int, int, int, int],
    lower: tuple[int, int, int, int],
    color: QColor,
    direction: int,
    strength: float,
) -> None:
    """Draw the part of a ray outside the icon, fading along ``direction`` (1: right, -1: left)."""
    edge = place.right() - 4 if direction > 0 else place.left() + 4
    end = edge + direction * _REACH * place.width()
    corners = [
        _point_at(line, x, place) for line, x in ((upper, edge), (upper, end), (lower, end), (lower, edge))
    ]
    gradient = QLinearGradient(edge, 0, end, 0)
    for stop, share in ((0.0, 1.0), (0.25, 0.45), (0.55, 0.1), (1.0, 0.0)):
        faded = QColor(color)
        faded.setAlphaF(strength * share)
        gradient.setColorAt(stop, faded)
    painter.setBrush(gradient)
    painter.drawPolygon(QPolygonF(corners))


def _point_at(line: tuple[int, int, int, int], x: float, place: QRectF) -> QPointF:
    """Return where a line of the icon, prolonged, is at ``x`` of the widget."""
    x0, y0, x1, y1 = line
    icon_x = (x - place.x()) / place.width() * _UNITS
    icon_y = y0 + (y1 - y0) / (x1 - x0) * (icon_x - x0)
    return QPointF(x, place.y() + icon_y / _UNITS * place.height())
