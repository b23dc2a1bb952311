"""The number of clusters of every neuron of a layer, at whatever threshold is asked for."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal, Slot

from app.jobs.analysis_jobs import MergeHeights, TreeKind, sweep_merge_heights
from app.jobs.job import Job, JobFunction
from app.jobs.job_threads import QueueThread
from app.layer_data import LayerData
from app.processor_threads import run_at_low_priority
from backend.method.parameters import Parameters
from backend.task import Task

UNKNOWN = -1


class ConceptCounts(QObject):
    """Sweeps a layer's trees in the background, once for each kind of tree.

    The merge heights are kept, so that another threshold needs no sweep: the counts are a comparison away.

    Signals
    -------
    changed(ndarray of int64, shape (d,))
        Number of clusters of each neuron at the current threshold, −1 where it is not known yet.
    failed(JobFailure)
        A sweep broke off.
    """

    changed = Signal(object)
    failed = Signal(object)

    def __init__(self, thread: QueueThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = thread
        self._layer: LayerData | None = None
        self._kind: TreeKind | None = None
        self._threshold = 0.0
        self._heights: NDArray[np.float64] = np.empty((0, 0))
        self._known: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._job: Job | None = None

    def set_layer(self, layer: LayerData | None, parameters: Parameters | None = None) -> None:
        """Follow another layer, or none."""
        self._stop()
        self._layer, self._kind = layer, None
        if layer is not None and parameters is not None:
            self.set_parameters(parameters)

    def set_parameters(self, parameters: Parameters) -> None:
        """Follow other parameters: a sweep only if the trees are others."""
        if self._layer is None:
            return
        self._threshold = parameters.distance_threshold
        kind = TreeKind.of(self._layer.name, parameters)
        if kind != self._kind:
            self._stop()
            self._kind = kind
            n_merges = max(0, min(parameters.top_n, self._layer.index.statistics.n_images) - 1)
            self._heights = np.full((self._layer.n_neurons, n_merges), np.nan)
            self._known = np.zeros(self._layer.n_neurons, dtype=bool)
            self._sweep(parameters)
        self.changed.emit(self.counts())

    def set_threshold(self, threshold: float) -> None:
        """Count at another threshold."""
        self._threshold = threshold
        if self._layer is not None:
            self.changed.emit(self.counts())

    def counts(self) -> NDArray[np.int64]:
        """Return int64 (d,): clusters at the current threshold, 0 for a neuron without a tree, −1 unknown."""
        with_tree = ~np.isnan(self._heights).any(axis=1)
        counts = np.where(with_tree, 1 + (self._heights >= self._threshold).sum(axis=1), 0)
        counts[~self._known] = UNKNOWN
        return counts.astype(np.int64)

    def _sweep(self, parameters: Parameters) -> None:
        assert self._layer is not None
        neurons = np.flatnonzero(~self._known).astype(np.int64)
        sweep = partial(sweep_merge_heights, self._layer, parameters, neurons)
        function = partial(_run_behind_the_window, sweep)
        self._job = self._thread.submit("Counting clusters", function, background=True, quiet=True)
        self._job.partial.connect(self._take)
        self._job.failed.connect(self.failed)

    def _stop(self) -> None:
        if self._job is not None:
            job, self._job = self._job, None
            job.partial.disconnect(self._take)
            self._thread.cancel(job)

    @Slot(object)
    def _take(self, found: MergeHeights) -> None:
        if found.kind != self._kind:
            return
        self._heights[found.neurons] = found.heights
        self._known[found.neurons] = True
        self.changed.emit(self.counts())


def _run_behind_the_window(sweep: JobFunction, task: Task) -> None:
    run_at_low_priority(partial(sweep, task))
