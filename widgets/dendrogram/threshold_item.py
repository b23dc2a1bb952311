"""The line of the distance threshold: to be seen, taken hold of, and read off."""

from __future__ import annotations

import math

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.images.image_delegate import paint_chip
from widgets.palette import blend, concept_color, concept_marker, is_dark
from widgets.theme import scaled_font

GRIP_WIDTH, GRIP_HEIGHT = 16.0, 18.0
REACH = 6.0
"""The line is taken hold of within this many pixels above and below it."""

_MAX_LETTERS = 80
_Role = QPalette.ColorRole


class ThresholdItem(pg.GraphicsObject):  # type: ignore[misc]
    """Paints the threshold over a view box, in the view box's own pixels.

    A threshold outside the visible heights is shown at the edge, with an arrow towards where it is.
    """

    def __init__(self, state: DendrogramState, view: pg.ViewBox) -> None:
        super().__init__()
        self._state = state
        self._view = view
        self.active = False
        self.setParentItem(view)
        self.setZValue(100)
        view.sigResized.connect(self._on_resized)

    def _on_resized(self) -> None:
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        """Return the whole view box."""
        return QRectF(self._view.rect())

    # --- places -----------------------------------------------------------------------------------

    def y_of(self, height: float) -> float:
        """Return where a height lies, in pixels from the top, also beyond the view."""
        return float(self._view.mapFromView(QPointF(0, self._state.height_to_axis(height))).y())

    def line_y(self) -> float:
        """Return where the line is painted: at the threshold, or at the edge nearest to it."""
        rect = self.boundingRect()
        y = self.y_of(self._state.threshold)
        return min(max(y, rect.top() + GRIP_HEIGHT / 2 + 1), rect.bottom() - 1)

    def grip_rect(self) -> QRectF:
        """Return the handle at the right end of the line."""
        rect, y = self.boundingRect(), self.line_y()
        top = min(y - GRIP_HEIGHT / 2, rect.bottom() - GRIP_HEIGHT)
        return QRectF(rect.right() - GRIP_WIDTH - 2, top, GRIP_WIDTH, GRIP_HEIGHT)

    def is_near(self, point: QPointF) -> bool:
        """Tell whether a press at a point (pixels of the view box) takes hold of the line."""
        if self.grip_rect().adjusted(-3, -3, 3, 3).contains(point):
            return True
        return abs(point.y() - self.line_y()) <= REACH and self.boundingRect().contains(point)

    # --- painting ---------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint suggestion, line, letters of the clusters, grip and value."""
        if self._state.layout is None:
            return
        palette, font = QGuiApplication.palette(), QGuiApplication.font()
        painter.save()
        painter.setClipRect(self.boundingRect())
        if self._state.suggestion is not None:
            self._paint_suggestion(painter, palette, font, self._state.suggestion)
        self._paint_line(painter, palette)
        self._paint_letters(painter, palette, font)
        self._paint_grip(painter, palette)
        self._paint_value(painter, palette, font)
        painter.restore()

    def _paint_line(self, painter: QPainter, palette: QPalette) -> None:
        rect, y = self.boundingRect(), round(self.line_y())
        width = 3.0 if self.active else 2.0
        painter.fillRect(QRectF(rect.left(), y - width / 2, rect.width(), width), palette.color(_Role.Text))

    def _paint_grip(self, painter: QPainter, palette: QPalette) -> None:
        ink, grip = palette.color(_Role.Text), self.grip_rect()
        if self.active:
            grip = grip.adjusted(-1, -1, 1, 1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.color(_Role.Base), 1.5))
        painter.setBrush(ink)
        painter.drawRoundedRect(grip, 4, 4)
        marks = palette.color(_Role.Base)
        painter.setPen(QPen(marks, 1.5))
        middle = grip.center()
        outside = self._outside()
        if outside:
            tip = -3.0 if outside > 0 else 3.0
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(marks)
            corners = [QPointF(-4, -tip), QPointF(4, -tip), QPointF(0, tip)]
            painter.drawPolygon(QPolygonF([middle + corner for corner in corners]))
            return
        for dy in (-3.0, 0.0, 3.0):
            painter.drawLine(middle + QPointF(-4, dy), middle + QPointF(4, dy))

    def _outside(self) -> int:
        """Return 1 if the threshold lies above the visible heights, −1 if below, 0 if among them."""
        rect, y = self.boundingRect(), self.y_of(self._state.threshold)
        return 1 if y < rect.top() else -1 if y > rect.bottom() + 1 else 0

    def _paint_value(self, painter: QPainter, palette: QPalette, font: QFont) -> None:
        count = self._state.n_clusters
        clusters = "1 cluster" if count == 1 else f"{count:,} clusters"
        text = f"{self._state.threshold:.6g} · {clusters}"
        bold = scaled_font(font, 0.95, bold=True)
        self._paint_label(
            painter, text, bold, palette.color(_Role.Text), palette.color(_Role.Base), self.grip_rect().left()
        )

    def _paint_label(
        self, painter: QPainter, text: str, font: QFont, color: QColor, ground: QColor, right: float
    ) -> None:
        metrics = QFontMetricsF(font)
        width, height = metrics.horizontalAdvance(text) + 12, metrics.height() + 2
        y = self.line_y()
        top = y - height - 3
        if top < self.boundingRect().top():
            top = y + 3
        box = QRectF(right - width - 4, top, width, height)
        ground = QColor(ground)
        ground.setAlphaF(0.86)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, 4, 4)
        painter.setFont(font)
        painter.setPen(color)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_suggestion(self, painter: QPainter, palette: QPalette, font: QFont, suggestion: float) -> None:
        rect, y = self.boundingRect(), self.y_of(suggestion)
        if not rect.top() <= y <= rect.bottom():
            return
        color = blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.6)
        painter.setPen(QPen(color, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(rect.left(), round(y) + 0.5), QPointF(rect.right(), round(y) + 0.5))
        small = scaled_font(font, 0.88)
        text = f"suggested {suggestion:.4g}"
        metrics = QFontMetricsF(small)
        below = y - metrics.height() - 1 < rect.top()
        top = y + 1 if below else y - metrics.height() - 1
        painter.setFont(small)
        painter.setPen(palette.color(_Role.PlaceholderText))
        box = QRectF(rect.left() + 4, top, metrics.horizontalAdvance(text) + 4, metrics.height())
        painter.fillRect(box, palette.color(_Role.Base))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def _paint_letters(self, painter: QPainter, palette: QPalette, font: QFont) -> None:
        """Paint the letter of each cluster where its stem crosses the line, as far as they do not collide."""
        layout = self._state.layout
        assert layout is not None
        rect, y = self.boundingRect(), self.line_y()
        top = y + 4
        bold = scaled_font(font, 0.82, bold=True)
        metrics, dark = QFontMetricsF(bold), is_dark(palette)
        chip_height = math.ceil(metrics.height()) + 2.0
        if top + chip_height > rect.bottom() or self._outside():
            return
        roots = layout.clusters(self._state.threshold)
        x = self._slots_to_pixels(layout.x[roots])
        room = _FreeRoom(rect.left(), rect.right())
        # The largest clusters speak first where there is no room for all.
        for i in np.argsort(-layout.size[roots], kind="stable")[:_MAX_LETTERS].tolist():
            number = int(layout.number[roots[i]])
            marker = concept_marker(number)
            width = max(chip_height, metrics.horizontalAdvance(marker) + 7)
            if room.take(x[i] - width / 2, x[i] + width / 2):
                chip = QRectF(x[i] - width / 2, top, width, chip_height)
                paint_chip(painter, chip, marker, concept_color(number, dark), bold)

    def _slots_to_pixels(self, slots: NDArray[np.float64]) -> list[float]:
        origin = self._view.mapFromView(QPointF(0, 0)).x()
        unit = self._view.mapFromView(QPointF(1, 0)).x() - origin
        return [float(origin + unit * slot) for slot in slots]


class _FreeRoom:
    """A row in which labels must not overlap."""

    def __init__(self, left: float, right: float) -> None:
        self._left, self._right = left, right
        self._taken: list[tuple[float, float]] = []

    def take(self, left: float, right: float) -> bool:
        """Take a place if it is free; tell whether it was."""
        if left < self._left or right > self._right:
            return False
        if any(other_left < right + 2 and left < other_right + 2 for other_left, other_right in self._taken):
            return False
        self._taken.append((left, right))
        return True
