"""Between the session, the thread for embeddings and the embedding tab."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.concept_presentation import ConceptPresentation, present_concepts
from app.image_items import ImageFacts, member_bands
from app.jobs.embedding_jobs import EmbeddedImages, EmbeddingKey, embed_images
from app.jobs.embedding_process import EmbeddingProcess
from app.jobs.job import Job, JobFailure
from app.jobs.job_threads import InteractiveThread
from app.layer_data import LayerData
from app.session import Session
from backend.errors import NeuronPrismError
from backend.evaluation.embedding_result import METHOD_NAMES
from backend.exchange.atomic_file import atomic_file
from backend.method.results import Disentanglement
from widgets.embedding.embedding_bar import EmbeddingChoice
from widgets.embedding.embedding_state import PointGroup
from widgets.embedding.embedding_view import EmbeddingView
from widgets.images.image_grid import ImageBand
from widgets.theme import appearance

KEPT_PICTURES = 64
PATIENCE_MS = 5000
"""What takes longer is explained."""

SLOW_AFTER_MS = 250
"""The earlier neuron's points stay this long; what takes longer is announced."""


class EmbeddingControl(QObject):
    """Puts the top images of the neuron on show into a plane when somebody looks, and keeps the latest.

    PCA is shown at once, until what was asked for is there. The newest request wins.

    Signals
    -------
    problem(str)
        A sentence about a picture that could not be saved.
    failed(Job, JobFailure)
        A fault of the program, which the view only names.
    """

    problem = Signal(str)
    failed = Signal(object, object)

    def __init__(
        self,
        view: EmbeddingView,
        session: Session,
        thread: InteractiveThread,
        parent: QObject | None = None,
        process: EmbeddingProcess | None = None,
    ) -> None:
        super().__init__(parent)
        self._view = view
        self._session = session
        self._thread = thread
        self._process = process if process is not None else EmbeddingProcess()
        self._facts: ImageFacts | None = None
        self._kept: OrderedDict[EmbeddingKey, EmbeddedImages] = OrderedDict()
        self._shown: EmbeddedImages | None = None
        self._wanted: EmbeddingKey | None = None
        self._job: Job | None = None
        self._takes_long = False
        self._groups: tuple[PointGroup, ...] = ()
        self._slow = QTimer(self, singleShot=True, interval=SLOW_AFTER_MS)
        self._slow.timeout.connect(self._show_waiting)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        self._patience.timeout.connect(self._explain)
        self._connect()
        self._show_project()

    def _connect(self) -> None:
        view, session = self._view, self._session
        view.shown.connect(self._show_split)
        view.choice_changed.connect(self._show_split)
        view.rows_selected.connect(session.selection.select_images)
        view.group_chosen.connect(session.choose_concept)
        view.save_requested.connect(self.save)
        session.project_changed.connect(self._show_project)
        session.layers_changed.connect(self._forget)
        session.layer_loading.connect(self._show_loading)
        session.layer_changed.connect(self._show_layer)
        session.neuron_changed.connect(self._show_neuron)
        session.split_changed.connect(self._show_split)
        session.analysis_failed.connect(self._show_failure)
        session.names.changed.connect(self._show_split)
        session.selection.images_changed.connect(view.set_selected_rows)
        appearance().changed.connect(self._show_split)

    def close(self) -> None:
        """End the process; the thread must have ended before."""
        self._process.close()

    # --- what the session says --------------------------------------------------------------------

    @Slot()
    def _show_project(self) -> None:
        project = self._session.project
        self._facts = ImageFacts(project) if project is not None else None
        self._forget()

    @Slot()
    def _forget(self) -> None:
        self._kept.clear()

    @Slot(str)
    def _show_loading(self, name: str) -> None:
        self._clear(f"Loading {name}…", "")

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        if layer is None:
            self._clear("")

    @Slot(object)
    def _show_neuron(self, neuron: int | None) -> None:
        if neuron is None:
            self._clear("")
        else:
            self._slow.start()

    @Slot()
    def _show_waiting(self) -> None:
        self._clear(f"Looking at neuron {self._session.neuron}…", "")

    @Slot(object)
    def _show_failure(self, failure: JobFailure) -> None:
        self._clear(failure.sentence)

    @Slot()
    def _show_split(self) -> None:
        """Show the points of the split, if somebody looks; ask for those that are not there yet."""
        session, split = self._session, self._session.split
        if split is None or session.layer is None or self._facts is None:
            return
        self._slow.stop()
        if not self._view.isVisible():
            return
        choice = self._view.choice()
        key = embedding_key(session.layer.name, split, choice)
        if not key.images:
            self._clear(split.message if not len(split.top) else _NOTHING_KEPT)
            return
        concepts = present_concepts(split, session.names.by_cluster)
        self._groups = point_groups(member_bands(split, concepts, self._facts), concepts)
        if key in self._kept:
            self._stop()
            self._show(self._kept[key])
            self._view.set_preparing("")
            return
        pca = self._kept.get(key.with_pca())
        meanwhile = self._shown if self._shows(key) else pca
        if meanwhile is not None:
            self._show(meanwhile)
        self._request(key, session.layer, has_pca=pca is not None)

    # --- requests and answers ---------------------------------------------------------------------

    def _request(self, key: EmbeddingKey, layer: LayerData, has_pca: bool) -> None:
        asked = key == self._wanted and self._job is not None
        self._takes_long = self._takes_long and asked
        self._announce(key)
        if asked:
            return
        self._wanted = key
        self._patience.start()
        function = partial(embed_images, self._process, layer.activations, key, has_pca)
        self._job = self._thread.submit(f"Preparing {METHOD_NAMES[key.method]}", function)
        self._job.partial.connect(self._take)
        self._job.succeeded.connect(self._take)
        self._job.failed.connect(self._fail)

    def _announce(self, key: EmbeddingKey) -> None:
        """Say what is on its way, and what is there instead; PCA is there before that could be read."""
        if key.method == "pca":
            self._view.set_preparing("")
            return
        if self._takes_long and key.method == "umap":
            # Only the very first use takes long, or very many images.
            self._view.set_preparing(
                "Preparing UMAP… It is compiled at its very first use, which takes up to half a minute"
            )
            return
        shown = self._shown
        instead = shown is not None and shown.key.method == "pca" and self._shows(key)
        waiting = f"Preparing {METHOD_NAMES[key.method]}…"
        self._view.set_preparing(f"{waiting} PCA is shown meanwhile" if instead else waiting)

    @Slot()
    def _explain(self) -> None:
        """Say why it takes so long, from now on until the picture is there."""
        self._takes_long = True
        if self._wanted is not None:
            self._announce(self._wanted)

    def _shows(self, key: EmbeddingKey) -> bool:
        """Tell whether the same images are on show, by whatever method."""
        return self._shown is not None and self._shown.key.with_pca() == key.with_pca()

    def _stop(self) -> None:
        """Give up what is being prepared, because it is not what is wanted any more."""
        self._patience.stop()
        if self._job is not None:
            self._job = self._wanted = None
            self._thread.cancel_all()

    @Slot(object)
    def _take(self, result: EmbeddedImages) -> None:
        self._kept[result.key] = result
        while len(self._kept) > KEPT_PICTURES:
            self._kept.popitem(last=False)
        wanted = self._wanted
        if wanted is None or result.key not in (wanted, wanted.with_pca()):
            return
        if result.key == wanted:
            self._patience.stop()
            self._job = self._wanted = None
            self._show(result)
            self._view.set_preparing("")
        elif not self._shows(wanted):
            self._show(result)
            self._announce(wanted)

    @Slot(object)
    def _fail(self, failure: JobFailure) -> None:
        self._patience.stop()
        job, self._job, self._wanted = self._job, None, None
        self._view.set_problem(failure.sentence)
        if not failure.expected:
            self.failed.emit(job, failure)

    def _show(self, result: EmbeddedImages) -> None:
        self._shown = result
        session = self._session
        caption = f"{result.key.layer} · neuron {session.neuron}"
        self._view.set_points(self._groups, result.key.images, result.embedding, caption)
        self._view.set_selected_rows(session.selection.images)

    def _clear(self, message: str, title: str = "Nothing to show") -> None:
        self._slow.stop()
        self._stop()
        self._shown = None
        self._view.set_message(message, title)

    # --- the picture ------------------------------------------------------------------------------

    @Slot(str)
    def save(self, file: str) -> None:
        """Write what is on show as PNG or SVG, as the file's suffix says."""
        path = Path(file)
        try:
            with atomic_file(path) as out:
                out.write(self._view.picture("svg" if path.suffix.lower() == ".svg" else "png"))
        except NeuronPrismError as error:
            self.problem.emit(str(error))


_NOTHING_KEPT = (
    "No image is kept at these parameters. Show the outliers, or widen the outlier radius on the right."
)


def embedding_key(layer: str, split: Disentanglement, choice: EmbeddingChoice) -> EmbeddingKey:
    """Return which picture a choice asks for: of all top images, or of those kept in a concept."""
    images = split.top.images if choice.left_out else split.top.images[split.labels >= 0]
    rows = tuple(np.asarray(images).tolist())
    key = EmbeddingKey(layer, rows, split.parameters.metric, choice.method, choice.seed, choice.settings)
    return key.with_pca() if choice.method == "pca" else key


def point_groups(bands: list[ImageBand], concepts: tuple[ConceptPresentation, ...]) -> tuple[PointGroup, ...]:
    """Return the bands of the members as groups of points, with the number that decides their sign."""
    numbers = {concept.cluster: concept.number for concept in concepts}
    return tuple(
        PointGroup(band.key, band.title, numbers.get(band.key, band.key), band.color, band.marker, band.items)
        for band in bands
    )
