"""The right side of the window: the neuron's concepts, and the parameters they were found with."""

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.concept_presentation import (
    ConceptPresentation,
    count_left_out,
    count_outliers,
    dropped_sizes,
    present_concepts,
)
from app.image_items import similarity_summary, similarity_tooltip
from app.layer_data import LayerData
from app.outlier_radius_hint import hint_text, radius_that_keeps_members
from app.session import Session
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.parameters import Parameters
from widgets.concepts.concept_list import ConceptEntry, ConceptList
from widgets.parameters.parameters_panel import ParametersPanel
from widgets.quantity_text import activation_text
from widgets.theme import SPACING


class ConceptPanel(QWidget):
    """Concept list above the parameters, both following the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.concepts = ConceptList()
        self.parameters = ParametersPanel()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.parameters)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it follows the focus of what it holds
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.addWidget(_with_margins(self.concepts))
        self.splitter.addWidget(scroll)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self._connect()
        self._show_layer(None)

    def _connect(self) -> None:
        session = self._session
        self.concepts.name_edited.connect(session.names.set_name)
        self.concepts.notes_edited.connect(session.names.set_notes)
        self.concepts.concept_selected.connect(session.choose_concept)
        self.concepts.hint_accepted.connect(self._use_wider_radius)
        self.parameters.parameters_changed.connect(session.set_parameters)
        self.parameters.n_clusters_requested.connect(session.request_n_clusters)
        session.about_to_change.connect(self.concepts.flush)
        session.layer_changed.connect(self._show_layer)
        session.neuron_changed.connect(self._show_nothing)
        session.parameters_changed.connect(self._show_parameters)
        session.threshold_previewed.connect(self._preview_threshold)
        session.split_changed.connect(self._show_concepts)
        session.analysis_changed.connect(self._show_concepts)
        session.names.changed.connect(self._update_names)
        session.selection.concept_changed.connect(self.concepts.select_concept)

    @Slot()
    def _use_wider_radius(self) -> None:
        split = self._session.split
        radius = radius_that_keeps_members(split) if split is not None else None
        if split is not None and radius is not None:
            self._session.set_parameters(replace(split.parameters, outlier_radius_squared=radius))

    @Slot()
    def _show_nothing(self) -> None:
        self.concepts.set_hint("", "")
        if self._session.neuron is None:
            self.concepts.set_message("No neuron chosen", "Its concepts are listed here.")
        else:
            self.concepts.set_concepts(())
        self.parameters.set_n_clusters(None)
        self.parameters.set_threshold_range(None)

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        self.parameters.setEnabled(layer is not None)
        if layer is None:
            self.parameters.show_nothing()
        else:
            self.parameters.set_suggestion(layer.suggestion)

    @Slot(object)
    def _show_parameters(self, parameters: Parameters) -> None:
        self.parameters.set_parameters(parameters)

    @Slot(float)
    def _preview_threshold(self, threshold: float) -> None:
        self.parameters.set_distance_threshold(threshold)
        split = self._session.split
        if split is not None:
            self.parameters.set_n_clusters(split.hierarchy.n_clusters(threshold), split.hierarchy.n_leaves)

    @Slot()
    def _show_concepts(self) -> None:
        split, analysis = self._session.split, self._session.analysis
        if split is None:
            return
        evaluated = analysis if analysis is not None and analysis.disentanglement is split else None
        entries = [
            ConceptEntry(
                cluster=concept.cluster,
                size=concept.size,
                name=concept.name,
                notes=concept.notes,
                color=concept.color,
                marker=concept.marker,
                summary=_summary(evaluated, concept),
                tooltip=similarity_tooltip(evaluated, concept.position) if evaluated is not None else "",
            )
            for concept in present_concepts(split, self._session.names.by_cluster)
        ]
        if len(split.top):
            self.concepts.set_concepts(
                entries,
                count_outliers(split),
                dropped_sizes(split),
                split.parameters.min_cluster_size,
                count_left_out(split),
            )
        else:
            self.concepts.set_message("No concepts", split.message)
        if self._session.selection.concept is not None:
            self.concepts.select_concept(self._session.selection.concept)
        radius = radius_that_keeps_members(split)
        if radius is None:
            self.concepts.set_hint("", "")
        else:
            self.concepts.set_hint(hint_text(split), f"Use {activation_text(radius)}")
        heights = split.hierarchy.merge_heights
        self.parameters.set_threshold_range(float(heights[-1]) if len(heights) else None)
        self.parameters.set_n_clusters(split.n_clusters, split.hierarchy.n_leaves)

    @Slot(object)
    def _update_names(self) -> None:
        split = self._session.split
        if split is None:
            return
        for concept in present_concepts(split, self._session.names.by_cluster):
            self.concepts.update_text(concept.cluster, concept.name, concept.notes)


def _summary(analysis: NeuronAnalysis | None, concept: ConceptPresentation) -> str:
    parts = ["by hand"] if concept.made_by_hand else []
    if analysis is not None:
        parts.append(similarity_summary(analysis, concept.position))
    return " · ".join(parts)


def _with_margins(widget: QWidget) -> QWidget:
    frame = QWidget()
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(SPACING, SPACING, SPACING, SPACING // 2)
    layout.addWidget(widget)
    return frame
