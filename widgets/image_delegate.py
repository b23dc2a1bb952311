"""How one picture of a grid is painted: the picture, its concept's colour, caption, badge and state."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from widgets.image_grid_geometry import Cell
from widgets.image_grid_model import ImageGridModel, ImageItem
from widgets.palette import blend, text_color_on
from widgets.theme import scaled_font
from widgets.thumbnails import ThumbnailLoader

PADDING = 5
BAR_HEIGHT = 3
_BADGE = 16
_Role = QPalette.ColorRole
_State = QStyle.StateFlag


class ImageDelegate(QStyledItemDelegate):
    """Paints the cells of an :class:`~widgets.image_band_view.ImageBandView`.

    Parameters
    ----------
    thumbnails
        Where the pictures come from; what is not here yet is a plain tile, what cannot be read says so.
    """

    def __init__(self, thumbnails: ThumbnailLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self.thumbnail_size = 96

    def caption_height(self, font: QFont) -> int:
        """Return the height of the line under a picture."""
        return QFontMetrics(scaled_font(font, 0.9)).height()

    def cell(self, font: QFont) -> Cell:
        """Return the size of every cell at the present thumbnail size."""
        side = self.thumbnail_size + 2 * PADDING
        return Cell(side, side + BAR_HEIGHT + 2 + self.caption_height(font))

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size that all pictures share."""
        cell = self.cell(option.font)
        return QSize(cell.width, cell.height)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint one cell."""
        model = cast(ImageGridModel, index.model())
        item, band = model.item(index.row()), model.band(index.row())
        frame = QRect(option.rect)
        size = self.thumbnail_size
        tile = QRect(frame.x() + PADDING, frame.y() + PADDING, size, size)
        self._paint_ground(painter, option, frame)
        picture = self._paint_picture(painter, option.palette, tile, item)
        bar = QRect(tile.x(), tile.bottom() + 3, size, BAR_HEIGHT)
        painter.fillRect(bar, band.color)
        if item.badge:
            self._paint_badge(painter, option.font, picture, item, item.badge_color or band.color)
        self._paint_caption(painter, option, frame, bar.bottom() + 1, item.caption)

    def _paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, frame: QRect) -> None:
        state, palette = option.state, option.palette
        accent, base = palette.color(_Role.Accent), palette.color(_Role.Base)
        if state & _State.State_Selected:
            painter.fillRect(frame, blend(accent, base, 0.28))
            painter.setPen(QPen(accent, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame.adjusted(1, 1, -1, -1))
        elif state & _State.State_MouseOver:
            painter.fillRect(frame, blend(accent, base, 0.12))
        if state & _State.State_HasFocus:
            painter.setPen(QPen(palette.color(_Role.Text), 1, Qt.PenStyle.DotLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame.adjusted(0, 0, -1, -1))

    def _paint_picture(self, painter: QPainter, palette: QPalette, tile: QRect, item: ImageItem) -> QRect:
        """Paint the picture into its tile and return the part of the tile that it covers."""
        ratio = painter.device().devicePixelRatioF()
        pixmap = self._thumbnails.cached(item.path, tile.width(), ratio)
        if pixmap is not None:
            target = _fitted(pixmap, tile)
            exact = round(target.width() * ratio) == pixmap.width()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
            painter.drawPixmap(target, pixmap)
            return target
        painter.fillRect(tile, blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.07))
        if self._thumbnails.failure(item.path) is not None:
            paint_broken_picture(painter, tile, palette.color(_Role.PlaceholderText))
        return tile

    def _paint_badge(
        self, painter: QPainter, font: QFont, picture: QRect, item: ImageItem, color: QColor
    ) -> None:
        small = scaled_font(font, 0.85, bold=True)
        width = max(_BADGE, QFontMetrics(small).horizontalAdvance(item.badge) + 8)
        chip = QRectF(picture.x() + 3, picture.y() + 3, width, _BADGE)
        paint_chip(painter, chip, item.badge, color, small)

    def _paint_caption(
        self, painter: QPainter, option: QStyleOptionViewItem, frame: QRect, top: int, caption: str
    ) -> None:
        font = scaled_font(option.font, 0.9)
        width = frame.width() - 4
        painter.setFont(font)
        painter.setPen(option.palette.color(_Role.Text))
        text = QFontMetrics(font).elidedText(caption, Qt.TextElideMode.ElideRight, width)
        box = QRect(frame.x() + 2, top, width, frame.bottom() - top)
        painter.drawText(box, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, text)


def _fitted(pixmap: QPixmap, tile: QRect) -> QRect:
    """Return the rectangle in the middle of a tile that shows the whole pixmap."""
    size = pixmap.size().scaled(tile.size(), Qt.AspectRatioMode.KeepAspectRatio)
    x = tile.x() + (tile.width() - size.width()) // 2
    y = tile.y() + (tile.height() - size.height()) // 2
    return QRect(x, y, size.width(), size.height())


def paint_chip(painter: QPainter, chip: QRectF, text: str, color: QColor, font: QFont) -> None:
    """Paint a concept's letter on a ground of its colour."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(text_color_on(color), 1))
    painter.setBrush(color)
    painter.drawRoundedRect(chip.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
    painter.setFont(font)
    painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()


def paint_broken_picture(painter: QPainter, tile: QRect, color: QColor) -> None:
    """Paint the sign of a picture that cannot be read: a torn frame."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 1.5))
    side = min(tile.width(), tile.height()) * 0.42
    middle = QRectF(tile).center()
    frame = QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side)
    painter.drawRoundedRect(frame, 3, 3)
    zigzag = [(0, 0.55), (0.3, 0.75), (0.5, 0.4), (0.75, 0.65), (1, 0.35)]
    painter.drawPolyline([QPointF(frame.x() + side * x, frame.y() + side * y) for x, y in zigzag])
    painter.restore()
