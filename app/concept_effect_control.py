"""Between the session, the thread for effects on classes and the tab that shows them."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.code_permission import CodePermission
from app.concept_presentation import present_concepts
from app.jobs.concept_effect_jobs import (
    EffectKey,
    EffectRequest,
    FoundEffect,
    WantedEffect,
    effect_key,
    follow_concepts,
)
from app.jobs.job import Job, JobFailure
from app.jobs.job_threads import InteractiveThread
from app.layer_data import LayerData
from app.model_cache import ModelCache
from app.session import Session
from backend.method.results import Disentanglement
from widgets.classes.concept_effect_card import ConceptCard
from widgets.classes.concept_effect_view import WAITING, ConceptEffectView
from widgets.classes.effect_rows import EffectRows, effect_rows
from widgets.theme import appearance

KEPT_EFFECTS = 256
GATHER_MS = 200
"""While the threshold is dragged, every moment has other concepts: nothing is asked for until it rests."""

NO_CONCEPT = (
    "No concept is kept at these parameters. Lower the smallest cluster size or widen the outlier radius on "
    "the right."
)
ASK_FIRST = (
    "What a concept does to the classes is found out by running the network, whose Python file has not been "
    "allowed to run yet."
)
NOT_COMPUTED = "Not computed: see above."


class ConceptEffectControl(QObject):
    """Follows the concepts of the neuron on show to the classes when somebody looks; keeps the latest.

    Effects are kept by what they depend on, so that only concepts that changed are computed. The newest
    request wins. The network is one of its own: one thread at a time may run a network.

    Signals
    -------
    failed(Job, JobFailure)
        A fault of the program, which the view only names.
    """

    failed = Signal(object, object)

    def __init__(
        self,
        view: ConceptEffectView,
        session: Session,
        thread: InteractiveThread,
        permission: CodePermission,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._session = session
        self._thread = thread
        self._permission = permission
        self._models = ModelCache()
        self._kept: OrderedDict[EffectKey, EffectRows] = OrderedDict()
        self._failures: dict[str, str] = {}
        self._job: Job | None = None
        self._wanted: tuple[EffectKey, ...] = ()
        self._gather = QTimer(self, singleShot=True, interval=GATHER_MS)
        self._gather.timeout.connect(self._request)
        self._connect()

    def _connect(self) -> None:
        session = self._session
        self._view.shown.connect(self._try_again)
        self._view.action_requested.connect(self._ask)
        session.project_changed.connect(self._forget)
        session.layers_changed.connect(self._forget)
        session.layer_loading.connect(self._show_loading)
        session.layer_changed.connect(self._show_layer)
        session.neuron_changed.connect(self._show_neuron)
        session.split_changed.connect(self._update)
        session.analysis_failed.connect(self._show_failure)
        session.names.changed.connect(self._update)
        appearance().changed.connect(self._update)

    # --- what the session says --------------------------------------------------------------------

    @Slot()
    def _forget(self) -> None:
        """Start anew: other images, or another network."""
        self._stop()
        self._kept.clear()
        self._failures.clear()
        self._update()

    @Slot(str)
    def _show_loading(self, name: str) -> None:
        self._stop()
        self._view.set_message(f"Loading {name}…", "")

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        if layer is None:
            self._stop()
            self._view.set_message("")

    @Slot(object)
    def _show_neuron(self, neuron: int | None) -> None:
        self._stop()
        self._view.set_message("" if neuron is None else f"Looking at neuron {neuron}…", "")

    @Slot(object)
    def _show_failure(self, failure: JobFailure) -> None:
        self._stop()
        self._view.set_message(failure.sentence)

    @Slot()
    def _try_again(self) -> None:
        """Coming back to the tab tries anew what failed: a drive may be there by now."""
        self._failures.clear()
        self._update()

    @Slot()
    def _ask(self) -> None:
        project = self._session.project
        if project is not None:
            self._permission.request(project.model_source, self._update)

    @Slot()
    def _update(self) -> None:
        """Show what is known of the concepts on show, if somebody looks, and ask for the rest."""
        session, view = self._session, self._view
        split, project, layer = session.split, session.project, session.layer
        if split is None or project is None or layer is None or not view.isVisible():
            return
        obstacle = project.layer(layer.name).network_obstacle(project.weights_sha256)
        if obstacle:
            self._say(obstacle, "No network")
        elif not split.concepts:
            self._say(split.message or NO_CONCEPT, "No concept")
        elif not self._permission.is_allowed(project.model_source):
            view.set_message(ASK_FIRST, "The network is in a Python file", "Run its Python file…")
        else:
            self._show_cards(split, layer.name)
            self._gather.start()

    def _say(self, sentence: str, title: str) -> None:
        self._stop()
        self._view.set_message(sentence, title)

    def _show_cards(self, split: Disentanglement, layer: str) -> None:
        cards = []
        for presented in present_concepts(split, self._session.names.by_cluster):
            card = ConceptCard(
                presented.cluster, presented.title, presented.color, presented.marker, presented.size
            )
            concept = split.concepts[presented.position]
            cards.append(
                (card, self._kept.get(effect_key(layer, split.member_rows(concept), concept.vector)))
            )
        failure = self._failures.get(layer, "")
        self._view.set_problem(failure if any(rows is None for _, rows in cards) else "")
        self._view.set_cards(cards, NOT_COMPUTED if failure else WAITING)

    # --- requests and answers ---------------------------------------------------------------------

    @Slot()
    def _request(self) -> None:
        session = self._session
        split, project, layer = session.split, session.project, session.layer
        if split is None or project is None or layer is None or layer.name in self._failures:
            return
        if not self._view.isVisible():
            return
        missing = []
        # In the order of the cards.
        for presented in present_concepts(split, session.names.by_cluster):
            concept = split.concepts[presented.position]
            key = effect_key(layer.name, split.member_rows(concept), concept.vector)
            if key not in self._kept:
                paths = tuple(project.image_path(row) for row in key.rows)
                missing.append(WantedEffect(key, paths, concept.vector))
        keys = tuple(wanted.key for wanted in missing)
        if not missing or (self._job is not None and set(keys) <= set(self._wanted)):
            if not missing:
                self._stop()
            return
        request = EffectRequest(
            source=project.model_source,
            allow_code=self._permission.is_allowed(project.model_source),
            layer=layer.name,
            pooling=project.layer(layer.name).binding.pooling,
            class_names=project.class_names,
            concepts=tuple(missing),
        )
        self._wanted = keys
        self._job = self._thread.submit(
            f"Following the concepts of neuron {split.neuron} to the classes",
            partial(follow_concepts, self._models, request),
        )
        self._job.partial.connect(self._take)
        self._job.succeeded.connect(self._end)
        self._job.failed.connect(self._fail)

    def _stop(self) -> None:
        """Give up what is being computed, because it is not what is wanted any more."""
        self._gather.stop()
        if self._job is not None:
            self._job, self._wanted = None, ()
            self._thread.cancel_all()

    @Slot(object)
    def _take(self, found: FoundEffect) -> None:
        if found.key not in self._wanted:
            return
        self._kept[found.key] = effect_rows(found.effect, found.names)
        while len(self._kept) > KEPT_EFFECTS:
            self._kept.popitem(last=False)
        self._update()

    @Slot()
    def _end(self) -> None:
        self._job, self._wanted = None, ()

    @Slot(object)
    def _fail(self, failure: JobFailure) -> None:
        job, layer = self._job, self._session.layer
        self._end()
        if layer is not None:
            self._failures[layer.name] = failure.sentence
        self._update()
        if not failure.expected:
            self.failed.emit(job, failure)
