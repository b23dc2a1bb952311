"""Between the session, the thread for projection maps and the grids that show them."""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.code_permission import CodePermission
from app.concept_presentation import present_concepts
from app.image_items import NEURON_KEY
from app.jobs.job import Job, JobFailure
from app.jobs.job_threads import InteractiveThread
from app.jobs.projection_map_jobs import FoundMaps, MapRequest, PreparedLayer, map_projections
from app.session import Session
from backend.method.adjustments import LEFT_OUT
from backend.method.results import DROPPED, OUTLIER, Disentanglement
from widgets.images.projection_map_display import MAXIMUM_MAP_BYTES, MapDirection, ProjectionMapDisplay

GATHER_MS = 40
"""Wishes are gathered this long: while scrolling, every step has others."""

NO_NEURON = "Choose a neuron first."
NOT_ALLOWED = (
    "The network is in a Python file that was not allowed to run: switch this off and on again (H) to be "
    "asked once more."
)
_OF_THE_NEURON = (NEURON_KEY, OUTLIER, DROPPED, LEFT_OUT)
"""Bands whose pictures have no concept of their own: they are looked through for the neuron itself."""


class ProjectionMapControl(QObject):
    """Finds out where the directions of the bands are in the pictures in sight; the newest wishes win.

    Signals
    -------
    failed(Job, JobFailure)
        A fault of the program, which the grids only name.
    """

    failed = Signal(object, object)

    def __init__(
        self,
        display: ProjectionMapDisplay,
        session: Session,
        thread: InteractiveThread,
        permission: CodePermission,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._display = display
        self._session = session
        self._thread = thread
        self._permission = permission
        self._prepared = PreparedLayer()
        self._vectors: dict[int, NDArray[np.float64]] = {}
        self._layer = ""
        self._failures: dict[str, str] = {}
        self._job: Job | None = None
        self._gather = QTimer(self)
        self._gather.setSingleShot(True)
        self._gather.setInterval(GATHER_MS)
        self._gather.timeout.connect(self._request)
        display.wanted_changed.connect(self._gather.start)
        display.switched.connect(self._on_switched)
        session.project_changed.connect(self._forget)
        session.layers_changed.connect(self._forget)
        session.layer_changed.connect(self._update)
        session.neuron_changed.connect(self._update)
        session.split_changed.connect(self._update)
        session.names.changed.connect(self._update)
        self._update()

    # --- what the session says --------------------------------------------------------------------

    @Slot()
    def _forget(self) -> None:
        """Start anew: other images, or another network."""
        self._stop()
        self._failures.clear()
        self._layer = ""
        self._display.clear()
        self._update()

    @Slot()
    def _update(self) -> None:
        """Follow layer, neuron and concepts: maps of vectors that are no more are not waited for."""
        session, display = self._session, self._display
        layer, split = session.layer, session.split
        if layer is None or split is None:
            self._stop()
            self._vectors = {}
            display.set_directions({})
            # While a neuron is being analysed the controls stay as they are.
            display.set_status(obstacle=NO_NEURON if session.neuron is None else self._display.obstacle)
            return
        if layer.name != self._layer:
            self._layer = layer.name
            display.set_receptive_field(None)
        titles = {
            presented.cluster: presented.title
            for presented in present_concepts(split, session.names.by_cluster)
        }
        before = {band: display.direction(band) for band in self._vectors}
        self._vectors = band_vectors(split, layer.n_neurons)
        directions = {
            band: MapDirection(direction_key(layer.name, vector), titles.get(band, f"neuron {split.neuron}"))
            for band, vector in self._vectors.items()
        }
        display.set_directions(directions)
        if {one.key for one in before.values() if one is not None} != {d.key for d in directions.values()}:
            self._stop()
        display.set_status(obstacle=self._obstacle(), note=self._failures.get(self._layer, ""))
        self._gather.start()

    def _obstacle(self) -> str:
        project = self._session.project
        if project is None:
            return NO_NEURON
        return project.layer(self._layer).network_obstacle(project.weights_sha256)

    # --- requests and answers ---------------------------------------------------------------------

    @Slot(bool)
    def _on_switched(self, on: bool) -> None:
        project = self._session.project
        if on and project is not None and not self._display.obstacle:
            self._failures.pop(self._layer, None)  # switching it on anew tries anew
            self._display.set_status(note=NOT_ALLOWED if self._must_ask else "")
            self._permission.request(project.model_source, self._gather.start)

    @property
    def _must_ask(self) -> bool:
        project = self._session.project
        return project is not None and not self._permission.is_allowed(project.model_source)

    @Slot()
    def _request(self) -> None:
        display, project, layer = self._display, self._session.project, self._session.layer
        if project is None or layer is None or not self._vectors or display.obstacle:
            return
        missing = display.missing()
        if not missing and not display.misses_field:
            self._stop()
            display.set_status()
            return
        reason = NOT_ALLOWED if self._must_ask else self._failures.get(self._layer, "")
        if reason:
            display.set_status(note=reason)
            return
        bands = tuple(dict.fromkeys(band for band, _ in missing)) or (NEURON_KEY,)
        wanted: dict[int, tuple[int, ...]] = {}
        for band, row in missing:
            wanted[row] = (*wanted.get(row, ()), bands.index(band))
        request = MapRequest(
            source=project.model_source,
            allow_code=True,
            layer=layer.name,
            pooling=project.layer(layer.name).binding.pooling,
            images=tuple((row, project.image_path(row)) for row in wanted),
            wanted=wanted,
            keys=tuple(direction_key(layer.name, self._vectors[band]) for band in bands),
            vectors=np.stack([self._vectors[band] for band in bands]),
            with_field=display.misses_field,
            maximum_bytes=MAXIMUM_MAP_BYTES // 2,
        )
        self._submit(request)

    def _submit(self, request: MapRequest) -> None:
        function = partial(map_projections, self._prepared, request)
        self._job = self._thread.submit("Looking where concepts are", function)
        self._job.partial.connect(self._take)
        self._job.succeeded.connect(self._end)
        self._job.failed.connect(self._fail)
        self._say_progress()

    def _stop(self) -> None:
        """Give up what is being looked for, because nobody wants it any more."""
        self._gather.stop()
        if self._job is not None:
            self._job = None
            self._thread.cancel_all()

    @Slot(object)
    def _take(self, found: FoundMaps) -> None:
        if found.layer != self._layer:
            return
        if found.field is not None:
            self._display.set_receptive_field(found.field)
            return
        for key, one in found.maps:
            self._display.add_map(key, found.row, one)
        if found.reason:
            self._display.add_failure(found.row, found.reason)
        self._say_progress()

    def _say_progress(self) -> None:
        missing, wanted = len(self._display.missing()), self._display.n_wanted
        if self._job is None or not missing:
            self._display.set_status()
        elif missing == wanted:
            self._display.set_status(note="Looking where it is: preparing the network…")
        else:
            self._display.set_status(note=f"Looking where it is: {wanted - missing} of {wanted} pictures")

    @Slot()
    def _end(self) -> None:
        self._job = None
        self._display.set_status()

    @Slot(object)
    def _fail(self, failure: JobFailure) -> None:
        job, self._job = self._job, None
        self._failures[self._layer] = failure.sentence
        self._display.set_status(note=failure.sentence)
        if not failure.expected:
            self.failed.emit(job, failure)


def band_vectors(split: Disentanglement, n_neurons: int) -> dict[int, NDArray[np.float64]]:
    """Return the direction of each band, by its key: a concept's vector, else the neuron's own.

    Returns
    -------
    dict of int to ndarray of float64, shape (n_neurons,)
    """
    neuron: NDArray[np.float64] = np.zeros(n_neurons)
    neuron[split.neuron] = 1.0
    vectors: dict[int, NDArray[np.float64]] = dict.fromkeys(_OF_THE_NEURON, neuron)
    vectors.update({concept.cluster: concept.vector for concept in split.concepts})
    return vectors


def direction_key(layer: str, vector: NDArray[np.float64]) -> str:
    """Return what tells a direction of a layer from every other."""
    return f"{layer}/{hashlib.sha256(vector.tobytes()).hexdigest()[:24]}"
