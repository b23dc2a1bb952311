"""The header of a band of pictures: letter, name, how many."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette

from widgets.images.image_delegate import paint_chip
from widgets.images.image_grid_model import ImageBand
from widgets.images.projection_map_bar import band_scale_width, paint_band_scale
from widgets.palette import blend
from widgets.theme import scaled_font

_Role = QPalette.ColorRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def paint_band_header(
    painter: QPainter,
    rect: QRect,
    band: ImageBand,
    palette: QPalette,
    font: QFont,
    map_scale: float = 0.0,
) -> None:
    """Paint one header, opaque, so that pictures scroll away under it.

    With a ``map_scale`` above 0 it tells the projections that the first and last colour of maps stand for.
    """
    base, text = palette.color(_Role.Base), palette.color(_Role.Text)
    painter.fillRect(rect, base)
    ground = rect.adjusted(4, 3, -4, -3)
    painter.fillRect(ground, blend(band.color, base, 0.14))
    painter.fillRect(QRect(ground.x(), ground.y(), 3, ground.height()), band.color)
    bold = scaled_font(font, 1.0, bold=True)
    chip_width = max(20, QFontMetrics(bold).horizontalAdvance(band.marker) + 10)
    chip = QRectF(ground.x() + 9, ground.y() + 4, chip_width, ground.height() - 8)
    paint_chip(painter, chip, band.marker, band.color, bold)
    left = round(chip.right()) + 8
    count = f"{len(band.items):,}"
    right = ground.right() - 8
    count_width = QFontMetrics(font).horizontalAdvance(count)
    if map_scale > 0 and right - left > 2 * band_scale_width(map_scale, font):
        right -= band_scale_width(map_scale, font) + 14
        scale_rect = QRect(right + 14, ground.y(), ground.right() - right - 14, ground.height())
        paint_band_scale(painter, scale_rect, map_scale, palette, font)
    title_width = max(0, right - count_width - 8 - left)
    title = QFontMetrics(bold).elidedText(band.title, Qt.TextElideMode.ElideRight, title_width)
    painter.setFont(bold)
    painter.setPen(text)
    painter.drawText(QRect(left, ground.y(), title_width, ground.height()), _LEFT, title)
    left += QFontMetrics(bold).horizontalAdvance(title) + 10
    painter.setFont(font)
    painter.drawText(QRect(right - count_width, ground.y(), count_width + 2, ground.height()), _LEFT, count)
    painter.setPen(palette.color(_Role.PlaceholderText))
    room = max(0, right - count_width - 8 - left)
    painter.drawText(
        QRect(left, ground.y(), room, ground.height()), _LEFT, subtitle_that_fits(band, font, room)
    )


def subtitle_that_fits(band: ImageBand, font: QFont, room: int) -> str:
    """Return a band's second text, or "" if there is no room for the whole: a part says nothing."""
    return band.subtitle if QFontMetrics(font).horizontalAdvance(band.subtitle) <= room else ""
