"""Per-neuron statistics and the strongest images of every neuron, from one streaming pass over a layer."""

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
from backend.task import SilentTask, Task

_INDEX_FORMAT = 1
_READ_ROWS = 1024
# A key below every key of a real (activation, row) pair: an empty place in the table of candidates.
_EMPTY_KEY = np.int64(np.iinfo(np.int64).min)
_ROW_BITS = np.int64(0xFFFFFFFF)


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
        vectors = np.asarray(activations[gone[gone < len(activations)]], dtype=np.float64)
        vectors = vectors[np.isfinite(vectors).all(axis=1)]
        stays = ~np.isin(self.top_images, gone)
        k = int(stays.sum(axis=1).min()) if self.n_neurons else 0
        # Stable: what stays comes first, in its order.
        first = np.argsort(~stays, axis=1, kind="stable")[:, :k]
        top_activations = np.take_along_axis(self.top_activations, first, axis=1)
        return replace(
            self,
            top_images=np.take_along_axis(self.top_images, first, axis=1),
            top_activations=top_activations,
            statistics=_statistics_without(self.statistics, vectors, top_activations, activations, gone),
            excluded=frozenset(gone.tolist()),
            _layer=activations,
        )


def _statistics_without(
    all_of_them: NeuronStatistics,
    vectors: NDArray[np.float64],
    top_activations: NDArray[np.float32],
    activations: NDArray[np.float32],
    gone: NDArray[np.int64],
) -> NeuronStatistics:
    """Take some images (``vectors``, float64 (m, d)) out of the statistics."""
    n = all_of_them.n_images - len(vectors)
    if n < 1 or not top_activations.shape[1]:
        left = np.delete(activations, gone[gone < len(activations)], axis=0)
        return build_neuron_index(left, 1).statistics
    before = all_of_them.mean.astype(np.float64)
    mean = before + (before - vectors).sum(axis=0) / n
    # Sums of squares about the mean, the parallel formula (Chan, Golub, LeVeque 1979) run backwards.
    squares = np.square(all_of_them.standard_deviation.astype(np.float64)) * all_of_them.n_images
    squares -= np.square(vectors - before).sum(axis=0) + n * np.square(mean - before)
    n_active = np.rint(all_of_them.active_fraction.astype(np.float64) * all_of_them.n_images)
    return NeuronStatistics(
        maximum=top_activations[:, 0].copy(),
        mean=mean.astype(np.float32),
        standard_deviation=np.sqrt(np.maximum(squares, 0) / n).astype(np.float32),
        active_fraction=((n_active - (vectors > 0).sum(axis=0)) / n).astype(np.float32),
        n_images=n,
    )


class NeuronIndexBuilder:
    """Builds a :class:`NeuronIndex` from blocks of activations, each read once.

    Every neuron keeps a table of candidates. A candidate is one int64 key that orders by activation first
    and by smaller row second, so that partitioning keys gives the K strongest with the exact tie rule. A
    cell of a block becomes a candidate only when it beats the K-th strongest known so far, which after the
    first few blocks few do. Statistics are merged block by block in float64 (Chan, Golub, LeVeque 1979,
    "Updating formulae and a pairwise algorithm for computing sample variances").

    Parameters
    ----------
    n_neurons : int
        Number of neurons d.
    k : int
        Images to keep for each neuron; fewer are kept when there are fewer valid images.
    """

    _CHUNK_ROWS = 256

    def __init__(self, n_neurons: int, k: int = MAX_TOP_N) -> None:
        if n_neurons < 1 or k < 1:
            raise ProjectError(f"A neuron index needs a neuron and an image, not {n_neurons} and {k}.")
        self._n_neurons = n_neurons
        self._k = k
        self._capacity = k + max(k, 2 * self._CHUNK_ROWS)
        self._keys = np.full((n_neurons, self._capacity), _EMPTY_KEY, dtype=np.int64)
        self._filled = np.zeros(n_neurons, dtype=np.int64)
        self._threshold = np.full(n_neurons, -np.inf, dtype=np.float32)
        self._next_row = 0
        self._n_valid = 0
        self._n_invalid = 0
        self._maximum = np.full(n_neurons, -np.inf, dtype=np.float32)
        self._mean = np.zeros(n_neurons, dtype=np.float64)
        self._squares = np.zeros(n_neurons, dtype=np.float64)
        self._n_active = np.zeros(n_neurons, dtype=np.int64)

    def update(self, start_row: int, block: NDArray[np.float32]) -> None:
        """Take in the activations of consecutive images, the first of them ``start_row``.

        Parameters
        ----------
        start_row : int
            Row of the block's first image. Blocks may come in any order, each row once; ascending is fastest.
        block : ndarray of float32, shape (rows, d)
            Rows that hold a NaN or an infinity are left out and counted.
        """
        if block.ndim != 2 or block.shape[1] != self._n_neurons:
            raise ProjectError(
                f"A block of activations is of shape {block.shape}, not (rows, {self._n_neurons})."
            )
        if start_row < 0 or start_row + len(block) > np.iinfo(np.int32).max:
            raise ProjectError(
                f"A neuron index cannot count the rows from {start_row} to {start_row + len(block)}."
            )
        for offset in range(0, len(block), self._CHUNK_ROWS):
            self._update_chunk(
                start_row + offset, np.asarray(block[offset : offset + self._CHUNK_ROWS], np.float32)
            )

    def finish(self) -> NeuronIndex:
        """Return the index over everything taken in so far; the builder can go on afterwards."""
        k = min(self._k, self._n_valid)
        self._compact(np.flatnonzero(self._filled > k))
        keys = np.sort(self._keys[:, :k], axis=1)[:, ::-1]
        n = max(self._n_valid, 1)
        empty = self._n_valid == 0
        statistics = NeuronStatistics(
            maximum=np.full_like(self._maximum, np.nan) if empty else self._maximum.copy(),
            mean=np.full(self._n_neurons, np.nan, np.float32) if empty else self._mean.astype(np.float32),
            standard_deviation=(
                np.full(self._n_neurons, np.nan, np.float32)
                if empty
                else np.sqrt(self._squares / n).astype(np.float32)
            ),
            active_fraction=(self._n_active / n).astype(np.float32),
            n_images=self._n_valid,
        )
        return NeuronIndex(
            top_images=(_ROW_BITS - (keys & _ROW_BITS)).astype(np.int32),
            top_activations=_activations_of_keys(keys),
            statistics=statistics,
            n_invalid=self._n_invalid,
        )

    def _update_chunk(self, start_row: int, chunk: NDArray[np.float32]) -> None:
        rows = np.arange(start_row, start_row + len(chunk), dtype=np.int64)
        in_order = start_row >= self._next_row
        self._next_row = max(self._next_row, start_row + len(chunk))
        # A float64 sum of float32 values is finite exactly when all of them are.
        valid = np.isfinite(chunk.sum(axis=1, dtype=np.float64))
        if not valid.all():
            self._n_invalid += int((~valid).sum())
            chunk, rows = chunk[valid], rows[valid]
            if not len(chunk):
                return
        # Zero has two signs; a tie between them is a tie.
        chunk = chunk + np.float32(0.0)
        self._update_statistics(chunk)
        self._update_candidates(rows, chunk, in_order)

    def _update_statistics(self, chunk: NDArray[np.float32]) -> None:
        n_old, n_new = self._n_valid, len(chunk)
        n = n_old + n_new
        np.maximum(self._maximum, chunk.max(axis=0), out=self._maximum)
        self._n_active += np.count_nonzero(chunk > 0, axis=0)
        values = chunk.astype(np.float64)
        mean = values.mean(axis=0)
        values -= mean
        difference = mean - self._mean
        self._squares += np.einsum("ij,ij->j", values, values) + difference**2 * (n_old * n_new / n)
        self._mean += difference * (n_new / n)
        self._n_valid = n

    def _update_candidates(self, rows: NDArray[np.int64], chunk: NDArray[np.float32], in_order: bool) -> None:
        # When rows ascend, a tie with the K-th strongest loses: the row already there is smaller.
        better = chunk > self._threshold if in_order else chunk >= self._threshold
        # By neuron first, so that the candidates of one neuron lie side by side.
        neurons, positions = np.nonzero(np.ascontiguousarray(better.T))
        if not len(neurons):
            return
        counts = np.bincount(neurons, minlength=self._n_neurons)
        self._compact(np.flatnonzero(self._filled + counts > self._capacity))
        first = np.cumsum(counts) - counts
        places = self._filled[neurons] + np.arange(len(neurons)) - first[neurons]
        self._keys[neurons, places] = _keys(chunk[positions, neurons], rows[positions])
        self._filled += counts

    def _compact(self, neurons: NDArray[np.int64]) -> None:
        """Keep the K largest keys of these neurons, all of which have more, and raise their thresholds."""
        if not len(neurons):
            return
        keys = self._keys[neurons]
        keys.partition(self._capacity - self._k, axis=1)
        kept = keys[:, self._capacity - self._k :]
        self._keys[neurons] = _EMPTY_KEY
        self._keys[neurons, : self._k] = kept
        self._filled[neurons] = self._k
        self._threshold[neurons] = _activations_of_keys(kept[:, 0])


def _keys(activations: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 keys that order as (activation ascending, row descending)."""
    bits = activations.view(np.int32).astype(np.int64)
    # Negative floats order backwards by their bits.
    ordered = np.where(bits < 0, bits ^ np.int64(0x7FFFFFFF), bits)
    return np.asarray((ordered << np.int64(32)) | (_ROW_BITS - rows), dtype=np.int64)


def _activations_of_keys(keys: NDArray[np.int64]) -> NDArray[np.float32]:
    ordered = keys >> np.int64(32)
    bits = np.where(ordered < 0, ordered ^ np.int64(0x7FFFFFFF), ordered)
    return np.ascontiguousarray(bits.astype(np.int32)).view(np.float32)


def build_neuron_index(
    activations: NDArray[np.float32], k: int = MAX_TOP_N, *, task: Task | None = None
) -> NeuronIndex:
    """Build the index of a whole layer in one pass, reading it block by block.

    Parameters
    ----------
    activations : ndarray of float32, shape (images, d)
        May be a memory map larger than the memory.
    k : int
        Images to keep for each neuron.

    Raises
    ------
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    n_images, n_neurons = activations.shape
    builder = NeuronIndexBuilder(n_neurons, k)
    for start in range(0, n_images, _READ_ROWS):
        task.check_cancelled()
        task.progress(start, n_images, "Indexing the neurons")
        builder.update(start, activations[start : start + _READ_ROWS])
    return builder.finish()


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
