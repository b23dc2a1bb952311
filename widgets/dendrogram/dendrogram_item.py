"""Paints the tree of a dendrogram: lines in the colours of their clusters, crisp at any scale."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPalette, QPen, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from backend.method.dendrogram_layout import ABOVE, Segments, tree_segments
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.palette import N_CONCEPT_COLORS, blend, concept_color, is_dark

_MANY_LEAVES = 300
_Role = QPalette.ColorRole


class DendrogramItem(pg.GraphicsObject):  # type: ignore[misc]
    """The tree in slots (x) and axis units (y).

    Lines are mapped to device pixels before they are painted, all of one colour in one path: a thousand
    leaves take a few milliseconds, and a line never falls between two pixels.
    """

    def __init__(self, state: DendrogramState) -> None:
        super().__init__()
        self._state = state

    def boundingRect(self) -> QRectF:
        """Return the whole tree, without a tree nothing."""
        layout = self._state.layout
        if layout is None:
            return QRectF()
        low, high = self._state.axis_range
        return QRectF(-0.5, low, layout.n_leaves, high - low)

    def tree_changed(self) -> None:
        """Paint another tree, or the same on another axis."""
        self.prepareGeometryChange()
        self.update()

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the tree: grounds of what is chosen and pointed at, then the lines."""
        layout = self._state.layout
        if layout is None:
            return
        transform = painter.worldTransform()
        palette = QGuiApplication.palette()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self._paint_grounds(painter, transform, palette)
        segments = tree_segments(layout, self._state.threshold)
        lines = _Lines(self._state, segments, transform, painter.device().devicePixelRatioF())
        width = 1.0 if layout.n_leaves > _MANY_LEAVES else 1.5
        thick = (layout.covered(self._state.chosen) | self._state.under_pointer)[segments.node]
        dark = is_dark(palette)
        neutral = blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.62)
        colors = np.where(segments.number == ABOVE, ABOVE, segments.number % N_CONCEPT_COLORS)
        for number in np.unique(colors):
            color = neutral if number == ABOVE else concept_color(int(number), dark)
            lines.paint(painter, (colors == number) & ~thick, color, width)
            lines.paint(painter, (colors == number) & thick, color, width + 1.5)
        painter.restore()

    def _paint_grounds(self, painter: QPainter, transform: QTransform, palette: QPalette) -> None:
        accent, base = palette.color(_Role.Accent), palette.color(_Role.Base)
        layout, state = self._state.layout, self._state
        assert layout is not None
        covered = layout.covered(state.chosen)
        outside = np.append(covered, False)[layout.parent]
        for node in np.flatnonzero(covered & ~outside):
            rect = self._node_rect(int(node), transform)
            painter.fillRect(rect, blend(accent, base, 0.22))
            self._paint_outline(painter, rect, accent, Qt.PenStyle.SolidLine)
        if state.hovered >= 0:
            rect = self._node_rect(state.hovered, transform)
            if not covered[state.hovered]:
                painter.fillRect(rect, blend(accent, base, 0.12))
            self._paint_outline(painter, rect, accent, Qt.PenStyle.DotLine)

    def _paint_outline(self, painter: QPainter, rect: QRectF, color: QColor, style: Qt.PenStyle) -> None:
        """Frame a ground: on a screen of high contrast a tint alone is hardly seen."""
        painter.setPen(QPen(color, 1, style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    def _node_rect(self, node: int, transform: QTransform) -> QRectF:
        """Return the ground of a subtree: its slots, from the leaves to a little above its merge."""
        layout, state = self._state.layout, self._state
        assert layout is not None
        low, _ = state.axis_range
        left, right = layout.first[node] - 0.5, layout.first[node] + layout.size[node] - 0.5
        top = state.height_to_axis(float(layout.height[node]))
        rect = transform.mapRect(QRectF(left, low, right - left, top - low)).adjusted(0, -6, 0, 0)
        return rect if rect.width() >= 3 else rect.adjusted(-1.5, 0, 1.5, 0)


class _Lines:
    """The tree's lines in device pixels."""

    def __init__(
        self, state: DendrogramState, segments: Segments, transform: QTransform, device_pixel_ratio: float
    ) -> None:
        self._ratio = device_pixel_ratio
        self._x = np.stack([segments.x0, segments.x1], axis=1) * transform.m11() + transform.dx()
        axis = state.to_axis(np.stack([segments.y0, segments.y1], axis=1))
        self._y = axis * transform.m22() + transform.dy()

    def paint(self, painter: QPainter, which: NDArray[np.bool_], color: QColor, width: float) -> None:
        """Paint some of them with a pen of ``width`` device-independent pixels."""
        if not which.any():
            return
        pixels = max(1, round(width * self._ratio))
        pen = QPen(color, pixels / self._ratio)
        # A cosmetic pen would ignore the device pixel ratio.
        pen.setCosmetic(False)
        pen.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(pen)
        x, y = self._snapped(self._x[which], pixels), self._snapped(self._y[which], pixels)
        painter.drawPath(pg.arrayToQPath(x.ravel(), y.ravel(), connect="pairs"))

    def _snapped(self, values: NDArray[np.float64], pixels: int) -> NDArray[np.float64]:
        """Put the middle of a line on the middle of a device pixel, or between two if it is evenly wide."""
        shift = 0.5 if pixels % 2 else 0.0
        return (np.floor(values * self._ratio) + shift) / self._ratio
