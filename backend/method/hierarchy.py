"""Step 2: the tree of merges, computed once, that answers every distance threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.errors import ParameterError
from backend.method.parameters import LinkageMethod, Metric, incompatibility

if TYPE_CHECKING:
    from backend.method.dendrogram_layout import DendrogramLayout


@dataclass(frozen=True)
class Hierarchy:
    """The agglomerative clustering of a neuron's top images (paper, section 2, step 2).

    Attributes
    ----------
    linkage
        float64 (N − 1, 4): SciPy's linkage matrix, merges in ascending order of height. Empty for fewer
        than two images.
    n_leaves
        Number of images N.
    """

    linkage: NDArray[np.float64]
    n_leaves: int

    def __post_init__(self) -> None:
        self.linkage.setflags(write=False)

    @cached_property
    def merge_heights(self) -> NDArray[np.float64]:
        """float64 (N − 1,): merge heights in ascending order."""
        heights = np.sort(self.linkage[:, 2])
        heights.setflags(write=False)
        return heights

    @cached_property
    def layout(self) -> DendrogramLayout:
        """Where every merge lies when the tree is drawn.

        Raises
        ------
        ValueError
            Without any image.
        """
        from backend.method.dendrogram_layout import layout_dendrogram

        return layout_dendrogram(self.linkage, self.n_leaves)

    def n_clusters(self, distance_threshold: float) -> int:
        """Return C = 1 + the number of merges with height ≥ d_max; 0 without images.

        A merge strictly below d_max is joined, as by scikit-learn's ``distance_threshold``.
        """
        if self.n_leaves == 0:
            return 0
        return 1 + len(self.merge_heights) - int(np.searchsorted(self.merge_heights, distance_threshold))

    def labels(self, distance_threshold: float) -> NDArray[np.int64]:
        """Return the cluster of every leaf at a distance threshold.

        Returns
        -------
        labels
            int64 (N,): clusters numbered by first appearance, so that cluster 0 holds the strongest image.
        """
        if self.n_leaves < 2:
            return np.zeros(self.n_leaves, dtype=np.int64)
        # SciPy's module takes a third of a second to import, and whoever only holds a tree does not need it.
        from scipy.cluster.hierarchy import fcluster

        # fcluster joins at equality; the next float below d_max joins strictly below it.
        below = np.nextafter(distance_threshold, -np.inf)
        return number_by_first_appearance(fcluster(self.linkage, below, criterion="distance"))

    def threshold_range(self, n_clusters: int) -> tuple[float, float] | None:
        """Return the thresholds (low, high] that give exactly ``n_clusters``, or None if none does.

        Equal merge heights skip counts; ``high`` is infinite for one cluster.
        """
        if not 1 <= n_clusters <= self.n_leaves:
            return None
        heights = self.merge_heights
        joined = self.n_leaves - n_clusters
        low = float(heights[joined - 1]) if joined > 0 else 0.0
        high = float(heights[joined]) if joined < len(heights) else float("inf")
        return (low, high) if low < high else None


def number_by_first_appearance(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Renumber labels 0, 1, … in the order in which they first appear.

    Parameters
    ----------
    labels
        Whole numbers (N,).

    Returns
    -------
    labels
        int64 (N,), the same partition.
    """
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def build_hierarchy(
    vectors: NDArray[np.floating], method: LinkageMethod = "ward", metric: Metric = "euclidean"
) -> Hierarchy:
    """Cluster the activation vectors of a neuron's top images bottom-up.

    The full vectors are used, in float64, so that merge heights equal scikit-learn's to the last bit and a
    threshold placed exactly on one falls on the same side.

    Parameters
    ----------
    vectors
        float (N, d): finite, one row an image.
    method, metric
        As in :class:`~backend.method.parameters.Parameters`.

    Raises
    ------
    ParameterError
        If linkage and metric do not go together, or the metric is cosine and a vector is zero.
    """
    reason = incompatibility(method, metric)
    if reason:
        raise ParameterError(reason)
    if len(vectors) < 2:
        return Hierarchy(np.empty((0, 4)), len(vectors))
    points = np.ascontiguousarray(vectors, dtype=np.float64)
    if metric == "cosine" and not points.any(axis=1).all():
        raise ParameterError(
            "The metric cosine needs a direction, and one of the top images has no activation at all in this "
            "layer: choose the metric euclidean, or fewer top images."
        )
    from scipy.cluster.hierarchy import linkage

    return Hierarchy(linkage(points, method=method, metric=metric), len(points))
