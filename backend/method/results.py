"""What the four steps give for one neuron."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.concept_colors import OWN_NUMBER
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.dendrogram_layout import concept_numbers
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.top_images import TopImages

OUTLIER = -1
"""Label of a top image that lies outside its cluster's outlier radius."""

DROPPED = -2
"""Label of a top image whose cluster kept too few images."""

NeuronStatus = Literal["ok", "few_active", "constant", "dead", "too_few_images"]


@dataclass(frozen=True)
class Clusters:
    """k-means clusters of the top images, outliers removed (paper, section 2, step 3).

    Attributes
    ----------
    kmeans_labels
        int64 (N,): cluster of each top image before anything is removed, 0 … C − 1.
    labels
        int64 (N,): the same with −1 for outliers, −2 for images of dropped clusters, −3 for images left out
        by hand, and C, C + 1, … for those of concepts made by hand.
    squared_distances
        float64 (N,): squared Euclidean distance of each image to its own centroid (in a concept made by hand
        to that concept's mean).
    dropped
        Clusters left with fewer than the minimum number of images.
    """

    kmeans_labels: NDArray[np.int64]
    labels: NDArray[np.int64]
    squared_distances: NDArray[np.float64]
    dropped: tuple[int, ...]

    def __post_init__(self) -> None:
        for array in (self.kmeans_labels, self.labels, self.squared_distances):
            array.setflags(write=False)


@dataclass(frozen=True)
class Concept:
    """A direction of activation space and the images that it was made from (paper, section 2, step 4).

    Attributes
    ----------
    cluster
        Number of the cluster that it comes from.
    members
        int64 (m,): indices into the neuron's top images, ascending (strongest first).
    vector
        float64 (d,): the mean of the members' activations, of norm 1.
    """

    cluster: int
    members: NDArray[np.int64]
    vector: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.members.setflags(write=False)
        self.vector.setflags(write=False)


@dataclass(frozen=True)
class Disentanglement:
    """One neuron, split into concepts.

    Attributes
    ----------
    neuron
        Channel of the layer.
    parameters
        What it was computed with.
    status, message
        ``ok``, or what is special about the neuron, and a sentence that says so.
    top, hierarchy, n_clusters, tree_labels
        Steps 1 and 2: the N top images, their tree, C at the distance threshold, and int64 (N,) the
        cluster of each image in the tree, numbered by first appearance.
    clusters
        Step 3, see :class:`Clusters`.
    concepts
        Step 4: one for each cluster that was kept, and after them for each concept made by hand, by number.
    projections
        float64 (N,): projection of each top image on the vector of its own concept, of an outlier on that of
        the cluster it left, in units of activation; NaN where that cluster has no concept.
    adjustments
        What a person changed in the clusters of step 3.
    """

    neuron: int
    parameters: Parameters
    status: NeuronStatus
    message: str
    top: TopImages
    hierarchy: Hierarchy
    n_clusters: int
    tree_labels: NDArray[np.int64]
    clusters: Clusters
    concepts: tuple[Concept, ...]
    projections: NDArray[np.float64]
    adjustments: Adjustments = UNADJUSTED

    def __post_init__(self) -> None:
        self.tree_labels.setflags(write=False)
        self.projections.setflags(write=False)

    @property
    def kmeans_labels(self) -> NDArray[np.int64]:
        """int64 (N,): cluster of each top image before outliers are removed."""
        return self.clusters.kmeans_labels

    @property
    def labels(self) -> NDArray[np.int64]:
        """int64 (N,): cluster of each top image, −1 outlier, −2 in a dropped cluster, −3 left out by hand."""
        return self.clusters.labels

    @property
    def squared_distances(self) -> NDArray[np.float64]:
        """float64 (N,): squared distance of each top image to its centroid."""
        return self.clusters.squared_distances

    @property
    def dropped(self) -> tuple[int, ...]:
        """Clusters that kept too few images."""
        return self.clusters.dropped

    @property
    def adjusted_by_hand(self) -> bool:
        """Whether a person moved any of these top images."""
        rows = self.adjustments.rows
        return bool(rows) and not rows.isdisjoint(self.top.images.tolist())

    def is_own(self, cluster: int) -> bool:
        """Whether a cluster is a concept made by hand: those are numbered after k-means' own."""
        return cluster >= self.n_clusters

    def hand_mark(self, cluster: int) -> str:
        """Return ``own concept``, ``adjusted neuron`` (other images were moved by hand), or an empty text."""
        if self.is_own(cluster):
            return "own concept"
        return "adjusted neuron" if self.adjusted_by_hand else ""

    @cached_property
    def concept_numbers(self) -> NDArray[np.int64]:
        """int64 (C + concepts made by hand,): a number for each, which decides colour and letter everywhere.

        See :func:`backend.method.dendrogram_layout.concept_numbers`. Concepts made by hand count from
        :data:`backend.concept_colors.OWN_NUMBER`, whatever C is: their colours never change.
        """
        found = concept_numbers(self.hierarchy, self.parameters.distance_threshold, self.kmeans_labels)
        own = np.arange(OWN_NUMBER, OWN_NUMBER + len(self.adjustments.own_concepts), dtype=np.int64)
        numbers: NDArray[np.int64] = np.concatenate([found, own])
        numbers.setflags(write=False)
        return numbers

    def member_rows(self, concept: Concept) -> NDArray[np.int64]:
        """Return the rows (in the activation array) of a concept's members, strongest first."""
        return self.top.images[concept.members]
