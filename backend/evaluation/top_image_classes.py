"""Which neurons' top images show a class most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.neurons import NeuronIndex
from backend.task import SilentTask, Task

_COUNTED_AT_ONCE = 1 << 22
"""Counts (classes × neurons) in memory at a time."""


@dataclass(frozen=True)
class TopImageClasses:
    """For each class the neurons among whose top images it is most frequent.

    Attributes
    ----------
    classes
        Names, sorted.
    neurons
        int64 (classes, k): most frequent first, ties by number; −1 where fewer neurons have any.
    counts
        int64 (classes, k): how many of the neuron's top images are of the class.
    n_top
        Top images that were looked at for each neuron.
    """

    classes: tuple[str, ...]
    neurons: NDArray[np.int64]
    counts: NDArray[np.int64]
    n_top: int

    def __post_init__(self) -> None:
        for array in (self.neurons, self.counts):
            array.setflags(write=False)


def top_image_classes(
    index: NeuronIndex,
    labels: Sequence[str | None],
    n_top: int,
    *,
    k: int = 5,
    task: Task | None = None,
) -> TopImageClasses:
    """Count the classes of every neuron's top images and keep the k neurons where each is most frequent.

    Images that do not activate a neuron are not counted among its top images.

    Parameters
    ----------
    index
        The layer's neuron index.
    labels
        Class of every image of the dataset, None where it has none.
    n_top
        Top images of each neuron to look at; all that the index holds if those are fewer.
    k
        Neurons kept for each class.
    task
        Cancellation.
    """
    task = task or SilentTask()
    classes = tuple(sorted({label for label in labels if label is not None}))
    n_top = min(n_top, index.k)
    neurons: NDArray[np.int64] = np.full((len(classes), 0), -1, dtype=np.int64)
    counts: NDArray[np.int64] = np.zeros((len(classes), 0), dtype=np.int64)
    if not classes:
        return TopImageClasses((), neurons, counts, n_top)
    number = {name: code for code, name in enumerate(classes)}
    # The class after the last one stands for "none", and is not kept.
    no_class = len(classes)
    codes = np.array([no_class if label is None else number[label] for label in labels], dtype=np.int64)
    at_once = max(1, _COUNTED_AT_ONCE // (len(classes) + 1))
    for start in range(0, index.n_neurons, at_once):
        task.check_cancelled()
        stop = min(start + at_once, index.n_neurons)
        found = _class_counts(index, codes, start, stop, n_top, len(classes))
        neurons = np.concatenate([neurons, np.tile(np.arange(start, stop), (len(classes), 1))], axis=1)
        counts = np.concatenate([counts, found], axis=1)
        best = np.argsort(-counts, axis=1, kind="stable")[:, :k]
        neurons = np.take_along_axis(neurons, best, axis=1)
        counts = np.take_along_axis(counts, best, axis=1)
    return TopImageClasses(classes, np.where(counts > 0, neurons, -1), counts, n_top)


def _class_counts(
    index: NeuronIndex, codes: NDArray[np.int64], start: int, stop: int, n_top: int, n_classes: int
) -> NDArray[np.int64]:
    """Return int64 (classes, stop − start)."""
    of_images = codes[index.top_images[start:stop, :n_top]]
    of_images = np.where(index.top_activations[start:stop, :n_top] > 0, of_images, n_classes)
    place = np.arange(stop - start)[:, np.newaxis] * (n_classes + 1) + of_images
    counted = np.bincount(place.ravel(), minlength=(stop - start) * (n_classes + 1))
    return counted.reshape(stop - start, n_classes + 1)[:, :n_classes].T
