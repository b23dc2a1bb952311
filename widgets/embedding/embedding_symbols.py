"""The signs of points: a shape and a letter for each concept, so that colour is never the only cue."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPainterPath, QPen, QPixmap, QTransform

from widgets.embedding.embedding_state import PointGroup
from widgets.palette import concept_pattern, text_color_on

LETTER_FROM = 13.0
"""Diameter in pixels from which the letter of a concept fits into its sign."""

_FAINT = 0.6
_HALO = 2.2
_DROPPED = -2
_LEFT_OUT = -3


def _polygon(corners: int, radius: float, turn: float = 0.0, inner: float | None = None) -> QPainterPath:
    """Return a regular polygon, or a star with a second radius, a corner at the top unless turned."""
    n = corners if inner is None else 2 * corners
    points = []
    for i in range(n):
        angle = math.tau * i / n + turn
        r = radius if inner is None or i % 2 == 0 else inner
        points.append(QPointF(r * math.sin(angle), -r * math.cos(angle)))
    return _closed(points)


def _closed(points: Sequence[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for point in points[1:]:
        path.lineTo(point)
    path.closeSubpath()
    return path


def _circle() -> QPainterPath:
    path = QPainterPath()
    path.addEllipse(QPointF(0, 0), 0.92, 0.92)
    return path


def _plus() -> QPainterPath:
    a, b = 0.42, 0.98
    corners = [(-a, -b), (a, -b), (a, -a), (b, -a), (b, a), (a, a), (a, b), (-a, b), (-a, a), (-b, a)]
    return _closed([QPointF(x, y) for x, y in [*corners, (-b, -a), (-a, -a)]])


# Of about the same area, within a circle of radius 1.25.
SHAPES: tuple[QPainterPath, ...] = (
    _circle(),
    _polygon(4, 1.14, math.pi / 4),
    _polygon(3, 1.25).translated(0, 0.14),
    _polygon(4, 1.16),
    _polygon(3, 1.25, math.pi).translated(0, -0.14),
    _plus(),
    _polygon(5, 1.06),
    _polygon(5, 1.24, inner=0.66),
)

_CROSS = QPainterPath(QPointF(-0.8, -0.8))
_CROSS.lineTo(0.8, 0.8)
_CROSS.moveTo(-0.8, 0.8)
_CROSS.lineTo(0.8, -0.8)

_DASH = QPainterPath(QPointF(-1, 0))
_DASH.lineTo(1, 0)


def shape_of(number: int) -> QPainterPath:
    """Return the shape of a concept's points, about 2 across; of outliers a circle, of dropped ones a cross.

    Of images left out by hand it is a dash. Concepts of one colour (every tenth) have different shapes.
    """
    if number < 0:
        return {_DROPPED: _CROSS, _LEFT_OUT: _DASH}.get(number, SHAPES[0])
    return SHAPES[number % len(SHAPES)]


def paint_symbol(
    painter: QPainter,
    middle: QPointF,
    diameter: float,
    group: PointGroup,
    *,
    ground: QColor,
    halo: QColor | None = None,
) -> None:
    """Paint the sign of one point.

    Parameters
    ----------
    painter
        Of a widget, picture or file; left as it was.
    middle, diameter
        In the painter's units.
    group
        Whose sign it is; of outliers and dropped clusters it is hollow and faint.
    ground
        What it stands on: its outline, which keeps signs on top of each other apart.
    halo
        Colour of a ring around it, for a point that is selected.
    """
    radius = diameter / 2
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(middle)
    path = _scaled(shape_of(group.number), radius)
    if halo is not None:
        ring = path if group.number not in (_DROPPED, _LEFT_OUT) else _scaled(SHAPES[0], radius)
        for color, width in ((halo, 2 * (_HALO + 1.5)), (ground, 3.0)):
            painter.strokePath(ring, QPen(color, width, j=Qt.PenJoinStyle.RoundJoin))
    if group.is_kept:
        painter.strokePath(path, QPen(ground, 1.6, j=Qt.PenJoinStyle.RoundJoin))
        painter.fillPath(path, group.color)
        _paint_pattern(painter, path, group)
        if diameter >= LETTER_FROM:
            _paint_letter(painter, radius, group)
    else:
        painter.setOpacity(painter.opacity() * (1.0 if halo is not None else _FAINT))
        small = _scaled(shape_of(group.number), 0.72 * radius)
        painter.strokePath(small, QPen(group.color, max(1.2, 0.12 * diameter)))
    painter.restore()


def _scaled(path: QPainterPath, factor: float) -> QPainterPath:
    return QTransform.fromScale(factor, factor).map(path)


def _paint_pattern(painter: QPainter, path: QPainterPath, group: PointGroup) -> None:
    """Hatch the points of the eleventh concept and those after it, which repeat a colour."""
    pattern = concept_pattern(group.number)
    if pattern != Qt.BrushStyle.SolidPattern:
        over = text_color_on(group.color)
        over.setAlphaF(0.55)
        painter.fillPath(path, QBrush(over, pattern))


def _paint_letter(painter: QPainter, radius: float, group: PointGroup) -> None:
    font = QFont(painter.font())
    size = 1.25 * radius if len(group.marker) == 1 else 0.95 * radius
    font.setPixelSize(max(1, round(size)))
    font.setWeight(QFont.Weight.Bold)
    painter.setFont(font)
    painter.setPen(text_color_on(group.color))
    box = QRectF(-2 * radius, -2 * radius, 4 * radius, 4 * radius)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), group.marker)


def symbol_pixmap(
    group: PointGroup,
    diameter: float,
    device_pixel_ratio: float,
    ground: QColor,
    font: QFont,
    *,
    halo: QColor | None = None,
    side: float | None = None,
) -> QPixmap:
    """Return the sign of a group on a transparent square, at the resolution of the screen.

    Parameters
    ----------
    side
        Of the square, in device-independent pixels; by default what sign and halo need.
    """
    side = math.ceil(1.3 * diameter + 2 * (_HALO + 2)) if side is None else side
    pixels = max(1, round(side * device_pixel_ratio))
    pixmap = QPixmap(pixels, pixels)
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setFont(font)
    paint_symbol(painter, QPointF(side / 2, side / 2), diameter, group, ground=ground, halo=halo)
    painter.end()
    return pixmap
