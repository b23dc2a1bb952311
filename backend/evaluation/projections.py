"""Projection of every image of the dataset on concept vectors, and the images that project most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from backend.activations.row_stream import stream_rows
from backend.task import Task
from backend.thread_pools import search_without_locks

_BLOCK_BYTES = 512 << 10
"""Multiplied at a time: what stays in a core's own cache while the product is taken."""

_SMALL_PRODUCT = 1_000_000
"""Multiplications up to which OpenBLAS takes its operands as they lie. Beyond, it copies both, which with few
directions takes longer than the product itself."""

_FEW_ROWS = 8


@dataclass(frozen=True)
class MaxProjecting:
    """The images with the largest projection on a direction (paper, section 3).

    Attributes
    ----------
    images
        int64 (k,): rows of the activation array, largest projection first, ties by row.
    projections
        float32 (k,): φ(x)·v, in units of activation.
    """

    images: NDArray[np.int64]
    projections: NDArray[np.float32]

    def __post_init__(self) -> None:
        self.images.setflags(write=False)
        self.projections.setflags(write=False)


def project(
    activations: NDArray[np.float32], vectors: NDArray[np.floating], *, task: Task | None = None
) -> NDArray[np.float32]:
    """Project every image on every vector: φ(x)·v, in one pass over the activations.

    Parameters
    ----------
    activations
        float32 (images, d): an array or a memory map, read block by block on a few threads.
    vectors
        float (c, d): directions, usually of norm 1.
    task
        Cancellation, asked every few megabytes.

    Returns
    -------
    projections
        float32 (c, images); NaN where the activations are.
    """
    n_images, d = activations.shape
    directions = np.ascontiguousarray(vectors, dtype=np.float32)
    projections = np.empty((len(directions), n_images), dtype=np.float32)
    at_once = _rows_at_once(len(directions), d)

    def multiply(_worker: int, start: int, rows: NDArray[np.float32]) -> None:
        for first in range(0, len(rows), at_once):
            block = rows[first : first + at_once]
            place = start + first
            np.matmul(directions, block.T, out=projections[:, place : place + len(block)])

    # Each worker multiplies its own rows, in one thread: none ever waits for another.
    with _blas_threads().limit(limits=1):
        stream_rows(activations, multiply, task=task)
    return projections


def _rows_at_once(n_directions: int, d: int) -> int:
    """Return how many images are multiplied at a time."""
    rows = max(1, _BLOCK_BYTES // (4 * max(1, d)))
    small = _SMALL_PRODUCT // max(1, n_directions * d)
    return min(rows, small) if small >= _FEW_ROWS else rows


@cache
def _blas_threads() -> ThreadpoolController:
    """Find NumPy's thread pools once."""
    search_without_locks()
    return ThreadpoolController()


def max_projecting(
    projections: NDArray[np.float32], k: int, *, exclude: NDArray[np.integer] | None = None
) -> MaxProjecting:
    """Pick the k images with the largest projection.

    Parameters
    ----------
    projections
        float32 (images,); NaN entries are never picked.
    k
        Number of images wanted; fewer are returned if there are fewer.
    exclude
        Rows to leave out, for instance the concept's own members.
    """
    candidates = ~np.isnan(projections)
    if exclude is not None:
        candidates[exclude] = False
    rows = np.flatnonzero(candidates)
    if k < len(rows):
        kth = -np.partition(-projections[rows], k - 1)[k - 1]
        rows = rows[projections[rows] >= kth]
    order = np.argsort(-projections[rows], kind="stable")[:k]
    return MaxProjecting(rows[order].astype(np.int64), projections[rows[order]].astype(np.float32))
