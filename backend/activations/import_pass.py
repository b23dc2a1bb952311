"""The rows of a file of activations → blocks of a layer on disk, with the neuron index, in one pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.activations.activation_file import StoredArray
from backend.activations.activation_rows import ActivationRows
from backend.activations.extraction_progress import ProgressMeter
from backend.activations.layer_extraction import LayerExtraction, is_complete
from backend.activations.store import activation_bytes, require_free_space
from backend.errors import ActivationImportError
from backend.neurons import index_bytes
from backend.project import Project
from backend.project_folder.layer_origin import LayerOrigin
from backend.task import Task


def copy_rows(project: Project, layer: str, array: StoredArray, task: Task) -> int:
    """Copy the rows of an imported layer that are not there yet, and return how many those were.

    Raises
    ------
    ActivationImportError
        If the file cannot be read, or was changed meanwhile.
    ExtractionError
        If the layer cannot be written, as where the disk is full.
    Cancelled
        If the task was asked to stop.
    """
    record = project.layer(layer)
    assert record.origin is not None
    if is_complete(project, layer) and record.origin.n_not_finite is not None:
        project.neuron_index(layer, task=task)
        return 0
    n_missing = record.n_images - record.n_done
    require_free_space(
        project.path,
        activation_bytes(n_missing, record.n_neurons) + index_bytes(record.n_images, record.n_neurons),
    )
    extraction = LayerExtraction(project, layer, record.n_neurons, record.binding)
    try:
        n_imported = _Pass(project, extraction, array, record.origin, task).run()
    finally:
        extraction.close()
    project.back_up()
    return n_imported


class _Pass:
    """One pass over the rows of a layer."""

    def __init__(
        self,
        project: Project,
        extraction: LayerExtraction,
        array: StoredArray,
        origin: LayerOrigin,
        task: Task,
    ) -> None:
        self._project = project
        self._extraction = extraction
        self._array = array
        self._origin = origin
        self._task = task

    def run(self) -> int:
        """Complete the layer; return how many rows were read."""
        layer, n_images, rows = self._extraction.name, self._project.n_images, self._project.block_rows
        self._extraction.verify(self._task)
        starts = range(0, n_images, rows)
        stored = sum(min(rows, n_images - start) for start in starts if self._extraction.has(start))
        meter = ProgressMeter(self._task, n_images, layer, "Importing")
        meter.begin(stored)
        with ActivationRows(self._array, self._origin.pooling) as source:
            for start in starts:
                self._task.check_cancelled()
                if self._extraction.has(start):
                    self._extraction.take_stored(start)
                    continue
                stop = min(start + rows, n_images)
                self._import_block(source, start, stop)
                meter.advance(stop - start)
        self._require_file_unchanged()
        self._extraction.finish()
        self._keep_not_finite()
        return n_images - stored

    def _import_block(self, source: ActivationRows, start: int, stop: int) -> None:
        values = source.read(start, stop)
        values[~np.isfinite(values).all(axis=1)] = np.nan
        crc32 = self._extraction.write(start, values)
        layers = self._project.extracted_layers
        layers.record_block(start, stop, {self._extraction.name: crc32}, {}, {})

    def _require_file_unchanged(self) -> None:
        """Believe none of it if the file was written to meanwhile: its first rows may be of another time."""
        origin, layers, name = self._origin, self._project.extracted_layers, self._extraction.name
        if origin.state() != "unchanged":
            layers.forget_blocks(name, [block.start for block in layers.blocks(name)])
            raise ActivationImportError(
                f"{origin.path} was changed while it was imported, so that none of it counts: import it "
                "again once it is complete."
            )

    def _keep_not_finite(self) -> None:
        name = self._extraction.name
        activations = self._project.activations(name)
        n_not_finite = self._project.neuron_index(name).n_invalid
        first = None
        for start in range(0, len(activations), self._project.block_rows) if n_not_finite else ():
            # Such a row is NaN throughout, so that one column tells.
            rows = np.flatnonzero(np.isnan(activations[start : start + self._project.block_rows, 0]))
            if len(rows):
                first = start + int(rows[0])
                break
        origin = replace(self._origin, n_not_finite=n_not_finite, first_not_finite=first)
        self._project.extracted_layers.save_origin(name, origin, self._project.layer(name).binding)
