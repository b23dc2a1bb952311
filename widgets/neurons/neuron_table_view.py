"""The table that the neuron browser shows its neurons in."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, Qt
from PySide6.QtGui import QAccessible, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from widgets.neurons.neuron_row_delegate import ROW_HEIGHT
from widgets.neurons.neuron_table_model import Column


class NeuronTableView(QTableView):
    """Whole rows, one at a time; Home and End go to the first and last neuron, F2 names the neuron."""

    def __init__(self) -> None:
        super().__init__()
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.setCornerWidget(QWidget())
        self.setMinimumWidth(240)

    def dataChanged(
        self,
        top_left: QModelIndex | QPersistentModelIndex,
        bottom_right: QModelIndex | QPersistentModelIndex,
        roles: Sequence[int] = (),
    ) -> None:
        """Paint the column that changed: Qt would paint the whole list, and counts change while one drags."""
        if top_left == bottom_right or top_left.column() != bottom_right.column() or QAccessible.isActive():
            super().dataChanged(top_left, bottom_right, roles)
            return
        left, width = self.columnViewportPosition(top_left.column()), self.columnWidth(top_left.column())
        self.viewport().update(QRect(left, 0, width, self.viewport().height()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the first or last neuron, or name the current one."""
        n_rows = self.model().rowCount()
        if event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End) and n_rows:
            self.selectRow(0 if event.key() == Qt.Key.Key_Home else n_rows - 1)
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self.setColumnHidden(Column.NAME, False)
            index = self.model().index(self.currentIndex().row(), Column.NAME)
            self.edit(index, QAbstractItemView.EditTrigger.AllEditTriggers, event)
        else:
            super().keyPressEvent(event)
