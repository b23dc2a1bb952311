"""The images that project most on the neuron and on each concept, side by side."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from widgets.image_grid import ImageItem
from widgets.thumbnails import ThumbnailLoader


@dataclass(frozen=True)
class ProjectionColumn:
    """Images by descending projection on one direction.

    ``items`` over the whole dataset (caption: the projection; ``badge``: set where the image is a member),
    ``held_out_items`` the same leaving out the concept's own members.
    """

    key: int
    title: str
    color: QColor
    marker: str
    items: tuple[ImageItem, ...]
    held_out_items: tuple[ImageItem, ...]
    subtitle: str = ""


class MaxProjectingView(QWidget):
    """Columns of images with a switch that leaves the members out."""

    row_hovered = Signal(int)
    rows_selected = Signal(object)
    row_activated = Signal(int)
    held_out_changed = Signal(bool)
    menu_requested = Signal(object, object)

    def __init__(self, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None: ...
    def set_columns(self, columns: Sequence[ProjectionColumn]) -> None: ...
    def set_message(self, text: str) -> None: ...
    def set_held_out(self, held_out: bool) -> None: ...
    def set_selected_rows(self, rows: Collection[int]) -> None: ...
    def set_thumbnail_size(self, pixels: int) -> None: ...
