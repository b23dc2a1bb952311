"""How the cells of the neuron browser look: thumbnails, a bar behind the maximum, dead neurons in grey."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPalette, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from widgets.images.thumbnails import ThumbnailLoader
from widgets.neurons.neuron_table_model import DEAD, N_THUMBNAILS, UNKNOWN, Column, NeuronTableModel
from widgets.palette import blend

Index = QModelIndex | QPersistentModelIndex

ROW_HEIGHT = 40
THUMBNAIL = 34
_GAP = 3
_REQUESTED = 48  # pixels of the longer side: the middle square is shown, so the shorter side counts
_BAR = 4
# Plain numbers: combining flags is slow in Python, and a screen has a hundred cells.
_CHOSEN = QStyle.StateFlag.State_Selected.value
_ACTIVE = QStyle.StateFlag.State_Active.value
_CHOSEN_AND_ACTIVE = _CHOSEN | _ACTIVE
_LEFT = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class NeuronRowDelegate(QStyledItemDelegate):
    """Draws the neuron browser's cells.

    It asks the model directly instead of role by role: a screen of neurons is a hundred cells, and each role
    would be a call from Qt into Python.

    Parameters
    ----------
    model
        The neurons.
    thumbnails
        Where the pictures come from.
    client
        In whose name they are requested.
    """

    def __init__(self, model: NeuronTableModel, thumbnails: ThumbnailLoader, client: QObject) -> None:
        super().__init__(client)
        self._model = model
        self._thumbnails = thumbnails
        self._client = client
        self._awaited: dict[str, set[int]] = {}

    def neurons_waiting_for(self, path: str) -> set[int]:
        """Return the neurons that were painted without this picture, and forget them."""
        return self._awaited.pop(path, set())

    def forget_all_but(self, paths: Collection[Path]) -> None:
        """Forget who waits for pictures that are out of sight."""
        wanted = {str(path) for path in paths}
        self._awaited = {path: neurons for path, neurons in self._awaited.items() if path in wanted}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Take room for the thumbnails, or for the text."""
        if index.column() == Column.IMAGES:
            return QSize(N_THUMBNAILS * (THUMBNAIL + _GAP) + _GAP, ROW_HEIGHT)
        return QSize(super().sizeHint(option, index).width() + 2 * _GAP, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw one cell."""
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        neuron, column = self._model.neuron(index.row()), index.column()
        if column == Column.IMAGES:
            self._paint_thumbnails(painter, option, neuron)
            return
        self._paint_text(painter, option, neuron, column)
        if column == Column.MAXIMUM and not self._model.is_dead(neuron):
            _paint_bar(painter, option, self._model.share_of_maximum(neuron))

    def _paint_text(self, painter: QPainter, option: QStyleOptionViewItem, neuron: int, column: int) -> None:
        text = self._model.text(neuron, column)
        if not text:
            return
        rect = option.rect.adjusted(2 * _GAP, 0, -2 * _GAP, 0)
        painter.setPen(_text_color(option, quiet=self._model.is_dead(neuron) or text == UNKNOWN))
        if text == DEAD:
            italic = QFont(option.font)
            italic.setItalic(True)
            painter.setFont(italic)
        if column == Column.NAME:
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, _LEFT if column == Column.NAME else _RIGHT, text)
        if text == DEAD:
            painter.setFont(option.font)

    def _paint_thumbnails(self, painter: QPainter, option: QStyleOptionViewItem, neuron: int) -> None:
        corner = option.rect.topLeft() + QPoint(_GAP, (option.rect.height() - THUMBNAIL) // 2)
        ratio = painter.device().devicePixelRatioF()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, path in enumerate(self._model.paths(neuron)):
            place = QRect(corner + QPoint(number * (THUMBNAIL + _GAP), 0), QSize(THUMBNAIL, THUMBNAIL))
            pixmap = self._thumbnails.pixmap(path, _REQUESTED, ratio, client=self._client)
            if pixmap is None or max(pixmap.width(), pixmap.height()) != round(_REQUESTED * ratio):
                self._awaited.setdefault(str(path), set()).add(neuron)
            if pixmap is not None and not pixmap.isNull():
                painter.drawPixmap(place, pixmap, _middle_square(pixmap))
            else:
                self._paint_placeholder(painter, option, place, self._thumbnails.failure(path) is not None)

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


def _paint_bar(painter: QPainter, option: QStyleOptionViewItem, share: float) -> None:
    """Draw a share of 1 as a bar below the number."""
    chosen = option.state.value & _CHOSEN_AND_ACTIVE == _CHOSEN_AND_ACTIVE
    role = QPalette.ColorRole.HighlightedText if chosen else QPalette.ColorRole.Accent
    room = option.rect.width() - 4 * _GAP
    track = QRectF(option.rect.x() + 2 * _GAP, option.rect.bottom() - 8, room, _BAR)
    ground = _text_color(option, quiet=False)
    ground.setAlphaF(0.1)
    painter.fillRect(track, ground)
    track.setWidth(max(2.0, room * share))
    painter.fillRect(track, option.palette.color(role))


def _text_color(option: QStyleOptionViewItem, *, quiet: bool) -> QColor:
    """Return the colour of text on this row's background; ``quiet`` for what is dead or not known."""
    state = option.state.value
    if state & _CHOSEN:
        active = state & _ACTIVE
        group = QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
        return option.palette.color(group, QPalette.ColorRole.HighlightedText)
    return option.palette.color(QPalette.ColorRole.PlaceholderText if quiet else QPalette.ColorRole.Text)


def _middle_square(pixmap: QPixmap) -> QRect:
    """Return the largest square in the middle, in the pixmap's own pixels."""
    side = min(pixmap.width(), pixmap.height())
    return QRect((pixmap.width() - side) // 2, (pixmap.height() - side) // 2, side, side)
