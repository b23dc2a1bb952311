"""What a grid of pictures shows: bands of images, as one flat list model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QItemSelection, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


@dataclass(frozen=True)
class ImageMeasures:
    """The numbers of a picture that it can be sorted by; NaN where one is not known.

    Attributes
    ----------
    activation
        Of the neuron.
    projection
        On its concept's vector, in units of activation.
    squared_distance
        To its cluster's centroid, in squared units of activation.
    """

    activation: float
    projection: float
    squared_distance: float


@dataclass(frozen=True)
class ImageItem:
    """One picture.

    Attributes
    ----------
    row
        The image's row in the dataset: what every signal speaks of.
    path
        Its file.
    caption
        The line under it, such as its activation or projection.
    tooltip
        Shown when the pointer rests on it: file, class, numbers with their units.
    badge
        A letter or sign on the picture, such as the marker of the concept that it is a member of.
    badge_color
        Ground of the badge; that of the band where there is none.
    measures
        What it can be sorted by.
    """

    row: int
    path: Path
    caption: str
    tooltip: str
    badge: str = ""
    badge_color: QColor | None = None
    measures: ImageMeasures | None = None


@dataclass(frozen=True)
class ImageBand:
    """Pictures under one coloured header: a concept's members, the outliers, a dropped cluster.

    Attributes
    ----------
    key
        What the band is, in signals: a cluster's number, −1 for outliers, −2 for dropped clusters.
    title
        Name of the concept.
    color, marker
        Its colour, and the letter that makes colour not the only cue.
    items
        The pictures, in the order to show them.
    subtitle
        Said after the number of pictures, in a quieter voice.
    """

    key: int
    title: str
    color: QColor
    marker: str
    items: tuple[ImageItem, ...]
    subtitle: str = ""


class ImageGridModel(QAbstractListModel):
    """The pictures of all bands, one after the other.

    ``DisplayRole`` is the caption, ``ToolTipRole`` the tooltip with the reason if the file cannot be read,
    ``AccessibleTextRole`` what a screen reader says.

    Parameters
    ----------
    failure
        Tells why a file cannot be shown, or None.
    """

    def __init__(self, failure: Callable[[Path], str | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._failure = failure
        self._bands: tuple[ImageBand, ...] = ()
        self._items: list[ImageItem] = []
        self._band_numbers: list[int] = []
        self._indices_of_row: dict[int, list[int]] | None = None

    @property
    def bands(self) -> tuple[ImageBand, ...]:
        """The bands on show."""
        return self._bands

    @property
    def items(self) -> Sequence[ImageItem]:
        """The pictures of all bands, by their number in the list."""
        return self._items

    def set_bands(self, bands: Sequence[ImageBand]) -> None:
        """Show these bands instead."""
        self.beginResetModel()
        self._bands = tuple(bands)
        self._items = [item for band in self._bands for item in band.items]
        self._band_numbers = [number for number, band in enumerate(self._bands) for _ in band.items]
        self._indices_of_row = None
        self.endResetModel()

    def item(self, index: int) -> ImageItem:
        """Return a picture."""
        return self._items[index]

    def band(self, index: int) -> ImageBand:
        """Return the band that a picture is in."""
        return self._bands[self._band_numbers[index]]

    def indices_of(self, row: int) -> Sequence[int]:
        """Return where an image of the dataset is shown: nowhere, once, or in several bands."""
        if self._indices_of_row is None:
            self._indices_of_row = {}
            for number, item in enumerate(self._items):
                self._indices_of_row.setdefault(item.row, []).append(number)
        return self._indices_of_row.get(row, ())

    def selection(self, indices: Collection[int]) -> QItemSelection:
        """Return an item selection of these pictures, in as few ranges as possible."""
        selection = QItemSelection()
        ordered = sorted(indices)
        start = 0
        for end in range(1, len(ordered) + 1):
            if end == len(ordered) or ordered[end] != ordered[end - 1] + 1:
                selection.select(self.index(ordered[start]), self.index(ordered[end - 1]))
                start = end
        return selection

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of pictures."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the caption, tooltip or spoken text of a picture."""
        if not index.isValid():
            return None
        item = self._items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return item.caption
        if role == Qt.ItemDataRole.ToolTipRole:
            reason = self._failure(item.path)
            return f"{item.tooltip}\n{reason}" if reason else item.tooltip
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{item.path.name}, {item.caption}, {self.band(index.row()).title}"
        return None
