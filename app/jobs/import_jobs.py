"""Jobs around imports: what the chosen files are, whether a network gives them, and the import itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.jobs.extraction_growth import GrowthReports
from app.jobs.job import without_pause
from app.jobs.layer_jobs import suggest_for_layer
from app.model_cache import ModelCache
from backend.activations.activation_file import StoredArray, choose_array, list_arrays, shape_text
from backend.activations.activation_import import (
    ImportResult,
    create_import_project,
    import_activations,
)
from backend.activations.image_list import ImageList, look_for_listed
from backend.activations.import_plan import (
    ImportRequest,
    check_images,
    check_layer,
    import_bytes,
    plan_import,
)
from backend.errors import ActivationImportError
from backend.project_folder.layer_origin import conversion_of
from backend.task import Task
from widgets.import_activations.import_choices import ArrayFound, Field, ImportChoice, ImportExamination
from widgets.new_project.new_project_request import ModelChoice
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from backend.activations.network_check import TriedNetwork
    from backend.project import Project

FOUND, NOT_THERE = "found", "not there"


@dataclass(frozen=True)
class ImportOrder:
    """An import as the user asked for it.

    Attributes
    ----------
    request : ImportRequest
    project : Project or None
        The open project that it goes into; None: a new one.
    destination : Path or None
        The folder of the new project.
    network : TriedNetwork or None
        The network that was found to give the activations.
    """

    request: ImportRequest
    project: Project | None
    destination: Path | None
    network: TriedNetwork | None


def import_request(choice: ImportChoice) -> ImportRequest:
    """Return what the backend calls a choice of the form."""
    return ImportRequest(
        choice.activations,
        choice.image_list,
        choice.images,
        choice.layer,
        choice.array,
        choice.pooling,
        choice.neuron_names,
    )


def examine_import(choice: ImportChoice, project: Project | None, task: Task) -> ImportExamination:
    """Look at the files of a choice; what is wrong with one is said beside what is known of the others."""
    task.progress(0, 0, "Looking at the files")
    errors: dict[Field, str] = {}
    request = import_request(choice)
    arrays: tuple[StoredArray, ...] = ()
    array: StoredArray | None = None
    try:
        arrays = list_arrays(choice.activations)
        array = choose_array(arrays, choice.array)
    except ActivationImportError as error:
        errors["activations"] = str(error)
    task.check_cancelled()
    images: ImageList | None = None
    if choice.image_list is not None or choice.activations.suffix.lower() == ".npz":
        try:
            images = check_images(request, array, project)
        except ActivationImportError as error:
            errors["images"] = str(error)
    task.check_cancelled()
    if choice.layer:
        try:
            check_layer(request, array, project)
        except ActivationImportError as error:
            errors["layer"] = str(error)
    root = project.images_root if project is not None else choice.images
    listed, summary = _listed(images, root)
    return ImportExamination(
        arrays=tuple(_found(one) for one in arrays),
        array=None if array is None else array.name,
        is_feature_maps=array is not None and array.is_feature_maps,
        shape_text="" if array is None else _shape(array),
        listed=listed,
        images_text=summary,
        bytes_on_disk=0 if array is None else import_bytes(array),
        errors=errors,
    )


def try_network_of_import(
    models: ModelCache, choice: ImportChoice, network: ModelChoice, project: Project | None, task: Task
) -> TriedNetwork:
    """Load a network and run some of the images through it; an error if it gives other activations."""
    task.progress(0, 0, "Loading the network")
    plan = plan_import(import_request(choice), project)
    loaded = models.load(network.source, allow_code=network.allow_code, task=task)
    task.check_cancelled()
    from backend.activations.network_check import try_network

    return try_network(plan, loaded, task=task)


def create_project_of(order: ImportOrder, task: Task) -> Project:
    """Make the new project of an import, with its images; the layer comes afterwards."""
    assert order.destination is not None
    task.progress(0, 0, "Writing the list of images")
    return create_import_project(order.destination, plan_import(order.request))


def run_import(project: Project, order: ImportOrder, task: Task) -> ImportResult:
    """Copy the activations into a project, and suggest a threshold for them."""
    plan = plan_import(order.request, project)
    reports = GrowthReports(project, task)
    result = import_activations(project, plan, network=order.network, task=reports)
    suggest_for_layer(project, result.layer, without_pause(task))
    return result


def _found(array: StoredArray) -> ArrayFound:
    title = f"{array.name}: {shape_text(array.shape)}, {array.dtype}"
    return ArrayFound(array.name, title, array.reason, array.is_feature_maps)


def _shape(array: StoredArray) -> str:
    maps = f", maps of {shape_text(array.shape[2:])}" if array.is_feature_maps else ""
    shape = f"{array.n_images:,} images × {array.n_neurons:,} neurons{maps}"
    conversion = conversion_of(array.dtype)
    return f"{shape}. {conversion}" if conversion else f"{shape}, {array.dtype}."


def _listed(images: ImageList | None, root: Path | None) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """Return the first rows of a list, and a sentence about how many there are."""
    if images is None:
        return (), ""
    summary = count_text(len(images), "image")
    n_classes = len(set(images.labels) - {None})
    if n_classes:
        summary += f" in {count_text(n_classes, 'class', 'classes')}"
    if root is None:
        return tuple((str(row), path, "–") for row, path in enumerate(images.paths[:5])), f"{summary}."
    found = look_for_listed(images, root)
    if found.n_found < found.n_looked_at:
        missing = found.n_looked_at - found.n_found
        summary += f"; {missing:,} of {found.n_looked_at:,} that were looked for are not there"
    rows = enumerate(found.first)
    return tuple(
        (str(row), path, FOUND if there else NOT_THERE) for row, (path, there) in rows
    ), f"{summary}."
