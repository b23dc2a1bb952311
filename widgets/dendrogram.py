"""The dendrogram of a neuron's top images, with a threshold to drag."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from backend.method.hierarchy import Hierarchy
from widgets.thumbnails import ThumbnailLoader


class DendrogramView(QWidget):
    """A tree of merges; leaves are indices into the top images.

    Signals
    -------
    threshold_dragging(float), threshold_committed(float), threshold_cancelled(float)
    subtree_selected(object)     int64 (m,): leaf indices, ascending; empty when the selection is cleared
    leaf_hovered(int)            -1: none
    leaf_activated(int)
    subtree_menu_requested(object, object)   leaf indices and the global QPoint of a right click on a subtree
    """

    threshold_dragging = Signal(float)
    threshold_committed = Signal(float)
    threshold_cancelled = Signal(float)
    subtree_selected = Signal(object)
    leaf_hovered = Signal(int)
    leaf_activated = Signal(int)
    subtree_menu_requested = Signal(object, object)

    def __init__(self, thumbnails: ThumbnailLoader | None = None, parent: QWidget | None = None) -> None: ...
    def set_hierarchy(
        self, hierarchy: Hierarchy | None, leaf_tooltips: Sequence[str] | None = None
    ) -> None: ...
    def set_leaf_paths(self, paths: Sequence[Path] | None) -> None: ...
    def set_leaf_classes(self, classes: Sequence[str | None] | None) -> None: ...
    def set_leaf_labels(
        self, labels: NDArray[np.int64] | None, numbers: NDArray[np.int64] | None = None
    ) -> None:
        """Final labels of the leaves (-1 outlier, -2 dropped); ``numbers[label]``: colour of each label."""

    def set_threshold(self, threshold: float) -> None: ...
    def threshold(self) -> float: ...
    def set_suggestion(self, threshold: float | None) -> None: ...
    def set_log_height(self, log: bool) -> None: ...
    def set_selected_leaves(self, leaves: NDArray[np.int64]) -> None: ...
    def set_message(self, text: str) -> None: ...
