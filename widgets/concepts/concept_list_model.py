"""The rows of the concept list: the concepts, then outliers, dropped clusters and images left out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

from widgets.quantity_text import count_text

OUTLIER_ROW = -1
"""What stands for the outliers where a cluster number is meant."""

DROPPED_ROW = -2
"""What stands for the dropped clusters where a cluster number is meant."""

LEFT_OUT_ROW = -3
"""What stands for the images left out by hand where a cluster number is meant."""

_LEFT_OUT_TOOLTIP = "Top images that you left out: they are members of no concept of this neuron."
_OUTLIERS_TOOLTIP = (
    "Top images whose squared distance to their cluster's centroid is not below the outlier radius."
)
_DROPPED_TOOLTIP = (
    "Clusters left with fewer images than the minimum cluster size: too few for a concept vector."
)

_MOST_SIZES = 12

Index = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()


@dataclass(frozen=True)
class ConceptEntry:
    """One concept as listed.

    Attributes
    ----------
    cluster : int
        The cluster's number; identifies the concept in every signal.
    size : int
        Number of members left after the outliers.
    name, notes : str
        As typed by the user; empty when there is none.
    color, marker
        The concept's colour and the letter that stands beside it, so that colour is never the only cue.
    summary : str
        One line, such as "mean cosine 0.82 (random 0.58)".
    tooltip : str
        What the summary means, in full.
    """

    cluster: int
    size: int
    name: str
    notes: str
    color: QColor
    marker: str
    summary: str = ""
    tooltip: str = ""


class ConceptListModel(QAbstractListModel):
    """Rows of a neuron's concepts.

    ``EntryRole`` gives the :class:`ConceptEntry`, None for the other rows.
    """

    EntryRole = Qt.ItemDataRole.UserRole + 1
    SizeRole = Qt.ItemDataRole.UserRole + 2

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entries: list[ConceptEntry] = []
        self._n_outliers = 0
        self._dropped: tuple[int, ...] = ()
        self._min_cluster_size: int | None = None
        self._n_left_out = 0

    @property
    def entries(self) -> tuple[ConceptEntry, ...]:
        """The concepts in the order shown."""
        return tuple(self._entries)

    def set_entries(
        self,
        entries: Sequence[ConceptEntry],
        n_outliers: int,
        dropped: tuple[int, ...],
        min_cluster_size: int | None = None,
        n_left_out: int = 0,
    ) -> None:
        """Show these; the rows stay (and with them an open editor) if the clusters are the same ones."""
        extra = (n_outliers > 0, len(dropped) > 0, n_left_out > 0)
        same = [e.cluster for e in entries] == [e.cluster for e in self._entries] and extra == (
            self._n_outliers > 0,
            len(self._dropped) > 0,
            self._n_left_out > 0,
        )
        if not same:
            self.beginResetModel()
        self._entries = list(entries)
        self._n_outliers = n_outliers
        self._dropped = dropped
        self._min_cluster_size = min_cluster_size
        self._n_left_out = n_left_out
        if not same:
            self.endResetModel()
        elif self.rowCount():
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))

    def replace_entry(self, entry: ConceptEntry) -> None:
        """Show another name, notes or summary for a cluster that is listed."""
        row = self.row(entry.cluster)
        if row is not None:
            self._entries[row] = entry
            self.dataChanged.emit(self.index(row), self.index(row))

    def entry(self, cluster: int) -> ConceptEntry | None:
        """Return the entry of a cluster."""
        row = self.row(cluster)
        return self._entries[row] if row is not None and row < len(self._entries) else None

    def cluster(self, row: int) -> int:
        """Return the cluster of a row, or what stands for the outliers and the dropped clusters."""
        return self._clusters()[row]

    def row(self, cluster: int | None) -> int | None:
        """Return the row of a cluster, None if it is not listed."""
        clusters = self._clusters()
        return None if cluster is None or cluster not in clusters else clusters.index(cluster)

    def _clusters(self) -> list[int]:
        clusters = [entry.cluster for entry in self._entries]
        if self._n_outliers:
            clusters.append(OUTLIER_ROW)
        if self._dropped:
            clusters.append(DROPPED_ROW)
        if self._n_left_out:
            clusters.append(LEFT_OUT_ROW)
        return clusters

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Count the concepts, and a row each for outliers, dropped clusters and images left out, if any."""
        return 0 if parent.isValid() else len(self._clusters())

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let names be edited in place."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if self._entry_at(index) is not None else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's name, size, tooltip or spoken description."""
        if not index.isValid():
            return None
        entry = self._entry_at(index)
        if role == self.EntryRole:
            return entry
        if entry is not None:
            return self._concept_data(entry, role)
        return self._extra_data(self.cluster(index.row()), role)

    def _entry_at(self, index: Index) -> ConceptEntry | None:
        return self._entries[index.row()] if 0 <= index.row() < len(self._entries) else None

    def _concept_data(self, entry: ConceptEntry, role: int) -> object:
        images = count_text(entry.size, "image")
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return entry.name
        if role == self.SizeRole:
            return entry.size
        if role == Qt.ItemDataRole.ToolTipRole:
            lines = [
                entry.name or f"Concept {entry.marker}",
                images,
                entry.tooltip or entry.summary,
                entry.notes,
            ]
            return "\n".join(line for line in lines if line)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            named = entry.name or "not named"
            return f"Concept {entry.marker}, {named}, {images}, {entry.summary}"
        return None

    def _extra_data(self, cluster: int, role: int) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return {OUTLIER_ROW: "outliers", DROPPED_ROW: "dropped"}.get(cluster, "left out")
        if role == self.SizeRole:
            return self._extra_size(cluster)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{count_text(self._extra_size(cluster), 'image')} {self.explanation(cluster)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            if cluster != DROPPED_ROW:
                return _OUTLIERS_TOOLTIP if cluster == OUTLIER_ROW else _LEFT_OUT_TOOLTIP
            sizes = ", ".join(str(size) for size in self._dropped[:_MOST_SIZES])
            more = ", …" if len(self._dropped) > _MOST_SIZES else ""
            return f"{_DROPPED_TOOLTIP}\nImages left in each: {sizes}{more}"
        return None

    def _extra_size(self, cluster: int) -> int:
        if cluster == LEFT_OUT_ROW:
            return self._n_left_out
        return self._n_outliers if cluster == OUTLIER_ROW else sum(self._dropped)

    def explanation(self, cluster: int) -> str:
        """Return the second line of a row that is no concept."""
        if cluster == OUTLIER_ROW:
            return "outside the outlier radius"
        if cluster == LEFT_OUT_ROW:
            return "left out by hand"
        clusters = count_text(len(self._dropped), "cluster")
        if self._min_cluster_size is None:
            return f"{clusters} with too few images"
        return f"{clusters} with fewer than {count_text(self._min_cluster_size, 'image')}"
