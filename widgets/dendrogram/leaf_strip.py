"""The strip under the leaves: what became of each image, and its thumbnail where there is room."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGuiApplication, QPainter, QPalette, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from backend.method.adjustments import LEFT_OUT
from backend.method.results import DROPPED, OUTLIER
from widgets.dendrogram.cached_layer import CachedLayer
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.images.image_delegate import paint_broken_picture
from widgets.images.thumbnails import ThumbnailLoader
from widgets.palette import (
    blend,
    concept_brush,
    concept_color,
    concept_marker,
    dropped_color,
    is_dark,
    left_out_color,
    outlier_color,
    text_color_on,
)
from widgets.theme import scaled_font

_LOWEST_BAND = 16
_GAP = 3
_SHARE = 0.4
"""Band and pictures take at most this share of the height that they and the tree have."""

_SIZES = (64, 56, 48, 40, 32, 24, 18)
_Role = QPalette.ColorRole


class LeafStrip(pg.GraphicsWidget):  # type: ignore[misc]
    """A band of final labels and, when zoomed in, the pictures, slot by slot under the tree.

    A kept image is a full block in its concept's colour (its letter where a run is wide enough), an outlier a
    low hollow one, an image of a dropped cluster a cross, one that was left out by hand a dash.
    """

    def __init__(self, state: DendrogramState, view: pg.ViewBox, thumbnails: ThumbnailLoader | None) -> None:
        super().__init__()
        self._state = state
        self._view = view
        self._thumbnails = thumbnails
        self._band = CachedLayer()
        self.fit_height()

    def labels_changed(self) -> None:
        """Paint other labels, or the same in another place or palette."""
        self._band.invalidate()
        self.update()

    # --- places -----------------------------------------------------------------------------------

    @property
    def slot_width(self) -> float:
        """Width of a slot in pixels."""
        (left, right), _ = self._view.viewRange()
        return float(self._view.rect().width() / (right - left))

    @property
    def thumbnail_size(self) -> int:
        """Size of the pictures that fit beside each other; 0 if none do."""
        if self._thumbnails is None or self._state.paths is None or self._state.layout is None:
            return 0
        height = _SHARE * (self._view.rect().height() + self.rect().height()) - self.band_height - 2 * _GAP
        room = min(self.slot_width - 2, height)
        return next((size for size in _SIZES if size <= room), 0)

    @property
    def band_height(self) -> int:
        """Height of the band of labels: a line of its letters."""
        return max(_LOWEST_BAND, math.ceil(QFontMetricsF(_letter_font()).height()) + 3)

    def fit_height(self) -> None:
        """Take the height that band and pictures need."""
        size = self.thumbnail_size
        height = self.band_height + (size + 2 * _GAP if size else 2)
        if height != self.minimumHeight():
            self.setFixedHeight(height)

    def visible_slots(self) -> range:
        """Return the slots in sight."""
        if self._state.layout is None:
            return range(0)
        (left, right), _ = self._view.viewRange()
        return range(max(0, round(left)), min(self._state.layout.n_leaves, round(right) + 1))

    def slot_at(self, x: float) -> int:
        """Return the slot at a horizontal place in pixels of the strip, or −1."""
        if self._state.layout is None:
            return -1
        slot = round(float(self._view.mapToView(QPointF(x, 0)).x()))
        return slot if 0 <= slot < self._state.layout.n_leaves else -1

    def _slot_rect(self, slot: int, top: float, height: float) -> QRectF:
        left = float(self._view.mapFromView(QPointF(slot - 0.5, 0)).x())
        return QRectF(left, top, self.slot_width, height)

    # --- painting ---------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        """Paint the band and the pictures."""
        if self._state.layout is None:
            return
        palette = QGuiApplication.palette()
        painter.save()
        painter.setClipRect(QRectF(self.rect()))
        self._paint_chosen(painter, palette)
        if self._state.labels is not None:
            # Labels of another threshold are old: they step back until the new ones are here.
            painter.setOpacity(1.0 if self._state.labels_are_current else 0.35)
            size = QSizeF(self.rect().width(), self.band_height)
            self._band.paint(painter, size, lambda layer: self._paint_band(layer, palette))
            painter.setOpacity(1.0)
        if self.thumbnail_size:
            for slot in self.visible_slots():
                self._paint_thumbnail(painter, palette, slot, self.thumbnail_size)
        painter.restore()

    def _paint_chosen(self, painter: QPainter, palette: QPalette) -> None:
        layout = self._state.layout
        assert layout is not None
        ground = blend(palette.color(_Role.Accent), palette.color(_Role.Base), 0.22)
        chosen = self._state.chosen[layout.order]
        for start, end in _runs(chosen.astype(np.int64)):
            if chosen[start]:
                rect = self._slot_rect(start, 0, self.rect().height())
                painter.fillRect(QRectF(rect.left(), 0, rect.width() * (end - start), rect.height()), ground)
        if 0 <= self._state.hovered < layout.n_leaves:
            slot = int(layout.slot[self._state.hovered])
            hover = blend(palette.color(_Role.Accent), palette.color(_Role.Base), 0.35)
            painter.fillRect(self._slot_rect(slot, 0, self.rect().height()), hover)

    def _paint_band(self, painter: QPainter, palette: QPalette) -> None:
        layout, labels = self._state.layout, self._state.labels
        assert layout is not None and labels is not None
        by_slot, visible, dark = labels[layout.order], self.visible_slots(), is_dark(palette)
        origin, width = self._slot_rect(0, 0, 0).left(), self.slot_width
        for start, end in _runs(by_slot):
            if end <= visible.start or start >= visible.stop:
                continue
            run = QRectF(origin + start * width, 3, (end - start) * width, self.band_height - 4)
            label = int(by_slot[start])
            if label == OUTLIER:
                self._paint_hollow(painter, run, outlier_color(dark))
            elif label == DROPPED:
                self._paint_crosses(painter, run, end - start, dropped_color(dark))
            elif label == LEFT_OUT:
                line = QRectF(run.left() + 1, run.center().y() - 1, max(1.0, run.width() - 2), 2)
                painter.fillRect(line, left_out_color(dark))
            else:
                self._paint_kept(painter, run, self._number(label), dark)

    def _number(self, label: int) -> int:
        numbers = self._state.label_numbers
        return label if numbers is None or label >= len(numbers) else int(numbers[label])

    def _paint_kept(self, painter: QPainter, run: QRectF, number: int, dark: bool) -> None:
        gap = 1.0 if run.width() > 4 else 0.0
        block = run.adjusted(gap, 0, -gap, 0)
        color = concept_color(number, dark)
        painter.fillRect(block, concept_brush(number, dark))
        font = _letter_font()
        marker = concept_marker(number)
        if QFontMetricsF(font).horizontalAdvance(marker) + 2 <= block.width():
            painter.setFont(font)
            painter.setPen(text_color_on(color))
            painter.drawText(block.adjusted(-2, -2, 2, 2), Qt.AlignmentFlag.AlignCenter, marker)

    def _paint_hollow(self, painter: QPainter, run: QRectF, color: QColor) -> None:
        low = QRectF(run.left(), run.top() + run.height() / 2, run.width(), run.height() / 2)
        if run.width() < 4:
            painter.fillRect(QRectF(low.left(), low.bottom() - 2, low.width(), 2), color)
            return
        painter.setPen(QPen(color, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(low.adjusted(1.5, 0.5, -1.5, -0.5))

    def _paint_crosses(self, painter: QPainter, run: QRectF, count: int, color: QColor) -> None:
        painter.setPen(QPen(color, 1.5))
        slot = run.width() / count
        arm = min(4.0, slot / 2 - 0.5)
        if arm < 1.5:
            painter.fillRect(QRectF(run.left(), run.center().y() - 1, run.width(), 2), color)
            return
        for i in range(count):
            middle = QPointF(run.left() + (i + 0.5) * slot, run.center().y())
            painter.drawLine(middle - QPointF(arm, arm), middle + QPointF(arm, arm))
            painter.drawLine(middle - QPointF(arm, -arm), middle + QPointF(arm, -arm))

    def _paint_thumbnail(self, painter: QPainter, palette: QPalette, slot: int, size: int) -> None:
        assert self._state.layout is not None and self._state.paths is not None
        assert self._thumbnails is not None
        path = self._state.paths[int(self._state.layout.order[slot])]
        ratio = painter.device().devicePixelRatioF()
        tile = self.tile(slot, size)
        pixmap = self._thumbnails.cached(path, size, ratio)
        if pixmap is None:
            painter.fillRect(tile, blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.07))
            if self._thumbnails.failure(path) is not None:
                paint_broken_picture(painter, tile.toRect(), palette.color(_Role.PlaceholderText))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            target = on_device_pixels(pixmap.size(), tile, painter)
            painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))
        leaf = int(self._state.layout.order[slot])
        if self._state.chosen[leaf] or leaf == self._state.hovered:
            painter.setPen(QPen(palette.color(_Role.Accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(tile.adjusted(-1, -1, 1, 1))

    def tile(self, slot: int, size: int) -> QRectF:
        """Return where the picture of a slot is, in pixels of the strip."""
        frame = self._slot_rect(slot, self.band_height + _GAP, size)
        return QRectF(frame.center().x() - size / 2, frame.top(), size, size)


def on_device_pixels(pixels: QSize, tile: QRectF, painter: QPainter) -> QRectF:
    """Return where in a tile a picture goes so that no pixel of it falls between two of the screen.

    Parameters
    ----------
    pixels
        Size of the picture in device pixels; it fills the tile in one direction, and a picture made for
        another size is scaled to it.
    tile
        In the painter's coordinates.
    painter
        Moved and scaled, not turned.
    """
    to_device = painter.deviceTransform()
    device = to_device.mapRect(tile)
    side = QSizeF(round(device.width()), round(device.height()))
    shown = QSizeF(pixels).scaled(side, Qt.AspectRatioMode.KeepAspectRatio)
    left = round(device.center().x() - shown.width() / 2)
    top = round(device.center().y() - shown.height() / 2)
    place = QRectF(left, top, round(shown.width()), round(shown.height()))
    return to_device.inverted()[0].mapRect(place)


def _letter_font() -> QFont:
    return scaled_font(QGuiApplication.font(), 0.78, bold=True)


def _runs(values: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the runs [start, end) of equal values."""
    if not len(values):
        return []
    changes = np.flatnonzero(np.diff(values)) + 1
    edges = [0, *changes.tolist(), len(values)]
    return list(pairwise(edges))
