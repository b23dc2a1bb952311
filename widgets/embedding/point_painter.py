"""Paints points: signs of concepts, or pictures where there is room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette, QPixmap

from widgets.embedding.embedding_state import EmbeddingState, Points
from widgets.embedding.embedding_symbols import paint_symbol, symbol_pixmap
from widgets.images.image_delegate import paint_broken_picture, paint_chip
from widgets.images.thumbnails import ThumbnailLoader
from widgets.palette import blend
from widgets.theme import scaled_font

_FAINT = 0.4
_CHIP = 15.0
_Role = QPalette.ColorRole


class PointPainter:
    """Paints the points of an :class:`EmbeddingState`: what is left out faintly, what is selected on top.

    Attributes
    ----------
    palette, font
        Of the widget.
    """

    def __init__(self, state: EmbeddingState, thumbnails: ThumbnailLoader | None) -> None:
        self._state = state
        self._thumbnails = thumbnails
        self._sprites: dict[tuple[int, bool, float, float], QPixmap] = {}
        self.palette = QPalette()
        self.font = QFont()

    def take_looks(self, palette: QPalette, font: QFont) -> None:
        """Paint with another palette and font, or other groups, from now on."""
        self.palette, self.font = palette, font
        self._sprites.clear()

    def in_order(self, points: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return points as they are painted: left out, kept, selected ones; of each, weaker images first."""
        state = self._state
        kept = np.array([group.is_kept for group in state.groups], dtype=np.bool_)
        level = kept[state.group_of[points]].astype(np.int64) + 2 * state.chosen[points]
        ordered: NDArray[np.int64] = points[np.lexsort((-points, level))]
        return ordered

    # --- signs ------------------------------------------------------------------------------------

    def paint_sprites(
        self, painter: QPainter, pixels: Points, points: NDArray[np.int64], diameter: float
    ) -> None:
        """Copy a sign, painted once for the screen, to each of some points.

        Parameters
        ----------
        painter
            Of the screen.
        pixels
            float64 (N, 2): where all points are.
        points
            Those to paint, in this order.
        diameter
            Of the signs in pixels.
        """
        state, ratio = self._state, painter.device().devicePixelRatioF()
        for point, (x, y) in zip(points.tolist(), pixels[points].tolist(), strict=True):
            key = (int(state.group_of[point]), bool(state.chosen[point]), diameter, ratio)
            sprite = self._sprites.get(key)
            if sprite is None:
                sprite = self._sprites[key] = self._sprite(point, diameter, ratio)
            half = sprite.width() / (2 * ratio)
            painter.drawPixmap(QPointF(x - half, y - half), sprite)

    def paint_signs(
        self, painter: QPainter, pixels: Points, points: NDArray[np.int64], diameter: float
    ) -> None:
        """Paint the signs as shapes, for a file; parameters as for :meth:`paint_sprites`."""
        ground = self.palette.color(_Role.Base)
        for point in points.tolist():
            middle = QPointF(*pixels[point].tolist())
            group = self._state.group(point)
            paint_symbol(painter, middle, diameter, group, ground=ground, halo=self._halo(point))

    def _sprite(self, point: int, diameter: float, ratio: float) -> QPixmap:
        group, ground = self._state.group(point), self.palette.color(_Role.Base)
        return symbol_pixmap(group, diameter, ratio, ground, self.font, halo=self._halo(point))

    def _halo(self, point: int) -> QColor | None:
        return self.palette.color(_Role.Accent) if self._state.chosen[point] else None

    # --- pictures ---------------------------------------------------------------------------------

    def paint_tiles(self, painter: QPainter, pixels: Points, points: NDArray[np.int64], size: int) -> None:
        """Paint the pictures of some points, framed in the colour of their concepts, with its letter."""
        base, accent = self.palette.color(_Role.Base), self.palette.color(_Role.Accent)
        letters = scaled_font(self.font, 0.8, bold=True)
        for point in points.tolist():
            group, chosen = self._state.group(point), bool(self._state.chosen[point])
            frame = self.picture_rect(painter, point, QPointF(*pixels[point].tolist()), size)
            painter.setOpacity(1.0 if group.is_kept or chosen else _FAINT)
            if chosen:
                painter.fillRect(frame.adjusted(-7, -7, 7, 7), accent)
            painter.fillRect(frame.adjusted(-4, -4, 4, 4), base)
            painter.fillRect(frame.adjusted(-2, -2, 2, 2), group.color)
            self.paint_picture(painter, point, frame, size)
            width = _CHIP + 7 * (len(group.marker) - 1)
            chip = QRectF(frame.left() - 2, frame.top() - 2, width, _CHIP)
            paint_chip(painter, chip, group.marker, group.color, letters)
        painter.setOpacity(1.0)

    def picture_rect(self, painter: QPainter, point: int, middle: QPointF, size: int) -> QRectF:
        """Return where a picture of this longest side goes, in its own proportions."""
        pixmap = self._pixmap(painter, point, size)
        shown = QSizeF(size, size)
        if pixmap is not None:
            shown = QSizeF(pixmap.size()).scaled(shown, Qt.AspectRatioMode.KeepAspectRatio)
        rect = QRectF(QPointF(0, 0), shown)
        rect.moveCenter(middle)
        return QRectF(rect.toRect())

    def paint_picture(self, painter: QPainter, point: int, frame: QRectF, size: int) -> None:
        """Paint a picture into a frame; a plain tile until it is here, a torn one if it cannot be read."""
        pixmap = self._pixmap(painter, point, size)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(frame.toRect(), pixmap)
            return
        palette = self.palette
        painter.fillRect(frame, blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.07))
        if self._thumbnails is not None and self._thumbnails.failure(self._state.items[point].path):
            paint_broken_picture(painter, frame.toRect(), palette.color(_Role.PlaceholderText))

    def _pixmap(self, painter: QPainter, point: int, size: int) -> QPixmap | None:
        if self._thumbnails is None:
            return None
        ratio = painter.device().devicePixelRatioF()
        return self._thumbnails.cached(self._state.items[point].path, size, ratio)
