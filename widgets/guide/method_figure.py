"""The method in one figure: from images to concept vectors, in six pictures that follow the palette.

The story is that of the paper's Figure 1, on a neuron of apples and pitches: images → the layer → the
neuron's top N → dendrogram with threshold → clusters → concept vectors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPalette, QPen, QPolygonF

from widgets.guide.motifs import Motif, draw_motif
from widgets.palette import blend, concept_color, is_dark, outlier_color, text_color_on
from widgets.theme import scaled_font

SIZE = QSize(720, 404)
"""Of the whole figure, in its own units: device-independent pixels at its natural size."""

DESCRIPTION = (
    "The method in six pictures. One: images. Two: a layer of the network; one of its neurons is chosen. "
    "Three: the images that excite this neuron most, apples and pitches mixed. Four: their dendrogram; the "
    "threshold cuts it into two branches. Five: two clusters A and B in the layer's space, with an outlier. "
    "Six: the two concept vectors, and the neuron's own direction between them."
)

_CELL = QSizeF(212, 186)
_GAP = QSizeF(42, 32)
_APPLES, _PITCHES = 0, 1


@dataclass(frozen=True)
class _Dress:
    """The colours that one palette gives to the figure."""

    text: QColor
    secondary: QColor
    line: QColor
    ground: QColor
    card: QColor
    accent: QColor
    concepts: tuple[QColor, QColor]
    outlier: QColor

    @classmethod
    def of(cls, palette: QPalette) -> _Dress:
        dark, role = is_dark(palette), QPalette.ColorRole
        text, base = palette.color(role.Text), palette.color(role.Base)
        return cls(
            text=text,
            secondary=palette.color(role.PlaceholderText),
            line=blend(text, base, 0.45),
            ground=blend(text, base, 0.045),
            card=blend(text, base, 0.11),
            accent=palette.color(role.Accent),
            concepts=(concept_color(0, dark), concept_color(1, dark)),
            outlier=outlier_color(dark),
        )


def method_figure(
    palette: QPalette, font: QFont, device_pixel_ratio: float = 1.0, scale: float = 1.0
) -> QImage:
    """Draw the figure.

    Parameters
    ----------
    palette, font
        Of the widget that shows it, on the palette's base.
    device_pixel_ratio
        Physical pixels to a device-independent one.
    scale
        Of the figure's natural :data:`SIZE`.

    Returns
    -------
    QImage
        With its device pixel ratio set, transparent around the pictures.
    """
    pixels = scale * device_pixel_ratio
    image = QImage((QSizeF(SIZE) * pixels).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(pixels, pixels)
    painter.setFont(_sized(font, 12.5))
    dress = _Dress.of(palette)
    for number, (title, subtitle, draw) in enumerate(_PICTURES):
        column, row = number % 3, number // 3
        place = QPointF(column * (_CELL.width() + _GAP.width()), row * (_CELL.height() + _GAP.height()))
        cell = QRectF(place, _CELL)
        _draw_cell(painter, cell, dress, number + 1, title, subtitle)
        painter.save()
        painter.translate(cell.left(), cell.top() + 44)
        draw(painter, dress)
        painter.restore()
        if column < 2:
            start = QPointF(cell.right() + 8, cell.center().y() + 20)
            _arrow(painter, start, start + QPointF(_GAP.width() - 16, 0), dress.line, 1.6)
    _draw_turn(painter, dress)
    painter.end()
    image.setDevicePixelRatio(device_pixel_ratio)
    return image


def _sized(font: QFont, pixels: float, *, bold: bool = False) -> QFont:
    sized = QFont(font)
    sized.setPixelSize(round(pixels))
    return scaled_font(sized, 1.0, bold=bold)


def _draw_cell(
    painter: QPainter, cell: QRectF, dress: _Dress, number: int, title: str, subtitle: str
) -> None:
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(dress.ground)
    painter.drawRoundedRect(cell, 8, 8)
    badge = QRectF(cell.left() + 9, cell.top() + 9, 19, 19)
    painter.setBrush(dress.accent)
    painter.drawEllipse(badge)
    font = painter.font()
    painter.setFont(_sized(font, 11.5, bold=True))
    painter.setPen(text_color_on(dress.accent))
    painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(number))
    painter.setFont(_sized(font, 13, bold=True))
    painter.setPen(dress.text)
    head = QRectF(badge.right() + 7, cell.top() + 6, cell.width() - 42, 17)
    painter.drawText(head, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
    painter.setFont(_sized(font, 11))
    painter.setPen(dress.secondary)
    below = head.translated(0, 16)
    painter.drawText(below, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, subtitle)
    painter.restore()


def _arrow(painter: QPainter, start: QPointF, end: QPointF, color: QColor, width: float) -> None:
    along = np.array([end.x() - start.x(), end.y() - start.y()])
    along = along / np.linalg.norm(along)
    across, head = np.array([-along[1], along[0]]), 4.2 * width
    tip = np.array([end.x(), end.y()])
    foot = tip - head * along
    corners = [tip, foot + 0.55 * head * across, foot - 0.55 * head * across]
    painter.setPen(QPen(color, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(start, QPointF(*foot))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def _draw_turn(painter: QPainter, dress: _Dress) -> None:
    """Lead from the end of the first row to the beginning of the second."""
    right, left = 2 * (_CELL.width() + _GAP.width()) + _CELL.width() / 2, _CELL.width() / 2
    top, middle = _CELL.height() + 3, _CELL.height() + _GAP.height() / 2
    painter.setPen(QPen(dress.line, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPolyline([QPointF(right, top), QPointF(right, middle), QPointF(left, middle)])
    _arrow(painter, QPointF(left, middle), QPointF(left, _CELL.height() + _GAP.height() - 3), dress.line, 1.6)


# --- the pictures: each in a box of 212 × 142, from its upper left corner ---------------------------


def _draw_images(painter: QPainter, dress: _Dress) -> None:
    motifs: tuple[Motif, ...] = (
        *("apple", "wave", "pitch", "sun", "leaf"),
        *("wave", "leaf", "apple", "pitch", "sun"),
        *("pitch", "sun", "wave", "apple", "leaf"),
    )
    for number, motif in enumerate(motifs):
        column, row = number % 5, number // 5
        draw_motif(painter, QRectF(18 + 36 * column, 14 + 38 * row, 31, 31), motif, dress.card)


def _draw_layer(painter: QPainter, dress: _Dress) -> None:
    """Draw the network's blocks, smaller and smaller, and the layer as a column of neurons."""
    painter.setPen(QPen(dress.line, 1))
    for number, height in enumerate((92, 74, 56)):
        painter.setBrush(dress.card)
        painter.drawRoundedRect(QRectF(14 + 24 * number, 66 - height / 2, 15, height), 3, 3)
    _arrow(painter, QPointF(86, 66), QPointF(108, 66), dress.line, 1.3)
    activities = (0.25, 0.7, 0.1, 1.0, 0.4, 0.0, 0.55)
    for number, activity in enumerate(activities):
        centre = QPointF(126, 17 + 16.3 * number)
        chosen = number == 3
        painter.setPen(QPen(dress.accent if chosen else dress.line, 2.2 if chosen else 1))
        painter.setBrush(blend(dress.text, dress.ground, 0.08 + 0.55 * activity))
        painter.drawEllipse(centre, 6.2, 6.2)
    painter.setPen(dress.accent)
    painter.setFont(_sized(painter.font(), 11.5, bold=True))
    painter.drawText(QRectF(139, 57.5, 68, 17), Qt.AlignmentFlag.AlignVCenter, "neuron n")


def _draw_top(painter: QPainter, dress: _Dress) -> None:
    """Draw the images in the order of activation, each over the bar of its activation."""
    motifs: tuple[Motif, ...] = (
        *("apple", "pitch", "apple", "apple", "pitch"),
        *("pitch", "apple", "pitch", "apple", "net"),
    )
    for number, motif in enumerate(motifs):
        column, row = number % 5, number // 5
        place = QRectF(18 + 36 * column, 14 + 58 * row, 31, 31)
        draw_motif(painter, place, motif, dress.card)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(dress.card)
        bar = QRectF(place.left(), place.bottom() + 6, place.width(), 4)
        painter.drawRoundedRect(bar, 2, 2)
        bar.setWidth(bar.width() * (1 - 0.065 * number))
        painter.setBrush(dress.accent)
        painter.drawRoundedRect(bar, 2, 2)


# Of each merge: place and height of the left child and of the right one, its own height, its concept or None.
_MERGES: tuple[tuple[float, float, float, float, float, int | None], ...] = (
    (20, 0, 36, 0, 16, _APPLES),
    (52, 0, 68, 0, 12, _APPLES),
    (28, 16, 60, 12, 30, _APPLES),
    (44, 30, 84, 0, 38, _APPLES),
    (104, 0, 120, 0, 14, _PITCHES),
    (112, 14, 136, 0, 24, _PITCHES),
    (152, 0, 168, 0, 18, _PITCHES),
    (124, 24, 160, 18, 42, _PITCHES),
    (64, 38, 142, 42, 84, None),
)
_LEAVES: tuple[Motif, ...] = (*("apple",) * 5, *("pitch",) * 5)


def _draw_dendrogram(painter: QPainter, dress: _Dress) -> None:
    ground, left = 106.0, 6.0
    for x0, h0, x1, h1, height, concept in _MERGES:
        color = dress.line if concept is None else dress.concepts[concept]
        painter.setPen(QPen(color, 1.8))
        corners = ((x0, h0), (x0, height), (x1, height), (x1, h1))
        painter.drawPolyline([QPointF(left + x, ground - h) for x, h in corners])
    leaves = sorted({x for merge in _MERGES for x, h in (merge[:2], merge[2:4]) if h == 0})
    for x, motif in zip(leaves, _LEAVES, strict=True):
        draw_motif(painter, QRectF(left + x - 6.5, ground + 4, 13, 13), motif, dress.card)
    threshold = ground - 62
    painter.setPen(QPen(dress.accent, 1.8, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(left + 6, threshold), QPointF(left + 178, threshold))
    painter.setPen(dress.accent)
    painter.setFont(_sized(painter.font(), 11.5, bold=True))
    painter.drawText(QRectF(left + 150, threshold - 18, 52, 16), Qt.AlignmentFlag.AlignRight, "d_max")


_POINTS = {
    _APPLES: ((42, 38), (58, 28), (52, 48), (70, 40), (36, 54), (64, 56), (80, 52)),
    _PITCHES: ((132, 86), (148, 78), (140, 100), (160, 90), (154, 108), (170, 104), (126, 102)),
}
_OUTLIER = (152, 34)


def _draw_clusters(painter: QPainter, dress: _Dress) -> None:
    """Draw the clusters within their outlier radius, and an outlier as a ring."""
    for concept, points in _POINTS.items():
        color = dress.concepts[concept]
        centre = QPointF(*np.mean(points, axis=0))
        painter.setPen(QPen(color, 1.2, Qt.PenStyle.DashLine))
        painter.setBrush(blend(color, dress.ground, 0.12))
        painter.drawEllipse(centre, 37, 31)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for point in points:
            _mark(painter, QPointF(*point), 4, concept)
    _label(painter, QPointF(16, 24), "A", dress.concepts[_APPLES])
    _label(painter, QPointF(192, 70), "B", dress.concepts[_PITCHES])
    painter.setPen(QPen(dress.outlier, 1.8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QPointF(*_OUTLIER), 4, 4)
    painter.setPen(dress.secondary)
    painter.setFont(_sized(painter.font(), 11))
    painter.drawText(
        QRectF(_OUTLIER[0] - 40, _OUTLIER[1] - 24, 80, 16), Qt.AlignmentFlag.AlignCenter, "outlier"
    )


def _draw_vectors(painter: QPainter, dress: _Dress) -> None:
    """Draw the neuron's axis and, to both sides of it, a unit vector through each cluster."""
    origin = QPointF(30, 122)
    end = origin + QPointF(98, -98)
    _arrow(painter, origin, end, dress.line, 1.3)
    painter.setFont(_sized(painter.font(), 11))
    painter.setPen(dress.secondary)
    painter.drawText(QRectF(end.x() - 2, end.y() - 15, 90, 16), Qt.AlignmentFlag.AlignLeft, "neuron n")
    for concept, direction in ((_APPLES, (0.33, -0.944)), (_PITCHES, (0.944, -0.33))):
        color, along = dress.concepts[concept], QPointF(*direction)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(color, dress.ground, 0.55))
        for distance, aside in ((70, 9), (86, -8), (60, -7), (92, 6), (78, 1)):
            point = origin + along * distance + QPointF(-along.y(), along.x()) * aside
            _mark(painter, point, 2.6, concept)
        tip = origin + along * 108
        _arrow(painter, origin, tip, color, 2.6)
        _label(painter, tip + along * 12, "A" if concept == _APPLES else "B", color)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(dress.text)
    painter.drawEllipse(origin, 2.6, 2.6)


def _mark(painter: QPainter, centre: QPointF, radius: float, concept: int) -> None:
    """Draw a point: a disc for apples, a square of much the same area for pitches."""
    if concept == _APPLES:
        painter.drawEllipse(centre, radius, radius)
    else:
        half = 0.9 * radius
        painter.drawRect(QRectF(centre.x() - half, centre.y() - half, 2 * half, 2 * half))


def _label(painter: QPainter, centre: QPointF, letter: str, color: QColor) -> None:
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(centre, 9, 9)
    painter.setPen(text_color_on(color))
    painter.setFont(_sized(painter.font(), 12, bold=True))
    painter.drawText(QRectF(centre.x() - 9, centre.y() - 9, 18, 18), Qt.AlignmentFlag.AlignCenter, letter)
    painter.restore()


_PICTURES: tuple[tuple[str, str, Callable[[QPainter, _Dress], None]], ...] = (
    ("Images", "your dataset", _draw_images),
    ("Layer", "activations, one a neuron", _draw_layer),
    ("Top N", "of one neuron, strongest first", _draw_top),
    ("Dendrogram", "cut where you see groups", _draw_dendrogram),
    ("Clusters", "k-means; far images leave", _draw_clusters),
    ("Concept vectors", "each cluster's mean direction", _draw_vectors),
)
