"""Activations that were computed elsewhere → a project, block by block, in a pass that can stop and go on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backend.activations.activation_file import choose_array, list_arrays
from backend.activations.import_pass import copy_rows
from backend.activations.import_plan import ImportPlan
from backend.activations.layer_extraction import is_complete
from backend.errors import ActivationImportError
from backend.images import ImageSet
from backend.networks.model_source import IMPORTED_ARCHITECTURE, ModelSource
from backend.project import Project
from backend.project_folder.file_content import file_sha256
from backend.project_folder.file_state import FileState
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.layer_origin import LayerOrigin
from backend.project_folder.layer_record import LayerRecord
from backend.project_folder.project_creation import BLOCK_ROWS
from backend.project_folder.project_layers import now
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.activations.network_check import TriedNetwork
    from backend.networks.loaded_model import LoadedModel

IMAGES_FOLDER = "images"
"""Where a project looks for its images if no folder was named: in its own, which need not have this one."""


@dataclass(frozen=True)
class ImportResult:
    """What an import did.

    Attributes
    ----------
    layer
        Its name.
    n_images, n_neurons
        Its shape.
    n_imported
        Rows that were read in this run; the others were there before.
    origin
        What is kept of the file.
    seconds
        Duration of this run.
    """

    layer: str
    n_images: int
    n_neurons: int
    n_imported: int
    origin: LayerOrigin
    seconds: float


def create_import_project(folder: Path, plan: ImportPlan, *, block_rows: int = BLOCK_ROWS) -> Project:
    """Make the project that a plan is for, with its images and no layer yet, and open it for writing.

    Parameters
    ----------
    folder
        To make, by custom ``NAME.prism``.
    plan
        Of an import into a new project.
    block_rows
        Rows in a block, which is what an import that is cut off reads again at most.

    Raises
    ------
    ProjectError
        As :meth:`backend.project.Project.create`.
    """
    folder = folder.absolute()
    root = folder / IMAGES_FOLDER if plan.root is None else plan.root
    images = ImageSet(root, plan.images.paths, plan.images.labels)
    return Project.create(folder, ModelSource(IMPORTED_ARCHITECTURE), images, block_rows=block_rows)


def import_activations(
    project: Project, plan: ImportPlan, *, network: TriedNetwork | None = None, task: Task | None = None
) -> ImportResult:
    """Copy activations into a project as a layer, or go on where a former run stopped.

    A block of rows is read, pooled, written as float32, flushed to disk, and then recorded, so that whatever
    ends the run, at most one block is read again. A row that holds NaN, an infinity or a value beyond the
    range of float32 becomes NaN; how many there are is kept in the layer's origin.

    Parameters
    ----------
    project
        Open for writing; its images are those of the plan.
    plan
        What :func:`backend.activations.import_plan.plan_import` returned.
    network
        The network that gives the activations, as :func:`backend.activations.network_check.try_network` found
        on a sample of the images; None: it is not known.
    task
        Is told of the progress in images, and can stop it; what was imported so far is kept.

    Raises
    ------
    ActivationImportError
        If the project belongs to another network or has another layer of this name, or the file cannot be
        read or is changed meanwhile.
    ProjectError
        If the project belongs to another network, or is read-only.
    ExtractionError
        If the disk is full.
    Cancelled
        If the task was asked to stop.
    """
    started = time.perf_counter()
    task = task or SilentTask()
    layer = plan.request.layer
    if network is not None:
        _require_fitting(project, network.loaded)
    plan.images.require_same(project.image_paths)
    begun = _record(project, layer)
    if begun is not None and begun.origin is None:
        raise ActivationImportError(
            f"The layer {layer} of {project.path} was extracted: choose another name."
        )
    origin = _origin(plan, task)
    if begun is not None and begun.origin is not None:
        if not begun.origin.is_same_source(origin):
            raise ActivationImportError(
                f"The layer {layer} of {project.path} was imported from other activations, "
                f"{begun.origin.description()}: give this one another name, or make a new project."
            )
        origin = begun.origin.moved_to(Path(origin.path), origin.file_state)
    binding = LayerBinding("", None, plan.request.pooling or "none", "unknown")
    if network is not None:
        binding = _bound(project, network)
        origin = replace(origin, network_check=network.check.agreement)
    elif begun is not None:
        binding = begun.binding
    if begun is None:
        project.extracted_layers.add(layer, plan.array.n_neurons, binding, origin)
    else:
        project.extracted_layers.save_origin(layer, origin, binding)
    n_imported = copy_rows(project, layer, plan.array, task)
    _name_neurons(project, layer, plan.neuron_names)
    return _result(project, layer, n_imported, started)


def continue_import(
    project: Project, layer: str, *, file: Path | None = None, task: Task | None = None
) -> ImportResult:
    """Go on with an import that was cut off, from what is kept of it.

    Parameters
    ----------
    file
        Where the activations are now; None: where they were.

    Raises
    ------
    ActivationImportError
        If the layer was not imported, or its file is gone or was changed since.
    """
    started = time.perf_counter()
    task = task or SilentTask()
    record = project.layer(layer)
    if record.origin is None:
        raise ActivationImportError(
            f"The layer {layer} was extracted, so that there is no import to continue."
        )
    origin = record.origin
    path = Path(origin.path) if file is None else file.absolute()
    _require_unchanged(origin, path, task, record.n_images)
    origin = origin.moved_to(path, _state(path))
    project.extracted_layers.save_origin(layer, origin, record.binding)
    array = choose_array(list_arrays(path), origin.array)
    return _result(project, layer, copy_rows(project, layer, array, task), started)


def bind_network(project: Project, layer: str, network: TriedNetwork) -> None:
    """Let an imported layer belong to a network that was found to give it.

    Raises
    ------
    ActivationImportError
        If the layer was not imported, or the project belongs to another network.
    ProjectError
        If the project belongs to other weights or another preprocessing, or is read-only.
    """
    _require_fitting(project, network.loaded)
    record = project.layer(layer)
    if record.origin is None:
        raise ActivationImportError(f"The layer {layer} was extracted, so that its network is known.")
    origin = replace(record.origin, network_check=network.check.agreement)
    project.extracted_layers.save_origin(layer, origin, _bound(project, network))


def unfinished_imports(project: Project) -> tuple[str, ...]:
    """Return the layers whose import was begun and is not complete, or whose file is damaged."""
    return tuple(
        record.name
        for record in project.layers
        if record.origin is not None and not is_complete(project, record.name)
    )


def _record(project: Project, layer: str) -> LayerRecord | None:
    return next((record for record in project.layers if record.name == layer), None)


def _result(project: Project, layer: str, n_imported: int, started: float) -> ImportResult:
    record = project.layer(layer)
    assert record.origin is not None
    seconds = time.perf_counter() - started
    return ImportResult(layer, record.n_images, record.n_neurons, n_imported, record.origin, seconds)


# The file


def _origin(plan: ImportPlan, task: Task) -> LayerOrigin:
    file = plan.request.activations.absolute()
    state = _state(file)
    return LayerOrigin(
        file=file.name,
        path=str(file),
        size=state.size,
        mtime_ns=state.mtime_ns,
        sha256=_hash(file, plan.array.n_images, task),
        array=plan.array.name,
        dtype=plan.array.dtype,
        shape=plan.array.shape,
        pooling=plan.request.pooling,
        image_list=plan.images.file.name,
        imported=now(),
    )


def _state(file: Path) -> FileState:
    state = FileState.of(file)
    if state is None:
        raise _gone(file)
    return state


def _hash(file: Path, n_images: int, task: Task) -> str:
    """Hash a file; the progress counts images, as that of the import does."""
    size = max(1, _state(file).size)
    found = file_sha256(
        file, task, lambda read: task.progress(n_images * read // size, n_images, f"Hashing {file.name}")
    )
    if found is None:
        raise _gone(file)
    return found


def _gone(file: Path) -> ActivationImportError:
    return ActivationImportError(
        f"The activations {file} cannot be read any more: connect their disk, or say where they are now. "
        "What was imported so far is kept."
    )


def _require_unchanged(origin: LayerOrigin, path: Path, task: Task, n_images: int) -> None:
    state = _state(path)
    same = state == origin.file_state
    if not same and (state.size != origin.size or _hash(path, n_images, task) != origin.sha256):
        raise ActivationImportError(
            f"{path} is not the file any more that the import began with ({origin.description()}): put that "
            "back, or import this one under another name."
        )


# The network


def _require_fitting(project: Project, network: LoadedModel) -> None:
    source = project.model_source
    if not source.is_imported and source.architecture != network.source.architecture:
        raise ActivationImportError(
            f"The project {project.path} belongs to the network {source.architecture}, not to "
            f"{network.source.architecture}: leave the network out, or make a new project."
        )
    project.require_model(network.weights_sha256, network.preprocessing)


def _bound(project: Project, network: TriedNetwork) -> LayerBinding:
    """Make the network that of the project, and return what a layer that it gives belongs to."""
    loaded = network.loaded
    if project.model_source.is_imported:
        project.name_network(loaded.source)
    project.bind_model(loaded.weights_sha256, loaded.preprocessing, loaded.class_names)
    return LayerBinding(loaded.weights_sha256, loaded.preprocessing, network.check.pooling, "unknown")


def _name_neurons(project: Project, layer: str, names: tuple[str, ...]) -> None:
    """Give neurons the names of the list, where people have given them none."""
    taken = project.neuron_names(layer)
    project.set_neuron_names(
        layer, {neuron: name for neuron, name in enumerate(names) if name and neuron not in taken}
    )
