"""How a row of the concept list looks, and how its name is edited in place."""

from __future__ import annotations

from typing import cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QApplication,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from widgets import theme
from widgets.concepts.concept_list_model import LEFT_OUT_ROW, OUTLIER_ROW, ConceptEntry, ConceptListModel
from widgets.palette import blend, text_color_on

Index = QModelIndex | QPersistentModelIndex
_SWATCH = 22
_GAP = 8


class NameEditor(QLineEdit):
    """The line in which a concept is named; remembers the name from before, for Escape."""

    def __init__(self, cluster: int, name: str, parent: QWidget) -> None:
        super().__init__(name, parent)
        self.cluster = cluster
        self.name_before = name


class ConceptRowDelegate(QStyledItemDelegate):
    """Swatch with the marker letter, name, size, and a second line with the summary.

    Signals
    -------
    typed(int, str)
        The name of a cluster, at each keystroke. Escape sends the name from before.
    """

    typed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.closeEditor.connect(self._editor_closed)

    # --- painting ---------------------------------------------------------------------------------

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Take two lines of text and air around them."""
        first, second = _fonts(option.font)
        height = QFontMetrics(first).height() + QFontMetrics(second).height() + 2 * _GAP + 4
        return QSize(160, max(height, _SWATCH + 2 * _GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the swatch and both lines."""
        self.initStyleOption(option, index)
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        entry = cast("ConceptEntry | None", index.data(ConceptListModel.EntryRole))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if entry is not None:
            _draw_swatch(painter, _swatch_rect(option.rect), entry.color, entry.marker)
            second = entry.summary
        else:
            model = cast(ConceptListModel, index.model())
            cluster = model.cluster(index.row())
            _draw_sign(painter, _swatch_rect(option.rect), _colors(option)[1], cluster)
            second = model.explanation(cluster)
        self._draw_words(painter, option, index, entry, second)
        if option.state & QStyle.StateFlag.State_HasFocus:
            _draw_focus(painter, option)
        painter.restore()

    def _draw_words(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: Index,
        entry: ConceptEntry | None,
        second: str,
    ) -> None:
        strong, quiet = _colors(option)
        first_font, second_font = _fonts(option.font)
        name_rect, size_rect, second_rect = _word_rects(option, str(index.data(ConceptListModel.SizeRole)))
        named = entry is not None and bool(entry.name)
        text = str(index.data()) if named or entry is None else f"Concept {entry.marker}"
        first_font.setWeight(QFont.Weight.DemiBold if named else QFont.Weight.Normal)
        painter.setFont(first_font)
        painter.setPen(strong if named else quiet)
        metrics = QFontMetrics(first_font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, name_rect.width())
        painter.drawText(name_rect, int(Qt.AlignmentFlag.AlignVCenter), shown)
        if entry is not None and option.state & (
            QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected
        ):
            _draw_pencil(painter, option, name_rect, metrics.horizontalAdvance(shown), quiet)
        painter.setPen(strong)
        first_font.setWeight(QFont.Weight.Normal)
        painter.setFont(first_font)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(size_rect, int(right), str(index.data(ConceptListModel.SizeRole)))
        painter.setFont(second_font)
        painter.setPen(quiet)
        shown = QFontMetrics(second_font).elidedText(second, Qt.TextElideMode.ElideRight, second_rect.width())
        painter.drawText(second_rect, int(Qt.AlignmentFlag.AlignVCenter), shown)

    # --- naming in place --------------------------------------------------------------------------

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """Open the line in which a concept is named."""
        entry = cast(ConceptEntry, index.data(ConceptListModel.EntryRole))
        editor = NameEditor(entry.cluster, entry.name, parent)
        editor.setPlaceholderText(f"Name of concept {entry.marker}")
        editor.setAccessibleName(f"Name of concept {entry.marker}")
        editor.textEdited.connect(self._text_edited)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Follow the name without moving the cursor of who types it."""
        line, name = cast(NameEditor, editor), str(index.data())
        if line.text() != name:
            line.setText(name)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Hand over the whole name when the editor closes."""
        line = cast(NameEditor, editor)
        self.typed.emit(line.cluster, line.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        """Put the editor over the name."""
        rect = _word_rects(option, str(index.data(ConceptListModel.SizeRole)))[0]
        height = rect.height() + 6
        editor.setGeometry(rect.x() - 4, rect.center().y() - height // 2, rect.width() + 4, height)

    @Slot(str)
    def _text_edited(self, text: str) -> None:
        editor = self.sender()
        if isinstance(editor, NameEditor):
            self.typed.emit(editor.cluster, text)

    @Slot(QWidget, QAbstractItemDelegate.EndEditHint)
    def _editor_closed(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        if hint == QAbstractItemDelegate.EndEditHint.RevertModelCache and isinstance(editor, NameEditor):
            self.typed.emit(editor.cluster, editor.name_before)


def _fonts(font: QFont) -> tuple[QFont, QFont]:
    return QFont(font), theme.scaled_font(font, 0.88)


def _swatch_rect(row: QRect) -> QRectF:
    return QRectF(row.x() + _GAP, row.y() + (row.height() - _SWATCH) / 2, _SWATCH, _SWATCH)


def _word_rects(option: QStyleOptionViewItem, size_text: str) -> tuple[QRect, QRect, QRect]:
    """Return where the name, the size and the second line go."""
    first, second = _fonts(option.font)
    row = option.rect
    left = row.x() + _SWATCH + 2 * _GAP
    right = row.right() - _GAP
    size_width = QFontMetrics(first).horizontalAdvance(size_text) + 2
    first_height, second_height = QFontMetrics(first).height(), QFontMetrics(second).height()
    top = row.y() + (row.height() - first_height - second_height) // 2
    name = QRect(left, top, max(10, right - size_width - _GAP - left), first_height)
    size = QRect(right - size_width, top, size_width, first_height)
    return name, size, QRect(left, top + first_height, max(10, right - left), second_height)


def _colors(option: QStyleOptionViewItem) -> tuple[QColor, QColor]:
    """Return the colours of first and second line on this row's background."""
    if not option.state & QStyle.StateFlag.State_Selected:
        return (
            option.palette.color(QPalette.ColorRole.Text),
            option.palette.color(QPalette.ColorRole.PlaceholderText),
        )
    active = option.state & QStyle.StateFlag.State_Active
    group = QPalette.ColorGroup.Active if active else QPalette.ColorGroup.Inactive
    strong = option.palette.color(group, QPalette.ColorRole.HighlightedText)
    background = option.palette.color(group, QPalette.ColorRole.Highlight)
    return strong, blend(strong, background, 0.82)


def _draw_swatch(painter: QPainter, rect: QRectF, color: QColor, marker: str) -> None:
    painter.setPen(QPen(QColor(255, 255, 255, 120), 1))
    painter.setBrush(color)
    painter.drawRoundedRect(rect, 6, 6)
    painter.setPen(text_color_on(color))
    painter.setFont(theme.scaled_font(painter.font(), 0.95, bold=True))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), marker)


def _draw_sign(painter: QPainter, rect: QRectF, color: QColor, cluster: int) -> None:
    painter.setPen(QPen(color, 1.8))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inner = rect.adjusted(5, 5, -5, -5)
    if cluster == OUTLIER_ROW:
        painter.drawEllipse(inner)
    elif cluster == LEFT_OUT_ROW:
        middle = round(inner.center().y())
        painter.drawLine(round(inner.left()), middle, round(inner.right()), middle)
    else:
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())


def _draw_pencil(
    painter: QPainter, option: QStyleOptionViewItem, name_rect: QRect, text_width: int, color: QColor
) -> None:
    side = 13
    x = name_rect.x() + text_width + 6
    if x + side <= name_rect.right():
        ratio = option.widget.devicePixelRatioF() if option.widget else 1.0
        pixmap = theme.icon_pixmap("rename", color, side, ratio)
        painter.drawPixmap(x, name_rect.center().y() - side // 2, pixmap)


def _draw_focus(painter: QPainter, option: QStyleOptionViewItem) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(option.palette.color(QPalette.ColorRole.Accent), 2))
    painter.drawRect(QRectF(option.rect).adjusted(1, 1, -1, -1))
