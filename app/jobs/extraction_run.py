"""The extraction itself: what of a project lacks, computing it, and computing again what is outdated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.jobs.extraction_growth import GrowthReports
from app.jobs.job import without_pause
from app.jobs.layer_jobs import suggest_for_layer
from app.model_cache import ModelCache
from app.processor_threads import run_at_low_priority
from backend.task import Task

if TYPE_CHECKING:
    from backend.activations.extraction import ExtractionResult
    from backend.networks.loaded_model import LoadedModel
    from backend.project import Freshness, Project


def layers_to_extract(project: Project) -> tuple[str, ...]:
    """Return the layers that were chosen or begun and are not complete."""
    records = {record.name: record for record in project.layers}
    names = dict.fromkeys((*project.planned_layers, *records))
    return tuple(
        name
        for name in names
        if name not in records or (records[name].origin is None and not records[name].complete)
    )


def imports_to_continue(project: Project) -> tuple[str, ...]:
    """Return the layers whose import was begun and is not complete."""
    return tuple(
        record.name for record in project.layers if record.origin is not None and not record.complete
    )


def continue_imports(project: Project, layers: tuple[str, ...], task: Task) -> None:
    """Go on with imports that were cut off; it may be paused like an extraction."""
    from backend.activations.activation_import import continue_import

    reports = GrowthReports(project, task)
    for layer in layers:
        continue_import(project, layer, task=reports)
        suggest_for_layer(project, layer, task)


def extract_layers(
    project: Project, models: ModelCache, allow_code: bool, layers: tuple[str, ...], task: Task
) -> ExtractionResult:
    """Load the network, extract the layers (or what is missing of them), and suggest a threshold for each.

    It may be paused at any of its cancellation points: it holds no lock there.
    """
    return _extract(project, _load(project, models, allow_code, task), layers, task)


def extract_again(
    project: Project, models: ModelCache, allow_code: bool, freshness: Freshness, everything: bool, task: Task
) -> ExtractionResult:
    """Compute again what is outdated, and what is missing.

    Parameters
    ----------
    freshness
        What changed.
    everything
        Whether all activations are computed again if the network is another; else that is an error.
    """
    loaded = _load(project, models, allow_code, task)
    from backend.activations.recomputation import forget_outdated, forget_outdated_images

    forget = forget_outdated if everything else forget_outdated_images
    forget(project, loaded, freshness, task=task)
    everything_there = tuple(record.name for record in project.layers if record.origin is None)
    return _extract(project, loaded, layers_to_extract(project) or everything_there, task)


def compare_network(project: Project, models: ModelCache, allow_code: bool, task: Task) -> str:
    """Return how the network differs from that of the activations, in words that follow "its".

    Empty if it does not: then its files count as unchanged from now on.
    """
    loaded = _load(project, models, allow_code, task)
    from backend.activations.network_identity import difference_of_network

    difference = difference_of_network(project, loaded, task=task)
    if not difference:
        project.confirm_model_files()
    return difference


def _load(project: Project, models: ModelCache, allow_code: bool, task: Task) -> LoadedModel:
    task.progress(0, 0, "Loading the network")
    # The cache lets one thread in at a time.
    loaded = models.load(project.model_source, allow_code=allow_code, task=without_pause(task))
    task.check_cancelled()
    return loaded


def _extract(project: Project, loaded: LoadedModel, layers: tuple[str, ...], task: Task) -> ExtractionResult:
    from backend.activations.extraction import extract
    from backend.activations.precision_check import check_project_precision

    # Only where that is to be used and was not compared before.
    run_at_low_priority(lambda: check_project_precision(project, loaded, layers, task=task))
    reports = GrowthReports(project, task)
    result = run_at_low_priority(lambda: extract(project, loaded, layers, task=reports))
    for name in layers:
        task.check_cancelled()
        suggest_for_layer(project, name, task)
    return result
