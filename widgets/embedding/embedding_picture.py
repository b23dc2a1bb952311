"""The embedding as a picture for a paper or a slide: what is on show, its legend and how it was made."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QImageWriter, QPainter, QPalette
from PySide6.QtSvg import QSvgGenerator

from widgets.embedding.embedding_canvas import EmbeddingCanvas
from widgets.embedding.embedding_legend import SIGN_DIAMETER, SIGN_SIDE, groups_with_points, legend_text
from widgets.embedding.embedding_state import EmbeddingState
from widgets.embedding.embedding_symbols import paint_symbol
from widgets.theme import MARGIN, SPACING, scaled_font

PictureFormat = Literal["png", "svg"]

SCALE = 3
"""Pixels of a PNG to one of the screen's device-independent pixels: 300 dots to an inch."""

_Role = QPalette.ColorRole


def picture_bytes(canvas: EmbeddingCanvas, state: EmbeddingState, caption: str, kind: PictureFormat) -> bytes:
    """Return the file of a picture, in the colours on show.

    Parameters
    ----------
    canvas
        The plane as it is zoomed now.
    state
        What it shows.
    caption
        The line under it.
    kind
        ``png`` (three pixels to one on the screen) or ``svg`` (shapes; pictures of the images inside it).
    """
    size = _picture_size(canvas, state)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if kind == "svg":
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
        generator.setTitle(caption)
        painter = QPainter(generator)
        _paint(painter, canvas, state, caption, size)
        painter.end()
    else:
        image = QImage(size * SCALE, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(SCALE)
        painter = QPainter(image)
        _paint(painter, canvas, state, caption, size)
        painter.end()
        QImageWriter(buffer, QByteArray(b"png")).write(image)
    buffer.close()
    return bytes(data.data())


def picture_image(canvas: EmbeddingCanvas, state: EmbeddingState, caption: str) -> QImage:
    """Return the same picture for the clipboard."""
    return QImage.fromData(picture_bytes(canvas, state, caption, "png"))


def _picture_size(canvas: EmbeddingCanvas, state: EmbeddingState) -> QSize:
    rows = len(_legend_rows(canvas, state))
    line = QFontMetricsF(canvas.font()).height() + 4
    return QSize(canvas.width(), canvas.height() + round(rows * SIGN_SIDE + line) + 2 * SPACING)


def _paint(
    painter: QPainter, canvas: EmbeddingCanvas, state: EmbeddingState, caption: str, size: QSize
) -> None:
    palette = canvas.palette()
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    painter.setFont(canvas.font())
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), palette.color(_Role.Base))
    painter.save()
    painter.setClipRect(QRectF(canvas.rect()))
    canvas.paint_points(painter, as_shapes=True)
    painter.restore()
    y = canvas.height() + SPACING
    painter.setPen(palette.color(_Role.Text))
    for row in _legend_rows(canvas, state):
        for x, index in row:
            group, n = groups_with_points(state)[index]
            middle = QPointF(x + SIGN_SIDE / 2, y + SIGN_SIDE / 2)
            paint_symbol(painter, middle, SIGN_DIAMETER, group, ground=palette.color(_Role.Base))
            place = QRectF(x + SIGN_SIDE + 4, y, canvas.width(), SIGN_SIDE)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), legend_text(group, n))
        y += SIGN_SIDE
    painter.setFont(scaled_font(canvas.font(), 0.92))
    painter.setPen(palette.color(_Role.PlaceholderText))
    foot = QRectF(MARGIN, y, size.width() - 2 * MARGIN, size.height() - y - 2)
    painter.drawText(foot, int(Qt.AlignmentFlag.AlignVCenter), caption)


def _legend_rows(canvas: EmbeddingCanvas, state: EmbeddingState) -> list[list[tuple[float, int]]]:
    """Return the entries of each row: where each begins, and which group it is."""
    metrics = QFontMetricsF(canvas.font())
    rows: list[list[tuple[float, int]]] = []
    x = float(canvas.width())
    for index, (group, n) in enumerate(groups_with_points(state)):
        width = SIGN_SIDE + 4 + metrics.horizontalAdvance(legend_text(group, n)) + 2 * SPACING
        if not rows or x + width > canvas.width():
            rows.append([])
            x = float(MARGIN)
        rows[-1].append((x, index))
        x += width
    return rows
