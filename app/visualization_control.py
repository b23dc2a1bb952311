"""Between the session, the long-work thread and the feature visualisation tab."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QImage

from app.code_permission import CodePermission
from app.concept_presentation import present_concepts
from app.jobs.job import Job, JobFailure
from app.jobs.job_threads import QueueThread
from app.jobs.visualization_jobs import visualise
from app.model_cache import ModelCache
from app.session import Session
from backend.method.results import Concept, Disentanglement
from backend.visualization.visualization_result import (
    Direction,
    FeatureVisualization,
    VisualizationSettings,
)
from widgets.visualization.feature_visualization_panel import FeatureVisualizationPanel, VisualizationCard

KEPT_RESULTS = 32


class VisualizationControl(QObject):
    """Gives the panel its cards, runs what it asks for, and keeps the latest pictures.

    A card's key tells the direction by what it was made from, so that a picture never stays beside a concept
    that has other members by now, and returns when the user comes back to the neuron.

    Signals
    -------
    problem(str)
        A sentence about a picture that could not be saved.
    """

    problem = Signal(str)

    def __init__(
        self,
        panel: FeatureVisualizationPanel,
        session: Session,
        long_work: QueueThread,
        models: ModelCache,
        permission: CodePermission,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._session = session
        self._long_work = long_work
        self._models = models
        self._permission = permission
        self._job: Job | None = None
        self._obstacle = ""
        self._results: OrderedDict[tuple[str, ...], FeatureVisualization] = OrderedDict()
        panel.start_requested.connect(self.start)
        panel.cancel_requested.connect(self.cancel)
        panel.save_requested.connect(self.save)
        session.project_changed.connect(self._forget)
        session.neuron_changed.connect(self._show_cards)
        session.analysis_changed.connect(self._show_cards)
        session.names.changed.connect(self._show_cards)

    @Slot(object)
    def start(self, settings: VisualizationSettings) -> None:
        """Render the neuron and its concepts."""
        project = self._session.project
        if project is not None and self._session.split is not None:
            self._permission.request(project.model_source, partial(self._submit, settings))

    @Slot()
    def cancel(self) -> None:
        """Stop; the pictures so far stay."""
        if self._job is not None:
            self._long_work.cancel(self._job)

    @Slot(str, str)
    def save(self, key: str, file: str) -> None:
        """Write a card's picture as PNG."""
        image = self._panel.image(key)
        path = Path(file).with_suffix(".png")
        if isinstance(image, QImage) and not image.save(str(path)):
            self.problem.emit(
                f"The picture could not be written to {path}: choose a folder that can be written."
            )

    def _submit(self, settings: VisualizationSettings) -> None:
        project, split, layer = self._session.project, self._session.split, self._session.layer
        if project is None or split is None or layer is None or self._job is not None:
            return
        directions = tuple(_directions(layer.name, split))
        function = partial(
            visualise,
            self._models,
            project.model_source,
            self._permission.is_allowed(project.model_source),
            layer.name,
            directions,
            settings,
            project.layer(layer.name).binding.pooling,
        )
        self._job = self._long_work.submit(f"Visualising neuron {split.neuron}", function, unit="step")
        self._job.partial.connect(self._take)
        self._job.succeeded.connect(self._take)
        self._job.failed.connect(self._fail)
        self._job.ended.connect(self._end)
        self._panel.set_running(True)
        self._panel.set_message("")

    @Slot(object)
    def _take(self, result: FeatureVisualization) -> None:
        self._results[result.keys] = result
        self._results.move_to_end(result.keys)
        while len(self._results) > KEPT_RESULTS:
            self._results.popitem(last=False)
        self._panel.update_images(result)

    @Slot(object)
    def _fail(self, failure: JobFailure) -> None:
        self._panel.set_message(failure.sentence)

    @Slot()
    def _end(self) -> None:
        self._job = None
        self._panel.set_running(False)

    @Slot()
    def _forget(self) -> None:
        self._results.clear()
        self._models.clear()

    @Slot()
    def _show_cards(self) -> None:
        split, layer = self._session.split, self._session.layer
        if split is None or layer is None:
            self._panel.set_cards(())
            self._panel.set_available(False, "Choose a neuron first.")
            self._say_obstacle("")
            return
        cards = [VisualizationCard(_neuron_key(layer.name, split.neuron), f"Neuron {split.neuron}")]
        for presented in present_concepts(split, self._session.names.by_cluster):
            key = _concept_key(layer.name, split, split.concepts[presented.position])
            size = f"{presented.size} images"
            cards.append(VisualizationCard(key, presented.title, presented.color, presented.marker, size))
        self._panel.set_cards(cards)
        project = self._session.project
        obstacle = (
            "" if project is None else project.layer(layer.name).network_obstacle(project.weights_sha256)
        )
        self._panel.set_available(not obstacle, obstacle)
        self._say_obstacle(obstacle)
        wanted = {card.key for card in cards}
        for keys, result in self._results.items():
            if wanted & set(keys):
                self._panel.update_images(result)

    def _say_obstacle(self, obstacle: str) -> None:
        """Say above the cards why nothing can be rendered; other messages stay until that changes."""
        if obstacle != self._obstacle:
            self._obstacle = obstacle
            self._panel.set_message(obstacle)


def _directions(layer: str, split: Disentanglement) -> list[Direction]:
    directions = [Direction(_neuron_key(layer, split.neuron), neuron=split.neuron)]
    for concept in split.concepts:
        directions.append(Direction(_concept_key(layer, split, concept), vector=concept.vector))
    return directions


def _neuron_key(layer: str, neuron: int) -> str:
    return f"{layer}/{neuron}"


def _concept_key(layer: str, split: Disentanglement, concept: Concept) -> str:
    members = hashlib.sha256(split.member_rows(concept).tobytes()).hexdigest()[:16]
    return f"{layer}/{split.neuron}/{members}"
