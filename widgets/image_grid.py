"""A grid of pictures in bands, one a concept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from widgets.thumbnails import ThumbnailLoader


@dataclass(frozen=True)
class ImageItem:
    """One picture: its row in the dataset, file, the line under it, the tooltip; ``badge``: a letter on it."""

    row: int
    path: Path
    caption: str
    tooltip: str
    badge: str = ""


@dataclass(frozen=True)
class ImageBand:
    """Pictures under one coloured header: a concept's members, the outliers, a dropped cluster."""

    key: int
    title: str
    color: QColor
    marker: str
    items: tuple[ImageItem, ...]
    subtitle: str = ""


class ImageGrid(QWidget):
    """Double click, Enter and Space open the picture large by themselves (``opens_viewer``)."""

    row_hovered = Signal(int)  # -1: none
    rows_selected = Signal(object)  # tuple of rows
    row_activated = Signal(int)
    band_activated = Signal(int)  # key of the band whose header was clicked
    thumbnail_size_changed = Signal(int)
    menu_requested = Signal(object, object)  # QMenu about to be shown, tuple of rows: add actions of your own

    def __init__(
        self, thumbnails: ThumbnailLoader, parent: QWidget | None = None, *, opens_viewer: bool = True
    ) -> None: ...
    def set_bands(self, bands: Sequence[ImageBand]) -> None: ...
    def set_message(self, text: str) -> None: ...
    def set_thumbnail_size(self, pixels: int) -> None: ...
    def thumbnail_size(self) -> int: ...
    def set_selected_rows(self, rows: Collection[int]) -> None: ...
    def selected_rows(self) -> tuple[int, ...]: ...
    def scroll_to_band(self, key: int) -> None: ...
