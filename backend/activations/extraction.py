"""Model × images → activations on disk, with the neuron index, in one pass that can stop and go on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.activations.block_extraction import require_images_folder
from backend.activations.devices import choose_device
from backend.activations.distributed.other_ranks import OtherRanks
from backend.activations.distributed.ranks import Rank
from backend.activations.distributed.shared_pass import SharedPass, dismiss
from backend.activations.extraction_pass import ExtractionPass, PassOptions
from backend.activations.extraction_progress import ExtractionProgress
from backend.activations.image_identity import images_to_read_again, require_same_images
from backend.activations.layer_extraction import is_complete
from backend.activations.network_identity import require_same_network
from backend.errors import ExtractionError, ProjectError
from backend.processor_cores import available_cores
from backend.project_folder.layer_binding import LayerBinding
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Pooling, Precision
    from backend.project import Project

__all__ = ["ExtractionProgress", "ExtractionResult", "extract", "layers_without_precision_check"]


@dataclass(frozen=True)
class ExtractionResult:
    """What an extraction did.

    Attributes
    ----------
    layers
        Those asked for, all complete now.
    n_images
        Images of the project.
    n_computed
        Images that went through the model in this run; the others were done before.
    n_skipped
        Images of the project that could not be read: their rows are NaN.
    seconds
        Duration of this run.
    images_per_second
        Of the images computed in this run; 0 if there were none.
    """

    layers: tuple[str, ...]
    n_images: int
    n_computed: int
    n_skipped: int
    seconds: float
    images_per_second: float


def extract(
    project: Project,
    loaded: LoadedModel,
    layers: Sequence[str] | None = None,
    *,
    pooling: Mapping[str, Pooling] | None = None,
    precision: Precision | None = None,
    task: Task | None = None,
    n_workers: int | None = None,
    device: str = "auto",
    rank: Rank | None = None,
) -> ExtractionResult:
    """Compute the activations of layers for all images of a project, or go on where a former run stopped.

    A block of images is written, flushed to disk, and then recorded, so that whatever ends the run (a kill, a
    full disk, an unplugged drive, a cancelled task), at most one block is computed again. All layers come out
    of the same pass; rows that a layer already has are not computed again. An image that cannot be read gets
    a row of NaN, and the reason is recorded. One that could not be reached (no permission, a share that did
    not answer) and can be now is read again, for all complete layers.

    Parameters
    ----------
    project
        Open for writing.
    loaded
        The model. The first extraction ties the project to its weights and preprocessing.
    layers
        Names of layers; default: those planned when the project was made, and those it has begun.
    pooling
        Layer → how its output becomes one value for each neuron. A layer that is not in it keeps its pooling
        where it was begun, else that which was planned when the project was made, and else gets the default
        of its output (the mean over space of a feature map).
    precision
        Of the model's arithmetic at all these layers. None: each keeps its own where it was begun, else has
        that which was planned when the project was made, and else float32. Layers of different precisions
        take a pass each.
    task
        Is told of the progress, and handed an :class:`ExtractionProgress` after every batch.
    n_workers
        Threads that decode images and run the model; default one for each processor core, or this rank's
        share of them.
    device
        Where the model runs: as for :func:`backend.activations.devices.choose_device`.
    rank
        Rank 0 of several processes that extract together; the others call
        :func:`backend.activations.distributed.rank_work.work_for_rank_0`. None: this process is alone.

    Raises
    ------
    ProjectError
        If the project belongs to another model, is read-only, or its database cannot be written.
    ModelError
        If the model has no such layer, or fails.
    ExtractionError
        If no layer is named, this machine does not have the precision or the device, the images folder is
        gone or holds other images, the disk is full, or another rank failed or died.
    Cancelled
        If the task was asked to stop; what was extracted so far is kept.
    """
    started = time.perf_counter()
    task = task or SilentTask()
    names = _chosen_layers(project, layers)
    project.require_model(loaded.weights_sha256, loaded.preprocessing)
    recorded = {record.name: record.binding.pooling for record in project.layers}
    wanted = project.planned_poolings | recorded | dict(pooling or {})
    precisions = _layer_precisions(project, names, precision)
    affected = names
    if again := images_to_read_again(project):
        complete = (record.name for record in project.layers if record.complete and record.origin is None)
        affected = tuple(dict.fromkeys((*names, *complete)))
    _require_same_binding(project, loaded, affected, wanted, precisions)
    missing = [name for name in affected if again or not is_complete(project, name)]
    where = choose_device(device, 0 if rank is None else rank.local_number)
    if rank is not None:
        n_workers = n_workers or rank.n_workers(available_cores())
    with ExitStack() as stack:
        others = None if rank is None else stack.enter_context(OtherRanks(project.path, rank))
        n_computed = 0
        if missing:
            require_images_folder(project.images)
            require_same_images(project, loaded, task)
            require_same_network(project, loaded, task=task)
            if again:
                # Only now: what is there stays whole where nothing can be computed.
                project.recompute_images(again)
            for one in dict.fromkeys(precisions[name] for name in missing):
                group = [name for name in missing if precisions[name] == one]
                options = PassOptions(wanted, one, n_workers, where)
                n_computed = max(n_computed, _run_pass(project, loaded, group, options, task, others))
            project.back_up()
        elif others is not None:
            dismiss(others, loaded, task)
    for name in names:
        # Also where a former run was cut off between its last block and the index.
        project.neuron_index(name, task=task)
    seconds = time.perf_counter() - started
    return ExtractionResult(
        layers=names,
        n_images=project.n_images,
        n_computed=n_computed,
        n_skipped=len(project.skipped_images()),
        seconds=seconds,
        images_per_second=n_computed / seconds if n_computed else 0.0,
    )


def _run_pass(
    project: Project,
    loaded: LoadedModel,
    layers: Sequence[str],
    options: PassOptions,
    task: Task,
    others: OtherRanks | None,
) -> int:
    """Complete layers in one pass; return how many images went through the model."""
    with ExitStack() as stack:
        if others is None:
            return ExtractionPass(project, loaded, layers, options, stack, task).run()
        return SharedPass(others, project, loaded, layers, options, stack, task).run()


def _chosen_layers(project: Project, layers: Sequence[str] | None) -> tuple[str, ...]:
    imported = {record.name for record in project.layers if record.origin is not None}
    if layers is None:
        layers = (*project.planned_layers, *(record.name for record in project.layers))
        layers = [name for name in layers if name not in imported]
    for name in layers:
        if name in imported:
            raise ExtractionError(
                f"The layer {name} of {project.path} was imported, so that it cannot be extracted: its "
                "activations stay as they are."
            )
    if not layers:
        raise ExtractionError("No layer is named: choose at least one to extract.")
    return tuple(dict.fromkeys(layers))


def layers_without_precision_check(
    project: Project, layers: Sequence[str] | None = None, precision: Precision | None = None
) -> tuple[str, ...]:
    """Return the layers that an extraction would compute in ``fast``, and what that changes is not on record.

    Parameters
    ----------
    project, layers, precision
        As for :func:`extract`.
    """
    names = _chosen_layers(project, layers)
    precisions = _layer_precisions(project, names, precision)
    # One that was begun in another precision is refused.
    others = {one.name for one in project.layers if one.complete or one.binding.precision != "fast"}
    return tuple(
        name
        for name in names
        if precisions[name] == "fast" and name not in others and project.precision_check(name) is None
    )


def _layer_precisions(
    project: Project, names: Sequence[str], precision: Precision | None
) -> dict[str, Precision]:
    """Return the precision of each layer: of those that are named, and of all that the project has."""
    begun: dict[str, Precision] = {
        record.name: record.binding.precision
        for record in project.layers
        if record.binding.precision != "unknown"
    }
    planned = dict.fromkeys(names, project.planned_precision)
    return planned | begun | (dict.fromkeys(names, precision) if precision else {})


def _require_same_binding(
    project: Project,
    loaded: LoadedModel,
    names: Sequence[str],
    pooling: Mapping[str, Pooling],
    precisions: Mapping[str, Precision],
) -> None:
    for record in project.layers:
        if record.name not in names:
            continue
        binding = LayerBinding(
            loaded.weights_sha256, loaded.preprocessing, pooling[record.name], precisions[record.name]
        )
        if difference := record.binding.difference(binding):
            raise ProjectError(
                f"The activations of layer {record.name} in {project.path} were computed with another "
                f"{difference}: make a new project."
            )
