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

_KMEANS_TOLERANCE = 1e-4
"""scikit-learn's default, relative to the mean variance of the features."""


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
    points = points_for_kmeans(vectors, hierarchy, parameters)
    labels, centroids = _kmeans(points, tree_labels, parameters, n_features=vectors.shape[1])
    squared_distances = np.square(points - centroids[labels]).sum(axis=1)
    kept, dropped = _remove_outliers(labels, squared_distances, len(centroids), parameters)
    return Clusters(labels, kept, squared_distances, dropped), tree_labels


def points_for_kmeans(
    vectors: NDArray[np.floating], hierarchy: Hierarchy, parameters: Parameters
) -> NDArray[np.float64]:
    """Give the points that k-means and the outlier radius work on, in as few dimensions as they span.

    N centred points lie in at most N dimensions: rotating them there leaves every distance as it is. Where
    points coincide scikit-learn's choice among them hangs on the last bit, so those stay as they are.

    Returns
    -------
    points
        float64 (N, min(N, d)), or (N, d) where points coincide. Under the metric cosine of norm 1 before
        centring.
    """
    points = np.asarray(vectors, dtype=np.float64)
    if parameters.metric == "cosine":
        points = points / np.linalg.norm(points, axis=1, keepdims=True)
    n, d = points.shape
    coincide = n > 1 and hierarchy.merge_heights[0] == 0
    if d <= n or coincide:
        return points
    triangular = np.asarray(np.linalg.qr((points - points.mean(axis=0)).T, mode="r"), dtype=np.float64)
    return np.ascontiguousarray(triangular.T)


def _kmeans(
    points: NDArray[np.float64], tree_labels: NDArray[np.int64], parameters: Parameters, n_features: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    n_clusters = int(tree_labels.max()) + 1
    from_tree = parameters.kmeans_start == "tree"
    kmeans = KMeans(
        n_clusters,
        init=cluster_means(points, tree_labels) if from_tree else "k-means++",
        n_init=1 if from_tree else parameters.kmeans_restarts,
        max_iter=parameters.kmeans_max_iter,
        random_state=parameters.seed,
        # The tolerance is relative to the mean variance of the features, whose number the rotation changes.
        tol=_KMEANS_TOLERANCE * points.shape[1] / n_features,
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


def cluster_means(points: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each cluster.

    Parameters
    ----------
    points
        float64 (N, d).
    labels
        int64 (N,), 0 … C − 1, each at least once.

    Returns
    -------
    means
        float64 (C, d).
    """
    sums = np.zeros((int(labels.max()) + 1, points.shape[1]))
    np.add.at(sums, labels, points)
    means: NDArray[np.float64] = sums / np.bincount(labels)[:, np.newaxis]
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
