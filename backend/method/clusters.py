"""Step 3: k-means with the tree's number of clusters, and the removal of outliers."""

from __future__ import annotations

import warnings
from functools import cache

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import ThreadpoolController

from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.results import DROPPED, OUTLIER, Clusters
from backend.thread_pools import search_without_locks

search_without_locks()


def find_clusters(
    vectors: NDArray[np.floating], hierarchy: Hierarchy, parameters: Parameters
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
    kept, dropped = _remove_outliers(labels, squared_distances, len(centroids), parameters)
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
    labels: NDArray[np.int64], squared_distances: NDArray[np.float64], n_clusters: int, parameters: Parameters
) -> tuple[NDArray[np.int64], tuple[int, ...]]:
    inside = squared_distances < parameters.outlier_radius_squared
    kept = np.where(inside, labels, OUTLIER)
    sizes = np.bincount(labels[inside], minlength=n_clusters)
    dropped = np.flatnonzero(sizes < parameters.min_cluster_size)
    kept[np.isin(kept, dropped)] = DROPPED
    return kept, tuple(int(cluster) for cluster in dropped)
