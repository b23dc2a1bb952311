"""Measuring the precision ``fast`` against float32 on a sample of the user's own images."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from backend.activations.precision_check_result import LayerOverlap, PrecisionCheck
from backend.errors import ExtractionError, ImageError
from backend.images import preprocess_image
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.activations.inference import Inference
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Pooling, Precision, Preprocessing
    from backend.project import Project

__all__ = ["LayerOverlap", "PrecisionCheck", "check_precision", "check_project_precision", "layer_overlap"]

SAMPLE_IMAGES: Final = 384
"""Images of a sample: enough for a top N of 24, few enough for half a minute of a large network."""

_PER_TOP_IMAGE: Final = 16

# Of each worker, in one turn of a precision: long enough for a clock, short enough that both share its luck.
_BATCHES_IN_A_TURN: Final = 4


def check_precision(
    loaded: LoadedModel,
    image_paths: Sequence[Path],
    layers: Sequence[str],
    poolings: Mapping[str, Pooling] | None = None,
    *,
    task: Task | None = None,
    max_images: int = SAMPLE_IMAGES,
    seed: int = 0,
    n_workers: int | None = None,
    device: str = "auto",
) -> PrecisionCheck:
    """Run a sample of images through the model in both precisions, and compare.

    Every batch of decoded images goes through the model in float32 and in ``fast``, in turns, on all cores.

    Parameters
    ----------
    loaded
        The model.
    image_paths
        The images; a sample of them is looked at.
    layers
        Layers to compare, all in one pass.
    poolings
        Layer → pooling; for those that are not in it the default of their output.
    task
        Is told of the progress in images, and can stop it.
    max_images
        Size of the sample, which is drawn without replacement; of fewer images all are taken.
    seed
        Of the draw.
    n_workers, device
        As for :func:`backend.activations.extraction.extract`.

    Raises
    ------
    ExtractionError
        If this machine has no ``fast`` or no such device, no layer is named, or fewer than two images can be
        read.
    ModelError
        If the model has no such layer, or fails.
    Cancelled
        If the task was asked to stop.
    """
    # Imports torch, which the result's other users have no need of.
    from backend.activations.devices import choose_device
    from backend.activations.inference import Inference
    from backend.activations.precision import require_precision

    where = choose_device(device)
    require_precision("fast", where.type)
    if not layers:
        raise ExtractionError("No layer is named: choose at least one whose precision is to be compared.")
    names = tuple(dict.fromkeys(layers))
    task = task or SilentTask()
    task.progress(0, 0, "Preparing the model")
    precisions: tuple[Precision, ...] = ("float32", "fast")
    inferences = {one: Inference(loaded, names, poolings, n_workers, one, where) for one in precisions}
    race = _Race(inferences, names, loaded.preprocessing)
    sample = _sample(image_paths, max_images, seed)
    task.progress(0, len(sample), "Comparing precisions")
    turn = inferences["float32"].batch_size * inferences["float32"].n_workers * _BATCHES_IN_A_TURN
    for first in range(0, len(sample), turn):
        task.check_cancelled()
        race.run(sample[first : first + turn])
        task.progress(min(first + turn, len(sample)), len(sample), "Comparing precisions")
    task.check_cancelled()
    return race.result()


def check_project_precision(
    project: Project,
    loaded: LoadedModel,
    layers: Sequence[str] | None = None,
    *,
    pooling: Mapping[str, Pooling] | None = None,
    precision: Precision | None = None,
    task: Task | None = None,
    n_workers: int | None = None,
    device: str = "auto",
) -> PrecisionCheck | None:
    """Before an extraction measure what ``fast`` changes, where it is to be used and that is not on record.

    Parameters
    ----------
    project
        Open for writing; keeps what is found.
    loaded, layers, pooling, precision, n_workers, device
        As for :func:`backend.activations.extraction.extract`.
    task
        As for :func:`check_precision`.

    Returns
    -------
    PrecisionCheck or None
        Of the layers that were measured now; None if there are none.

    Raises
    ------
    ExtractionError, ModelError, Cancelled
        As :func:`check_precision`.
    """
    from backend.activations.extraction import layers_without_precision_check

    names = layers_without_precision_check(project, layers, precision)
    if not names:
        return None
    begun = {record.name: record.binding.pooling for record in project.layers}
    poolings = project.planned_poolings | begun | dict(pooling or {})
    paths = [project.image_path(row) for row in range(project.n_images)]
    check = check_precision(loaded, paths, names, poolings, task=task, n_workers=n_workers, device=device)
    for name in names:
        project.save_precision_check(name, check)
    return check


def layer_overlap(
    layer: str, float32: NDArray[np.float32], fast: NDArray[np.float32], top_n: int
) -> LayerOverlap:
    """Compare the top images of each neuron; :class:`LayerOverlap` states the rule.

    Parameters
    ----------
    layer
        Its name.
    float32, fast
        float32 (images, d): activations of the same images. Finite in ``float32``; a value that is not
        finite in ``fast`` ranks last.
    top_n
        N, smaller than the number of images.
    """
    in_order = np.sort(float32, axis=0)[::-1]
    ranked = np.flatnonzero(in_order[top_n - 1] > in_order[top_n])
    fast = np.where(np.isfinite(fast), fast, -np.inf)
    chosen = _is_top(float32[:, ranked], top_n) & _is_top(fast[:, ranked], top_n)
    overlaps = chosen.sum(axis=0) / top_n
    worst = int(overlaps.argmin()) if len(ranked) else None
    return LayerOverlap(
        layer=layer,
        n_neurons=float32.shape[1],
        n_ranked=len(ranked),
        mean_overlap=float(overlaps.mean()) if len(ranked) else None,
        worst_neuron=None if worst is None else int(ranked[worst]),
        worst_overlap=None if worst is None else float(overlaps[worst]),
    )


def _is_top(activations: NDArray[np.float32], n: int) -> NDArray[np.bool_]:
    """Mark the n largest values of each column; of equal ones the first rows."""
    rows = np.argsort(-activations, axis=0, kind="stable")[:n]
    marked = np.zeros(activations.shape, np.bool_)
    np.put_along_axis(marked, rows, True, axis=0)
    return marked


class _Race:
    """Both precisions on the same decoded images, in turns."""

    def __init__(
        self, inferences: Mapping[Precision, Inference], layers: tuple[str, ...], preprocessing: Preprocessing
    ) -> None:
        self._inferences = inferences
        self._layers = layers
        self._preprocessing = preprocessing
        self._seconds: dict[str, float] = dict.fromkeys((*inferences, "decoding"), 0.0)
        self._n_images = 0
        self._n_turns = 0
        self._found: dict[Precision, list[dict[str, NDArray[np.float32]]]] = {one: [] for one in inferences}

    def run(self, paths: Sequence[Path]) -> None:
        """Let both precisions take their turn on some images, whose order changes from turn to turn."""
        started = time.perf_counter()
        with ThreadPoolExecutor(self._inferences["float32"].n_workers) as pool:
            decoded = list(pool.map(partial(_decoded, preprocessing=self._preprocessing), paths))
        readable = [pixels for pixels in decoded if pixels is not None]
        if not readable:
            return
        self._seconds["decoding"] += time.perf_counter() - started
        pixels = np.stack(readable)
        order = tuple(self._inferences)[:: -1 if self._n_turns % 2 else 1]
        for precision in order:
            inference = self._inferences[precision]
            batches = tuple(_batches(pixels, inference.batch_size))
            if not self._n_turns:
                # The first pass also makes what later ones use again.
                inference.read_decoded(batches[:1] * inference.n_workers, self._layers)
            started = time.perf_counter()
            self._found[precision] += inference.read_decoded(batches, self._layers)
            self._seconds[precision] += time.perf_counter() - started
        self._n_images += len(pixels)
        self._n_turns += 1

    def result(self) -> PrecisionCheck:
        """Return what was found on all images."""
        if self._n_images < 2:
            raise ExtractionError(
                "Precisions are compared by the order of at least two images, but "
                f"{self._n_images or 'none'} of them could be read: choose another folder of images."
            )
        top_n = max(1, self._n_images // _PER_TOP_IMAGE)
        speeds = {name: self._n_images / seconds for name, seconds in self._seconds.items()}
        return PrecisionCheck(
            n_images=self._n_images,
            top_n=top_n,
            layers=tuple(self._overlap(layer, top_n) for layer in self._layers),
            float32_images_per_second=speeds["float32"],
            fast_images_per_second=speeds["fast"],
            decoding_images_per_second=speeds["decoding"],
            device=self._inferences["fast"].device.type,
        )

    def _overlap(self, layer: str, top_n: int) -> LayerOverlap:
        float32, fast = (
            np.concatenate([batch[layer] for batch in self._found[one]]) for one in ("float32", "fast")
        )
        finite = np.isfinite(float32).all(axis=1)
        return layer_overlap(layer, float32[finite], fast[finite], top_n)


def _sample(paths: Sequence[Path], n: int, seed: int) -> list[Path]:
    """Draw paths without replacement, in their order."""
    if len(paths) <= n:
        return list(paths)
    rows = np.random.default_rng(seed).choice(len(paths), n, replace=False)
    return [paths[row] for row in sorted(rows)]


def _decoded(path: Path, preprocessing: Preprocessing) -> NDArray[np.uint8] | None:
    try:
        return preprocess_image(path, preprocessing)
    except ImageError:
        return None  # the extraction will say why


def _batches(pixels: NDArray[np.uint8], size: int) -> Iterator[NDArray[np.uint8]]:
    for first in range(0, len(pixels), size):
        yield pixels[first : first + size]
