"""The neuron index of a layer, made in one pass over its activations."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.activations.row_stream import n_stream_workers, stream_rows
from backend.errors import ProjectError
from backend.method.parameters import MAX_TOP_N
from backend.neurons import NeuronIndex, NeuronStatistics
from backend.task import Task

# A key below every key of a real (activation, row) pair: an empty place in the table of candidates.
_EMPTY_KEY: Final = np.int64(np.iinfo(np.int64).min)
_ROW_BITS: Final = np.int64(0xFFFFFFFF)

# Rows looked at together: their float64 values stay in a core's cache, and eight bits count them.
_CHUNK_ROWS: Final = 128


class NeuronIndexBuilder:
    """Builds a :class:`NeuronIndex` from blocks of activations, each read once.

    Every neuron keeps a table of candidates. A candidate is one int64 key that orders by activation first
    and by smaller row second, so that partitioning keys gives the K strongest with the exact tie rule. A
    cell of a block becomes a candidate only when it beats the K-th strongest known so far, which after the
    first few blocks few do. Statistics are merged chunk by chunk in float64 (Chan, Golub, LeVeque 1979,
    "Updating formulae and a pairwise algorithm for computing sample variances").

    Parameters
    ----------
    n_neurons : int
        Number of neurons d.
    k : int
        Images to keep for each neuron; fewer are kept when there are fewer valid images.
    """

    def __init__(self, n_neurons: int, k: int = MAX_TOP_N) -> None:
        if n_neurons < 1 or k < 1:
            raise ProjectError(f"A neuron index needs a neuron and an image, not {n_neurons} and {k}.")
        self._n_neurons = n_neurons
        self._k = k
        self._capacity = k + max(k, 2 * _CHUNK_ROWS)
        self._keys = np.full((n_neurons, self._capacity), _EMPTY_KEY, dtype=np.int64)
        self._filled = np.zeros(n_neurons, dtype=np.int64)
        self._threshold = np.full(n_neurons, -np.inf, dtype=np.float32)
        self._any_compacted = False
        self._next_row = 0
        self._n_valid = 0
        self._n_invalid = 0
        self._maximum = np.full(n_neurons, -np.inf, dtype=np.float32)
        self._mean = np.zeros(n_neurons, dtype=np.float64)
        self._squares = np.zeros(n_neurons, dtype=np.float64)
        self._n_active = np.zeros(n_neurons, dtype=np.int64)
        # Scratch of one chunk, so that no memory is asked for in a pass.
        self._values = np.empty((_CHUNK_ROWS, n_neurons), dtype=np.float64)
        self._above = np.empty((_CHUNK_ROWS, n_neurons), dtype=np.bool_)

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
        for offset in range(0, len(block), _CHUNK_ROWS):
            self._update_chunk(
                start_row + offset, np.asarray(block[offset : offset + _CHUNK_ROWS], np.float32)
            )

    def merge(self, other: NeuronIndexBuilder) -> None:
        """Take in all that another builder of the same neurons and K has taken in: other rows."""
        self._merge_statistics(other._n_valid, other._mean, other._squares, other._maximum, other._n_active)
        self._n_invalid += other._n_invalid
        self._next_row = max(self._next_row, other._next_row)
        other._compact(np.flatnonzero(other._filled > self._k))
        neurons, places = np.nonzero(np.arange(self._k) < other._filled[:, None])
        self._compact(np.flatnonzero(self._filled > self._k))
        self._add_candidates(neurons, other._keys[neurons, places])

    def finish(self) -> NeuronIndex:
        """Return the index over everything taken in so far; the builder can go on afterwards."""
        k = min(self._k, self._n_valid)
        self._compact(np.flatnonzero(self._filled > k))
        keys = np.sort(self._keys[:, :k], axis=1)[:, ::-1]
        n = max(self._n_valid, 1)
        empty = self._n_valid == 0
        unknown = np.full(self._n_neurons, np.nan, np.float32)
        statistics = NeuronStatistics(
            # Of both zeros, the positive one.
            maximum=unknown if empty else self._maximum + np.float32(0.0),
            mean=unknown.copy() if empty else self._mean.astype(np.float32),
            standard_deviation=(unknown.copy() if empty else np.sqrt(self._squares / n).astype(np.float32)),
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
        rows: NDArray[np.int64] = np.arange(start_row, start_row + len(chunk), dtype=np.int64)
        in_order = start_row >= self._next_row
        self._next_row = max(self._next_row, start_row + len(chunk))
        values, sums = self._summed(chunk)
        # A float64 sum of float32 values is finite exactly when all of them are.
        if not np.isfinite(sums).all():
            valid = np.isfinite(chunk).all(axis=1)
            self._n_invalid += int((~valid).sum())
            chunk, rows = chunk[valid], rows[valid]
            if not len(chunk):
                return
            values, sums = self._summed(chunk)
        self._update_statistics(chunk, values, sums)
        self._update_candidates(rows, chunk, in_order)

    def _summed(self, chunk: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a chunk in float64, valid until the next one, and each neuron's sum over it."""
        values = self._values[: len(chunk)]
        np.copyto(values, chunk)
        with np.errstate(invalid="ignore"):  # two infinities that cancel
            return values, np.ones(len(chunk)) @ values

    def _update_statistics(
        self, chunk: NDArray[np.float32], values: NDArray[np.float64], sums: NDArray[np.float64]
    ) -> None:
        """Take in a chunk whose float64 values, which are changed, and sums are given."""
        n = len(chunk)
        mean = sums / n
        np.subtract(values, mean, out=values)
        squares = np.einsum("ij,ij->j", values, values)
        active = np.greater(chunk, 0, out=self._above[:n])
        n_active = np.add.reduce(active.view(np.uint8), axis=0, dtype=np.uint8).astype(np.int64)
        self._merge_statistics(n, mean, squares, chunk.max(axis=0), n_active)

    def _merge_statistics(
        self,
        n_new: int,
        mean: NDArray[np.float64],
        squares: NDArray[np.float64],
        maximum: NDArray[np.float32],
        n_active: NDArray[np.int64],
    ) -> None:
        """Take in the statistics of ``n_new`` images; ``squares`` are summed about their own mean."""
        n_old = self._n_valid
        if not n_new:
            return
        n = n_old + n_new
        difference = mean - self._mean
        self._squares += squares + difference**2 * (n_old * n_new / n)
        self._mean += difference * (n_new / n)
        np.maximum(self._maximum, maximum, out=self._maximum)
        self._n_active += n_active
        self._n_valid = n

    def _update_candidates(self, rows: NDArray[np.int64], chunk: NDArray[np.float32], in_order: bool) -> None:
        n_filled = int(self._filled[0])
        if not self._any_compacted and n_filled + len(rows) <= self._capacity:
            # Every cell is a candidate yet.
            keys = _keys(np.ascontiguousarray(chunk.T), rows)
            self._keys[:, n_filled : n_filled + len(rows)] = keys
            self._filled += len(rows)
            return
        # When rows ascend, a tie with the K-th strongest loses: the row already there is smaller.
        compare = np.greater if in_order else np.greater_equal
        better = compare(chunk, self._threshold, out=self._above[: len(chunk)])
        places = np.flatnonzero(better)
        if not len(places):
            return
        positions, neurons = np.unravel_index(places, better.shape)
        # By neuron first, so that the candidates of one neuron lie side by side.
        order = np.argsort(
            neurons.astype(np.uint16 if self._n_neurons <= 1 << 16 else np.int64), kind="stable"
        )
        positions, neurons = positions[order], neurons[order]
        self._add_candidates(neurons, _keys(chunk[positions, neurons], rows[positions]))

    def _add_candidates(self, neurons: NDArray[np.int64], keys: NDArray[np.int64]) -> None:
        """Put keys into the table; the neurons that they belong to ascend, each has at most K or a chunk."""
        counts = np.bincount(neurons, minlength=self._n_neurons)
        self._compact(np.flatnonzero(self._filled + counts > self._capacity))
        first = np.cumsum(counts) - counts
        places = self._filled[neurons] + np.arange(len(neurons)) - first[neurons]
        self._keys[neurons, places] = keys
        self._filled += counts

    def _compact(self, neurons: NDArray[np.int64]) -> None:
        """Keep the K largest keys of these neurons, all of which have more, and raise their thresholds."""
        if not len(neurons):
            return
        self._any_compacted = True
        keys = self._keys[neurons]
        keys.partition(self._capacity - self._k, axis=1)
        kept = keys[:, self._capacity - self._k :]
        self._keys[neurons] = _EMPTY_KEY
        self._keys[neurons, : self._k] = kept
        self._filled[neurons] = self._k
        self._threshold[neurons] = _activations_of_keys(kept[:, 0])


def _keys(activations: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64 keys that order as (activation ascending, row descending)."""
    # Zero has two signs; a tie between them is a tie.
    bits = (activations + np.float32(0.0)).view(np.int32).astype(np.int64)
    # Negative floats order backwards by their bits.
    ordered = np.where(bits < 0, bits ^ np.int64(0x7FFFFFFF), bits)
    return np.asarray((ordered << np.int64(32)) | (_ROW_BITS - rows), dtype=np.int64)


def _activations_of_keys(keys: NDArray[np.int64]) -> NDArray[np.float32]:
    ordered = keys >> np.int64(32)
    bits = np.where(ordered < 0, ordered ^ np.int64(0x7FFFFFFF), ordered)
    return np.ascontiguousarray(bits.astype(np.int32)).view(np.float32)


def build_neuron_index(
    activations: NDArray[np.float32],
    k: int = MAX_TOP_N,
    *,
    excluded: NDArray[np.int64] | None = None,
    task: Task | None = None,
) -> NeuronIndex:
    """Build the index of a whole layer in one pass, on a few threads.

    Parameters
    ----------
    activations : ndarray of float32, shape (images, d)
        May be a memory map larger than the memory.
    k : int
        Images to keep for each neuron.
    excluded : ndarray of int64, ascending
        Rows that are passed over, as if they were not there; None: no row is.
    task
        Is told of the progress in images, and can stop it.

    Raises
    ------
    Cancelled
        If the task was asked to stop.
    ProjectError
        If the file behind a memory map cannot be read.
    """
    n_neurons = activations.shape[1]
    builders = [NeuronIndexBuilder(n_neurons, k) for _ in range(n_stream_workers(activations))]
    gone: NDArray[np.int64] = np.empty(0, np.int64) if excluded is None else excluded

    def take_in(worker: int, start: int, rows: NDArray[np.float32]) -> None:
        first = 0
        for row in gone[slice(*np.searchsorted(gone, (start, start + len(rows))))].tolist():
            builders[worker].update(start + first, rows[first : row - start])
            first = row - start + 1
        builders[worker].update(start + first, rows[first:])

    stream_rows(activations, take_in, task=task, message="Indexing the neurons")
    first, *others = builders
    for other in others:
        first.merge(other)
    return first.finish()
