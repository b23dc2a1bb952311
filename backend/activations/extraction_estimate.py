"""What an extraction will take, before it is started: space on disk, and time from a few real batches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.activations.inference import BatchOfImages, Inference
from backend.activations.store import activation_bytes
from backend.errors import ExtractionError
from backend.neurons import index_bytes
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backend.images import ImageSet
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Pooling, Precision

# The clock starts after the first batches, which also load libraries and fill caches.
_MEASURED_SECONDS = 2.0
_MOST_BATCHES = 256


@dataclass(frozen=True)
class ExtractionEstimate:
    """What an extraction will take.

    Attributes
    ----------
    n_images
        Images to extract.
    n_neurons
        Neurons of each layer.
    bytes_on_disk
        Of the activations and neuron indices of all layers.
    images_per_second
        Measured on a sample of the images, on this machine as busy as it is now.
    seconds
        For all images at that speed.
    """

    n_images: int
    n_neurons: Mapping[str, int]
    bytes_on_disk: int
    images_per_second: float
    seconds: float


def estimate(
    loaded: LoadedModel,
    images: ImageSet,
    layers: Sequence[str],
    *,
    pooling: Mapping[str, Pooling] | None = None,
    precision: Precision = "float32",
    task: Task | None = None,
    n_workers: int | None = None,
) -> ExtractionEstimate:
    """Estimate an extraction by running a sample of its images through the model, for about two seconds.

    Parameters
    ----------
    loaded
        The model.
    images
        The images; those that cannot be read count like the others.
    layers
        Layers to extract in one pass.
    pooling, precision, n_workers
        As for :func:`backend.activations.extraction.extract`.

    Raises
    ------
    ModelError
        If the model has no such layer, or fails.
    ExtractionError
        If no layer is named, or this machine does not have the precision.
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    if not layers:
        raise ExtractionError("No layer is named: choose at least one to extract.")
    n_images = len(images.paths)
    inference = Inference(loaded, layers, pooling, n_workers, precision=precision)
    task.check_cancelled()
    speed = _measure(inference, images, tuple(dict.fromkeys(layers)), task)
    return ExtractionEstimate(
        n_images=n_images,
        n_neurons=inference.n_neurons,
        bytes_on_disk=sum(
            activation_bytes(n_images, d) + index_bytes(n_images, d) for d in inference.n_neurons.values()
        ),
        images_per_second=speed,
        seconds=n_images / speed,
    )


def _measure(inference: Inference, images: ImageSet, layers: tuple[str, ...], task: Task) -> float:
    """Return images per second once the workers are in full swing."""
    paths = [images.root / path for path in images.paths]
    # Spread over the whole data set, as sizes and formats may differ between its parts; again from the start
    # where it is small.
    stride = max(1, len(paths) // (_MOST_BATCHES * inference.batch_size))
    sample = paths[::stride]
    size = inference.batch_size
    batches = (BatchOfImages(range(i * size, (i + 1) * size), layers) for i in range(_MOST_BATCHES))
    started = time.perf_counter()
    first_end, n_after = started, 0
    with closing(inference.read(batches, lambda row: sample[row % len(sample)])) as results:
        for place, result in enumerate(results):
            task.check_cancelled()
            now = time.perf_counter()
            task.progress(round((now - started) * 10), round(_MEASURED_SECONDS * 10), "Estimating")
            if place < inference.n_workers:
                first_end = now
                continue
            n_after += len(result.batch.rows)
            if now - first_end >= _MEASURED_SECONDS:
                break
    return n_after / (now - first_end)
