"""The panels that show a project: workspace, neurons and concepts, each made when it is first asked for.

Importing and making them takes longer than all the rest of the window, and the welcome page needs none: the
window is painted first. :mod:`app.warm_up` makes them behind it; opening a project makes what is missing yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from widgets.images.image_order import IMAGE_ORDERS

if TYPE_CHECKING:
    from app.concept_effect_control import ConceptEffectControl
    from app.concept_panel import ConceptPanel
    from app.embedding_control import EmbeddingControl
    from app.main_window import MainWindow
    from app.neuron_panel import NeuronPanel
    from app.neuron_workspace import NeuronWorkspace
    from app.projection_map_control import ProjectionMapControl
    from app.visualization_control import VisualizationControl

WORKSPACE_SIZES = [320, 400]
"""Height of the dendrogram and of the tabs below it, in pixels."""

CONCEPT_SIZES = [380, 340]
"""Height of the concepts and of the parameters below them, in pixels."""

Choice = TypeVar("Choice")

_IN_ORDER = (
    "workspace",
    "neurons",
    "concepts",
    "visualization",
    "embedding",
    "projection_maps",
    "concept_effects",
)


class ProjectPanels:
    """Makes each panel once, in its place, arranged as the user left it.

    Attributes
    ----------
    workspace : NeuronWorkspace
    neurons : NeuronPanel
    concepts : ConceptPanel
    visualization : VisualizationControl
    embedding : EmbeddingControl
    projection_maps : ProjectionMapControl
    concept_effects : ConceptEffectControl
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def make_next(self) -> bool:
        """Make one panel that is not there yet; returns whether any is missing still."""
        for name in _IN_ORDER:
            if not self._has(name):
                getattr(self, name)
                break
        return not all(map(self._has, _IN_ORDER))

    def make_all(self) -> None:
        """Make what is missing: before a project is shown, since panels follow the session from then on."""
        while self.make_next():
            pass

    @cached_property
    def workspace(self) -> NeuronWorkspace:
        """Dendrogram and images: a page of the window's centre."""
        from app.image_finder import ImageFinder
        from app.neuron_workspace import NeuronWorkspace

        window, settings = self._window, self._window.settings
        workspace = NeuronWorkspace(window.session, window.thumbnails)
        finder = ImageFinder(workspace, window.session)
        window.navigation.search.images_found.connect(finder.bring_into_sight)
        workspace.splitter.setSizes(WORKSPACE_SIZES)
        workspace.splitter.restoreState(settings.bytes("window/workspace"))
        workspace.dendrogram.set_log_height(settings.flag("dendrogram/log_height", False))
        workspace.dendrogram.log_height_changed.connect(window.follow_log_height)
        workspace.max_projecting.set_held_out(settings.flag("max_projecting/held_out", False))
        workspace.members.set_order(_one_of(IMAGE_ORDERS, settings.number("images/order", 0)))
        for grid in (workspace.members, workspace.max_projecting):
            grid.set_thumbnail_size(settings.number("images/size", grid.thumbnail_size()))
        workspace.tabs.setCurrentIndex(settings.number("window/tab", 0))
        window.stack.addWidget(workspace)
        return workspace

    @cached_property
    def neurons(self) -> NeuronPanel:
        """The layer and its neurons, in the left dock."""
        from app.neuron_panel import NeuronPanel

        panel = NeuronPanel(self._window.session, self._window.thumbnails)
        panel.browser.restore_state(self._window.settings.bytes("window/neurons"))
        panel.follow_extraction(self._window.projects.extraction)
        self._window.neurons_dock.setWidget(panel)
        return panel

    @cached_property
    def concepts(self) -> ConceptPanel:
        """The neuron's concepts and the parameters, in the right dock."""
        from app.concept_panel import ConceptPanel

        panel = ConceptPanel(self._window.session)
        panel.splitter.setSizes(CONCEPT_SIZES)
        panel.splitter.restoreState(self._window.settings.bytes("window/concepts"))
        self._window.concepts_dock.setWidget(panel)
        return panel

    @cached_property
    def visualization(self) -> VisualizationControl:
        """Renders feature visualisations for the workspace's tab."""
        from app.visualization_control import VisualizationControl

        window = self._window
        control = VisualizationControl(
            self.workspace.visualization,
            window.session,
            window.threads.long_work,
            window.models,
            window.permission,
            window,
        )
        control.problem.connect(window.show_problem)
        return control

    @cached_property
    def embedding(self) -> EmbeddingControl:
        """Puts the neuron's images into a plane for the workspace's tab."""
        from app.embedding_choice import chosen_embedding
        from app.embedding_control import EmbeddingControl

        window, view = self._window, self.workspace.embedding
        view.set_choice(chosen_embedding(window.settings))
        control = EmbeddingControl(view, window.session, window.threads.embedding, window)
        control.problem.connect(window.show_problem)
        control.failed.connect(window.show_job_failure)
        return control

    @cached_property
    def projection_maps(self) -> ProjectionMapControl:
        """Finds out where in the workspace's pictures the concepts are."""
        from app.projection_map_control import ProjectionMapControl

        window, maps = self._window, self.workspace.maps
        maps.set_opacity(window.settings.number("images/map_opacity", round(maps.opacity * 100)) / 100)
        control = ProjectionMapControl(maps, window.session, window.threads.maps, window.permission, window)
        control.failed.connect(window.show_job_failure)
        return control

    @cached_property
    def concept_effects(self) -> ConceptEffectControl:
        """Follows the neuron's concepts to the classes for the workspace's tab."""
        from app.concept_effect_control import ConceptEffectControl

        window, view = self._window, self.workspace.classes
        thread = window.threads.concept_effects
        control = ConceptEffectControl(view, window.session, thread, window.permission, window)
        control.failed.connect(window.show_job_failure)
        return control

    def reset_splitters(self) -> None:
        """Part the panels as at the first start."""
        if self._has("workspace"):
            self.workspace.splitter.setSizes(WORKSPACE_SIZES)
        if self._has("concepts"):
            self.concepts.splitter.setSizes(CONCEPT_SIZES)

    def save_arrangement(self, *, shown: bool) -> None:
        """Remember how the panels are arranged; splitters only while they are ``shown``."""
        settings = self._window.settings
        if self._has("workspace"):
            settings.set_number("images/size", self.workspace.members.thumbnail_size())
            settings.set_number("images/order", IMAGE_ORDERS.index(self.workspace.members.order()))
            settings.set_number("images/map_opacity", round(self.workspace.maps.opacity * 100))
            settings.set_number("window/tab", self.workspace.tabs.currentIndex())
            settings.set_flag("max_projecting/held_out", self.workspace.max_projecting.is_held_out())
            self._save_embedding_choice()
        if self._has("neurons"):
            settings.set_bytes("window/neurons", self.neurons.browser.save_state())
        if shown:
            settings.set_bytes("window/workspace", self.workspace.splitter.saveState())
            settings.set_bytes("window/concepts", self.concepts.splitter.saveState())

    def end_processes(self) -> None:
        """End the processes that panels started; their threads must have ended."""
        if self._has("embedding"):
            self.embedding.close()

    def _save_embedding_choice(self) -> None:
        from app.embedding_choice import save_embedding_choice

        save_embedding_choice(self._window.settings, self.workspace.embedding.choice())

    def _has(self, name: str) -> bool:
        return name in self.__dict__


def _one_of(choices: Sequence[Choice], position: int) -> Choice:
    """Return a choice that was saved by its place, the first if there is no such place."""
    return choices[position] if 0 <= position < len(choices) else choices[0]
