"""Rank 0's pass over the images: its own blocks, those of the others put on record, the index of all."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from backend.activations.block_extraction import WantedBlock
from backend.activations.distributed.other_ranks import OtherRanks
from backend.activations.distributed.rank_journal import JournalRecord
from backend.activations.distributed.rank_plan import PlannedBlock, PlannedLayer, RankPlan
from backend.activations.distributed.rank_signs import RUN_SETTING
from backend.activations.extraction_pass import ExtractionPass, PassOptions
from backend.activations.layer_extraction import LayerExtraction
from backend.project_folder.layer_record import StoredBlock
from backend.task import Cancelled, Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.project import Project

_SECONDS_BETWEEN_COLLECTIONS: Final = 1.0

# Network file systems show a change to other machines a minute later at worst.
_SECONDS_TO_BE_SEEN: Final = 90.0


class SharedPass(ExtractionPass):
    """A pass whose blocks are shared out among the ranks of a launch.

    Every rank writes its own blocks into the activation files and notes them in a journal. This one, rank 0,
    reads back what the others wrote, compares checksums, and records it in the database, which no other
    process opens. Blocks that others report but that cannot be believed, it computes itself. At the end it
    reads all blocks in their order into the neuron index, which is then that of a single process.

    Parameters
    ----------
    others : OtherRanks
        The other ranks.
    project, loaded, names, options, stack, task
        As for :class:`~backend.activations.extraction_pass.ExtractionPass`.
    """

    def __init__(
        self,
        others: OtherRanks,
        project: Project,
        loaded: LoadedModel,
        names: Sequence[str],
        options: PassOptions,
        stack: ExitStack,
        task: Task,
    ) -> None:
        super().__init__(project, loaded, names, options, stack, task)
        self._precision = options.precision
        self._others = others
        self._loaded = loaded
        self._expected: dict[int, PlannedBlock] = {}
        self._pending: list[JournalRecord] = []
        self._n_counted = self._others.n_images
        self._next_collection = 0.0

    def run(self) -> int:
        """Complete the layers; return how many images went through the model, of all ranks."""
        wanted = self._verify()
        own = self._share_out(wanted)
        try:
            self._compute(own)
            self._wait_for_the_others()
        except Cancelled:
            # A launcher stops the others when a process of it ends badly: that is the reason then.
            self._collect()
            raise
        if self._expected:
            self._compute_in_their_stead()
        self._index()
        return sum(len(block.rows) for block in wanted)

    def _share_out(self, wanted: Sequence[WantedBlock]) -> list[WantedBlock]:
        """Let the others know what to compute, and return this process's own blocks."""
        others = self._others
        members = others.meet(self._task)
        recorded = self._project.extracted_layers.recorded_starts()
        blocks = tuple(
            PlannedBlock(
                rank=place % others.rank.count,
                start=block.rows.start,
                stop=block.rows.stop,
                layers=block.layers,
                recorded=block.rows.start in recorded,
            )
            for place, block in enumerate(wanted)
        )
        plan = RankPlan(
            run=others.run,
            round=others.round + 1,
            members=members,
            source=self._loaded.source,
            weights_sha256=self._loaded.weights_sha256,
            preprocessing=self._loaded.preprocessing,
            precision=self._precision,
            device_type=self._inference.device.type,
            batch_size=self._inference.batch_size,
            layers=tuple(
                PlannedLayer(
                    layer.name, layer.record.file.name, layer.n_neurons, layer.record.binding.pooling
                )
                for layer in self._layers
            ),
            blocks=blocks,
            images_root=str(self._project.images_root),
        )
        self._project.set_setting(RUN_SETTING, others.run)
        others.begin(plan, self._project)
        self._expected = {block.start: block for block in blocks if block.rank != 0}
        self._begin_progress(wanted)
        return [block for block in wanted if block.rows.start not in self._expected]

    def _compute(self, blocks: Sequence[WantedBlock]) -> None:
        with closing(self._reader.read(blocks)) as results:
            for block in results:
                self._keep(block)

    def _compute_in_their_stead(self) -> None:
        """Compute the blocks that others report, but whose rows are not those that they report."""
        wanted = self._wanted_blocks()
        self._expected = {}
        self._begin_progress(wanted)
        self._compute(wanted)

    def _after_batch(self, n_images: int) -> None:
        super()._after_batch(n_images)
        if time.monotonic() >= self._next_collection:
            self._collect()

    def _write(self, layer: LayerExtraction, start: int, activations: NDArray[np.float32]) -> int:
        return layer.store(start, activations)

    def _wait_for_the_others(self) -> None:
        """Wait until they are done, and what they did is seen here and on record."""
        all_done_since: float | None = None
        while True:
            self._collect()
            if not self._expected and self._others.done:
                return
            if self._others.done:
                all_done_since = all_done_since or time.monotonic()
                if time.monotonic() - all_done_since > _SECONDS_TO_BE_SEEN:
                    return
            self._others.wait(self._task)

    def _collect(self) -> None:
        """Put on record what the others have written since the last time.

        Raises
        ------
        ExtractionError
            If one of them has failed or died.
        """
        self._others.look()
        self._next_collection = time.monotonic() + _SECONDS_BETWEEN_COLLECTIONS
        self._pending += self._others.new_records()
        if self._pending:
            for layer in self._layers:
                layer.look_anew()
        self._pending = [record for record in self._pending if not self._record(record)]
        n_images = self._others.n_images
        if n_images > self._n_counted:
            self._progress.advance(n_images - self._n_counted)
            self._n_counted = n_images
        self._others.require_alive()

    def _record(self, record: JournalRecord) -> bool:
        """Put a block on record if its rows have their checksums; return whether it is settled."""
        planned = self._expected.get(record.start)
        if planned is None or record.stop != planned.stop or set(record.crc32) != set(planned.layers):
            return True
        layers = {layer.name: layer for layer in self._layers}
        blocks = {name: StoredBlock(record.start, record.stop, crc32) for name, crc32 in record.crc32.items()}
        if not all(layers[name].is_sound(block) for name, block in blocks.items()):
            return False
        for name, block in blocks.items():
            layers[name].add_stored(block)
        self._project.extracted_layers.record_block(
            record.start, record.stop, record.crc32, record.skipped, record.states
        )
        self._progress.add_skipped(len(record.skipped))
        del self._expected[record.start]
        return True

    def _index(self) -> None:
        """Read every block into the neuron indices, in the order of a single process."""
        for layer in self._layers:
            layer.look_anew()
        for done, block in enumerate(self._blocks):
            self._task.check_cancelled()
            self._task.progress(done, len(self._blocks), "Indexing the neurons")
            for layer in self._layers:
                layer.take_stored(block.start)
        for layer in self._layers:
            layer.finish()
        self._project.set_setting(RUN_SETTING, None)


def dismiss(others: OtherRanks, loaded: LoadedModel, task: Task) -> None:
    """Let the others go home where there is nothing to compute.

    Raises
    ------
    ExtractionError
        If one of them does not come, or dies.
    Cancelled
        If the task was asked to stop.
    """
    others.begin(
        RankPlan(
            run=others.run,
            round=others.round + 1,
            members=others.meet(task),
            source=loaded.source,
            weights_sha256=loaded.weights_sha256,
            preprocessing=loaded.preprocessing,
            precision="float32",
            device_type="cpu",
            batch_size=1,
            layers=(),
            blocks=(),
            images_root="",
        )
    )
    while not others.done:
        others.look()
        others.require_alive()
        others.wait(task)
