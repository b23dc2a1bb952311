"""Little pictures that stand for images in the guide's figure."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

Motif = Literal["apple", "pitch", "net", "wave", "sun", "leaf"]

_GRASS, _APPLE, _LEAF, _WATER, _SUN = (
    QColor(code) for code in ("#4c9a4a", "#d2443a", "#6aa84f", "#5b9bd5", "#efb734")
)


def draw_motif(painter: QPainter, place: QRectF, motif: Motif, ground: QColor) -> None:
    """Draw a motif on a rounded card that fills ``place``."""
    painter.save()
    outline = QPainterPath()
    outline.addRoundedRect(place, place.width() / 8, place.width() / 8)
    painter.setClipPath(outline)
    painter.fillRect(place, ground)
    painter.translate(place.topLeft())
    painter.scale(place.width() / 32, place.height() / 32)
    painter.setPen(Qt.PenStyle.NoPen)
    _DRAWINGS[motif](painter)
    painter.restore()


def _apple(painter: QPainter) -> None:
    painter.setBrush(_APPLE)
    painter.drawEllipse(QPointF(13, 19), 8, 8.5)
    painter.drawEllipse(QPointF(19, 19), 8, 8.5)
    painter.setBrush(_LEAF)
    painter.drawEllipse(QPointF(21, 7.5), 4, 2.2)
    painter.setPen(QPen(QColor("#7a4a2a"), 2))
    painter.drawLine(QPointF(16, 12), QPointF(17, 6))


def _pitch(painter: QPainter) -> None:
    painter.fillRect(QRectF(0, 0, 32, 32), _GRASS)
    painter.setPen(QPen(QColor("#ffffff"), 1.6))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(4, 5, 24, 22))
    painter.drawLine(QPointF(16, 5), QPointF(16, 27))
    painter.drawEllipse(QPointF(16, 16), 5, 5)


def _net(painter: QPainter) -> None:
    painter.setPen(QPen(QColor("#8d93a1"), 1.4))
    for offset in range(-32, 33, 8):
        painter.drawLine(QPointF(offset, 0), QPointF(offset + 32, 32))
        painter.drawLine(QPointF(offset + 32, 0), QPointF(offset, 32))


def _wave(painter: QPainter) -> None:
    painter.setPen(QPen(_WATER, 3))
    for y in (9, 18, 27):
        path = QPainterPath(QPointF(0, y))
        for x in (0, 16):
            path.cubicTo(x + 4, y - 6, x + 12, y + 6, x + 16, y)
        painter.drawPath(path)


def _sun(painter: QPainter) -> None:
    painter.setBrush(_SUN)
    painter.drawEllipse(QPointF(16, 16), 7, 7)
    painter.setPen(QPen(_SUN, 2.4))
    for turn in range(8):
        painter.save()
        painter.translate(16, 16)
        painter.rotate(45 * turn)
        painter.drawLine(QPointF(10, 0), QPointF(13.5, 0))
        painter.restore()


def _leaf(painter: QPainter) -> None:
    path = QPainterPath(QPointF(6, 26))
    path.cubicTo(6, 10, 14, 6, 27, 5)
    path.cubicTo(27, 18, 22, 26, 6, 26)
    painter.setBrush(_LEAF)
    painter.drawPath(path)
    painter.setPen(QPen(QColor("#2f6b2a"), 1.6))
    painter.drawLine(QPointF(5, 28), QPointF(20, 12))


_DRAWINGS = {"apple": _apple, "pitch": _pitch, "net": _net, "wave": _wave, "sun": _sun, "leaf": _leaf}
