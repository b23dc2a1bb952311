"""The dendrogram of a neuron's top images, with a threshold to drag."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from backend.method.hierarchy import Hierarchy
from widgets.dendrogram.cluster_count_strip import ClusterCountStrip
from widgets.dendrogram.dendrogram_canvas import ZOOM_STEP
from widgets.dendrogram.dendrogram_plot import DendrogramPlot
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.dendrogram_table import DendrogramTable
from widgets.dendrogram.threshold_bar import ThresholdBar
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import EmptyState
from widgets.tab_order import visit_after


class DendrogramView(QWidget):
    """A tree of merges, the strip of cluster counts above it, and the threshold in both.

    Leaves are indices into the neuron's top images. The line can be dragged, moved by a press on the axis, by
    the arrow and Page keys, by typing d_max or the number of clusters; all show the same number. Setters send
    no signals.

    Parameters
    ----------
    thumbnails
        Where the pictures of the leaves come from; without it there are none.

    Signals
    -------
    threshold_dragging(float)
        The threshold moves, and is not let go yet.
    threshold_committed(float)
        The user settled on a threshold.
    threshold_cancelled(float)
        A drag was given up; the threshold is this again.
    subtree_selected(object)
        The user selected other leaves: int64 (m,), ascending; empty when nothing is selected any more.
    leaf_hovered(int)
        The leaf under the pointer, −1 for none.
    leaf_activated(int)
        A leaf was clicked twice.
    subtree_menu_requested(object, object)
        Right click on a subtree, or the menu key: its leaves as int64 (m,), or all that are selected if it is
        among them, and the place on the screen as a QPoint.
    log_height_changed(bool)
        The user switched between a linear and a logarithmic height axis.
    """

    threshold_dragging = Signal(float)
    threshold_committed = Signal(float)
    threshold_cancelled = Signal(float)
    subtree_selected = Signal(object)
    leaf_hovered = Signal(int)
    leaf_activated = Signal(int)
    subtree_menu_requested = Signal(object, object)
    log_height_changed = Signal(bool)

    def __init__(self, thumbnails: ThumbnailLoader | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = DendrogramState()
        self._bar = ThresholdBar(self._state, ZOOM_STEP)
        self._counts = ClusterCountStrip(self._state)
        self._plot = DendrogramPlot(self._state, thumbnails)
        self._table = DendrogramTable(self._state)
        self._empty = EmptyState("dendrogram", "No dendrogram yet", "Choose a neuron.")
        self._arrange()
        self._connect()
        self._show_pages()

    def _arrange(self) -> None:
        tree = QWidget()
        column = QVBoxLayout(tree)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._counts)
        column.addWidget(self._plot, 1)
        self._tree_page = tree
        views = QWidget()
        self._views = QStackedLayout(views)
        self._views.addWidget(tree)
        self._views.addWidget(self._table)
        content = QWidget()
        rows = QVBoxLayout(content)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._bar)
        rows.addWidget(views, 1)
        self._content = content
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(content)
        self.setFocusProxy(self._plot)
        visit_after(self._plot, self._bar)

    def _connect(self) -> None:
        for source in (self._plot, self._counts):
            source.threshold_dragging.connect(self._on_dragging)
            source.threshold_committed.connect(self._on_committed)
            source.threshold_cancelled.connect(self._on_cancelled)
        self._plot.node_clicked.connect(self._on_node_clicked)
        self._plot.leaf_hovered.connect(self.leaf_hovered)
        self._plot.leaf_activated.connect(self.leaf_activated)
        self._plot.menu_requested.connect(self._on_menu_requested)
        self._table.leaves_chosen.connect(self._on_leaves_chosen)
        self._table.threshold_wanted.connect(self._commit)
        self._table.menu_requested.connect(self.subtree_menu_requested)
        self._bar.threshold_wanted.connect(self._commit)
        self._bar.log_height_wanted.connect(self._on_log_height_wanted)
        self._bar.table_wanted.connect(self.set_table_shown)
        self._bar.zoom_wanted.connect(self._zoom)

    # --- what is shown ----------------------------------------------------------------------------

    def set_hierarchy(self, hierarchy: Hierarchy | None, leaf_tooltips: Sequence[str] | None = None) -> None:
        """Show a tree; labels, paths, classes and selection of the one before are gone.

        Parameters
        ----------
        hierarchy
            The tree, or None for none.
        leaf_tooltips
            One text for each of the N leaves.
        """
        n_leaves = 0 if hierarchy is None else hierarchy.n_leaves
        self._state.set_layout(hierarchy.layout if hierarchy is not None and n_leaves else None)
        self._state.tooltips = leaf_tooltips
        if n_leaves == 1:
            self._empty.show_state("dendrogram", "One image", "A single image cannot be clustered.")
        elif not n_leaves:
            self._empty.show_state("dendrogram", "No dendrogram yet", "Choose a neuron.")
        self._tree_changed()

    def set_message(self, text: str) -> None:
        """Say why there is no tree; an empty text asks for a neuron. A tree on show is taken away."""
        if self._state.layout is not None:
            self.set_hierarchy(None)
        if text:
            self._empty.show_state("info", "No dendrogram", text)
        else:
            self._empty.show_state("dendrogram", "No dendrogram yet", "Choose a neuron.")

    def message(self) -> str:
        """Return the sentence shown instead of a tree; empty while there is one."""
        return "" if self._pages.currentWidget() is self._content else self._empty.text()

    def set_leaf_paths(self, paths: Sequence[Path] | None) -> None:
        """Give the file of each leaf, for thumbnails where there is room."""
        self._state.paths = paths
        self._plot.refresh_pictures()

    def set_leaf_classes(self, classes: Sequence[str | None] | None) -> None:
        """Give the class of each leaf, for the purity in tooltips and table."""
        known = classes is not None and any(name is not None for name in classes)
        self._state.classes = classes if known else None
        self._table.tree_changed()

    def set_height_unit(self, unit: str) -> None:
        """Say in tooltips what merge heights are measured in, as "units of activation"."""
        self._state.height_unit = unit
        self._bar.unit_changed()

    def set_leaf_labels(
        self,
        labels: NDArray[np.int64] | None,
        numbers: NDArray[np.int64] | None = None,
        threshold: float | None = None,
    ) -> None:
        """Show what became of each image, in the band under the leaves.

        Parameters
        ----------
        labels
            int64 (N,): final cluster, −1 outlier, −2 in a dropped cluster.
        numbers
            int64 (C,): the concept number of each cluster, which decides its colour and letter; see
            :func:`backend.method.dendrogram_layout.concept_numbers`.
        threshold
            The d_max that they belong to, by default the one on show: the band is pale at any other.
        """
        self._state.labels, self._state.label_numbers = labels, numbers
        self._state.labels_threshold = self._state.threshold if threshold is None else threshold
        self._plot.labels_changed()

    def set_threshold(self, threshold: float) -> None:
        """Move the line; ignored while the user holds it."""
        if self.is_dragging() or threshold == self._state.threshold:
            return
        self._state.threshold = threshold
        self._threshold_changed()

    def threshold(self) -> float:
        """Return the distance threshold d_max on show, in units of merge height."""
        return self._state.threshold

    def n_clusters(self) -> int:
        """Return the number of clusters at the threshold; 0 without a tree."""
        return self._state.n_clusters

    def is_dragging(self) -> bool:
        """Tell whether the user holds the line."""
        return self._plot.is_dragging() or self._counts.is_dragging()

    def set_suggestion(self, threshold: float | None) -> None:
        """Mark a suggested threshold."""
        self._state.suggestion = threshold
        self._plot.refresh()
        self._counts.update()

    def set_log_height(self, log: bool) -> None:
        """Choose a logarithmic or a linear height axis."""
        self._bar.show_log_height(log)
        if log != self._state.log_height:
            self._plot.cancel_drag()
            self._counts.cancel_drag()
            self._state.log_height = log
            self._plot.axis_changed()
            self._counts.tree_changed()

    def is_log_height(self) -> bool:
        """Tell whether the height axis is logarithmic."""
        return self._state.log_height

    @Slot(bool)
    def set_table_shown(self, shown: bool) -> None:
        """Show the merges as a table, or the tree."""
        self._bar.show_table(shown)
        self._views.setCurrentWidget(self._table if shown else self._tree_page)
        self.setFocusProxy(self._table if shown else self._plot)

    # --- selection --------------------------------------------------------------------------------

    def set_selected_leaves(self, leaves: NDArray[np.int64]) -> None:
        """Highlight these leaves, and the subtrees that are wholly among them.

        Leaves that were not highlighted before come into sight if they are all out of it.
        """
        if np.array_equal(self._state.chosen_leaves, leaves):
            return
        self._state.chosen[:] = False
        self._state.chosen[leaves] = True
        self._selection_changed()
        self._plot.bring_into_sight(leaves)

    def scroll_to_leaf(self, leaf: int) -> None:
        """Bring a leaf into sight."""
        self._plot.bring_into_sight(np.array([leaf], dtype=np.int64))

    def selected_leaves(self) -> NDArray[np.int64]:
        """Return the highlighted leaves, int64 (m,), ascending."""
        return self._state.chosen_leaves

    def _selection_changed(self) -> None:
        self._plot.refresh()
        self._table.selection_changed()

    @Slot(int, object)
    def _on_node_clicked(self, node: int, modifiers: Qt.KeyboardModifier) -> None:
        toggle = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        add = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        before = self._state.chosen.copy()
        if node >= 0:
            self._state.choose_node(node, toggle=toggle, add=add)
        elif not (toggle or add):
            self._state.chosen[:] = False
        if (before != self._state.chosen).any():
            self._selection_changed()
            self.subtree_selected.emit(self._state.chosen_leaves)

    @Slot(object)
    def _on_leaves_chosen(self, leaves: NDArray[np.int64]) -> None:
        self._state.chosen[:] = False
        self._state.chosen[leaves] = True
        self._plot.refresh()
        self.subtree_selected.emit(self._state.chosen_leaves)

    @Slot(int, object)
    def _on_menu_requested(self, node: int, where: QPoint) -> None:
        layout, leaves = self._state.layout, self._state.chosen_leaves
        if layout is not None and node >= 0 and not self._state.chosen[layout.leaves(node)].all():
            leaves = layout.leaves(node)
        if len(leaves):
            self.subtree_menu_requested.emit(leaves, where)

    # --- threshold --------------------------------------------------------------------------------

    @Slot(float)
    def _on_dragging(self, threshold: float) -> None:
        self._threshold_changed()
        self.threshold_dragging.emit(threshold)

    @Slot(float)
    def _on_committed(self, threshold: float) -> None:
        self._threshold_changed()
        if self._counts.hasFocus():
            self._plot.setFocus()
        self.threshold_committed.emit(threshold)

    @Slot(float)
    def _on_cancelled(self, threshold: float) -> None:
        self._threshold_changed()
        self.threshold_cancelled.emit(threshold)

    @Slot(float)
    def _commit(self, threshold: float) -> None:
        if threshold != self._state.threshold:
            self._state.threshold = threshold
            self._threshold_changed()
            self.threshold_committed.emit(threshold)
        else:
            self._bar.threshold_changed()

    def _threshold_changed(self) -> None:
        self._plot.refresh()
        self._counts.update()
        self._bar.threshold_changed()
        self._table.threshold_changed()

    # --- looks ------------------------------------------------------------------------------------

    def _tree_changed(self) -> None:
        self._plot.show_tree()
        self._counts.tree_changed()
        self._table.tree_changed()
        self._bar.tree_changed()
        self._show_pages()

    def _show_pages(self) -> None:
        has_tree = self._state.layout is not None and self._state.layout.n_leaves > 1
        self._pages.setCurrentWidget(self._content if has_tree else self._empty)

    @Slot(bool)
    def _on_log_height_wanted(self, log: bool) -> None:
        self.set_log_height(log)
        self.log_height_changed.emit(log)

    @Slot(float)
    def _zoom(self, factor: float) -> None:
        if factor:
            self._plot.zoom_leaves(factor)
        else:
            self._plot.zoom_to_fit()
