"""The dendrogram as a table, for keyboards and screen readers: one row a merge, the highest first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from backend.method.dendrogram_layout import ABOVE, DendrogramLayout
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.subtree_description import describe_node, plain_tooltip, purity
from widgets.dendrogram.threshold_steps import next_merge_up
from widgets.palette import concept_color, concept_marker

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_NUMBER_COLUMNS = (0, 1, 2, 4)
_Role = Qt.ItemDataRole
_HEADERS = ("Merge height", "Images", "Joins", "At the threshold", "Purity", "Most frequent class")
_TOOLTIPS = (
    "The threshold d_max above which the merge is made",
    "How many images the subtree has",
    "How many images its two parts have, the part on the left first",
    "The cluster that the subtree is, or is part of; apart if it is several",
    "The share of the most frequent class among the images of the subtree",
    "The class that most images of the subtree are of, and how many",
)
_STATE_COLUMN, _PURITY_COLUMN, _CLASS_COLUMN = 3, 4, 5


class MergeTableModel(QAbstractTableModel):
    """Merges from the highest to the lowest."""

    def __init__(self, state: DendrogramState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        # The tree that the rows are of: the state may have moved on while the table was out of sight.
        self._layout: DendrogramLayout | None = None
        self._n_columns = _PURITY_COLUMN
        self._numbers: list[int] = []
        self._whole: list[bool] = []

    @property
    def is_current(self) -> bool:
        """Tell whether the rows are those of the state's tree."""
        return self._layout is self._state.layout

    def tree_changed(self) -> None:
        """Show another tree."""
        self.beginResetModel()
        self._layout = self._state.layout
        self._n_columns = len(_HEADERS) if self._state.classes is not None else _PURITY_COLUMN
        self._refresh()
        self.endResetModel()

    def threshold_changed(self) -> None:
        """Show which merges are joined now."""
        self._refresh()
        last = self.rowCount() - 1
        if last >= 0:
            self.dataChanged.emit(self.index(0, _STATE_COLUMN), self.index(last, _STATE_COLUMN))

    def _refresh(self) -> None:
        layout, threshold = self._layout, self._state.threshold
        if layout is None:
            self._numbers, self._whole = [], []
            return
        self._numbers = layout.node_numbers(threshold).tolist()
        self._whole = (layout.parent_height >= threshold).tolist()

    def node(self, row: int) -> int:
        """Return the node of a row."""
        assert self._layout is not None
        return len(self._layout.height) - 1 - row

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of merges."""
        return 0 if parent.isValid() or self._layout is None else self._layout.n_leaves - 1

    def columnCount(self, parent: Index = _ROOT) -> int:
        """Return the number of columns; the last two only where classes are known."""
        return 0 if parent.isValid() else self._n_columns

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = _Role.DisplayRole) -> Any:
        """Return the columns' titles, and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == _Role.DisplayRole:
            return _HEADERS[section]
        if role == _Role.ToolTipRole:
            unit = f", in {self._state.height_unit}" if section == 0 and self._state.height_unit else ""
            return _TOOLTIPS[section] + unit
        return None

    def data(self, index: Index, role: int = _Role.DisplayRole) -> Any:
        """Return text, tooltip, and the colour of the cluster."""
        if not index.isValid() or not self.is_current:
            return None
        node = self.node(index.row())
        if role in (_Role.DisplayRole, _Role.AccessibleTextRole):
            return self._text(node, index.column())
        if role == _Role.ToolTipRole:
            return plain_tooltip(describe_node(self._state, node))
        if role == _Role.TextAlignmentRole and index.column() in _NUMBER_COLUMNS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == _Role.DecorationRole and index.column() == _STATE_COLUMN:
            number = self._numbers[node]
            return None if number == ABOVE else concept_color(number)
        return None

    def _text(self, node: int, column: int) -> str:
        layout = self._layout
        assert layout is not None
        merge = node - layout.n_leaves
        if column == 0:
            return f"{float(layout.height[node]):.4g}"
        if column == 1:
            return f"{int(layout.size[node]):,}"
        if column == 2:
            return f"{int(layout.size[layout.left[merge]])} + {int(layout.size[layout.right[merge]])}"
        if column == _STATE_COLUMN:
            number = self._numbers[node]
            if number == ABOVE:
                return "apart"
            return (
                f"cluster {concept_marker(number)}" if self._whole[node] else f"in {concept_marker(number)}"
            )
        pure = purity(self._state, node)
        if pure is None:
            return ""
        return pure.percent if column == _PURITY_COLUMN else f"{pure.name} ({pure.count:,} of {pure.size:,})"


class DendrogramTable(QTableView):
    """The table; choosing rows selects their subtrees.

    Signals
    -------
    leaves_chosen(object)
        The user chose other rows: int64 (m,), the leaves of all of them, ascending.
    threshold_wanted(float)
        Enter on a row: a threshold just above its merge.
    menu_requested(object, object)
        Right click or the menu key: the leaves of the chosen rows as int64 (m,), and where on the screen.
    """

    leaves_chosen = Signal(object)
    menu_requested = Signal(object, object)
    threshold_wanted = Signal(float)

    def __init__(self, state: DendrogramState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._merges = MergeTableModel(state, self)
        self._quiet = False
        self._is_old = True
        self.setModel(self._merges)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setResizeContentsPrecision(50)
        self.horizontalHeader().setHighlightSections(False)
        self.setAccessibleName("Merges of the dendrogram")
        self.setToolTip("One row for each merge. Enter puts the threshold just above it.")

    def tree_changed(self) -> None:
        """Show another tree, or other facts of it."""
        self._is_old = True
        self._bring_up_to_date()

    def threshold_changed(self) -> None:
        """Show what is joined now."""
        if self.isVisible():
            self._merges.threshold_changed()
        else:
            self._is_old = True

    def selection_changed(self) -> None:
        """Select the rows whose leaves are all chosen, without a signal."""
        if self.isVisible():
            self._select_rows()
        else:
            self._is_old = True

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what changed while the table was out of sight."""
        super().showEvent(event)
        self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        if self._is_old and self.isVisible():
            self._is_old = False
            self._quiet = True
            try:
                self._merges.tree_changed()
            finally:
                self._quiet = False
            self.resizeColumnsToContents()
            self._select_rows()

    def _select_rows(self) -> None:
        layout = self._state.layout
        if layout is None:
            return
        chosen = layout.covered(self._state.chosen)
        outer = chosen & ~np.append(chosen, False)[layout.parent]
        selection = QItemSelection()
        for node in np.flatnonzero(outer[layout.n_leaves :]) + layout.n_leaves:
            row = len(layout.height) - 1 - int(node)
            selection.select(self._merges.index(row, 0), self._merges.index(row, 0))
        flag = QItemSelectionModel.SelectionFlag
        self._quiet = True
        try:
            self.selectionModel().select(selection, flag.ClearAndSelect | flag.Rows)
        finally:
            self._quiet = False

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        """Tell which leaves the chosen rows have."""
        super().selectionChanged(selected, deselected)
        layout = self._state.layout
        if self._quiet or layout is None or not self._merges.is_current:
            return
        self.leaves_chosen.emit(self._chosen_leaves(layout))

    def _chosen_leaves(self, layout: DendrogramLayout) -> NDArray[np.int64]:
        nodes = [self._merges.node(index.row()) for index in self.selectionModel().selectedRows()]
        leaves = [layout.leaves(node) for node in nodes] or [np.empty(0, dtype=np.int64)]
        return np.unique(np.concatenate(leaves))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the chosen rows' subtrees; the press before has chosen the row."""
        event.accept()
        layout = self._state.layout
        if layout is None or not self._merges.is_current:
            return
        leaves, where = self._chosen_leaves(layout), event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            where = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).bottomLeft())
        if len(leaves):
            self.menu_requested.emit(leaves, where)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter puts the threshold just above a merge."""
        row = self.currentIndex().row()
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if row >= 0 and is_enter and self._merges.is_current:
            height = float(self._state.merge_heights[len(self._state.merge_heights) - 1 - row])
            self.threshold_wanted.emit(next_merge_up(self._state.merge_heights, height))
            event.accept()
        else:
            super().keyPressEvent(event)
