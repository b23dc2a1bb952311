"""Projection of every image of the dataset on concept vectors, and the images that project most."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from backend.task import SilentTask, Task
from backend.thread_pools import search_without_locks

_BLOCK_BYTES = 512 << 10
"""Read at a time: what stays in a core's own cache while the product is taken."""


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
        float32 (images, d): an array or a memory map, read block by block.
    vectors
        float (c, d): directions, usually of norm 1.
    task
        Cancellation, asked once a block.

    Returns
    -------
    projections
        float32 (c, images); NaN where the activations are.
    """
    task = task or SilentTask()
    n_images, d = activations.shape
    directions = np.ascontiguousarray(vectors, dtype=np.float32)
    projections = np.empty((len(directions), n_images), dtype=np.float32)
    rows = max(1, _BLOCK_BYTES // (4 * max(1, d)))
    # A few directions are limited by reading memory, not by arithmetic: one thread never waits for another.
    with _blas_threads().limit(limits=1):
        for start in range(0, n_images, rows):
            task.check_cancelled()
            block = activations[start : start + rows]
            np.matmul(directions, block.T, out=projections[:, start : start + rows])
    return projections


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
