"""The images that project most on the neuron and on each concept, side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from widgets.images.image_grid import ImageGrid
from widgets.images.image_grid_model import ImageBand, ImageItem
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnails import ThumbnailLoader

MEMBER_BADGE = "●"
"""Marks an image that is itself a member of the concept: ``ImageItem(…, badge=MEMBER_BADGE)``."""


@dataclass(frozen=True)
class ProjectionColumn:
    """Images by descending projection on one direction.

    Attributes
    ----------
    key
        What the column is, in signals: a cluster's number, −1 for the neuron itself.
    title, subtitle
        Name of the neuron or concept, and what is said after it more quietly.
    color, marker
        Of the concept.
    items
        The strongest images over the whole dataset; the caption is the projection, the badge marks members.
    held_out_items
        The same, leaving out the concept's own members.
    """

    key: int
    title: str
    color: QColor
    marker: str
    items: tuple[ImageItem, ...]
    held_out_items: tuple[ImageItem, ...]
    subtitle: str = ""


class MaxProjectingView(QWidget):
    """Columns of images with a switch that leaves a concept's own members out.

    Signals
    -------
    row_hovered(int), rows_selected(object), row_activated(int), menu_requested(object, object),
    find_requested(object)
        As of :class:`~widgets.images.image_grid.ImageGrid`.
    column_activated(int)
        Key of the column whose header was clicked.
    held_out_changed(bool)
        The user chose to leave the members out, or not to.
    thumbnail_size_changed(int)
        The user wants pictures of another size in pixels.
    """

    row_hovered = Signal(int)
    rows_selected = Signal(object)
    row_activated = Signal(int)
    column_activated = Signal(int)
    held_out_changed = Signal(bool)
    thumbnail_size_changed = Signal(int)
    menu_requested = Signal(object, object)
    find_requested = Signal(object)

    def __init__(
        self,
        thumbnails: ThumbnailLoader,
        parent: QWidget | None = None,
        maps: ProjectionMapDisplay | None = None,
    ) -> None:
        super().__init__(parent)
        self._columns: tuple[ProjectionColumn, ...] = ()
        self._grid = ImageGrid(thumbnails, arrangement="side by side", maps=maps, linked=True)
        self._switch = QCheckBox("&Leave members out")
        self._switch.setToolTip(
            "Show only images that the concept was not made from: they tell whether it holds for others"
        )
        self._grid.add_to_bar(self._switch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._grid)
        self.setFocusProxy(self._grid)
        self._switch.toggled.connect(self._on_toggled)
        self._grid.row_hovered.connect(self.row_hovered)
        self._grid.rows_selected.connect(self.rows_selected)
        self._grid.row_activated.connect(self.row_activated)
        self._grid.band_activated.connect(self.column_activated)
        self._grid.thumbnail_size_changed.connect(self.thumbnail_size_changed)
        self._grid.menu_requested.connect(self.menu_requested)
        self._grid.find_requested.connect(self.find_requested)

    def set_columns(self, columns: Sequence[ProjectionColumn]) -> None:
        """Show these columns."""
        self._columns = tuple(columns)
        held_out = self._switch.isChecked()
        self._grid.set_bands(
            [
                ImageBand(
                    key=column.key,
                    title=column.title,
                    color=column.color,
                    marker=column.marker,
                    items=column.held_out_items if held_out else column.items,
                    subtitle=column.subtitle,
                )
                for column in self._columns
            ]
        )

    def set_message(self, text: str, title: str = "Nothing to show") -> None:
        """Show a sentence instead of columns."""
        self._columns = ()
        self._grid.set_message(text, title)

    def is_held_out(self) -> bool:
        """Tell whether members are left out."""
        return self._switch.isChecked()

    def set_held_out(self, held_out: bool) -> None:
        """Leave members out, or show them, without a signal."""
        with QSignalBlocker(self._switch):
            self._switch.setChecked(held_out)
        self.set_columns(self._columns)

    def set_selected_rows(self, rows: Collection[int]) -> None:
        """Select these images wherever they are shown, without a signal."""
        self._grid.set_selected_rows(rows)

    def selected_rows(self) -> tuple[int, ...]:
        """Return the dataset rows of the selected pictures."""
        return self._grid.selected_rows()

    def set_thumbnail_size(self, pixels: int) -> None:
        """Show pictures at this size in pixels, without a signal."""
        self._grid.set_thumbnail_size(pixels)

    def thumbnail_size(self) -> int:
        """Return the size of the pictures in pixels."""
        return self._grid.thumbnail_size()

    def scroll_to_row(self, row: int) -> bool:
        """Bring an image into sight in the first column that shows it; returns whether any does."""
        return self._grid.scroll_to_row(row)

    def scroll_to_column(self, key: int) -> None:
        """Bring a column into sight."""
        self._grid.scroll_to_band(key)

    @Slot(bool)
    def _on_toggled(self, held_out: bool) -> None:
        if self._columns:
            self.set_columns(self._columns)
        self.held_out_changed.emit(held_out)
