"""Step 1: the images that activate a neuron most."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A layer may be larger than the memory.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class TopImages:
    """The images with the largest activation of one neuron (paper, section 2, step 1).

    Attributes
    ----------
    images
        int64 (N,): rows of the activation array, strongest first, ties by row.
    activations
        float32 (N,): the neuron's activation for each of them.
    n_active
        Number of images in the whole dataset that activate the neuron (activation > 0).
    n_invalid
        Number of rows that are not finite (images that could not be read); they are never ranked.
    """

    images: NDArray[np.int64]
    activations: NDArray[np.float32]
    n_active: int
    n_invalid: int

    def __post_init__(self) -> None:
        self.images.setflags(write=False)
        self.activations.setflags(write=False)

    def __len__(self) -> int:
        return len(self.images)


def top_images(
    activations: NDArray[np.float32], neuron: int, n: int, *, excluded: Collection[int] = ()
) -> TopImages:
    """Rank all images by one neuron's activation.

    Reads one column of the whole array; where a neuron index exists, it answers the same without reading.

    Parameters
    ----------
    activations
        float32 (images, neurons); a row with a NaN or infinity anywhere is left out.
    neuron
        Column to rank by.
    n
        Number of images wanted; fewer are returned if there are fewer valid ones.
    excluded
        Rows of images that a person took out of the analysis: they are not ranked, nor counted as active.
    """
    finite = np.empty(len(activations), dtype=bool)
    column: NDArray[np.float32] = np.empty(len(activations), dtype=np.float32)
    for start in range(0, len(activations), _ROWS_AT_ONCE):
        rows = activations[start : start + _ROWS_AT_ONCE]
        finite[start : start + len(rows)] = np.isfinite(rows).all(axis=1)
        column[start : start + len(rows)] = rows[:, neuron]
    n_invalid = len(activations) - int(np.count_nonzero(finite))
    finite[[row for row in excluded if row < len(activations)]] = False
    valid = np.flatnonzero(finite)
    column = column[valid]
    order = np.argsort(-column, kind="stable")[:n]
    return TopImages(
        images=valid[order].astype(np.int64),
        activations=column[order],
        n_active=int(np.count_nonzero(column > 0)),
        n_invalid=n_invalid,
    )
