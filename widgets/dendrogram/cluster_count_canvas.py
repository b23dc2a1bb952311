"""The number of clusters as a function of the threshold: plateaus are where the eye should stop."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.dendrogram.cached_layer import CachedLayer
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.height_axis import axis_width, log_ticks
from widgets.dendrogram.threshold_steps import round_to_resolution
from widgets.palette import blend
from widgets.theme import scaled_font

_MOST_LABELS = 40
_CAPTION = "number of clusters by d_max"
_SUGGESTED = "suggested"
_TRIANGLE = 4.0  # pixels: half the width of the mark of the suggestion
_HANDLE = 10  # pixels: half the width of the threshold's handle, and some air
_Role = QPalette.ColorRole


class ClusterCountCanvas(QWidget):
    """Paints the staircase of C over d_max, with the threshold, its plateau and the suggestion in it."""

    def __init__(self, state: DendrogramState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._is_held = False
        self._staircase = CachedLayer()
        self._corner_places: NDArray[np.float64] | None = None
        self._plot_rect: QRectF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Number of clusters by distance threshold")
        self.setBackgroundRole(_Role.Base)
        self.setAutoFillBackground(True)

    def sizeHint(self) -> QSize:
        """Return the height of a few lines of text."""
        return QSize(320, round(self.fontMetrics().height() * 4.4))

    def tree_changed(self) -> None:
        """Show another tree, or the same on another axis."""
        self._invalidate()
        self.update()

    def _invalidate(self) -> None:
        self._staircase.invalidate()
        self._corner_places = self._plot_rect = None

    # --- places -----------------------------------------------------------------------------------

    def plot_rect(self) -> QRectF:
        """Return where the staircase is, in pixels."""
        if self._plot_rect is None:
            line, left = self.fontMetrics().height(), axis_width(self.font())
            self._plot_rect = QRectF(self.rect()).adjusted(left, line * 0.9, -6, -line * 0.95)
        return self._plot_rect

    def x_of(self, height: float) -> float:
        """Return where a threshold is, in pixels; at the edge if it is beyond."""
        low, high = self._state.axis_range
        rect = self.plot_rect()
        share = (self._state.height_to_axis(height) - low) / (high - low)
        return rect.left() + min(max(share, 0.0), 1.0) * rect.width()

    def _places(self, heights: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = self._state.axis_range
        rect = self.plot_rect()
        shares = np.clip((self._state.to_axis(heights) - low) / (high - low), 0, 1)
        places: NDArray[np.float64] = rect.left() + shares * rect.width()
        return places

    def threshold_at(self, x: float) -> float:
        """Return the threshold at a horizontal place, rounded to what a pixel can tell apart."""
        low, high = self._state.axis_range
        rect = self.plot_rect()
        per_pixel = (high - low) / max(1.0, rect.width())
        axis = low + min(max((x - rect.left()) * per_pixel, 0.0), high - low)
        height, next_height = self._state.from_axis(axis), self._state.from_axis(axis + per_pixel)
        return max(round_to_resolution(height, next_height - height), self._state.lowest_shown)

    def _y_of(self, count: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return where a number of clusters is: its logarithm, so that one, two and three stand apart."""
        rect = self.plot_rect()
        most = math.log(max(2, len(self._state.merge_heights) + 1))
        places: NDArray[np.float64] = rect.bottom() - np.log(count) / most * rect.height()
        return places

    def plateaus(self) -> list[tuple[float, float, int]]:
        """Return the steps from right to left: from this threshold, to that one, so many clusters."""
        heights = np.unique(self._state.merge_heights)
        low, high = self._state.axis_range
        edges = np.concatenate([[self._state.from_axis(low)], heights, [self._state.from_axis(high)]])
        counts = 1 + len(self._state.merge_heights) - np.searchsorted(self._state.merge_heights, heights)
        counts = np.append(counts, 1)
        steps = [
            (float(start), float(end), int(count))
            for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
        return steps[::-1]

    def current_plateau(self) -> tuple[float, float]:
        """Return from which threshold to which one there are as many clusters as now."""
        heights, threshold = self._state.merge_heights, self._state.threshold
        above = int(np.searchsorted(heights, threshold, side="left"))
        low, high = (self._state.from_axis(end) for end in self._state.axis_range)
        start = float(heights[above - 1]) if above else low
        return start, float(heights[above]) if above < len(heights) else high

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint axis, staircase, the widest steps' numbers, suggestion and threshold."""
        if self._state.layout is None or not len(self._state.merge_heights):
            return
        painter = QPainter(self)
        # Only the marks move with the threshold.
        self._staircase.paint(painter, QSizeF(self.size()), self._paint_counts_by_threshold)
        self._paint_marks(painter)
        painter.end()

    def _paint_counts_by_threshold(self, painter: QPainter) -> None:
        small = scaled_font(self.font(), 0.85)
        painter.setFont(small)
        self._paint_staircase(painter)
        self._paint_axes(painter, small)
        self._paint_counts(painter, small)

    def _paint_axes(self, painter: QPainter, font: QFont) -> None:
        rect, metrics = self.plot_rect(), QFontMetricsF(font)
        quiet = self.palette().color(_Role.PlaceholderText)
        faint = blend(self.palette().color(_Role.Text), self.palette().color(_Role.Base), 0.22)
        painter.setPen(QPen(faint, 1))
        painter.drawLine(QLineF(rect.left(), rect.bottom() + 0.5, rect.right(), rect.bottom() + 0.5))
        taken = rect.left() - 100
        ticks = self._ticks()
        for height, x in zip(ticks, self._places(np.array(ticks)).tolist(), strict=True):
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QLineF(x, rect.bottom(), x, rect.bottom() + 3))
            text = f"{height:.4g}"
            width = metrics.horizontalAdvance(text)
            if x - width / 2 > taken + 6 and x + width / 2 < self.width():
                taken = x + width / 2
                painter.setPen(quiet)
                box = QRectF(x - width / 2 - 2, rect.bottom() + 3, width + 4, metrics.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(quiet)
        n_leaves = len(self._state.merge_heights) + 1
        for count in [c for c in (1, 10, 100, 1000) if c <= n_leaves]:
            y = float(self._y_of(float(count)))
            box = QRectF(0, y - metrics.height() / 2, rect.left() - 5, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, str(count))

    def _ticks(self) -> list[float]:
        low, high = self._state.axis_range
        if self._state.log_height:
            return [10.0**tick for tick in log_ticks(low, high)]
        raw = (high - low) / 8
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
        return [i * step for i in range(int(high / step) + 1)]

    def _paint_staircase(self, painter: QPainter) -> None:
        points = [QPointF(*point) for point in self._corners().tolist()]
        rect, accent = self.plot_rect(), self.palette().color(_Role.Accent)
        base = self.palette().color(_Role.Base)
        floor = [QPointF(points[-1].x(), rect.bottom()), QPointF(points[0].x(), rect.bottom())]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(accent, base, 0.10))
        painter.drawPolygon(QPolygonF([*points, *floor]))
        painter.setPen(QPen(blend(self.palette().color(_Role.Text), base, 0.7), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF(points))

    def _corners(self) -> NDArray[np.float64]:
        """Return x and y of the staircase's corners from right to left, two a step, float64 (2 steps, 2)."""
        if self._corner_places is None:
            starts, ends, counts = (np.array(part) for part in zip(*self.plateaus(), strict=True))
            x = np.stack([self._places(ends), self._places(starts)], axis=1).ravel()
            self._corner_places = np.stack([x, self._y_of(counts).repeat(2)], axis=1)
        return self._corner_places

    def _paint_counts(self, painter: QPainter, font: QFont) -> None:
        """Write the number of clusters over the steps that are wide enough to be meant."""
        metrics = QFontMetricsF(font)
        painter.setPen(self.palette().color(_Role.Text))
        steps = self._corners().reshape(-1, 2, 2)[:_MOST_LABELS].tolist()
        for ((right, y), (left, _)), (_, _, count) in zip(steps, self.plateaus(), strict=False):
            text = str(count)
            if right - left < metrics.horizontalAdvance(text) + 5:
                continue
            box = QRectF(left, y - metrics.height(), right - left, metrics.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def caption_rect(self) -> QRectF | None:
        """Return where the caption is: upper right, clear of staircase and threshold; None: no room."""
        rect, metrics = self.plot_rect(), QFontMetricsF(scaled_font(self.font(), 0.85))
        width, height = metrics.horizontalAdvance(_CAPTION) + 2, metrics.height()
        right = rect.right()
        threshold = self.x_of(self._state.threshold)
        if threshold + _HANDLE > right - width:
            right = min(right, threshold - _HANDLE)
        left = right - width
        x, y = self._corners().T
        highest = float(y[x >= left - _HANDLE].min(initial=rect.bottom()))
        # A step's number stands over the step.
        place = QRectF(left, 1, width, height)
        if left < rect.left() or highest - height < height + 1 or self._is_taken(place):
            return None
        return place

    def _is_taken(self, place: QRectF) -> bool:
        """Tell whether the mark of the suggestion, or the word beside it, is in a place."""
        if self._state.suggestion is None:
            return False
        word, x = self.suggestion_rect(), self.x_of(self._state.suggestion)
        mark = QRectF(x - _TRIANGLE, 1, 2 * _TRIANGLE, 2 * _TRIANGLE)
        return place.intersects(mark) or (word is not None and place.intersects(word))

    def _paint_caption(self, painter: QPainter) -> None:
        place = self.caption_rect()
        if place is not None:
            painter.setFont(scaled_font(self.font(), 0.85))
            painter.setPen(self.palette().color(_Role.PlaceholderText))
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, _CAPTION)

    def _paint_plateau(self, painter: QPainter) -> None:
        """Paint the step that the threshold is on in strong colour: as long as it is, the count stays."""
        left, right = (self.x_of(end) for end in self.current_plateau())
        y, accent = float(self._y_of(float(self._state.n_clusters))), self.palette().color(_Role.Accent)
        ground = QColor(accent)
        ground.setAlphaF(0.25)
        painter.fillRect(QRectF(left, y, right - left, self.plot_rect().bottom() - y), ground)
        painter.fillRect(QRectF(left, y - 1, max(right - left, 2.0), 3), accent)

    def suggestion_rect(self) -> QRectF | None:
        """Return where "suggested" is written beside its line; None: no suggestion, or no room."""
        if self._state.suggestion is None:
            return None
        metrics = QFontMetricsF(scaled_font(self.font(), 0.85))
        width, height, rect = metrics.horizontalAdvance(_SUGGESTED) + 2, metrics.height(), self.plot_rect()
        x, threshold = self.x_of(self._state.suggestion), self.x_of(self._state.threshold)
        for left in (x + _TRIANGLE + 2, x - _TRIANGLE - 2 - width):
            right = left + width
            beside_handle = right < threshold - _HANDLE or left > threshold + _HANDLE
            inside = rect.left() <= left and right <= rect.right()
            if beside_handle and inside and self._top_between(left, right) > height:
                return QRectF(left, 1, width, height)
        return None

    def _top_between(self, left: float, right: float) -> float:
        """Return the top of what is painted between two places: the staircase, and the number over a step."""
        x, y = self._corners().T
        start, end = np.searchsorted(-x, [-right, -left])
        number = QFontMetricsF(scaled_font(self.font(), 0.85)).height()
        return float(y[max(0, start - 1) : end + 1].min()) - number

    def _paint_suggestion(self, painter: QPainter, suggestion: float) -> None:
        palette = self.palette()
        color = blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.6)
        painter.setPen(QPen(color, 1, Qt.PenStyle.DashLine))
        x = round(self.x_of(suggestion)) + 0.5
        painter.drawLine(QLineF(x, 2.0, x, self.plot_rect().bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.color(_Role.Text), 1))
        painter.setBrush(palette.color(_Role.Base))
        corners = [(-_TRIANGLE, 1.0), (_TRIANGLE, 1.0), (0.0, 1.0 + 1.6 * _TRIANGLE)]
        painter.drawPolygon(QPolygonF([QPointF(x + dx, y) for dx, y in corners]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        place = self.suggestion_rect()
        if place is not None:
            painter.setFont(scaled_font(self.font(), 0.85))
            painter.setPen(palette.color(_Role.PlaceholderText))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, _SUGGESTED)

    def _paint_marks(self, painter: QPainter) -> None:
        self._paint_plateau(painter)
        self._paint_caption(painter)
        rect, palette = self.plot_rect(), self.palette()
        top, bottom = 2.0, rect.bottom()
        if self._state.suggestion is not None:
            self._paint_suggestion(painter, self._state.suggestion)
        ink = palette.color(_Role.Text)
        x = round(self.x_of(self._state.threshold))
        width = 3.0 if self._is_held else 2.0
        painter.fillRect(QRectF(x - width / 2, top, width, bottom - top), ink)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(QRectF(x - 7, 0.5, 14, 10), 3, 3)

    # --- changes of size and looks ---------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the staircase at another size."""
        super().resizeEvent(event)
        self._invalidate()

    def changeEvent(self, event: QEvent) -> None:
        """Paint in another palette or font."""
        super().changeEvent(event)
        self._invalidate()
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
        self.update()
