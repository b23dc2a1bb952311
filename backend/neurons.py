"""Statistics and the strongest images of every neuron of a layer, and the file that they are kept in."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.errors import ProjectError
from backend.method.parameters import MAX_TOP_N
from backend.method.top_images import TopImages, top_images

_INDEX_FORMAT = 1

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class NeuronStatistics:
    """How each neuron of a layer behaves over the valid images of a data set.

    Attributes
    ----------
    maximum, mean, standard_deviation : ndarray of float32, shape (d,)
        In the units of the activation; the standard deviation is the population's (divided by n).
    active_fraction : ndarray of float32, shape (d,)
        Share of the valid images whose activation is above zero, 0 to 1.
    n_images : int
        Number of valid rows, those without NaN.
    """

    maximum: NDArray[np.float32]
    mean: NDArray[np.float32]
    standard_deviation: NDArray[np.float32]
    active_fraction: NDArray[np.float32]
    n_images: int

    def __post_init__(self) -> None:
        for values in (self.maximum, self.mean, self.standard_deviation, self.active_fraction):
            values.setflags(write=False)


@dataclass(frozen=True)
class NeuronIndex:
    """The strongest images of every neuron of a layer, and each neuron's statistics.

    Attributes
    ----------
    top_images : ndarray of int32, shape (d, K)
        Rows of the images with the largest activations, strongest first, ties by smaller row.
    top_activations : ndarray of float32, shape (d, K)
        Their activations.
    statistics : NeuronStatistics
        Over the valid images.
    n_invalid : int
        Rows left out because they hold NaN (images that could not be read).
    excluded : frozenset of int
        Rows that a person took out of the analysis: everything else here is without them.
    """

    top_images: NDArray[np.int32]
    top_activations: NDArray[np.float32]
    statistics: NeuronStatistics
    n_invalid: int
    excluded: frozenset[int] = frozenset()
    _layer: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.top_images.setflags(write=False)
        self.top_activations.setflags(write=False)

    @property
    def n_neurons(self) -> int:
        """Number of neurons d."""
        return int(self.top_images.shape[0])

    @property
    def k(self) -> int:
        """Number of images kept for each neuron."""
        return int(self.top_images.shape[1])

    def top(self, neuron: int, n: int) -> TopImages:
        """Return the ``n`` strongest images of a neuron (all valid ones if there are fewer).

        Raises
        ------
        ProjectError
            If there is no such neuron, or if more images are asked for than the index holds although the
            data set has more.
        """
        if not 0 <= neuron < self.n_neurons:
            raise ProjectError(
                f"There is no neuron {neuron}: the layer's neurons are 0 to {self.n_neurons - 1}."
            )
        if n > self.k and self._layer is not None and self.statistics.n_images > self.k:
            return top_images(self._layer, neuron, n, excluded=self.excluded)
        if n < 1 or (n > self.k and self.statistics.n_images > self.k):
            raise ProjectError(
                f"The neuron index holds the {self.k} strongest images of a neuron, so it cannot give {n}."
            )
        return TopImages(
            images=self.top_images[neuron, :n].astype(np.int64),
            activations=self.top_activations[neuron, :n].copy(),
            n_active=round(float(self.statistics.active_fraction[neuron]) * self.statistics.n_images),
            n_invalid=self.n_invalid,
        )

    def without(self, rows: Collection[int], activations: NDArray[np.float32]) -> NeuronIndex:
        """Return the index as if these images were not there.

        It keeps as many images for every neuron as are left where most had to go; who asks for more, up to
        1000, gets them by reading the layer.

        Parameters
        ----------
        rows : collection of int
            Images to take out; one without activations (not finite, or not extracted yet) changes nothing.
        activations : ndarray of float32, shape (images, d)
            The layer that the index was made of, none of whose rows was taken out before.
        """
        if not rows:
            return self
        gone = np.sort(np.fromiter(rows, dtype=np.int64, count=len(rows)))
        stays = ~np.isin(self.top_images, gone)
        k = int(stays.sum(axis=1).min()) if self.n_neurons else 0
        # Stable: what stays comes first, in its order.
        first = np.argsort(~stays, axis=1, kind="stable")[:, :k]
        top_activations = np.take_along_axis(self.top_activations, first, axis=1)
        return replace(
            self,
            top_images=np.take_along_axis(self.top_images, first, axis=1),
            top_activations=top_activations,
            statistics=_statistics_without(self.statistics, top_activations, activations, gone),
            excluded=frozenset(gone.tolist()),
            _layer=activations,
        )


def _statistics_without(
    all_of_them: NeuronStatistics,
    top_activations: NDArray[np.float32],
    activations: NDArray[np.float32],
    gone: NDArray[np.int64],
) -> NeuronStatistics:
    """Take some images (rows ``gone``, ascending) out of the statistics."""
    before = all_of_them.mean.astype(np.float64)
    n = all_of_them.n_images
    # Sums of squares about the mean, the parallel formula (Chan, Golub, LeVeque 1979) run backwards.
    squares = np.square(all_of_them.standard_deviation.astype(np.float64)) * n
    n_active = np.rint(all_of_them.active_fraction.astype(np.float64) * n)
    deviations = np.zeros_like(before)
    there = gone[gone < len(activations)]
    for start in range(0, len(there), _ROWS_AT_ONCE):
        vectors = np.asarray(activations[there[start : start + _ROWS_AT_ONCE]], dtype=np.float64)
        vectors = vectors[np.isfinite(vectors).all(axis=1)]
        n -= len(vectors)
        deviations += (before - vectors).sum(axis=0)
        squares -= np.square(vectors - before).sum(axis=0)
        n_active -= (vectors > 0).sum(axis=0)
    if n < 1 or not top_activations.shape[1]:
        # It makes what is defined here.
        from backend.neuron_index_builder import build_neuron_index

        return build_neuron_index(activations, 1, excluded=gone).statistics
    mean = before + deviations / n
    squares -= n * np.square(mean - before)
    return NeuronStatistics(
        maximum=top_activations[:, 0].copy(),
        mean=mean.astype(np.float32),
        standard_deviation=np.sqrt(np.maximum(squares, 0) / n).astype(np.float32),
        active_fraction=(n_active / n).astype(np.float32),
        n_images=n,
    )


def index_bytes(n_images: int, n_neurons: int) -> int:
    """Return about how large a neuron index is on disk: K rows and activations, and four figures a neuron."""
    return n_neurons * (min(MAX_TOP_N, n_images) * 8 + 4 * 4)


def save_neuron_index(path: Path, index: NeuronIndex) -> None:
    """Write an index as ``.npz``, either whole or not at all.

    Raises
    ------
    ProjectError
        If the file cannot be written.
    """
    statistics = index.statistics
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            np.savez(
                file,
                format=np.int64(_INDEX_FORMAT),
                top_images=index.top_images,
                top_activations=index.top_activations,
                maximum=statistics.maximum,
                mean=statistics.mean,
                standard_deviation=statistics.standard_deviation,
                active_fraction=statistics.active_fraction,
                n_images=np.int64(statistics.n_images),
                n_invalid=np.int64(index.n_invalid),
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ProjectError(
            f"The neuron index {path} cannot be written: {error.strerror or error}."
        ) from error


def load_neuron_index(path: Path) -> NeuronIndex:
    """Read an index written by :func:`save_neuron_index`.

    Raises
    ------
    ProjectError
        If the file is missing, damaged, or of a newer format.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            if int(file["format"]) > _INDEX_FORMAT:
                raise ProjectError(f"The neuron index {path} was written by a newer version of Neuron Prism.")
            return NeuronIndex(
                top_images=file["top_images"],
                top_activations=file["top_activations"],
                statistics=NeuronStatistics(
                    maximum=file["maximum"],
                    mean=file["mean"],
                    standard_deviation=file["standard_deviation"],
                    active_fraction=file["active_fraction"],
                    n_images=int(file["n_images"]),
                ),
                n_invalid=int(file["n_invalid"]),
            )
    except FileNotFoundError as error:
        raise ProjectError(f"There is no neuron index {path}.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ProjectError(f"The neuron index {path} cannot be read: it is damaged ({error}).") from error
