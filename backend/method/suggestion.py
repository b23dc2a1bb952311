"""A distance threshold and an outlier radius for a layer, measured on a sample of its neurons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from backend.activations.row_stream import gather_rows
from backend.errors import ParameterError
from backend.method.clusters import find_clusters
from backend.method.hierarchy import build_hierarchy
from backend.method.parameters import Metric, Parameters, Suggestion
from backend.method.top_images import TopImages, top_images
from backend.neurons import NeuronIndex
from backend.task import SilentTask, Task

THRESHOLD_FACTOR = 2.0
"""On planted mixtures of 1 to 6 real classes 1.6 to 2.4 times the mean distance bracketed their number."""

RADIUS_PERCENTILE = 95.0


def suggest(
    activations: NDArray[np.float32],
    index: NeuronIndex | None = None,
    *,
    parameters: Parameters | None = None,
    n_neurons: int = 64,
    seed: int = 0,
    task: Task | None = None,
) -> Suggestion:
    """Suggest d_max and the squared outlier radius for a layer.

    d_max is 2.0 times the median, over a sample of neurons, of the mean pairwise distance of their
    top N; the squared radius is the 95th percentile of the members' squared distances to their centroid at
    that d_max. Ward's heights scale with the activations and grow with √N, so the published values hold for
    one layer and one N alone.

    Parameters
    ----------
    activations
        float32 (images, neurons).
    index
        The layer's neuron index; without it every sampled column is ranked anew.
    parameters
        Everything but the two suggested values, which are ignored.
    n_neurons, seed
        Size of the sample of neurons, and the seed it is drawn with. Silent neurons are passed over.
    task
        Progress and cancellation.

    Raises
    ------
    ParameterError
        If no sampled neuron is active in two images, or their top images are all the same.
    """
    task = task or SilentTask()
    parameters = parameters or Parameters()
    order = np.random.default_rng(seed).permutation(activations.shape[1])
    wanted = min(n_neurons, len(order))
    samples: list[NDArray[np.float32]] = []
    for neuron in order:
        task.check_cancelled()
        task.progress(len(samples), wanted, "Measuring distances for a suggested threshold")
        top = _top(activations, index, int(neuron), parameters.top_n)
        if top.n_active > 0 and len(top) >= 2:
            samples.append(gather_rows(activations, top.images))
        if len(samples) == wanted:
            break
    if not samples:
        raise ParameterError("No neuron of this layer is active in two images, so there is nothing to split.")
    scale = float(np.median([_mean_distance(vectors, parameters.metric) for vectors in samples]))
    if scale == 0:
        raise ParameterError("All top images of this layer are the same, so there is nothing to split.")
    threshold = THRESHOLD_FACTOR * scale
    radius = _outlier_radius_squared(samples, replace(parameters, distance_threshold=threshold))
    top_n = parameters.top_n
    return Suggestion(
        distance_threshold=threshold,
        outlier_radius_squared=radius,
        top_n=top_n,
        n_neurons=len(samples),
        reason=(
            f"d_max is {THRESHOLD_FACTOR:g} times {scale:.3g}, the median over {len(samples)} neurons of the "
            f"mean distance between their top {top_n} images; the squared radius holds "
            f"{RADIUS_PERCENTILE:g} % of the members at that d_max."
        ),
    )


def _top(activations: NDArray[np.float32], index: NeuronIndex | None, neuron: int, n: int) -> TopImages:
    return index.top(neuron, n) if index is not None else top_images(activations, neuron, n)


def _mean_distance(vectors: NDArray[np.float32], metric: Metric) -> float:
    if metric == "cosine":
        vectors = vectors[vectors.any(axis=1)]
    return float(pdist(vectors, metric).mean()) if len(vectors) > 1 else 0.0


def _outlier_radius_squared(samples: list[NDArray[np.float32]], parameters: Parameters) -> float:
    unbounded = replace(parameters, outlier_radius_squared=float("inf"))
    distances = []
    for vectors in samples:
        hierarchy = build_hierarchy(vectors, parameters.linkage, parameters.metric)
        clusters, _ = find_clusters(vectors, hierarchy, unbounded)
        distances.append(clusters.squared_distances[clusters.labels >= 0])
    members = np.concatenate(distances)
    radius = float(np.percentile(members, RADIUS_PERCENTILE)) if len(members) else 0.0
    # Where images coincide, a radius of 0 would leave even those out.
    return max(radius, float(np.finfo(np.float32).eps) * parameters.distance_threshold**2)
