"""Jobs before an extraction: what a network offers, what a folder holds, and what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.model_cache import ModelCache
from backend.networks.model_source import LayerInfo
from backend.task import Task
from widgets.new_project.new_project_request import ImagesChoice, ModelChoice, NewProjectRequest

if TYPE_CHECKING:
    from backend.activations.extraction_estimate import ExtractionEstimate
    from backend.activations.precision_check_result import PrecisionCheck
    from backend.image_files.grey_depth import GreyDepth
    from backend.image_files.grey_scaling import GreyScaling
    from backend.images import ImageSet
    from backend.networks.loaded_model import LoadedModel


@dataclass(frozen=True)
class ImagesFound:
    """What a folder of images holds.

    Attributes
    ----------
    n_images, n_classes, n_chosen : int
        In all, their classes (0 in a flat folder), and after undersampling.
    skipped : tuple of (str, str)
        Path and reason of each file that is left out.
    depths : tuple of GreyDepth
        What a sample says of the grey values, for each format that can hold deep ones.
    """

    n_images: int
    n_classes: int
    n_chosen: int
    skipped: tuple[tuple[str, str], ...]
    depths: tuple[GreyDepth, ...]


def list_torchvision_names(task: Task) -> tuple[str, ...]:
    """Return the names of torchvision's classification models."""
    from backend.models import torchvision_names

    return torchvision_names()


def list_timm_names(task: Task) -> tuple[str, ...]:
    """Return the names of timm's models, with their prefix; none if it is not installed.

    Raises
    ------
    ModelError
        If it is installed and cannot be imported.
    """
    from backend.models import timm_is_installed, timm_names

    return timm_names() if timm_is_installed() else ()


def why_no_fast_precision(task: Task) -> str:
    """Return a sentence that says why this machine has no fast precision; "" if it has."""
    from backend.activations.precision import fast_unavailable_reason

    return fast_unavailable_reason()


@dataclass(frozen=True)
class ModelFound:
    """What a network offers.

    Attributes
    ----------
    layers : tuple of LayerInfo
        In its own order.
    input_size : int
        Height and width of its input in pixels, as it was loaded.
    grey_scaling : str
        Its own rule for grey values of more than eight bits.
    """

    layers: tuple[LayerInfo, ...]
    input_size: int
    grey_scaling: GreyScaling


def list_model_layers(models: ModelCache, choice: ModelChoice, task: Task) -> ModelFound:
    """Load a network and list its layers by one dry run."""
    from backend.models import list_layers

    loaded = models.load(choice.source, allow_code=choice.allow_code, task=task)
    task.check_cancelled()
    preprocessing = loaded.preprocessing
    return ModelFound(list_layers(loaded), preprocessing.input_size, preprocessing.grey_scaling)


def look_for_images(choice: ImagesChoice, task: Task) -> ImagesFound:
    """Count the images of a folder, and look at a sample for grey values of more than eight bits."""
    from backend.image_files.grey_depth import grey_depths
    from backend.images import find_images

    everything = find_images(choice.folder, task=task)
    task.check_cancelled()
    chosen = everything
    if choice.per_class is not None:
        chosen = find_images(choice.folder, per_class=choice.per_class, seed=choice.seed, task=task)
    classes = {label for label in everything.labels if label is not None}
    skipped = tuple((file.path, file.reason) for file in everything.skipped)
    task.progress(0, 0, "Looking at the images")
    depths = grey_depths(everything.root, everything.paths, task=task)
    return ImagesFound(len(everything.paths), len(classes), len(chosen.paths), skipped, depths)


def estimate_extraction(models: ModelCache, request: NewProjectRequest, task: Task) -> ExtractionEstimate:
    """Time a few real batches."""
    from backend.activations.extraction_estimate import estimate

    loaded, images = _model_and_images(models, request, task)
    return estimate(
        loaded,
        images,
        request.layers,
        pooling=request.poolings,
        precision=request.precision,
        task=task,
    )


def compare_precisions(models: ModelCache, request: NewProjectRequest, task: Task) -> PrecisionCheck:
    """Measure what the fast precision changes on a sample of the chosen images."""
    from backend.activations.precision_check import check_precision

    loaded, images = _model_and_images(models, request, task)
    paths = [images.root / path for path in images.paths]
    return check_precision(loaded, paths, request.layers, request.poolings, task=task)


def _model_and_images(
    models: ModelCache, request: NewProjectRequest, task: Task
) -> tuple[LoadedModel, ImageSet]:
    from backend.images import find_images

    loaded = models.load(request.model.source, allow_code=request.model.allow_code, task=task)
    choice = request.images
    images = find_images(choice.folder, per_class=choice.per_class, seed=choice.seed, task=task)
    return loaded, images
