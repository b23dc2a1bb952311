"""An item view of equal cells in bands: places, scrolling, keys and selection, by arithmetic alone."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
)
from PySide6.QtGui import QRegion
from PySide6.QtWidgets import QAbstractItemView, QWidget

from widgets.images.image_delegate import ImageDelegate
from widgets.images.image_grid_geometry import Box, Direction, GridGeometry, SideBySideBands, StackedBands
from widgets.images.image_grid_model import ImageGridModel

Arrangement = Literal["stacked", "side by side"]
Index = QModelIndex | QPersistentModelIndex

_Flag = QItemSelectionModel.SelectionFlag
_Move = QAbstractItemView.CursorAction
_DIRECTIONS: dict[_Move, Direction] = {
    _Move.MoveLeft: "left",
    _Move.MoveRight: "right",
    _Move.MoveUp: "up",
    _Move.MoveDown: "down",
}


class BandedItemView(QAbstractItemView):
    """Bands of equal cells below or beside each other, with one selection through all of them.

    A QListView lays out every item and has no headers; here the place of a cell is computed, so that any
    number of them costs the same, and a band's header can stay in sight while the band is scrolled through.
    """

    def __init__(
        self,
        model: ImageGridModel,
        delegate: ImageDelegate,
        arrangement: Arrangement,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._images = model
        self._delegate = delegate
        self._arrangement: Arrangement = arrangement
        self._geometry: GridGeometry | None = None
        self._rubber_start: QPoint | None = None
        self._selected: list[int] | None = None
        self.setItemDelegate(delegate)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def geometry_of_bands(self) -> GridGeometry:
        """Return where everything lies in the content."""
        if self._geometry is None:
            counts = [len(band.items) for band in self._images.bands]
            arrange = StackedBands if self._arrangement == "stacked" else SideBySideBands
            self._geometry = arrange(
                counts, self.viewport().width(), self._delegate.cell(self.font(), self.palette())
            )
        return self._geometry

    def middle_item(self) -> int:
        """Return the picture nearest to the middle of the view, or −1."""
        visible = self.visible_items()
        return visible[len(visible) // 2] if visible else -1

    def visible_items(self) -> list[int]:
        """Return the pictures in sight, in order."""
        return list(self.geometry_of_bands().items_in(self.content_box(self.viewport().rect())))

    def scroll_to_band(self, band: int) -> None:
        """Bring the header of a band to the top."""
        geometry = self.geometry_of_bands()
        if 0 <= band < len(geometry.counts):
            box = geometry.header_box(band)
            self.verticalScrollBar().setValue(box.y)
            self.horizontalScrollBar().setValue(box.x)

    def selected_items(self) -> list[int]:
        """Return the selected pictures by their number, in order."""
        if self._selected is None:
            spans = self.selectionModel().selection().toList()
            self._selected = sorted(i for span in spans for i in range(span.top(), span.bottom() + 1))
        return self._selected

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Paint the selection anew."""
        self._selected = None
        super().selectionChanged(selected, deselected)

    def header_at(self, point: QPoint) -> int:
        """Return the band whose header is at a point of the viewport, or −1."""
        x, y = point.x() + self.horizontalOffset(), point.y() + self.verticalOffset()
        return self.geometry_of_bands().header_at(x, y, self.verticalOffset())

    def content_box(self, rect: QRect) -> Box:
        """Return a rectangle of the viewport as one of the content."""
        x, y = rect.x() + self.horizontalOffset(), rect.y() + self.verticalOffset()
        return Box(x, y, rect.width(), rect.height())

    def viewport_rect(self, box: Box) -> QRect:
        """Return a rectangle of the content as one of the viewport."""
        return QRect(box.x - self.horizontalOffset(), box.y - self.verticalOffset(), box.width, box.height)

    def visualRect(self, index: Index) -> QRect:
        """Return where a picture's cell is in the viewport."""
        if not index.isValid():
            return QRect()
        return self.viewport_rect(self.geometry_of_bands().cell_box(index.row()))

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the picture at a point of the viewport; none under a header."""
        geometry = self.geometry_of_bands()
        x, y = point.x() + self.horizontalOffset(), point.y() + self.verticalOffset()
        if geometry.header_at(x, y, self.verticalOffset()) >= 0:
            return QModelIndex()
        item = geometry.item_at(x, y)
        return self._images.index(item) if item >= 0 else QModelIndex()

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        """Scroll until a picture is in sight, clear of its band's header."""
        if not index.isValid():
            return
        geometry = self.geometry_of_bands()
        cell = geometry.cell_box(index.row())
        header = geometry.header_box(geometry.band_of(index.row())).height
        view, bar = self.viewport().rect(), self.verticalScrollBar()
        top, bottom = cell.y - header, cell.y + cell.height
        if hint == QAbstractItemView.ScrollHint.PositionAtCenter:
            bar.setValue(cell.y + cell.height // 2 - view.height() // 2)
        elif hint == QAbstractItemView.ScrollHint.PositionAtTop or top < bar.value():
            bar.setValue(top)
        elif hint == QAbstractItemView.ScrollHint.PositionAtBottom or bottom > bar.value() + view.height():
            bar.setValue(bottom - view.height())
        sideways = self.horizontalScrollBar()
        if cell.x < sideways.value():
            sideways.setValue(cell.x)
        elif cell.x + cell.width > sideways.value() + view.width():
            sideways.setValue(cell.x + cell.width - view.width())

    def horizontalOffset(self) -> int:
        """Return how far the view is scrolled to the right."""
        return self.horizontalScrollBar().value()

    def verticalOffset(self) -> int:
        """Return how far the view is scrolled down."""
        return self.verticalScrollBar().value()

    def isIndexHidden(self, index: Index) -> bool:
        """Return False: every picture is shown."""
        return False

    def moveCursor(self, action: _Move, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Return the picture that an arrow, Home, End or Page key leads to."""
        n_items = self._images.rowCount()
        if not n_items:
            return QModelIndex()
        current = self.currentIndex().row()
        if current < 0:
            return self._images.index(0)
        return self._images.index(self._target_of(action, current, n_items))

    def _target_of(self, action: _Move, current: int, n_items: int) -> int:
        geometry = self.geometry_of_bands()
        if action in _DIRECTIONS:
            return geometry.moved(current, _DIRECTIONS[action])
        if action in (_Move.MoveNext, _Move.MovePrevious):
            return max(0, min(n_items - 1, current + (1 if action == _Move.MoveNext else -1)))
        if action == _Move.MoveHome:
            return 0
        if action == _Move.MoveEnd:
            return n_items - 1
        rows = max(1, self.viewport().height() // geometry.cell_box(current).height - 1)
        for _ in range(rows):
            current = geometry.moved(current, "down" if action == _Move.MovePageDown else "up")
        return current

    def setSelection(self, rect: QRect, command: _Flag) -> None:
        """Select what a rubber band meets, or everything from one picture to another (Shift)."""
        first, last = self.indexAt(rect.topLeft()), self.indexAt(rect.bottomRight())
        if self._rubber_start is None and first.isValid() and last.isValid():
            ends = sorted((first.row(), last.row()))
            selection = QItemSelection(self._images.index(ends[0]), self._images.index(ends[1]))
        else:
            area = self.content_box(rect.normalized())
            selection = self._images.selection(list(self.geometry_of_bands().items_in(area)))
        self.selectionModel().select(selection, command)

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Return the part of the viewport to paint anew: all of it, for what is selected may be anywhere."""
        return QRegion(self.viewport().rect())

    def updateGeometries(self) -> None:
        """Give the scroll bars their ranges."""
        self._geometry = None
        width, height = self.geometry_of_bands().content_size
        view = self.viewport()
        row = self._delegate.cell(self.font(), self.palette()).height
        for bar, content, visible in (
            (self.verticalScrollBar(), height, view.height()),
            (self.horizontalScrollBar(), width, view.width()),
        ):
            bar.setRange(0, max(0, content - visible))
            bar.setPageStep(max(1, visible))
            bar.setSingleStep(max(8, row // 3))
        super().updateGeometries()
