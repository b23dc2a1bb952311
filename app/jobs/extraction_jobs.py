"""Jobs before an extraction: what a network offers, what a folder holds, and what it will cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.model_cache import ModelCache
from backend.networks.model_source import LayerInfo
from backend.task import Task
from widgets.new_project.new_project_form import ImagesChoice, ModelChoice, NewProjectRequest

if TYPE_CHECKING:
    from backend.activations.extraction_estimate import ExtractionEstimate


@dataclass(frozen=True)
class ImagesFound:
    """What a folder of images holds.

    Attributes
    ----------
    n_images, n_classes, n_chosen : int
        In all, their classes (0 in a flat folder), and after undersampling.
    skipped : tuple of (str, str)
        Path and reason of each file that is left out.
    """

    n_images: int
    n_classes: int
    n_chosen: int
    skipped: tuple[tuple[str, str], ...]


def list_torchvision_names(task: Task) -> tuple[str, ...]:
    """Return the names of torchvision's classification models."""
    from backend.models import torchvision_names

    return torchvision_names()


@dataclass(frozen=True)
class ModelFound:
    """What a network offers.

    Attributes
    ----------
    layers : tuple of LayerInfo
        In its own order.
    input_size : int
        Height and width of its input in pixels, as it was loaded.
    """

    layers: tuple[LayerInfo, ...]
    input_size: int


def list_model_layers(models: ModelCache, choice: ModelChoice, task: Task) -> ModelFound:
    """Load a network and list its layers by one dry run."""
    from backend.models import list_layers

    loaded = models.load(choice.source, allow_code=choice.allow_code, task=task)
    task.check_cancelled()
    return ModelFound(list_layers(loaded), loaded.preprocessing.input_size)


def look_for_images(choice: ImagesChoice, task: Task) -> ImagesFound:
    """Count the images of a folder."""
    from backend.images import find_images

    everything = find_images(choice.folder, task=task)
    task.check_cancelled()
    chosen = everything
    if choice.per_class is not None:
        chosen = find_images(choice.folder, per_class=choice.per_class, seed=choice.seed, task=task)
    classes = {label for label in everything.labels if label is not None}
    skipped = tuple((file.path, file.reason) for file in everything.skipped)
    return ImagesFound(len(everything.paths), len(classes), len(chosen.paths), skipped)


def estimate_extraction(models: ModelCache, request: NewProjectRequest, task: Task) -> ExtractionEstimate:
    """Time a few real batches."""
    from backend.activations.extraction_estimate import estimate
    from backend.images import find_images

    loaded = models.load(request.model.source, allow_code=request.model.allow_code, task=task)
    images = find_images(
        request.images.folder, per_class=request.images.per_class, seed=request.images.seed, task=task
    )
    return estimate(loaded, images, request.layers, task=task)
