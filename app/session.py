"""The single truth of the window: project, layer, neuron, parameters and result. Panels are views of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoStack

from app.concept_counts import ConceptCounts
from app.concept_names import ConceptNames
from app.growing_layer import LayerGrowth
from app.hand_adjustments import HandAdjustments
from app.jobs.analysis_jobs import analyse, disentangle_neuron
from app.jobs.extraction_growth import rows_of_unfinished_layers
from app.jobs.job_threads import JobThreads
from app.jobs.layer_jobs import RefreshedLayer, load_layer, refresh_layer
from app.kept_analyses import KeptAnalyses
from app.layer_data import LayerData
from app.neuron_names import NeuronNames
from app.selection import Selection, VisitedNeurons
from app.threshold_choice import threshold_for
from app.undo_commands import SetParameters
from backend.errors import NeuronPrismError
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.parameters import Parameters
from backend.method.results import Disentanglement

if TYPE_CHECKING:
    from backend.project import Freshness, Project

PREVIEW_INTERVAL_MS = 60
"""Least time between two clusterings while the threshold is dragged."""

LAST_VIEW = "last_view"


class Session(QObject):
    """What is open and on show, and the only one to change it.

    Attributes
    ----------
    project, layer, neuron, parameters, split, analysis
        What is on show now; None where there is nothing (yet). ``split`` is steps 1 to 4 of the neuron, which
        arrive first; ``analysis`` adds the evaluation over the whole dataset.
    freshness : Freshness or None
        What changed since the project's activations were computed; None as long as that is not known.
    selection, visited, counts, names, neuron_names, adjustments, growth : QObject
        The parts with signals of their own.
    undo_stack : QUndoStack

    Signals
    -------
    project_changed(Project or None), layers_changed()
    freshness_changed(Freshness or None)
    layer_loading(str), layer_changed(LayerData or None)
    layer_refreshed(LayerData)
        The layer on show has more rows, or was computed again; neuron and parameters are the same.
    neuron_changed(int or None)
    parameters_changed(Parameters)
    threshold_previewed(float)
        While it is dragged; nothing is stored yet.
    split_changed(Disentanglement or None), analysis_changed(NeuronAnalysis or None)
    analysis_failed(JobFailure)
    about_to_change()
        The neuron or its clusters are about to be others: whoever holds unsent edits sends them now.
    problem(str)
        A sentence about something that could not be stored.
    """

    project_changed = Signal(object)
    layers_changed = Signal()
    freshness_changed = Signal(object)
    layer_loading = Signal(str)
    layer_changed = Signal(object)
    layer_refreshed = Signal(object)
    neuron_changed = Signal(object)
    parameters_changed = Signal(object)
    threshold_previewed = Signal(float)
    split_changed = Signal(object)
    analysis_changed = Signal(object)
    analysis_failed = Signal(object)
    about_to_change = Signal()
    problem = Signal(str)

    def __init__(self, threads: JobThreads, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads = threads
        self.project: Project | None = None
        self.freshness: Freshness | None = None
        self.layer: LayerData | None = None
        self.neuron: int | None = None
        self.parameters = Parameters()
        self.split: Disentanglement | None = None
        self.analysis: NeuronAnalysis | None = None
        self.undo_stack = QUndoStack(self)
        self.selection = Selection(self)
        self.visited = VisitedNeurons(self)
        self.counts = ConceptCounts(threads.aside, self)
        self.names = ConceptNames(self)
        self.neuron_names = NeuronNames(self)
        self.adjustments = HandAdjustments(self)
        self.growth = LayerGrowth(threads.interactive, self)
        self._wanted: tuple[str, int | None] | None = None
        self._preview: float | None = None
        self._read_only_said = False
        self._kept = KeptAnalyses()
        self._preview_timer = QTimer(self, singleShot=True, interval=PREVIEW_INTERVAL_MS)
        self._preview_timer.timeout.connect(self._request_preview)

    # The project

    def set_project(self, project: Project | None) -> None:
        """Show another project (already open), or none; the earlier one is the caller's to close."""
        self.about_to_change.emit()
        self.save_view()
        self._threads.interactive.cancel_all()
        self._preview_timer.stop()
        self.counts.set_layer(None)
        self.project, self._wanted, self._read_only_said = project, None, False
        self.set_freshness(None)
        self.undo_stack.clear()
        self.visited.clear()
        self._kept.clear()
        self._clear_layer()
        self.growth.set_rows(rows_of_unfinished_layers(project) if project is not None else {})
        self.project_changed.emit(project)
        self.layers_changed.emit()
        if project is not None:
            self._show_last_view(project)

    def save_view(self) -> None:
        """Note in the project which neuron is on show, for the next start."""
        if self.project is not None and self.layer is not None and not self.project.read_only:
            view = {"layer": self.layer.name, "neuron": self.neuron}
            self.store(lambda project: project.set_setting(LAST_VIEW, view))

    def layer_names(self) -> tuple[str, ...]:
        """Return the layers that can be shown: those whose activations are complete."""
        if self.project is None:
            return ()
        return tuple(record.name for record in self.project.layers if record.complete)

    def can_show(self, name: str) -> bool:
        """Return whether a layer is complete, or has rows to look at."""
        rows = self.growth.rows(name)
        return rows.n_leading > 0 if rows is not None else name in self.layer_names()

    def first_with_rows(self) -> str:
        """Return the first layer that has rows and is not complete, "" if there is none."""
        return next((name for name, rows in self.growth.all_rows().items() if rows.n_leading), "")

    def set_freshness(self, freshness: Freshness | None) -> None:
        """Take what changed since the activations were computed; None: not known."""
        if freshness != self.freshness:
            self.freshness = freshness
            self.freshness_changed.emit(freshness)

    def reload_images(self) -> None:
        """Show every picture anew, because the images are elsewhere now."""
        if self.project is not None and self.layer is not None and not self.project.read_only:
            view = (self.layer.name, self.neuron)
            self._clear_layer()
            self.show_layer(*view)

    def refresh_layers(self) -> None:
        """Look again which layers there are, and at the one on show, after an extraction."""
        self._kept.clear()
        if self.project is not None:
            self.growth.set_rows(rows_of_unfinished_layers(self.project))
        self.layers_changed.emit()
        if self.project is not None and self.layer is None:
            self._show_last_view(self.project)
        elif self.layer is not None:
            self.growth.settle()

    # Layer and neuron

    def show_layer(self, name: str, neuron: int | None = None) -> None:
        """Show a layer, and a neuron of it (default: the one shown last, or the first active one)."""
        if self.project is None:
            return
        if self.layer is not None and self.layer.name == name and self._wanted is None:
            if neuron is not None:
                self.show_neuron(neuron)
            return
        self._wanted = (name, neuron)
        self.layer_loading.emit(name)
        job = self._threads.interactive.submit(f"Loading {name}", partial(load_layer, self.project, name))
        job.succeeded.connect(self._take_layer)
        job.failed.connect(self._forget_wanted)

    @property
    def is_settled(self) -> bool:
        """Whether no layer is being loaded and no threshold dragged."""
        return self._wanted is None and self._preview is None

    def take_refreshed(self, refreshed: RefreshedLayer) -> bool:
        """Go over to the layer on show as it is now; False if something else is on show by now."""
        layer, split = refreshed.layer, refreshed.analysis.disentanglement
        if not self.is_settled or self.layer is None or layer.name != self.layer.name:
            return False
        shown = (self.neuron, self.parameters, self.adjustments.current)
        if shown != (split.neuron, split.parameters, split.adjustments) or self._is_stale(layer):
            return False
        self.about_to_change.emit()
        was_partial = self.layer is not None and self.layer.is_partial
        self.layer = layer
        self._kept.clear()
        if was_partial and not layer.is_partial:
            self._keep_parameters(layer)
        self.layer_refreshed.emit(layer)
        self.counts.set_layer(layer, self.parameters)
        self._take_split(split)
        self._take_analysis(refreshed.analysis)
        return True

    def leave_layer(self) -> None:
        """Show another layer, since the one on show has no rows any more, or none."""
        self._clear_layer()
        if self.project is not None:
            self._show_last_view(self.project)

    def show_neuron(self, neuron: int) -> None:
        """Show a neuron of the layer on show."""
        if self.layer is None or self._wanted is not None or neuron == self.neuron:
            return
        if not 0 <= neuron < self.layer.n_neurons:
            return
        self.about_to_change.emit()
        self._preview = None
        self.neuron = neuron
        self.split = self.analysis = None
        self.selection.clear()
        self.visited.visit(self.layer.name, neuron)
        self.names.set_neuron(self.layer.name, neuron)
        if self._kept_analysis() is not None:
            self.neuron_changed.emit(neuron)
            self._request_analysis()
        else:
            # The worker begins before the panels paint; its answer comes through the event loop.
            self._request_analysis()
            self.neuron_changed.emit(neuron)

    def choose_concept(self, cluster: int) -> None:
        """Select a concept and the images in it; −1 the outliers, −2 the dropped clusters."""
        self.selection.select_concept(cluster)
        if self.split is not None:
            self.selection.select_images(self.split.top.images[self.split.labels == cluster].tolist())

    def go_back(self) -> None:
        """Return to the neuron shown before."""
        self._show_place(self.visited.back())

    def go_forward(self) -> None:
        """Undo :meth:`go_back`."""
        self._show_place(self.visited.forward())

    # Parameters and threshold

    def set_parameters(self, parameters: Parameters) -> None:
        """Change the layer's parameters (undoable)."""
        self._preview_timer.stop()
        dragged, self._preview = self._preview is not None, None
        if self.layer is None or self.neuron is None:
            return
        if parameters != self.parameters:
            self.undo_stack.push(
                SetParameters(self, self.layer.name, self.neuron, self.parameters, parameters)
            )
        elif dragged:
            self.parameters_changed.emit(parameters)
            self.counts.set_parameters(parameters)
            self._request_analysis()

    def commit_threshold(self, threshold: float) -> None:
        """Set d_max, in units of merge height (undoable)."""
        self.set_parameters(replace(self.parameters, distance_threshold=threshold))

    def preview_threshold(self, threshold: float) -> None:
        """Follow d_max while it is dragged: its number at once, clusters throttled, nothing stored."""
        if self.split is None:
            return
        self._preview = threshold
        self.threshold_previewed.emit(threshold)
        if not self._preview_timer.isActive():
            self._preview_timer.start()

    def cancel_preview(self) -> None:
        """Return to the d_max that is stored, after a drag that was given up."""
        self.set_parameters(self.parameters)

    def request_n_clusters(self, n_clusters: int) -> None:
        """Move d_max to the middle of where the tree has this many clusters (or the nearest number)."""
        if self.split is None or not self.split.hierarchy.n_leaves:
            return
        threshold = threshold_for(self.split.hierarchy, n_clusters)
        if threshold is not None:
            self.commit_threshold(threshold)

    # What the undo commands call

    def apply_parameters(self, layer: str, parameters: Parameters) -> None:
        """Store a layer's parameters and, if it is on show, follow them."""
        self.store(lambda project: project.save_parameters(layer, parameters))
        if self.layer is None or self.layer.name != layer:
            return
        self.parameters = parameters
        self.parameters_changed.emit(parameters)
        self.counts.set_parameters(parameters)
        self._request_analysis()

    def analyse_anew(self, layer: str, neuron: int) -> None:
        """Show a neuron whose adjustments are others now."""
        if self.layer is not None and (self.layer.name, self.neuron) == (layer, neuron):
            self._request_analysis()
        else:
            self.show_layer(layer, neuron)

    def forget_analyses(self) -> None:
        """Analyse the neuron on show without anything kept: other images are excluded now."""
        self._kept.clear()
        self._request_analysis()

    def store(self, write: Callable[[Project], object]) -> bool:
        """Write to the project; if that fails, :attr:`problem` says why and False is returned.

        Of a read-only project it is said once; everything then lasts until the project is closed.
        """
        if self.project is None or (self.project.read_only and self._read_only_said):
            return False
        self._read_only_said = self.project.read_only
        try:
            write(self.project)
        except NeuronPrismError as error:
            self.problem.emit(str(error))
            return False
        return True

    # Requests and answers

    def _request_analysis(self) -> None:
        """Show the analysis that the neuron and its parameters ask for: a kept one at once, else a job's."""
        if self.layer is None or self.neuron is None or self._wanted is not None:
            return
        if self._is_stale(self.layer):
            self._request_refresh(self.layer, self.neuron)
            return
        kept = self._kept_analysis()
        if kept is not None:
            self._threads.interactive.cancel_all()
            self._take_split(kept.disentanglement)
            self._take_analysis(kept)
            return
        tree = self._kept.tree(self.layer.name, self.neuron, self.parameters)
        job = self._threads.interactive.submit(
            f"Analysing neuron {self.neuron} of {self.layer.name}",
            partial(
                analyse,
                self.layer,
                self.neuron,
                self.parameters,
                tree,
                adjustments=self.adjustments.current,
            ),
        )
        job.partial.connect(self._take_split)
        job.succeeded.connect(self._take_analysis)
        job.failed.connect(self.analysis_failed)

    def _is_stale(self, layer: LayerData) -> bool:
        """Tell whether a layer was loaded when other images were excluded."""
        return layer.index.excluded != self.adjustments.excluded

    def _kept_analysis(self) -> NeuronAnalysis | None:
        if self.layer is None or self.neuron is None or self._is_stale(self.layer):
            return None
        return self._kept.analysis(self.layer.name, self.neuron, self.parameters, self.adjustments.current)

    def _request_refresh(self, layer: LayerData, neuron: int) -> None:
        """Load the layer anew together with the analysis, since its neurons' top images are others now."""
        if self.project is None:
            return
        job = self._threads.interactive.submit(
            f"Analysing neuron {neuron} of {layer.name}",
            partial(
                refresh_layer,
                self.project,
                layer,
                neuron,
                self.parameters,
                adjustments=self.adjustments.current,
            ),
        )
        job.succeeded.connect(self._take_reloaded)
        job.failed.connect(self.analysis_failed)

    @Slot(object)
    def _take_reloaded(self, refreshed: RefreshedLayer) -> None:
        self.take_refreshed(refreshed)

    @Slot()
    def _request_preview(self) -> None:
        if self._preview is None or self.layer is None or self.neuron is None or self._wanted is not None:
            return
        parameters = replace(self.parameters, distance_threshold=self._preview)
        tree = self._kept.tree(self.layer.name, self.neuron, parameters)
        job = self._threads.interactive.submit(
            f"Clustering neuron {self.neuron} of {self.layer.name}",
            partial(
                disentangle_neuron,
                self.layer,
                self.neuron,
                parameters,
                tree,
                adjustments=self.adjustments.current,
            ),
        )
        job.succeeded.connect(self._take_split)
        self.counts.set_threshold(self._preview)

    @Slot(object)
    def _take_split(self, split: Disentanglement) -> None:
        if self.layer is None:
            return
        self.about_to_change.emit()
        self._kept.keep_tree(self.layer.name, split)
        self.split = split
        self.names.set_split(split)
        self.split_changed.emit(split)

    @Slot(object)
    def _take_analysis(self, analysis: NeuronAnalysis) -> None:
        self._kept.keep(analysis)
        self.analysis = analysis
        self.analysis_changed.emit(analysis)

    @Slot(object)
    def _take_layer(self, data: LayerData) -> None:
        wanted, self._wanted = self._wanted, None
        self.about_to_change.emit()
        self._clear_layer()
        self.layer = data
        self.parameters = data.parameters
        if data.is_partial:
            self._kept.clear()  # they may rest on fewer rows
        self.neuron_names.set_names(data.neuron_names)
        self.adjustments.set_layer(data.adjustments)
        self.layer_changed.emit(data)
        self.parameters_changed.emit(data.parameters)
        self.counts.set_layer(data, data.parameters)
        self.growth.layer_shown()
        neuron = wanted[1] if wanted is not None else None
        self.show_neuron(data.first_neuron() if neuron is None or neuron >= data.n_neurons else neuron)

    @Slot()
    def _forget_wanted(self) -> None:
        """Return to the layer that is still there, since the wanted one cannot be loaded."""
        self._wanted = None
        self.layer_changed.emit(self.layer)
        self.neuron_changed.emit(self.neuron)
        if self.layer is not None:
            self.parameters_changed.emit(self.parameters)
            self.counts.set_parameters(self.parameters)
            self._request_analysis()

    def _keep_parameters(self, layer: LayerData) -> None:
        """Let a layer that is complete now keep the parameters that it was looked at with."""
        suggested = layer.suggestion.parameters() if layer.suggestion is not None else Parameters()
        if self.parameters != suggested:
            self.store(lambda project: project.save_parameters(layer.name, self.parameters))

    def _clear_layer(self) -> None:
        self.layer = self.neuron = self.split = self.analysis = self._preview = None
        self._kept.forget_tree()
        self.neuron_names.set_names({})
        self.adjustments.set_layer({})
        self.selection.clear()
        self.names.set_neuron(None, None)
        self.layer_changed.emit(None)
        self.neuron_changed.emit(None)

    def _show_last_view(self, project: Project) -> None:
        names = self.layer_names()
        view = project.get_setting(LAST_VIEW)
        layer = str(view.get("layer")) if isinstance(view, dict) else ""
        if isinstance(view, dict) and self.can_show(layer) and isinstance(view.get("neuron"), int):
            self.show_layer(layer, view["neuron"])
        elif names:
            self.show_layer(names[0])

    def _show_place(self, place: tuple[str, int] | None) -> None:
        if place is not None:
            self.show_layer(*place)
