"""How one picture of a grid is painted: the picture, its concept's colour, caption, badge and state."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QPainter,
    QPalette,
    QPen,
    QPixmap,
    QStaticText,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from widgets.images.image_grid_geometry import Cell
from widgets.images.image_grid_model import ImageBand, ImageGridModel, ImageItem
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnails import ThumbnailLoader
from widgets.palette import blend, text_color_on
from widgets.theme import scaled_font

PADDING = 5
BAR_HEIGHT = 3
_BADGE = 16
_ROOM_FOR_WORDS = 88  # pixels
_REASON_MARGIN = 3
_MOST_CAPTIONS = 4096
_Role = QPalette.ColorRole
_State = QStyle.StateFlag
_SMOOTH = QPainter.RenderHint.SmoothPixmapTransform


class CellStyle:
    """Fonts and colours that all cells share, made once for a font and a palette.

    Attributes
    ----------
    caption_font, badge_font
        Of the line under a picture, and of the letter on it.
    caption_height
        In pixels.
    """

    def __init__(self, font: QFont, palette: QPalette) -> None:
        base, accent = palette.color(_Role.Base), palette.color(_Role.Accent)
        self.caption_font = scaled_font(font, 0.9)
        self.badge_font = scaled_font(font, 0.85, bold=True)
        self.base = base
        self.text = palette.color(_Role.Text)
        self.quiet = palette.color(_Role.PlaceholderText)
        self.accent = accent
        self.selected_ground = blend(accent, base, 0.28)
        self.hovered_ground = blend(accent, base, 0.12)
        self.tile_ground = blend(self.text, base, 0.07)
        self._metrics = QFontMetrics(self.caption_font)
        self.caption_height = self._metrics.height()
        self._captions: dict[tuple[str, int], tuple[QStaticText, int]] = {}

    def caption(self, text: str, width: int) -> tuple[QStaticText, int]:
        """Return a caption shortened to a width, laid out for painting, and how wide it is."""
        key = (text, width)
        if key not in self._captions:
            if len(self._captions) >= _MOST_CAPTIONS:
                self._captions.clear()
            shown = self._metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
            laid_out = QStaticText(shown)
            laid_out.setTextFormat(Qt.TextFormat.PlainText)
            laid_out.prepare(font=self.caption_font)
            self._captions[key] = laid_out, self._metrics.horizontalAdvance(shown)
        return self._captions[key]


class ImageDelegate(QStyledItemDelegate):
    """Paints the cells of an :class:`~widgets.images.image_band_view.ImageBandView`.

    Parameters
    ----------
    thumbnails
        Where the pictures come from; what is not here yet is a plain tile, what cannot be read says so.
    maps
        Where in the pictures the concepts are, painted over them while that is on.
    """

    def __init__(
        self,
        thumbnails: ThumbnailLoader,
        parent: QObject | None = None,
        maps: ProjectionMapDisplay | None = None,
    ) -> None:
        super().__init__(parent)
        self._maps = maps
        self._thumbnails = thumbnails
        self._style: CellStyle | None = None
        self._style_key: tuple[str, int] | None = None
        self.thumbnail_size = 96

    def style(self, font: QFont, palette: QPalette) -> CellStyle:
        """Return the fonts and colours for a font and a palette."""
        key = (font.key(), palette.cacheKey())
        if self._style is None or self._style_key != key:
            self._style, self._style_key = CellStyle(font, palette), key
        return self._style

    def cell(self, font: QFont, palette: QPalette) -> Cell:
        """Return the size of every cell at the present thumbnail size."""
        side = self.thumbnail_size + 2 * PADDING
        return Cell(side, side + BAR_HEIGHT + 2 + self.style(font, palette).caption_height)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size that all pictures share."""
        cell = self.cell(option.font, option.palette)
        return QSize(cell.width, cell.height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell, as any item view asks for it."""
        model = cast(ImageGridModel, index.model())
        style, frame = self.style(option.font, option.palette), QRect(option.rect)
        item, band = model.item(index.row()), model.band(index.row())
        if option.state & _State.State_Selected:
            self.paint_selected(painter, style, frame)
        elif option.state & _State.State_MouseOver:
            painter.fillRect(frame, style.hovered_ground)
        if option.state & _State.State_HasFocus:
            self.paint_current(painter, style, frame)
        self.paint_picture(painter, style, frame, item, band)
        painter.setFont(style.caption_font)
        painter.setPen(style.text)
        self.paint_caption(painter, style, frame, item.caption)

    # The parts of a cell. A view that paints many calls them itself, those of one kind in a row.

    def paint_selected(self, painter: QPainter, style: CellStyle, frame: QRect) -> None:
        """Paint the ground and the frame of a selected picture."""
        painter.fillRect(frame, style.selected_ground)
        painter.setPen(QPen(style.accent, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame.adjusted(1, 1, -1, -1))

    def paint_current(self, painter: QPainter, style: CellStyle, frame: QRect) -> None:
        """Paint the frame of the picture that the keyboard is at."""
        painter.setPen(QPen(style.text, 1, Qt.PenStyle.DotLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame.adjusted(0, 0, -1, -1))

    def paint_picture(
        self, painter: QPainter, style: CellStyle, frame: QRect, item: ImageItem, band: ImageBand
    ) -> None:
        """Paint a picture with the bar of its concept and its badge."""
        size = self.thumbnail_size
        left, top = frame.x() + PADDING, frame.y() + PADDING
        ratio = painter.device().devicePixelRatioF()
        pixmap = self._thumbnails.cached(item.path, size, ratio)
        shown = QRect(left, top, size, size)
        if pixmap is not None:
            shown = _fitted(pixmap, left, top, size, ratio)
            exact = round(shown.width() * ratio) == pixmap.width()
            painter.setRenderHint(_SMOOTH, not exact)
            painter.drawPixmap(shown, self._with_map(pixmap, style, item, band))
        else:
            painter.fillRect(shown, style.tile_ground)
            reason = self._thumbnails.failure(item.path)
            if reason is not None:
                self._paint_broken(painter, style, shown, short_reason(reason, item.path))
        painter.fillRect(left, top + size + 2, size, BAR_HEIGHT, band.color)
        if item.badge:
            self._paint_badge(painter, style, shown, item.badge, item.badge_color or band.color)

    def _with_map(self, pixmap: QPixmap, style: CellStyle, item: ImageItem, band: ImageBand) -> QPixmap:
        if self._maps is None or not self._maps.is_on:
            return pixmap
        return self._maps.picture(pixmap, band.key, item.row, style.base) or pixmap

    def paint_caption(self, painter: QPainter, style: CellStyle, frame: QRect, text: str) -> None:
        """Paint the line under a picture in the painter's font and pen."""
        caption, width = style.caption(text, frame.width() - 4)
        top = frame.y() + PADDING + self.thumbnail_size + BAR_HEIGHT + 4
        painter.drawStaticText(frame.x() + (frame.width() - width) // 2, top, caption)

    def _paint_broken(self, painter: QPainter, style: CellStyle, tile: QRect, reason: str) -> None:
        """Paint the sign of a broken picture, and the reason below it where there is room for words."""
        lines = tile.adjusted(_REASON_MARGIN, tile.height() // 2, -_REASON_MARGIN, -_REASON_MARGIN)
        if tile.height() < _ROOM_FOR_WORDS:
            paint_broken_picture(painter, tile, style.quiet)
            return
        paint_broken_picture(painter, tile.adjusted(0, 0, 0, -(tile.height() // 2)), style.quiet)
        painter.setFont(style.caption_font)
        painter.setPen(style.quiet)
        line = painter.fontMetrics().lineSpacing()
        lines.setHeight(lines.height() // line * line)  # none is cut through
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(lines, flags, reason)

    def _paint_badge(
        self, painter: QPainter, style: CellStyle, picture: QRect, badge: str, color: QColor
    ) -> None:
        width = max(_BADGE, QFontMetrics(style.badge_font).horizontalAdvance(badge) + 8)
        chip = QRectF(picture.x() + 3, picture.y() + 3, width, _BADGE)
        paint_chip(painter, chip, badge, color, style.badge_font)


def short_reason(reason: str, path: Path) -> str:
    """Return why a picture cannot be shown without naming the file, which its tooltip does."""
    words = reason.replace(f"'{path}'", "").replace(str(path), "").split()
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _fitted(pixmap: QPixmap, left: int, top: int, size: int, ratio: float) -> QRect:
    """Return the rectangle in the middle of a square tile that shows the whole pixmap."""
    width, height = pixmap.width(), pixmap.height()
    longest = max(width, height)
    shown_width, shown_height = max(1, width * size // longest), max(1, height * size // longest)
    if longest == round(size * ratio):
        # Decoded for this very size: keep its pixels as they are.
        shown_width, shown_height = round(width / ratio), round(height / ratio)
    return QRect(
        left + (size - shown_width) // 2, top + (size - shown_height) // 2, shown_width, shown_height
    )


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
