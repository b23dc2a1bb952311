"""One layer while it is being extracted: its file, its blocks that are safe, its growing neuron index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.activations.store import ActivationWriter, open_activations
from backend.errors import ExtractionError, ProjectError
from backend.method.parameters import MAX_TOP_N
from backend.neuron_index_builder import NeuronIndexBuilder
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.layer_record import LayerRecord, StoredBlock
from backend.task import Task

if TYPE_CHECKING:
    from backend.project import Project


class LayerExtraction:
    """A layer of a project, open for writing its activations.

    Parameters
    ----------
    project : Project
        Open for writing.
    name : str
        The layer; recorded now if the project does not have it yet.
    n_neurons : int
        Its number of neurons.
    binding : LayerBinding
        What its activations belong to.

    Raises
    ------
    ExtractionError
        If its file cannot be written.
    ProjectError
        If its neuron index cannot be removed.
    """

    def __init__(self, project: Project, name: str, n_neurons: int, binding: LayerBinding) -> None:
        self._project = project
        self._layers = project.extracted_layers
        records = {record.name: record for record in project.layers}
        self.record: LayerRecord = records.get(name) or self._layers.add(name, n_neurons, binding)
        self.record.forget_index()
        self._writer = ActivationWriter(self.record.file, project.n_images, n_neurons)
        self._builder = NeuronIndexBuilder(n_neurons, min(MAX_TOP_N, project.n_images))
        self._stored = {block.start: block for block in self._layers.blocks(name)}

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.record.name

    @property
    def n_neurons(self) -> int:
        """Number of its neurons."""
        return self.record.n_neurons

    def verify(self, task: Task) -> None:
        """Check every block that is on record against its checksum, and forget those that do not match."""
        torn = []
        for done, block in enumerate(self._stored.values()):
            task.check_cancelled()
            task.progress(done, len(self._stored), f"Checking what is there of {self.name}")
            _, crc32 = self._writer.read(block.start, block.stop)
            if crc32 != block.crc32:
                torn.append(block.start)
        self._layers.forget_blocks(self.name, torn)
        for start in torn:
            del self._stored[start]

    def has(self, start: int) -> bool:
        """Return whether the block that begins at a row is safely on disk."""
        return start in self._stored

    def write(self, start: int, activations: NDArray[np.float32]) -> int:
        """Write a block, wait until it is on disk, and return its checksum. It is not on record yet."""
        self._builder.update(start, activations)
        return self.store(start, activations)

    def store(self, start: int, activations: NDArray[np.float32]) -> int:
        """Do as :meth:`write`, and leave the neuron index to :meth:`take_stored`."""
        crc32 = self._writer.write(start, activations)
        self._stored[start] = StoredBlock(start, start + len(activations), crc32)
        return crc32

    def look_anew(self) -> None:
        """Let the next reading see what other machines have written."""
        self._writer.look_anew()

    def is_sound(self, block: StoredBlock) -> bool:
        """Return whether a block that another process has written has its checksum."""
        return self._writer.read(block.start, block.stop)[1] == block.crc32

    def add_stored(self, block: StoredBlock) -> None:
        """Take a block as being safely on disk."""
        self._stored[block.start] = block

    def take_stored(self, start: int) -> None:
        """Read a block that is on disk into the neuron index.

        Raises
        ------
        ExtractionError
            If it is not what was written.
        """
        block = self._stored[start]
        activations, crc32 = self._writer.read(block.start, block.stop)
        if crc32 != block.crc32:
            raise ExtractionError(
                f"The rows {block.start} to {block.stop} of {self.record.file} have changed since they were "
                "written. Extract the layer again; what is sound of it is kept."
            )
        self._builder.update(start, activations)

    def finish(self) -> None:
        """Write the neuron index. Every block has been written or taken once."""
        self._project.save_neuron_index(self.name, self._builder.finish())

    def close(self) -> None:
        """Close the file."""
        self._writer.close()


def is_complete(project: Project, name: str) -> bool:
    """Return whether a layer has every row, in a file of the right shape."""
    records: dict[str, LayerRecord] = {record.name: record for record in project.layers}
    record = records.get(name)
    if record is None or not record.complete:
        return False
    try:
        open_activations(record.file, record.n_images, record.n_neurons)
    except ProjectError:
        return False
    return True
