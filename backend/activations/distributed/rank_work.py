"""What every rank but the first does: its own blocks, by rank 0's plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from backend.activations.block_extraction import BlockReader, ExtractedBlock, WantedBlock
from backend.activations.devices import choose_device
from backend.activations.distributed.leader import Leader
from backend.activations.distributed.rank_journal import JournalRecord, JournalWriter
from backend.activations.distributed.rank_plan import PlannedBlock, PlannedImages, RankPlan
from backend.activations.distributed.rank_signs import RANKS_FOLDER, Heartbeat, journal_file
from backend.activations.distributed.ranks import Rank
from backend.activations.inference import Inference
from backend.activations.store import ACTIVATIONS_FOLDER, ActivationWriter
from backend.errors import ExtractionError, NeuronPrismError
from backend.processor_cores import available_cores
from backend.task import Cancelled, Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import ModelSource


def work_for_rank_0(
    project: Path,
    rank: Rank,
    load: Callable[[ModelSource], LoadedModel],
    *,
    task: Task,
    device: str = "auto",
    n_workers: int | None = None,
) -> None:
    """Compute this rank's blocks of an extraction that rank 0 leads, until rank 0 needs no more.

    Opens no database: rank 0 says in files what is to be done, and this process writes rows into the
    activation files and notes them in a journal of its own.

    Parameters
    ----------
    project
        The project's folder. It need not be there yet.
    rank
        Of this process; not 0.
    load
        Loads the model.
    task
        Is asked whether to go on.
    device
        As for :func:`backend.activations.devices.choose_device`.
    n_workers
        Threads that decode images and run the model; default this rank's share of the processor's cores.

    Raises
    ------
    NeuronPrismError
        If the model is another than rank 0's, it fails, the images folder or rank 0 is gone, or the disk is
        full.
    Cancelled
        If the task was asked to stop, or rank 0 has stopped.
    """
    heartbeat = Heartbeat(project / RANKS_FOLDER, rank)
    try:
        leader = Leader(project / RANKS_FOLDER, rank, heartbeat, task)
        with closing(_Worker(project, rank, heartbeat, leader)) as worker:
            worker.run(load, device, n_workers or rank.n_workers(available_cores()))
    except NeuronPrismError as error:
        heartbeat.end("failed", str(error))
        raise
    except Cancelled:
        heartbeat.end("failed", "it was stopped.")
        raise
    except BaseException as error:
        heartbeat.end("failed", f"{type(error).__name__}: {error}")
        raise
    heartbeat.end("left")


@dataclass(frozen=True)
class _Setting:
    """What a rank computes with: the model, and where."""

    loaded: LoadedModel
    device: torch.device
    n_workers: int


class _Worker:
    """One rank at work for rank 0."""

    def __init__(self, project: Path, rank: Rank, heartbeat: Heartbeat, leader: Leader) -> None:
        self._project = project
        self._rank = rank
        self._heartbeat = heartbeat
        self._leader = leader
        self._journal: JournalWriter | None = None

    def run(self, load: Callable[[ModelSource], LoadedModel], device: str, n_workers: int) -> None:
        """Work by rank 0's plans, as long as there are any."""
        setting: _Setting | None = None
        for plan in self._leader.plans():
            blocks = plan.blocks_of(self._rank.number)
            if blocks:
                if setting is None:
                    chosen = choose_device(device, self._rank.local_number)
                    setting = _Setting(_load_the_same(plan, load), chosen, n_workers)
                self._compute(plan, blocks, setting)
            self._heartbeat.finish()

    def close(self) -> None:
        """Close the journal."""
        if self._journal is not None:
            self._journal.close()

    def _compute(self, plan: RankPlan, blocks: Sequence[PlannedBlock], setting: _Setting) -> None:
        inference = _prepare(plan, setting)
        folder = self._project / RANKS_FOLDER
        images = PlannedImages(folder, Path(plan.images_root))
        reader = BlockReader(
            inference,
            images,
            images.skipped,
            frozenset(block.start for block in blocks if block.recorded),
            self._after_batch,
        )
        wanted = [WantedBlock(range(block.start, block.stop), block.layers) for block in blocks]
        if self._journal is None:
            self._journal = JournalWriter(journal_file(folder, self._rank.number, self._heartbeat.name))
        with ExitStack() as stack:
            writers = {}
            for layer in plan.layers:
                file = self._project / ACTIVATIONS_FOLDER / layer.file
                writers[layer.name] = ActivationWriter(file, len(images.paths), layer.n_neurons)
                stack.callback(writers[layer.name].close)
            with closing(reader.read(wanted)) as results:
                for block in results:
                    # Once more: whoever has opened the project since may have computed these rows anew.
                    self._leader.require()
                    self._journal.append(_written(block, writers))

    def _after_batch(self, n_images: int) -> None:
        self._heartbeat.count_images(n_images)
        self._leader.check()


def _load_the_same(plan: RankPlan, load: Callable[[ModelSource], LoadedModel]) -> LoadedModel:
    loaded = load(plan.source)
    if loaded.weights_sha256 != plan.weights_sha256 or loaded.preprocessing != plan.preprocessing:
        raise ExtractionError(
            f"The model {plan.source.architecture} is another here than rank 0's: its weights or its "
            "preprocessing differ. A model with random weights has to be given a seed or a weights file."
        )
    return loaded


def _prepare(plan: RankPlan, setting: _Setting) -> Inference:
    poolings = {layer.name: layer.pooling for layer in plan.layers}
    inference = Inference(
        setting.loaded, tuple(poolings), poolings, setting.n_workers, plan.precision, setting.device
    )
    if inference.device.type != plan.device_type:
        raise ExtractionError(
            f"Rank 0 computes on {plan.device_type}, this process on {inference.device.type}: their last "
            "digits would differ. Give all of them a kind of device that each has, such as --device cpu."
        )
    if inference.batch_size != plan.batch_size or inference.n_neurons != {
        layer.name: layer.n_neurons for layer in plan.layers
    }:
        raise ExtractionError(
            "The model's layers are of another shape here than at rank 0: do all processes run the same "
            "version of Neuron Prism and of PyTorch?"
        )
    return inference


def _written(block: ExtractedBlock, writers: dict[str, ActivationWriter]) -> JournalRecord:
    """Put a block of activations on disk, and return the journal's record of it."""
    rows = block.wanted.rows
    crc32 = {
        layer: writers[layer].write(rows.start, activations)
        for layer, activations in block.activations.items()
    }
    return JournalRecord(rows.start, rows.stop, crc32, block.skipped, block.states)
