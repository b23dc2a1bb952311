"""Reading a project's activations and neuron indices."""

from __future__ import annotations

import logging
import threading
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from backend.activations.store import open_activations
from backend.errors import ProjectError
from backend.neurons import NeuronIndex, build_neuron_index, load_neuron_index, save_neuron_index
from backend.project_folder.project_layers import LayerRecord, LayerTable
from backend.task import Task

Activations: TypeAlias = NDArray[np.float32]
"""A read-only memory map, float32, images × neurons."""

_log = logging.getLogger(__name__)


class ActivationReader:
    """Maps activations and keeps the neuron indices that were read. Any thread may use it."""

    def __init__(self, layers: LayerTable, *, read_only: bool) -> None:
        self._layers = layers
        self._read_only = read_only
        self._indices: dict[str, NeuronIndex] = {}
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
        # Those in memory are of complete layers; nobody waits for another layer's index to be made.
        known = self._indices.get(layer)
        if known is not None:
            return known
        record = self._layers.record(layer)
        if not record.complete:
            return build_neuron_index(self.activations(layer, partial=partial), task=task)
        with self._lock:
            if layer not in self._indices:
                index = _load(record)
                if index is None:
                    index = build_neuron_index(self.activations(layer), task=task)
                    self._keep(record, index)
                self._indices[layer] = index
            return self._indices[layer]

    def save_neuron_index(self, layer: str, index: NeuronIndex) -> None:
        """Keep a layer's neuron index, in memory and beside its activations."""
        with self._lock:
            save_neuron_index(self._layers.record(layer).index_file, index)
            self._indices[layer] = index

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
