"""The neurons of a layer as a table: what each column holds, and in which order the rows stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from backend.neurons import NeuronStatistics
from widgets.neurons.neuron_filter import NeuronColumns, dead_neurons, matching_neurons
from widgets.quantity_text import activation_text, count_text, share_text

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()
_CELL = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemNeverHasChildren
_NAME_CELL = _CELL | Qt.ItemFlag.ItemIsEditable


@dataclass(frozen=True)
class NeuronTable:
    """What the browser shows of a layer's d neurons.

    Attributes
    ----------
    statistics : NeuronStatistics
        Maximum, mean and active fraction of each neuron, arrays of shape (d,).
    n_concepts : ndarray of int, shape (d,)
        Number of concepts of each neuron, -1 where it is not known yet.
    names : mapping of int to str
        Names that the user gave.
    top_paths : callable
        ``top_paths(neuron)`` gives the files of its strongest images, strongest first (the first three are
        shown). It is called while painting, so it must be quick.
    """

    statistics: NeuronStatistics
    n_concepts: NDArray[np.int64]
    names: Mapping[int, str] = field(default_factory=dict)
    top_paths: Callable[[int], tuple[Path, ...]] = lambda neuron: ()


class Column(IntEnum):
    """The columns of the table."""

    NEURON = 0
    IMAGES = 1
    MAXIMUM = 2
    CONCEPTS = 3
    NAME = 4
    ACTIVE = 5
    MEAN = 6


_HEADERS: dict[Column, tuple[str, str, str]] = {
    Column.NEURON: ("#", "Neuron", "The neuron's number: its channel in the layer."),
    Column.IMAGES: ("Strongest", "Strongest images", "The three images that activate the neuron most."),
    Column.MAXIMUM: ("Max", "Maximum", "Largest activation over all images. Bar: its share of the layer's."),
    Column.CONCEPTS: (
        "C",
        "Concepts",
        "Number of concepts at the present parameters; — where not known yet.",
    ),
    Column.NAME: ("Name", "Name", "Your own name for the neuron. Double click, or F2, to write one."),
    Column.ACTIVE: (
        "Active",
        "Active",
        "Share of the images with an activation above 0.",
    ),
    Column.MEAN: ("Mean", "Mean", "Mean activation over all images."),
}
"""For each column: what its header says, its full title, and what it means."""

DEAD = "dead"
"""What stands for the maximum of a neuron that no image activates."""

UNKNOWN = "—"
"""What stands for a number of concepts that is not known yet."""

N_THUMBNAILS = 3

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class NeuronTableModel(QAbstractTableModel):
    """The neurons that pass the filter, in the order asked for.

    Filter and order are one array of neuron numbers, made by NumPy: thousands of neurons take a millisecond.

    Signals
    -------
    renamed(int, str)
        The user wrote another name in place.
    """

    renamed = Signal(int, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table: NeuronTable | None = None
        self._names: dict[int, str] = {}
        self._n_concepts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._dead: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._largest = 0.0
        self._mask: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self._order: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._rows: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._filter = ""
        self._sort = (Column.NEURON, Qt.SortOrder.AscendingOrder)

    # --- content -------------------------------------------------------------------------------------

    def set_table(self, table: NeuronTable | None) -> None:
        """Show another layer; the filter and the order stay."""
        self.beginResetModel()
        self._table = table
        n_neurons = 0 if table is None else len(table.statistics.maximum)
        self._names = {} if table is None else {n: name for n, name in table.names.items() if name}
        self._n_concepts = (
            np.zeros(0, dtype=np.int64) if table is None else np.array(table.n_concepts, dtype=np.int64)
        )
        maximum = np.zeros(0) if table is None else table.statistics.maximum
        self._dead = dead_neurons(maximum)
        self._largest = float(np.nanmax(maximum)) if n_neurons and not np.isnan(maximum).all() else 0.0
        self._mask = self._matching(self._filter)
        self._arrange()
        self.endResetModel()

    @property
    def n_neurons(self) -> int:
        """Number of neurons of the layer, shown or not."""
        return len(self._dead)

    def set_concept_counts(self, n_concepts: NDArray[np.int64]) -> None:
        """Show these numbers of concepts (-1: not known); rows stay where they are until the next sorting."""
        if len(n_concepts) != self.n_neurons:
            raise ValueError(f"{len(n_concepts)} numbers of concepts for {self.n_neurons} neurons")
        self._n_concepts = np.array(n_concepts, dtype=np.int64)
        if self.rowCount():
            self.dataChanged.emit(
                self.index(0, Column.CONCEPTS), self.index(self.rowCount() - 1, Column.CONCEPTS)
            )

    def set_concept_count(self, neuron: int, n_concepts: int) -> None:
        """Show one neuron's number of concepts."""
        self._n_concepts[neuron] = n_concepts
        self._changed(neuron, Column.CONCEPTS)

    def set_name(self, neuron: int, name: str) -> None:
        """Show a neuron's name; an empty one takes it away. No signal."""
        if name:
            self._names[neuron] = name
        else:
            self._names.pop(neuron, None)
        self._changed(neuron, Column.NAME)

    def _changed(self, neuron: int, column: Column) -> None:
        row = self.row(neuron)
        if row is not None:
            self.dataChanged.emit(self.index(row, column), self.index(row, column))

    # --- filter and order ----------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Show only the neurons that fit (see :mod:`widgets.neurons.neuron_filter`).

        Raises
        ------
        NeuronFilterError
            If the text cannot be understood; the rows stay as they are.
        """
        mask = self._matching(text)
        self._filter = text
        if len(mask) == len(self._mask) and (mask == self._mask).all():
            return
        self.beginResetModel()
        self._mask = mask
        self._arrange()
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Order by a column: what is not known last, equals by number. Images have no order of their own."""
        if column in (Column.IMAGES, -1):
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        neurons = [int(self._order[index.row()]) for index in before]
        self._sort = (Column(column), order)
        self._arrange()
        after = [
            self.index(int(self._rows[n]), index.column()) for n, index in zip(neurons, before, strict=True)
        ]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _matching(self, text: str) -> NDArray[np.bool_]:
        if self._table is None:
            return np.zeros(0, dtype=np.bool_)
        columns = NeuronColumns.of(self._table.statistics, self._n_concepts, self._names)
        return matching_neurons(text, columns)

    def _arrange(self) -> None:
        shown: NDArray[np.int64] = np.flatnonzero(self._mask)
        column, order = self._sort
        if self._table is not None and len(shown):
            shown = shown[_sorted(self._sort_keys(column)[shown], order == Qt.SortOrder.DescendingOrder)]
        self._order = shown
        self._rows = np.full(self.n_neurons, -1, dtype=np.int64)
        self._rows[shown] = np.arange(len(shown))

    def _sort_keys(self, column: Column) -> NDArray[np.float64]:
        if self._table is None:
            return np.zeros(0)
        statistics = self._table.statistics
        if column == Column.CONCEPTS:
            return np.where(self._n_concepts < 0, np.nan, self._n_concepts.astype(np.float64))
        if column == Column.NAME:
            named = sorted(self._names, key=lambda neuron: self._names[neuron].casefold())
            keys = np.full(self.n_neurons, np.nan)
            keys[[neuron for neuron in named if neuron < self.n_neurons]] = np.arange(
                sum(neuron < self.n_neurons for neuron in named)
            )
            return keys
        values = {
            Column.MAXIMUM: statistics.maximum,
            Column.MEAN: statistics.mean,
            Column.ACTIVE: statistics.active_fraction,
        }.get(column)
        return np.arange(self.n_neurons, dtype=np.float64) if values is None else values.astype(np.float64)

    def neuron(self, row: int) -> int:
        """Return the neuron of a row."""
        return int(self._order[row])

    def row(self, neuron: int) -> int | None:
        """Return the row of a neuron, None if the filter hides it or there is no such neuron."""
        row = int(self._rows[neuron]) if 0 <= neuron < len(self._rows) else -1
        return None if row < 0 else row

    # --- Qt ------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Count the neurons that pass the filter."""
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's title, or what it means."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        short, title, tooltip = _HEADERS[Column(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return short
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return title
        if role == Qt.ItemDataRole.InitialSortOrderRole:
            # What is large is what is looked for first.
            large_first = section not in (Column.NEURON, Column.NAME)
            return Qt.SortOrder.DescendingOrder if large_first else Qt.SortOrder.AscendingOrder
        return f"{title}\n{tooltip}" if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let names be edited in place."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        return _NAME_CELL if index.column() == Column.NAME else _CELL

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell says, or its tooltip."""
        if not index.isValid() or self._table is None:
            return None
        neuron, column = int(self._order[index.row()]), Column(index.column())
        written = role == Qt.ItemDataRole.EditRole and column == Column.NAME
        if role == Qt.ItemDataRole.DisplayRole or written:
            return self.text(neuron, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(_RIGHT) if column not in (Column.NAME, Column.IMAGES) else None
        return self._tooltip(neuron) if role == Qt.ItemDataRole.ToolTipRole else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take a name that was written in place."""
        if role != Qt.ItemDataRole.EditRole or index.column() != Column.NAME:
            return False
        neuron, name = self.neuron(index.row()), str(value).strip()
        if name != self._names.get(neuron, ""):
            self.set_name(neuron, name)
            self.renamed.emit(neuron, name)
        return True

    # --- what a cell is drawn from -------------------------------------------------------------------

    def is_dead(self, neuron: int) -> bool:
        """Return whether no image activates a neuron."""
        return bool(self._dead[neuron])

    def share_of_maximum(self, neuron: int) -> float:
        """Return a neuron's maximum as a share of the layer's largest, 0 to 1."""
        if self._table is None or self._largest <= 0:
            return 0.0
        return max(0.0, float(self._table.statistics.maximum[neuron]) / self._largest)

    def paths(self, neuron: int) -> tuple[Path, ...]:
        """Return the files of a neuron's strongest images, none for a dead one."""
        if self._table is None or self._dead[neuron]:
            return ()
        return self._table.top_paths(neuron)[:N_THUMBNAILS]

    def text(self, neuron: int, column: int) -> str:
        """Return what a cell says."""
        if self._table is None or column == Column.IMAGES:
            return ""
        if column == Column.NEURON:
            return str(neuron)
        if column == Column.NAME:
            return self._names.get(neuron, "")
        if self._dead[neuron]:
            return DEAD if column == Column.MAXIMUM else "–"
        if column == Column.CONCEPTS:
            known = self._n_concepts[neuron] >= 0
            return str(self._n_concepts[neuron]) if known else UNKNOWN
        statistics = self._table.statistics
        if column == Column.ACTIVE:
            return share_text(float(statistics.active_fraction[neuron]))
        values = statistics.maximum if column == Column.MAXIMUM else statistics.mean
        return activation_text(float(values[neuron]))

    def _tooltip(self, neuron: int) -> str:
        if self._table is None:
            return ""
        name = self._names.get(neuron)
        title = f"Neuron {neuron}: {name}" if name else f"Neuron {neuron}"
        statistics = self._table.statistics
        if self._dead[neuron]:
            return f"{title}\nDead: none of {count_text(statistics.n_images, 'image')} activates it."
        return (
            f"{title}\nactivation at most {activation_text(float(statistics.maximum[neuron]))}, "
            f"mean {activation_text(float(statistics.mean[neuron]))}, "
            f"standard deviation {activation_text(float(statistics.standard_deviation[neuron]))}\n"
            f"active in {share_text(float(statistics.active_fraction[neuron]))} of "
            f"{count_text(statistics.n_images, 'image')}"
        )


def _sorted(keys: NDArray[np.float64], descending: bool) -> NDArray[np.int64]:
    """Return the order of keys, NaN last and equals as they stand, in both directions."""
    order: NDArray[np.int64] = np.argsort(-keys if descending else keys, kind="stable")
    return order
