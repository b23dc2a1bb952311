"""Step 4: the direction of each cluster."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from backend.method.results import Clusters, Concept


def concept_vectors(vectors: NDArray[np.floating], clusters: Clusters) -> tuple[Concept, ...]:
    """Average each kept cluster's remaining vectors and normalise (paper, section 2, last step).

    Parameters
    ----------
    vectors
        float (N, d): activations of the top images in the layer itself, whatever was clustered.
    clusters
        Their clusters after the removal of outliers.

    Returns
    -------
    concepts
        By cluster number. A cluster whose mean is exactly zero has no direction and gives none.
    """
    concepts = []
    for cluster in np.unique(clusters.labels[clusters.labels >= 0]):
        members = np.flatnonzero(clusters.labels == cluster)
        mean = vectors[members].mean(axis=0, dtype=np.float64)
        norm = float(np.linalg.norm(mean))
        if norm > 0:
            concepts.append(Concept(int(cluster), members, mean / norm))
    return tuple(concepts)


def projections_on_own(
    vectors: NDArray[np.floating], clusters: Clusters, concepts: Sequence[Concept]
) -> NDArray[np.float64]:
    """Project each top image on the vector of its own concept, an outlier on that of the cluster it left.

    Parameters
    ----------
    vectors
        float (N, d): activations of the top images.
    clusters
        Their clusters.
    concepts
        As :func:`concept_vectors` gives them.

    Returns
    -------
    projections
        float64 (N,), in units of activation; NaN for images whose cluster has no concept.
    """
    own = np.where(clusters.labels >= 0, clusters.labels, clusters.kmeans_labels)
    projections = np.full(len(vectors), np.nan)
    for concept in concepts:
        of_it = own == concept.cluster
        projections[of_it] = vectors[of_it] @ concept.vector
    return projections
