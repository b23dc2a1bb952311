"""Painting where in a picture a direction is: its projection map as colours over the picture."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPen, QPixmap

if TYPE_CHECKING:
    from backend.image_files.seen_region import Region
    from backend.visualization.projection_map import ProjectionMap

COLOR_MAP = "inferno"
"""Perceptually uniform: equal steps of the projection look equally large, also in grey."""

N_COLORS = 256
_DARKEST = 0.15
"""Where in the colour map 0 is: its black beginning would look like a shadow in the picture."""

_OPAQUE_FROM = 0.5
"""From this share of the scale on a colour has its full opacity; below it fades out towards 0."""

_OUTSIDE_ALPHA = 0.6
_RING = 0.055
"""Radius of the mark at the peak, as a share of the picture's shorter side."""


class Part(NamedTuple):
    """A rectangle in a picture, as fractions of its width and height."""

    left: float
    top: float
    right: float
    bottom: float


WHOLE_PICTURE = Part(0.0, 0.0, 1.0, 1.0)


@lru_cache(maxsize=1)
def _colors() -> NDArray[np.float64]:
    """Return the colours of the scale from 0 to its end: float64 (256, 3), 0 to 255."""
    table = pg.colormap.get(COLOR_MAP)
    shares = np.linspace(_DARKEST, 1.0, N_COLORS)
    return np.asarray(table.map(shares, mode=table.BYTE), dtype=np.float64)[:, :3]


@lru_cache(maxsize=8)
def color_table(opacity: float) -> NDArray[np.uint32]:
    """Return the colours of the scale as premultiplied 0xAARRGGBB.

    Parameters
    ----------
    opacity
        Of the upper half of the scale, 0 to 1; below it colours fade out until the first is none at all.

    Returns
    -------
    ndarray of uint32, shape (256,)
    """
    alpha = opacity * np.minimum(1.0, np.linspace(0.0, 1.0 / _OPAQUE_FROM, N_COLORS))
    channels = np.rint(np.column_stack([np.full(N_COLORS, 255.0), _colors()]) * alpha[:, np.newaxis])
    a, r, g, b = channels.astype(np.uint32).T
    table: NDArray[np.uint32] = (a << 24) | (r << 16) | (g << 8) | b
    table.setflags(write=False)
    return table


def _weights(
    n_pixels: int, n_values: int, ends: tuple[float, float], seen: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the bilinear weights along one axis, (pixels, values), and which pixels the network saw.

    Values lie at the middles of their positions; beyond the outermost ones they stay as they are.
    """
    first, last = ends
    places = first + (np.arange(n_pixels) + 0.5) * ((last - first) / n_pixels)
    inside = (places >= seen[0]) & (places <= seen[1])
    positions = np.clip((places - seen[0]) / (seen[1] - seen[0]) * n_values - 0.5, 0.0, n_values - 1.0)
    below = np.minimum(positions.astype(np.intp), max(n_values - 2, 0))
    share = positions - below
    weights = np.zeros((n_pixels, n_values), dtype=np.float32)
    pixels = np.arange(n_pixels)
    weights[pixels, below] = 1.0 - share
    if n_values > 1:
        weights[pixels, below + 1] = share
    return weights, inside


def upsampled(
    found: ProjectionMap, width: int, height: int, part: Region | Part = WHOLE_PICTURE
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return a map at the pixels of a picture, bilinear between the positions of the layer.

    Parameters
    ----------
    found
        The map.
    width, height
        Of the picture as it is painted, in pixels.
    part
        What of the picture that is.

    Returns
    -------
    values : ndarray of float32, shape (height, width)
        In units of activation.
    inside : ndarray of bool, shape (height, width)
        Which pixels the network saw; elsewhere the values mean nothing.
    """
    n_rows, n_columns = found.values.shape
    seen = found.seen
    down, rows = _weights(height, n_rows, (part.top, part.bottom), (seen.top, seen.bottom))
    across, columns = _weights(width, n_columns, (part.left, part.right), (seen.left, seen.right))
    values: NDArray[np.float32] = np.asarray(down @ found.values @ across.T, dtype=np.float32)
    return values, rows[:, np.newaxis] & columns[np.newaxis, :]


def overlay_image(
    found: ProjectionMap,
    scale: float,
    opacity: float,
    size: tuple[int, int],
    outside: QColor,
    part: Region | Part = WHOLE_PICTURE,
) -> QImage:
    """Return what is painted over a picture: colours where the direction is, a veil where nothing was seen.

    Parameters
    ----------
    found
        The map.
    scale
        The projection that has the last colour, in units of activation; what is 0 or less has none.
    opacity
        Of the colours, 0 to 1.
    size
        Width and height in pixels.
    outside
        Colour of the veil.
    part
        What of the picture is painted.
    """
    width, height = size
    values, inside = upsampled(found, width, height, part)
    steps = values * ((N_COLORS - 1) / scale) if scale > 0 else np.zeros_like(values)
    pixels = color_table(opacity)[np.clip(np.rint(steps), 0, N_COLORS - 1).astype(np.uint8)]
    if not inside.all():
        veil = QColor(outside)
        veil.setAlphaF(_OUTSIDE_ALPHA)
        pixels = np.where(inside, pixels, np.uint32(_premultiplied(veil)))
    pixels = np.ascontiguousarray(pixels)
    borrowed = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
    image = borrowed.copy()
    if found.values.max() > 0:
        painter = QPainter(image)
        paint_peak(painter, peak_point(found, part), (width, height))
        painter.end()
    return image


def _premultiplied(color: QColor) -> int:
    alpha = color.alphaF()
    red, green, blue = (round(channel * alpha) for channel in (color.red(), color.green(), color.blue()))
    return (color.alpha() << 24) | (red << 16) | (green << 8) | blue


def peak_point(found: ProjectionMap, part: Region | Part = WHOLE_PICTURE) -> QPointF:
    """Return the middle of the strongest position, as fractions of a part of the picture."""
    (row, column), (n_rows, n_columns) = found.peak, found.values.shape
    seen = found.seen
    x = seen.left + (column + 0.5) / n_columns * (seen.right - seen.left)
    y = seen.top + (row + 0.5) / n_rows * (seen.bottom - seen.top)
    return QPointF((x - part.left) / (part.right - part.left), (y - part.top) / (part.bottom - part.top))


def paint_peak(painter: QPainter, place: QPointF, size: tuple[int, int]) -> None:
    """Paint a ring, light with a dark edge so that it is seen on anything."""
    width, height = size
    radius = min(14.0, max(3.0, _RING * min(width, height)))
    centre = QPointF(place.x() * width, place.y() * height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    line = min(2.0, max(1.0, radius / 4))
    for color, thickness in ((QColor(0, 0, 0, 200), line + 2.0), (QColor(255, 255, 255), line)):
        painter.setPen(QPen(color, thickness))
        painter.drawEllipse(centre, radius, radius)


def overlaid_pixmap(
    picture: QPixmap, found: ProjectionMap, scale: float, opacity: float, outside: QColor
) -> QPixmap:
    """Return a picture with its map over it, of the same size; the rest as :func:`overlay_image`."""
    ratio = picture.devicePixelRatio()
    blended = picture.copy()
    blended.setDevicePixelRatio(1.0)
    painter = QPainter(blended)
    size = (blended.width(), blended.height())
    painter.drawImage(0, 0, overlay_image(found, scale, opacity, size, outside))
    painter.end()
    blended.setDevicePixelRatio(ratio)
    return blended


def paint_color_scale(painter: QPainter, rect: QRect, frame: QColor) -> None:
    """Paint the colours from 0 to the end of the scale, left to right, as they look when opaque."""
    gradient = QLinearGradient(QRectF(rect).topLeft(), QRectF(rect).topRight())
    colors = _colors()
    for share in np.linspace(0.0, 1.0, 17):
        color = QColor(*(int(channel) for channel in colors[round(share * (N_COLORS - 1))]))
        color.setAlphaF(min(1.0, float(share) / _OPAQUE_FROM))
        gradient.setColorAt(float(share), color)
    painter.save()
    painter.setPen(QPen(frame, 1))
    painter.setBrush(gradient)
    painter.drawRect(rect.adjusted(0, 0, -1, -1))
    painter.restore()
