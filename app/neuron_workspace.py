"""The centre of the window: the neuron's dendrogram, and its images in tabs below."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, QTimer, Slot
from PySide6.QtWidgets import QMenu, QSplitter, QTabWidget, QVBoxLayout, QWidget

from app.adjustment_menu import add_adjustments
from app.concept_presentation import adjusted_text, numbers_of, present_concepts
from app.excluded_images_dialog import ExcludedImagesDialog
from app.image_items import (
    NEURON_KEY,
    ImageFacts,
    leaf_tooltips,
    member_bands,
    projection_columns,
    top_image_items,
)
from app.jobs.concept_effect_jobs import MOST_IMAGES
from app.jobs.demo_jobs import tour_text
from app.jobs.job import JobFailure
from app.layer_data import LayerData
from app.session import Session
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.parameters import Parameters
from backend.method.results import Disentanglement
from widgets.adjusted_mark import AdjustedMark
from widgets.classes.concept_effect_view import ConceptEffectView
from widgets.dendrogram.dendrogram_view import DendrogramView
from widgets.embedding.embedding_view import EmbeddingView
from widgets.images.image_grid import ImageGrid
from widgets.images.image_viewer import ImageViewer
from widgets.images.max_projecting_view import MaxProjectingView
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import ElidedLabel, secondary_label
from widgets.theme import SPACING, scaled_font
from widgets.visualization.feature_visualization_panel import FeatureVisualizationPanel

SLOW_AFTER_MS = 250
"""The earlier neuron's pictures stay this long; what takes longer is announced."""


class NeuronWorkspace(QWidget):
    """Title line, dendrogram and tabs, all following the session.

    Attributes
    ----------
    dendrogram, members, max_projecting, visualization, embedding, classes
        The parts.
    maps : ProjectionMapDisplay
        Where in the pictures of the grids the concepts are.
    """

    def __init__(self, session: Session, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._thumbnails = thumbnails
        self._viewer: ImageViewer | None = None
        self._facts: ImageFacts | None = None
        self._tree_shown: object = None
        self._columns_of: NeuronAnalysis | None = None
        self._slow = QTimer(self, singleShot=True, interval=SLOW_AFTER_MS)
        self._slow.timeout.connect(self._show_waiting)
        self.title = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self.title.setFont(scaled_font(self.title.font(), 1.15, bold=True))
        self.note = secondary_label()
        self.note.hide()
        self.mark = AdjustedMark()
        self.maps = ProjectionMapDisplay(self)
        self.dendrogram = DendrogramView(thumbnails)
        self.members = ImageGrid(thumbnails, sortable=True, linked=True, maps=self.maps)
        self.max_projecting = MaxProjectingView(thumbnails, maps=self.maps)
        self.visualization = FeatureVisualizationPanel()
        self.embedding = EmbeddingView(thumbnails)
        self.classes = ConceptEffectView(MOST_IMAGES)
        self._arrange()
        self._connect_views()
        self._connect_session()

    def _arrange(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.members, "&Members")
        self.tabs.addTab(self.max_projecting, "Ma&x-projecting")
        self.tabs.addTab(self.visualization, "Feature visualisation")
        self.tabs.addTab(self.embedding, "Em&bedding")
        self.tabs.addTab(self.classes, "C&lasses")
        self.tabs.setTabToolTip(0, "The neuron's top images, one band for each concept")
        self.tabs.setTabToolTip(1, "The images of the whole dataset that project most on each direction")
        self.tabs.setTabToolTip(2, "Pictures optimised to excite the neuron or to show a concept")
        self.tabs.setTabToolTip(3, "The neuron's top images as points of a plane, like ones near each other")
        self.tabs.setTabToolTip(4, "What each concept does to the network's classes")
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(self.dendrogram)
        self.splitter.addWidget(self.tabs)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 2)
        self.splitter.setStretchFactor(1, 3)
        head = QVBoxLayout()
        head.setContentsMargins(SPACING, SPACING, SPACING, 0)
        head.setSpacing(SPACING // 2)
        head.addWidget(self.title)
        head.addWidget(self.mark)
        head.addWidget(self.note)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACING)
        layout.addLayout(head)
        layout.addWidget(self.splitter, 1)

    def _connect_views(self) -> None:
        session, selection = self._session, self._session.selection
        self.dendrogram.threshold_dragging.connect(session.preview_threshold)
        self.dendrogram.threshold_committed.connect(session.commit_threshold)
        self.dendrogram.threshold_cancelled.connect(session.cancel_preview)
        self.dendrogram.subtree_selected.connect(self._select_leaves)
        self.dendrogram.leaf_activated.connect(self._open_leaf)
        self.dendrogram.subtree_menu_requested.connect(self._show_subtree_menu)
        self.members.rows_selected.connect(selection.select_images)
        self.members.band_activated.connect(selection.select_concept)
        self.max_projecting.rows_selected.connect(selection.select_images)
        self.max_projecting.column_activated.connect(self._choose_column)
        self.members.thumbnail_size_changed.connect(self.max_projecting.set_thumbnail_size)
        self.max_projecting.thumbnail_size_changed.connect(self.members.set_thumbnail_size)
        self.tabs.currentChanged.connect(self._show_columns)
        for grid in (self.members, self.max_projecting):
            grid.menu_requested.connect(self._extend_menu)
        self.mark.reset_requested.connect(session.adjustments.reset)
        self.mark.excluded_requested.connect(self.show_excluded)

    def _connect_session(self) -> None:
        session = self._session
        session.project_changed.connect(self._show_project)
        session.layer_loading.connect(self._show_loading)
        session.layer_changed.connect(self._show_layer)
        session.layer_refreshed.connect(self._refresh_layer)
        session.freshness_changed.connect(self._show_changed_images)
        session.neuron_changed.connect(self._show_neuron)
        session.neuron_names.changed.connect(self._update_title)
        session.parameters_changed.connect(self._show_parameters)
        session.threshold_previewed.connect(self._update_title)
        session.split_changed.connect(self._show_split)
        session.adjustments.excluded_changed.connect(self._update_mark)
        session.analysis_changed.connect(self._show_analysis)
        session.analysis_failed.connect(self._show_failure)
        session.names.changed.connect(self._show_names)
        session.selection.images_changed.connect(self._show_selected_images)
        session.selection.concept_changed.connect(self._show_selected_concept)

    # What the session says

    @Slot(object)
    def _show_project(self) -> None:
        project = self._session.project
        self._facts = ImageFacts(project) if project is not None else None

    @Slot(str)
    def _show_loading(self, name: str) -> None:
        self._clear(f"Loading {name}…")

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        suggestion = layer.suggestion if layer is not None else None
        self.dendrogram.set_suggestion(suggestion.distance_threshold if suggestion is not None else None)
        if layer is None:
            self._clear("")

    @Slot(object)
    def _refresh_layer(self, layer: LayerData) -> None:
        """Follow what is suggested; everything else comes with the neuron's new clusters."""
        self._show_layer(layer)
        self._update_title()

    @Slot()
    def _show_changed_images(self) -> None:
        """Mark the images whose files are others now, wherever they are shown."""
        self._update_title()
        freshness, split = self._session.freshness, self._session.split
        outdated = frozenset(freshness.rows) if freshness is not None else frozenset()
        if self._facts is None or outdated == self._facts.outdated:
            return
        self._facts.outdated = outdated
        if split is not None:
            self._tree_shown = None  # its tooltips say it too
            self._show_split(split)
            self._show_names()

    @Slot(object)
    def _show_neuron(self, neuron: int | None) -> None:
        self._update_title()
        if neuron is None:
            self._slow.stop()
        else:
            self.note.hide()
            self._slow.start()

    @Slot()
    def _show_waiting(self) -> None:
        self._clear(f"Looking at neuron {self._session.neuron}…")

    @Slot(object)
    def _show_parameters(self, parameters: Parameters) -> None:
        self.dendrogram.set_threshold(parameters.distance_threshold)
        self._update_title()

    @Slot(object)
    def _show_split(self, split: Disentanglement) -> None:
        if self._facts is None:
            return
        self._slow.stop()
        if split.hierarchy is not self._tree_shown:
            self._show_tree(split, self._facts)
        threshold = split.parameters.distance_threshold
        self.dendrogram.set_leaf_labels(split.labels, numbers_of(split), threshold)
        concepts = present_concepts(split, self._session.names.by_cluster)
        self.members.set_bands(member_bands(split, concepts, self._facts))
        if not len(split.top):
            self.members.set_message(split.message)
        self._show_selected_images(self._session.selection.images)
        self._show_note(split)
        self._update_title()
        self._update_mark()

    @Slot()
    def _update_mark(self) -> None:
        """Say what was done by hand, for as long as it is so."""
        split, adjustments = self._session.split, self._session.adjustments
        text = adjusted_text(split) if split is not None else ""
        self.mark.show_adjustments(text, n_excluded=len(adjustments.excluded))

    def _show_note(self, split: Disentanglement) -> None:
        """Say what is special about the neuron, or what to try at a stop of the demo's tour."""
        layer = self._session.layer
        text = split.message
        # The session's parameters: the line must not come and go while the threshold is dragged.
        suggestion = layer.suggestion if layer is not None else None
        as_suggested = suggestion is not None and self._session.parameters == suggestion.parameters()
        if not text and layer is not None and as_suggested:
            text = tour_text(self._session.project, layer.name, split.neuron)
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_tree(self, split: Disentanglement, facts: ImageFacts) -> None:
        self._tree_shown = split.hierarchy
        rows = [int(row) for row in split.top.images]
        self.dendrogram.set_hierarchy(split.hierarchy, leaf_tooltips(split, facts))
        cosine = split.parameters.metric == "cosine"
        self.dendrogram.set_height_unit("cosine distance" if cosine else "units of activation")
        self.dendrogram.set_leaf_paths([facts.path(row) for row in rows])
        self.dendrogram.set_leaf_classes([facts.label(row) for row in rows])
        self.dendrogram.set_threshold(split.parameters.distance_threshold)
        if not rows:
            self.dendrogram.set_message(split.message)

    @Slot()
    def _show_analysis(self) -> None:
        self._columns_of = None
        self._show_columns()

    @Slot()
    def _show_columns(self) -> None:
        """Fill the max-projecting tab when it can be seen: thousands of pictures are not made for nothing."""
        analysis = self._session.analysis
        if self.tabs.currentWidget() is not self.max_projecting or self._facts is None or analysis is None:
            return
        if analysis is not self._columns_of:
            self._columns_of = analysis
            concepts = present_concepts(analysis.disentanglement, self._session.names.by_cluster)
            self.max_projecting.set_columns(projection_columns(analysis, concepts, self._facts))
        self.max_projecting.set_selected_rows(self._session.selection.images)

    @Slot(object)
    def _show_failure(self, failure: JobFailure) -> None:
        self._slow.stop()
        self._clear(failure.sentence)
        self._update_title()

    @Slot()
    def _show_names(self) -> None:
        split, analysis = self._session.split, self._session.analysis
        if split is None or self._facts is None:
            return
        concepts = present_concepts(split, self._session.names.by_cluster)
        self.members.set_bands(member_bands(split, concepts, self._facts))
        if analysis is not None and analysis.disentanglement is split:
            self._show_analysis()
        self._show_selected_images(self._session.selection.images)

    @Slot(object)
    def _show_selected_images(self, rows: frozenset[int]) -> None:
        self.members.set_selected_rows(rows)
        self.max_projecting.set_selected_rows(rows)
        split = self._session.split
        if split is not None and split.hierarchy is self._tree_shown:  # not while a layer is being loaded
            leaves = np.flatnonzero(np.isin(split.top.images, np.fromiter(rows, np.int64, len(rows))))
            self.dendrogram.set_selected_leaves(leaves.astype(np.int64))

    @Slot(object)
    def _show_selected_concept(self, cluster: int | None) -> None:
        if cluster is not None:
            self.members.scroll_to_band(cluster)
            self.max_projecting.scroll_to_column(cluster)

    @Slot()
    def _update_title(self) -> None:
        self.title.setText(title_line(self._session, self.dendrogram.threshold()))

    # What the user does

    @Slot(object)
    def _select_leaves(self, leaves: NDArray[np.int64]) -> None:
        split, selection = self._session.split, self._session.selection
        if split is None:
            return
        before, rows = selection.images, split.top.images[leaves].tolist()
        selection.select_images(rows)
        added = [row for row in rows if row not in before]
        if added:
            self.members.scroll_to_row(added[0])

    @Slot(int)
    def _open_leaf(self, leaf: int) -> None:
        split = self._session.split
        if split is None or self._facts is None:
            return
        if self._viewer is None:
            self._viewer = ImageViewer(self._thumbnails, self, self.maps)
        self._viewer.show_items(top_image_items(split, self._facts), leaf, split.labels.tolist())

    @Slot(object, object)
    def _show_subtree_menu(self, leaves: NDArray[np.int64], where: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        n = len(leaves)
        select = menu.addAction("Show this image" if n == 1 else f"Show these {n} images")
        select.triggered.connect(partial(self._show_leaves, leaves))
        split = self._session.split
        if split is not None:
            add_adjustments(menu, self._session.adjustments, split.top.images[leaves].tolist())
        menu.popup(where)

    @Slot(object, object)
    def _extend_menu(self, menu: QMenu, rows: tuple[int, ...]) -> None:
        add_adjustments(menu, self._session.adjustments, rows)

    @Slot()
    def show_excluded(self) -> None:
        """Open the excluded images."""
        ExcludedImagesDialog(self._session, self._thumbnails, self).open()

    def _show_leaves(self, leaves: NDArray[np.int64], _checked: bool = False) -> None:
        """Select the images of a subtree and bring the first of them into sight among the members."""
        self._select_leaves(leaves)
        self.tabs.setCurrentWidget(self.members)
        split = self._session.split
        if split is not None and len(leaves):
            self.members.scroll_to_row(int(split.top.images[leaves[0]]))

    @Slot(int)
    def _choose_column(self, key: int) -> None:
        self._session.selection.select_concept(key if key != NEURON_KEY else None)

    def _clear(self, message: str) -> None:
        self._tree_shown = None
        self._columns_of = None
        self.dendrogram.set_hierarchy(None)
        self.dendrogram.set_message(message)
        self.members.set_message(message, "")
        self.max_projecting.set_message(message, "")
        self.note.hide()
        self.mark.hide()


def title_line(session: Session, threshold: float) -> str:
    """Return "Mixed_7b · neuron 35 · 3 clusters at d_max 15.0", as far as it is known."""
    if session.layer is None or session.neuron is None:
        return ""
    name = session.neuron_names.name(session.neuron)
    marks = [session.layer.partial_text, session.freshness.mark if session.freshness is not None else ""]
    parts = [session.layer.name, *filter(None, marks)]
    parts.append(f"neuron {session.neuron}" + (f" “{name}”" if name else ""))
    if session.split is not None and session.split.hierarchy.n_leaves:
        n = session.split.hierarchy.n_clusters(threshold)
        parts.append(f"{n} {'cluster' if n == 1 else 'clusters'} at d_max {threshold:.4g}")
    return " · ".join(parts)
