"""How the cells of the neuron browser look: thumbnails, a bar behind the maximum, dead neurons in grey."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from widgets.neuron_table_model import Column, NeuronTableModel
from widgets.palette import blend
from widgets.thumbnails import ThumbnailLoader

Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 40
THUMBNAIL = 34
_GAP = 3
_REQUESTED = 48  # pixels of the longer side: the middle square is shown, so the shorter side counts
N_THUMBNAILS = 3


class NeuronRowDelegate(QStyledItemDelegate):
    """Draws the neuron browser's cells.

    Parameters
    ----------
    thumbnails
        Where the pictures come from.
    client
        In whose name they are requested.
    """

    def __init__(self, thumbnails: ThumbnailLoader, client: QObject) -> None:
        super().__init__(client)
        self._thumbnails = thumbnails
        self._client = client

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Take room for the thumbnails, or for the text."""
        if index.column() == Column.IMAGES:
            return QSize(N_THUMBNAILS * (THUMBNAIL + _GAP) + _GAP, ROW_HEIGHT)
        return QSize(super().sizeHint(option, index).width() + 2 * _GAP, ROW_HEIGHT)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Grey what is dead or not known; the row, not one cell of it, has the focus."""
        super().initStyleOption(option, index)
        option.state &= ~QStyle.StateFlag.State_HasFocus
        if index.data(NeuronTableModel.DeadRole) or option.text == "—":
            quiet = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, quiet)
        if option.text == "dead":
            option.font.setItalic(True)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one cell."""
        if index.column() == Column.MAXIMUM:
            self._paint_number_with_bar(painter, option, index)
            return
        super().paint(painter, option, index)
        if index.column() == Column.IMAGES:
            self._paint_thumbnails(painter, option, index)

    def _paint_number_with_bar(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        share = float(index.data(NeuronTableModel.ShareOfMaximumRole) or 0.0)
        if share <= 0:
            return
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        active = bool(option.state & QStyle.StateFlag.State_Active)
        role = QPalette.ColorRole.HighlightedText if selected and active else QPalette.ColorRole.Accent
        room = option.rect.width() - 4 * _GAP
        bar = QRectF(option.rect.x() + 2 * _GAP, option.rect.bottom() - 8, max(2.0, room * share), 4)
        track = QRectF(bar.x(), bar.y(), room, bar.height())
        text = option.palette.color(QPalette.ColorRole.Text)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        text.setAlphaF(0.1)
        painter.setBrush(text)
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(option.palette.color(role))
        painter.drawRoundedRect(bar, 2, 2)
        painter.restore()

    def _paint_thumbnails(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        paths: tuple[Path, ...] = index.data(NeuronTableModel.PathsRole) or ()
        corner = option.rect.topLeft() + QPoint(_GAP, (option.rect.height() - THUMBNAIL) // 2)
        ratio = painter.device().devicePixelRatioF()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, path in enumerate(paths):
            place = QRect(corner + QPoint(number * (THUMBNAIL + _GAP), 0), QSize(THUMBNAIL, THUMBNAIL))
            pixmap = self._thumbnails.pixmap(path, _REQUESTED, ratio, client=self._client)
            if pixmap is not None and not pixmap.isNull():
                painter.drawPixmap(place, pixmap, _middle_square(pixmap))
            else:
                self._paint_placeholder(painter, option, place, self._thumbnails.failure(path) is not None)
        painter.restore()

    @staticmethod
    def _paint_placeholder(
        painter: QPainter, option: QStyleOptionViewItem, place: QRect, failed: bool
    ) -> None:
        text, base = (option.palette.color(r) for r in (QPalette.ColorRole.Text, QPalette.ColorRole.Base))
        painter.fillRect(place, blend(text, base, 0.08))
        if failed:
            painter.setPen(QPen(blend(text, base, 0.5), 1.5))
            cross = place.adjusted(11, 11, -11, -11)
            painter.drawLine(cross.topLeft(), cross.bottomRight())
            painter.drawLine(cross.topRight(), cross.bottomLeft())


def _middle_square(pixmap: QPixmap) -> QRect:
    """Return the largest square in the middle, in the pixmap's own pixels."""
    side = min(pixmap.width(), pixmap.height())
    return QRect((pixmap.width() - side) // 2, (pixmap.height() - side) // 2, side, side)
