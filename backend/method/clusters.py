"""Step 3: k-means with the tree's number of clusters, and the removal of outliers."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

from backend.method.adjustments import LEFT_OUT, NOT_MOVED
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.results import DROPPED, OUTLIER, Clusters
from backend.thread_pools import search_without_locks

search_without_locks()


def find_clusters(
    vectors: NDArray[np.floating],
    hierarchy: Hierarchy,
    parameters: Parameters,
    by_hand: NDArray[np.int64] | None = None,
) -> tuple[Clusters, NDArray[np.int64]]:
    """Run k-means with k = C and take outliers and small clusters out (paper, section 2, step 3).

    Parameters
    ----------
    vectors
        float (N, d): activations of the top images, N ≥ 1, finite.
    hierarchy
        Their tree, which gives C, and the start of k-means if it starts from the tree.
    parameters
        Distance threshold, k-means' start, outlier radius and minimum cluster size.
    by_hand
        int64 (N,): where a person put each image, see
        :meth:`~backend.method.adjustments.Adjustments.by_hand`; by default nobody did. k-means does not know
        of it: who was moved by hand leaves its cluster before its size is compared with the minimum, and is
        measured by no radius itself. Concepts made by hand are numbered from C.

    Returns
    -------
    clusters
        Labels, distances to the centroids and dropped clusters.
    tree_labels
        int64 (N,): the tree's own clusters.
    """
    tree_labels = hierarchy.labels(parameters.distance_threshold)
    points = normalised(vectors) if parameters.metric == "cosine" else vectors
    labels, centroids = _kmeans(points, tree_labels, parameters)
    squared_distances = np.square(points.astype(np.float64) - centroids[labels]).sum(axis=1)
    if by_hand is None:
        by_hand = np.full(len(points), NOT_MOVED, dtype=np.int64)
    kept, dropped = _remove_outliers(labels, squared_distances, len(centroids), parameters, by_hand)
    for place in np.unique(by_hand[by_hand >= 0]):
        own = by_hand == place
        kept[own] = len(centroids) + place
        members = points[own].astype(np.float64)
        squared_distances[own] = np.square(members - members.mean(axis=0)).sum(axis=1)
    return Clusters(labels, kept, squared_distances, dropped), tree_labels


def normalised(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scale each row (N, d) to norm 1, in its own dtype; no row may be zero."""
    scaled: NDArray[np.floating] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return scaled


def _kmeans(
    points: NDArray[np.floating], tree_labels: NDArray[np.int64], parameters: Parameters
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Run scikit-learn on the full vectors in their own dtype, so that labels are its own to the last bit.

    Rotating them into the N dimensions that they span would save a millisecond or two of five restarts and
    nothing of one, for a last bit of difference.
    """
    n_clusters = int(tree_labels.max()) + 1
    from_tree = parameters.kmeans_start == "tree"
    kmeans = KMeans(
        n_clusters,
        init=cluster_means(points, tree_labels) if from_tree else "k-means++",
        n_init=1 if from_tree else parameters.kmeans_restarts,
        max_iter=parameters.kmeans_max_iter,
        random_state=parameters.seed,
    )
    # On a hundred points threads cost ten times what they save.
    with _threadpools().limit(limits=1), warnings.catch_warnings():
        # Coinciding points leave clusters empty; those are then dropped like every small one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        kmeans.fit(points)
    return kmeans.labels_.astype(np.int64), kmeans.cluster_centers_


@cache
def _threadpools() -> ThreadpoolController:
    """Find the thread pools of the loaded libraries once: the search takes longer than k-means."""
    return ThreadpoolController()


def cluster_means(points: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each cluster.

    Parameters
    ----------
    points
        float (N, d).
    labels
        int64 (N,), 0 … C − 1, each at least once.

    Returns
    -------
    means
        float64 (C, d).
    """
    member = labels == np.arange(int(labels.max()) + 1)[:, np.newaxis]
    means: NDArray[np.float64] = member @ points.astype(np.float64) / member.sum(axis=1, keepdims=True)
    return means


def _remove_outliers(
    labels: NDArray[np.int64],
    squared_distances: NDArray[np.float64],
    n_clusters: int,
    parameters: Parameters,
    by_hand: NDArray[np.int64],
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    left = by_hand == NOT_MOVED
    inside = (squared_distances < parameters.outlier_radius_squared) & left
    kept = np.where(inside, labels, OUTLIER)
    sizes = np.bincount(labels[inside], minlength=n_clusters)
    # A cluster all of whose images were moved by hand was not too small: there is nothing left to drop.
    emptied = (np.bincount(labels, minlength=n_clusters) > 0) & (
        np.bincount(labels[left], minlength=n_clusters) == 0
    )
    dropped = np.flatnonzero((sizes < parameters.min_cluster_size) & ~emptied)
    kept[np.isin(kept, dropped)] = DROPPED
    kept[by_hand == LEFT_OUT] = LEFT_OUT
    return kept, tuple(int(cluster) for cluster in dropped)
