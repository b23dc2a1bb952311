"""The single truth of the window: project, layer, neuron, parameters and result. Panels are views of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoStack

from app.concept_counts import ConceptCounts
from app.concept_names import ConceptNames
from app.jobs.analysis_jobs import TreeKind, analyse, disentangle_neuron
from app.jobs.job_threads import JobThreads
from app.jobs.project_jobs import load_layer
from app.layer_data import LayerData
from app.neuron_names import NeuronNames
from app.selection import Selection, VisitedNeurons
from app.threshold_choice import threshold_for
from app.undo_commands import SetParameters
from backend.errors import NeuronPrismError
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.results import Disentanglement

if TYPE_CHECKING:
    from backend.project import Project

PREVIEW_INTERVAL_MS = 60
"""Least time between two clusterings while the threshold is dragged."""

KEPT_ANALYSES = 32
LAST_VIEW = "last_view"


class Session(QObject):
    """What is open and on show, and the only one to change it.

    Attributes
    ----------
    project, layer, neuron, parameters, split, analysis
        What is on show now; None where there is nothing (yet). ``split`` is steps 1 to 4 of the neuron, which
        arrive first; ``analysis`` adds the evaluation over the whole dataset.
    selection, visited, counts, names, neuron_names : QObject
        The parts with signals of their own.
    undo_stack : QUndoStack

    Signals
    -------
    project_changed(Project or None), layers_changed()
    layer_loading(str), layer_changed(LayerData or None)
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
    layer_loading = Signal(str)
    layer_changed = Signal(object)
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
        self._wanted: tuple[str, int | None] | None = None
        self._preview: float | None = None
        self._read_only_said = False
        self._kept: OrderedDict[tuple[str, int, Parameters], NeuronAnalysis] = OrderedDict()
        self._trees: tuple[TreeKind, int, Hierarchy] | None = None
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
        self.undo_stack.clear()
        self.visited.clear()
        self._kept.clear()
        self._clear_layer()
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

    def reload_images(self) -> None:
        """Show every picture anew, because the images are elsewhere now."""
        if self.project is not None and self.layer is not None and not self.project.read_only:
            view = (self.layer.name, self.neuron)
            self._clear_layer()
            self.show_layer(*view)

    def refresh_layers(self) -> None:
        """Look again which layers there are, after an extraction."""
        self._kept.clear()
        self.layers_changed.emit()
        if self.project is not None and self.layer is None:
            self._show_last_view(self.project)

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
        if (self.layer.name, neuron, self.parameters) in self._kept:
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
        """Follow d_max while it is dragged: counts at once, clusters throttled, nothing stored."""
        if self.split is None:
            return
        self._preview = threshold
        self.threshold_previewed.emit(threshold)
        self.counts.set_threshold(threshold)
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
        place = (self.layer.name, self.neuron, self.parameters)
        kept = self._kept.get(place)
        if kept is not None:
            self._kept.move_to_end(place)
            self._threads.interactive.cancel_all()
            self._take_split(kept.disentanglement)
            self._take_analysis(kept)
            return
        tree = self._known_tree(self.parameters)
        job = self._threads.interactive.submit(
            f"Analysing neuron {self.neuron} of {self.layer.name}",
            partial(analyse, self.layer, self.neuron, self.parameters, tree),
        )
        job.partial.connect(self._take_split)
        job.succeeded.connect(self._take_analysis)
        job.failed.connect(self.analysis_failed)

    @Slot()
    def _request_preview(self) -> None:
        if self._preview is None or self.layer is None or self.neuron is None or self._wanted is not None:
            return
        parameters = replace(self.parameters, distance_threshold=self._preview)
        job = self._threads.interactive.submit(
            f"Clustering neuron {self.neuron} of {self.layer.name}",
            partial(disentangle_neuron, self.layer, self.neuron, parameters, self._known_tree(parameters)),
        )
        job.succeeded.connect(self._take_split)

    def _known_tree(self, parameters: Parameters) -> Hierarchy | None:
        if self._trees is None or self.layer is None:
            return None
        kind, neuron, hierarchy = self._trees
        wanted = (TreeKind.of(self.layer.name, parameters), self.neuron)
        return hierarchy if (kind, neuron) == wanted and hierarchy.n_leaves else None

    @Slot(object)
    def _take_split(self, split: Disentanglement) -> None:
        if self.layer is None:
            return
        self.about_to_change.emit()
        self._trees = (TreeKind.of(self.layer.name, split.parameters), split.neuron, split.hierarchy)
        self.split = split
        self.names.set_split(split)
        self.split_changed.emit(split)

    @Slot(object)
    def _take_analysis(self, analysis: NeuronAnalysis) -> None:
        parameters = analysis.disentanglement.parameters
        self._kept[(analysis.layer, analysis.neuron, parameters)] = analysis
        while len(self._kept) > KEPT_ANALYSES:
            self._kept.popitem(last=False)
        self.analysis = analysis
        self.analysis_changed.emit(analysis)

    @Slot(object)
    def _take_layer(self, data: LayerData) -> None:
        wanted, self._wanted = self._wanted, None
        self.about_to_change.emit()
        self._clear_layer()
        self.layer = data
        self.parameters = data.parameters
        self.neuron_names.set_names(data.neuron_names)
        self.layer_changed.emit(data)
        self.parameters_changed.emit(data.parameters)
        self.counts.set_layer(data, data.parameters)
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

    def _clear_layer(self) -> None:
        self.layer = self.neuron = self.split = self.analysis = self._trees = self._preview = None
        self.neuron_names.set_names({})
        self.selection.clear()
        self.names.set_neuron(None, None)
        self.layer_changed.emit(None)
        self.neuron_changed.emit(None)

    def _show_last_view(self, project: Project) -> None:
        names = self.layer_names()
        if not names:
            return
        view = project.get_setting(LAST_VIEW)
        layer = view.get("layer") if isinstance(view, dict) else None
        if isinstance(view, dict) and layer in names and isinstance(view.get("neuron"), int):
            self.show_layer(str(layer), view["neuron"])
        else:
            self.show_layer(names[0])

    def _show_place(self, place: tuple[str, int] | None) -> None:
        if place is not None:
            self.show_layer(*place)
