"""Reading a project's activations and neuron indices."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.activations.store import open_activations
from backend.errors import ProjectError
from backend.neuron_index_builder import NeuronIndexBuilder, build_neuron_index
from backend.neurons import (
    NeuronIndex,
    load_neuron_index,
    save_neuron_index,
)
from backend.project_folder.layer_record import LayerRecord, StoredBlock
from backend.project_folder.project_layers import LayerTable
from backend.task import SilentTask, Task

Activations: TypeAlias = NDArray[np.float32]
"""A read-only memory map, float32, images × neurons."""

Blocks: TypeAlias = tuple[StoredBlock, ...]

_ROWS_AT_ONCE = 1024

_log = logging.getLogger(__name__)


class ActivationReader:
    """Maps activations and keeps the neuron indices that were read. Any thread may use it.

    Indices are handed out without the images that ``excluded`` names; on disk they are of all images.
    """

    def __init__(
        self, layers: LayerTable, excluded: Callable[[], frozenset[int]], *, read_only: bool
    ) -> None:
        self._layers = layers
        self._excluded = excluded
        self._reduced: dict[str, tuple[NeuronIndex, NeuronIndex]] = {}
        self._read_only = read_only
        # With the blocks that each was made of: rows may be forgotten and extracted anew, by another process
        # too where this one reads only.
        self._indices: dict[str, tuple[Blocks, NeuronIndex]] = {}
        self._growing: dict[str, _GrowingIndex] = {}
        self._lock = threading.Lock()

    def activations(self, layer: str, *, partial: bool = False) -> Activations:
        """Map a layer's activations; see :meth:`backend.project.Project.activations`."""
        record = self._layers.record(layer)
        array = open_activations(record.file, record.n_images, record.n_neurons)
        if record.complete:
            return array
        if not partial:
            raise ProjectError(
                f"The layer {layer} is not complete yet ({record.n_done} of {record.n_images} images): "
                "continue its extraction."
            )
        return array[: self._layers.n_leading_rows(layer)]

    def neuron_index(self, layer: str, *, partial: bool = False, task: Task | None = None) -> NeuronIndex:
        """Return a layer's neuron index; see :meth:`backend.project.Project.neuron_index`."""
        whole = self._whole_index(layer, partial, task)
        return self._without_excluded(layer, whole, self.activations(layer, partial=partial))

    def _without_excluded(self, layer: str, whole: NeuronIndex, activations: Activations) -> NeuronIndex:
        excluded = self._excluded()
        if not excluded:
            return whole
        known = self._reduced.get(layer)
        if known is not None and known[0] is whole and known[1].excluded == excluded:
            return known[1]
        reduced = whole.without(excluded, activations)
        with self._lock:
            self._reduced[layer] = (whole, reduced)
        return reduced

    def _whole_index(self, layer: str, partial: bool, task: Task | None) -> NeuronIndex:
        blocks = self._layers.blocks(layer)
        known = self._indices.get(layer)
        if known is not None and known[0] == blocks:
            return known[1]
        record = self._layers.record(layer)
        if not record.complete:
            return self._growing_index(layer, self.activations(layer, partial=partial), task)
        # Without the lock: the work may be paused here, and nobody is to wait for that.
        index = _load(record)
        made = index is None
        if index is None:
            index = build_neuron_index(self.activations(layer), task=task)
        with self._lock:
            if self._layers.blocks(layer) == blocks:
                if made:
                    self._keep(record, index)
                self._growing.pop(layer, None)
                self._indices[layer] = (blocks, index)
                return index
        # Rows were forgotten, or extracted anew, meanwhile.
        return self._whole_index(layer, partial, task)

    def rows_so_far(self, layer: str, *, task: Task | None = None) -> tuple[Activations, NeuronIndex]:
        """Return what is there of a layer; see :meth:`backend.project.Project.rows_so_far`."""
        activations = self.activations(layer, partial=True)
        if len(activations) == self._layers.record(layer).n_images:
            return activations, self.neuron_index(layer, task=task)
        whole = self._growing_index(layer, activations, task)
        return activations, self._without_excluded(layer, whole, activations)

    def _growing_index(self, layer: str, activations: Activations, task: Task | None) -> NeuronIndex:
        found = self._layers.leading_blocks(layer)
        blocks = tuple(block for block in found if block.stop <= len(activations))
        with self._lock:
            growing = self._growing.get(layer)
            if growing is None or not growing.goes_on_with(blocks):
                growing = self._growing[layer] = _GrowingIndex(activations.shape[1])
        n_rows = blocks[-1].stop if blocks else 0
        return growing.over(activations[:n_rows], blocks, task or SilentTask())

    def save_neuron_index(self, layer: str, index: NeuronIndex) -> None:
        """Keep a layer's neuron index, in memory and beside its activations."""
        with self._lock:
            save_neuron_index(self._layers.record(layer).index_file, index)
            self._indices[layer] = (self._layers.blocks(layer), index)
            self._growing.pop(layer, None)

    def _keep(self, record: LayerRecord, index: NeuronIndex) -> None:
        if self._read_only:
            return
        try:
            save_neuron_index(record.index_file, index)
        except ProjectError as error:
            # Reading goes on without the file; it costs another pass the next time.
            _log.warning("%s", error)

    def forget_indices(self) -> None:
        """Read indices anew when they are asked for next."""
        with self._lock:
            self._indices.clear()
            self._growing.clear()
            self._reduced.clear()


class _GrowingIndex:
    """The index of a layer that is being extracted; each time only the rows that came since are read."""

    def __init__(self, n_neurons: int) -> None:
        self._blocks: Blocks = ()
        self._n_rows = 0
        self._builder = NeuronIndexBuilder(n_neurons)
        self._lock = threading.Lock()

    def goes_on_with(self, blocks: Blocks) -> bool:
        """Return whether blocks begin with those that were taken in: nothing of them was forgotten since."""
        return blocks[: len(self._blocks)] == self._blocks

    def over(self, activations: Activations, blocks: Blocks, task: Task) -> NeuronIndex:
        """Return the index over the rows of these blocks, the first of which were taken in before."""
        with self._lock:
            # At once, so that it holds also if the task is cancelled half-way.
            if len(blocks) > len(self._blocks):
                self._blocks = blocks
            while self._n_rows < len(activations):
                task.check_cancelled()
                task.progress(self._n_rows, len(activations), "Indexing the neurons")
                rows = activations[self._n_rows : self._n_rows + _ROWS_AT_ONCE]
                self._builder.update(self._n_rows, rows)
                self._n_rows += len(rows)
            return self._builder.finish()


def _load(record: LayerRecord) -> NeuronIndex | None:
    """Return the stored index, or None if there is none that belongs to these activations."""
    try:
        index = load_neuron_index(record.index_file)
    except ProjectError:
        # It holds nothing that the activations do not: it is made again.
        return None
    fits = (
        index.n_neurons == record.n_neurons and index.statistics.n_images + index.n_invalid == record.n_images
    )
    return index if fits else None
