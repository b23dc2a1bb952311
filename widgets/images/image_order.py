"""In which order the pictures of a band stand: by activation, projection or distance to the centroid."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, cast, get_args

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from widgets.images.image_grid_model import ImageBand, ImageItem

ImageOrder = Literal["activation", "projection", "distance"]

IMAGE_ORDERS: tuple[ImageOrder, ...] = get_args(ImageOrder)

_NAMES: dict[ImageOrder, tuple[str, str]] = {
    "activation": ("By activation", "By the neuron's activation, largest first"),
    "projection": (
        "By projection",
        "By the projection on the concept vector (in units of activation), largest first; "
        "outliers on the vector of the concept that they are nearest to",
    ),
    "distance": (
        "By distance",
        "By the squared distance to the cluster's centroid (in squared units of activation), nearest first",
    ),
}


def ordered_band(band: ImageBand, order: ImageOrder) -> ImageBand:
    """Return a band with its pictures in an order, each captioned with what it is ordered by.

    Pictures of which that is not known (NaN) come last and are captioned with a dash; equal ones, and those
    without measures, stay as they stood.
    """
    if order == "activation":
        return band
    items = sorted(band.items, key=lambda item: _rank(item, order))
    return replace(band, items=tuple(replace(item, caption=_caption(item, order)) for item in items))


def _rank(item: ImageItem, order: ImageOrder) -> tuple[bool, float]:
    value = _value(item, order)
    if math.isnan(value):
        return True, 0.0
    return False, value if order == "distance" else -value


def _caption(item: ImageItem, order: ImageOrder) -> str:
    if item.measures is None:
        return item.caption
    value = _value(item, order)
    return "–" if math.isnan(value) else f"{value:.2f}"


def _value(item: ImageItem, order: ImageOrder) -> float:
    if item.measures is None:
        return math.nan
    return item.measures.projection if order == "projection" else item.measures.squared_distance


class OrderBox(QWidget):
    """A small box that chooses the order.

    Signals
    -------
    order_wanted(str)
        The user chose an :data:`ImageOrder`.
    """

    order_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._box = QComboBox()
        self._box.setAccessibleName("Order of the pictures in each band")
        self._box.setToolTip("What the pictures of each band are sorted by; the number under them is that")
        for order in IMAGE_ORDERS:
            name, tip = _NAMES[order]
            self._box.addItem(name, order)
            self._box.setItemData(self._box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._on_activated)

    def order(self) -> ImageOrder:
        """Return the order on show."""
        return cast(ImageOrder, self._box.currentData())

    def set_order(self, order: ImageOrder) -> None:
        """Show an order, without a signal."""
        with QSignalBlocker(self._box):
            self._box.setCurrentIndex(IMAGE_ORDERS.index(order))

    @Slot(int)
    def _on_activated(self, position: int) -> None:
        self.order_wanted.emit(str(self._box.itemData(position)))
