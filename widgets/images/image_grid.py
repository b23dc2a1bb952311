"""A grid of pictures in bands, one a concept, with everything that one does with pictures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from widgets import theme
from widgets.images.banded_item_view import Arrangement
from widgets.images.image_band_view import ImageBandView
from widgets.images.image_grid_model import ImageBand, ImageGridModel, ImageItem
from widgets.images.image_menu import PictureClipboard, picture_menu
from widgets.images.image_order import ImageOrder, OrderBox, ordered_band
from widgets.images.image_viewer import ImageViewer
from widgets.images.projection_map_bar import ProjectionMapBar, ProjectionMapButton
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnail_slider import ThumbnailSlider
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import ElidedLabel, EmptyState

__all__ = ["ImageBand", "ImageGrid", "ImageItem"]

_Flag = QItemSelectionModel.SelectionFlag


class ImageGrid(QWidget):
    """Pictures in bands.

    Double click, Enter and Space open a picture large by themselves; arrows in the viewer move on, and the
    grid follows. A click on a band's header selects its pictures (Ctrl adds them).

    Parameters
    ----------
    thumbnails
        Where the pictures come from.
    arrangement
        Bands below or beside each other.
    sortable
        Whether a box lets the user choose what the pictures of each band are sorted by.
    maps
        Where in the pictures their concepts are; H and a button show it.
    linked
        Whether there are other panels with the same images, to find a picture in.

    Signals
    -------
    row_hovered(int)
        Dataset row of the picture under the pointer, −1 for none.
    rows_selected(object)
        The user selected other pictures: a tuple of dataset rows in the order of the grid.
    row_activated(int)
        Double click or Enter on a picture: it has been opened large.
    band_activated(int)
        Key of the band whose header was clicked.
    thumbnail_size_changed(int)
        The user wants pictures of another size in pixels.
    menu_requested(object, object)
        A QMenu that is about to be shown, and the tuple of dataset rows that it is for: add to it.
    find_requested(object)
        The user wants to see pictures in the other panels: a tuple of dataset rows, the clicked one first.
    order_changed(str)
        The user chose another :data:`~widgets.images.image_order.ImageOrder`.
    """

    row_hovered = Signal(int)
    rows_selected = Signal(object)
    row_activated = Signal(int)
    band_activated = Signal(int)
    thumbnail_size_changed = Signal(int)
    menu_requested = Signal(object, object)
    find_requested = Signal(object)
    order_changed = Signal(str)

    def __init__(
        self,
        thumbnails: ThumbnailLoader,
        parent: QWidget | None = None,
        *,
        arrangement: Arrangement = "stacked",
        sortable: bool = False,
        maps: ProjectionMapDisplay | None = None,
        linked: bool = False,
    ) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._maps = maps
        self._model = ImageGridModel(thumbnails.failure, self)
        self._view = ImageBandView(self._model, thumbnails, arrangement, maps=maps)
        self._clipboard = PictureClipboard(thumbnails, self)
        self._viewer: ImageViewer | None = None
        self._linked = linked
        self._quiet = False
        self._given_bands: tuple[ImageBand, ...] = ()
        self._order = OrderBox()
        if not sortable:
            self._order.hide()
        self._empty = EmptyState("images", "Nothing to show", "Choose a neuron.")
        self._status = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self._slider = ThumbnailSlider(self._view.thumbnail_size())
        self._build()
        self._connect()
        self.set_bands(())

    def _build(self) -> None:
        self._view.setAccessibleName("Pictures by concept")
        self._status.setFont(theme.scaled_font(self._status.font(), 0.92))
        self._status.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(self._view)
        self._bar = QHBoxLayout()
        self._bar.setContentsMargins(theme.SPACING, 2, theme.SPACING, 2)
        self._bar.setSpacing(theme.SPACING)
        self._bar.addWidget(self._status, 1)
        self._bar.addWidget(self._order)
        self._bar.addWidget(self._slider)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(pages, 1)
        if self._maps is not None:
            self._bar.insertWidget(1, ProjectionMapButton(self._maps))
            layout.addWidget(ProjectionMapBar(self._maps))
        layout.addLayout(self._bar)
        self.setFocusProxy(self._view)

    def _connect(self) -> None:
        view = self._view
        view.item_hovered.connect(self._on_hovered)
        view.item_opened.connect(self._on_opened)
        view.preview_requested.connect(self.open_large)
        view.find_requested.connect(self._find)
        view.band_clicked.connect(self._on_band_clicked)
        view.thumbnail_size_wanted.connect(self._on_size_wanted)
        view.selectionModel().selectionChanged.connect(self._on_selection_changed)
        view.menu_wanted.connect(self._show_menu)
        self._slider.size_wanted.connect(self._on_size_wanted)
        self._order.order_wanted.connect(self._on_order_wanted)

    # --- what is shown ----------------------------------------------------------------------------

    def add_to_bar(self, widget: QWidget) -> None:
        """Put a control into the bar under the pictures."""
        self._bar.insertWidget(1, widget)

    def set_bands(self, bands: Sequence[ImageBand]) -> None:
        """Show these bands; place, selection and current picture stay where the images are still there.

        Their pictures are shown in the order of the box, and as they come where that says activation.
        """
        self._given_bands = tuple(bands)
        rows, scrolled = self.selected_rows(), self._view.verticalOffset()
        current = self.current_row()
        self._quiet = True
        try:
            self._model.set_bands([ordered_band(band, self.order()) for band in bands])
            self._select(rows)
            self._set_current(current)
        finally:
            self._quiet = False
        self._view.verticalScrollBar().setValue(scrolled)
        if bands:
            self._pages.setCurrentWidget(self._view)
        else:
            self.set_message("Choose a neuron.")
        self._show_status()

    def set_message(self, text: str, title: str = "Nothing to show") -> None:
        """Show a sentence instead of pictures."""
        self._given_bands = ()
        if self._model.bands:
            self._model.set_bands(())
        self._empty.show_state("images", title, text)
        self._pages.setCurrentWidget(self._empty)
        self._show_status()

    def bands(self) -> tuple[ImageBand, ...]:
        """Return the bands on show."""
        return self._model.bands

    def set_thumbnail_size(self, pixels: int) -> None:
        """Show pictures at this size in pixels, without a signal."""
        self._view.set_thumbnail_size(pixels)
        self._slider.set_size(self._view.thumbnail_size())

    def thumbnail_size(self) -> int:
        """Return the size of the pictures in pixels."""
        return self._view.thumbnail_size()

    def set_order(self, order: ImageOrder) -> None:
        """Sort the pictures of each band, without a signal."""
        if order != self.order():
            self._order.set_order(order)
            self._sort()

    def order(self) -> ImageOrder:
        """Return what the pictures of each band are sorted by."""
        return self._order.order()

    def scroll_to_band(self, key: int) -> None:
        """Bring a band's header to the top."""
        for number, band in enumerate(self._model.bands):
            if band.key == key:
                self._view.scroll_to_band(number)
                return

    def scroll_to_row(self, row: int) -> bool:
        """Bring an image into sight, wherever it is shown first; returns whether it is shown at all."""
        indices = self._model.indices_of(row)
        if indices:
            self._view.scrollTo(self._model.index(indices[0]))
            self._set_current(row)
        return bool(indices)

    # --- selection --------------------------------------------------------------------------------

    def set_selected_rows(self, rows: Collection[int]) -> None:
        """Select these images wherever they are shown, without a signal."""
        self._quiet = True
        try:
            self._select(rows)
        finally:
            self._quiet = False
        self._show_status()
        self._view.viewport().update()

    def selected_rows(self) -> tuple[int, ...]:
        """Return the dataset rows of the selected pictures in the order of the grid, each once."""
        items = self._model.items
        return tuple(dict.fromkeys(items[index].row for index in self._view.selected_items()))

    def current_row(self) -> int | None:
        """Return the dataset row of the picture that the keyboard is at, or None."""
        index = self._view.currentIndex().row()
        return self._model.item(index).row if 0 <= index < len(self._model.items) else None

    def _select(self, rows: Collection[int]) -> None:
        indices = [index for row in rows for index in self._model.indices_of(row)]
        self._view.selectionModel().select(self._model.selection(indices), _Flag.ClearAndSelect)

    def _set_current(self, row: int | None) -> None:
        if row is None:
            return
        for index in self._model.indices_of(row)[:1]:
            self._view.selectionModel().setCurrentIndex(self._model.index(index), _Flag.NoUpdate)

    # --- what the user does -----------------------------------------------------------------------

    @Slot(int)
    def open_large(self, index: int) -> None:
        """Open a picture, by its number in the grid, in the viewer."""
        if self._viewer is None:
            self._viewer = ImageViewer(self._thumbnails, self, self._maps)
            self._viewer.row_shown.connect(self._follow_viewer)
        bands = tuple(self._model.band(number).key for number in range(len(self._model.items)))
        self._viewer.show_items(tuple(self._model.items), index, bands)

    @Slot(int)
    def _follow_viewer(self, row: int) -> None:
        for index in self._model.indices_of(row)[:1]:
            position = self._model.index(index)
            self._view.selectionModel().setCurrentIndex(position, _Flag.ClearAndSelect)
            self._view.scrollTo(position, QAbstractItemView.ScrollHint.EnsureVisible)

    @Slot(int)
    def _on_hovered(self, index: int) -> None:
        self.row_hovered.emit(self._model.item(index).row if index >= 0 else -1)

    @Slot(int)
    def _on_opened(self, index: int) -> None:
        self.open_large(index)
        self.row_activated.emit(self._model.item(index).row)

    @Slot(int, bool)
    def _on_band_clicked(self, number: int, add: bool) -> None:
        indices = self._view.geometry_of_bands().band_items(number)
        self._view.selectionModel().select(
            self._model.selection(indices), _Flag.Select if add else _Flag.ClearAndSelect
        )
        self.band_activated.emit(self._model.bands[number].key)

    @Slot(int)
    def _on_size_wanted(self, pixels: int) -> None:
        before = self.thumbnail_size()
        self.set_thumbnail_size(pixels)
        if self.thumbnail_size() != before:
            self.thumbnail_size_changed.emit(self.thumbnail_size())

    @Slot(str)
    def _on_order_wanted(self, order: str) -> None:
        self._sort()
        self.order_changed.emit(order)

    def _sort(self) -> None:
        if self._given_bands:
            self.set_bands(self._given_bands)

    @Slot()
    def _on_selection_changed(self) -> None:
        if self._quiet:
            return
        self._show_status()
        self.rows_selected.emit(self.selected_rows())

    @Slot(int, object)
    def _show_menu(self, number: int, where: QPoint) -> None:
        index = self._model.index(number)
        if not self._view.selectionModel().isSelected(index):
            self._view.selectionModel().setCurrentIndex(index, _Flag.ClearAndSelect)
        clicked = self._model.item(number)
        by_row = {item.row: item for item in self._model.items}
        others = [by_row[row] for row in self.selected_rows() if row != clicked.row]
        items = [clicked, *others]
        rows = tuple(item.row for item in items)
        find = partial(self.find_requested.emit, rows) if self._linked else None
        menu = picture_menu(items, self._clipboard, lambda: self.open_large(number), self, find)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.menu_requested.emit(menu, rows)
        menu.popup(where)

    @Slot(int)
    def _find(self, number: int) -> None:
        if self._linked:
            clicked = self._model.item(number).row
            self.find_requested.emit((clicked, *(row for row in self.selected_rows() if row != clicked)))

    def _show_status(self) -> None:
        n_items, n_selected = len(self._model.items), len(self.selected_rows())
        if not self._model.bands:
            self._status.setText("")
            return
        images = "1 image" if n_items == 1 else f"{n_items:,} images"
        self._status.setText(f"{images} · {n_selected:,} selected" if n_selected else images)
