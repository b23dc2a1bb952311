"""The parameters of the method, its published preset, and a layer's suggested values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from backend.errors import ParameterError
from backend.parameter_checks import require_not_negative, require_one_of, require_whole

LinkageMethod = Literal["ward", "average", "complete", "single"]
Metric = Literal["euclidean", "cosine"]
KMeansStart = Literal["tree", "random"]

LINKAGE_METHODS: tuple[LinkageMethod, ...] = get_args(LinkageMethod)
METRICS: tuple[Metric, ...] = get_args(Metric)
KMEANS_STARTS: tuple[KMeansStart, ...] = get_args(KMeansStart)

MAX_TOP_N = 1000
"""Largest number of top images: the neuron index keeps this many for every neuron."""


@dataclass(frozen=True)
class Parameters:
    """How one neuron is disentangled (paper, section 2 and appendix A.1).

    Attributes
    ----------
    top_n
        Number of top-activating images N, from 2 to 1000 (step 1).
    distance_threshold
        d_max, in units of merge height: merges strictly below it are joined (step 2). For the metric
        ``cosine`` heights are cosine distances, from 0 to 2.
    outlier_radius_squared
        A member whose squared Euclidean distance to its centroid is not below this radius leaves its
        cluster (step 3). Under the metric ``cosine`` the vectors are of norm 1 here.
    min_cluster_size
        A cluster left with fewer images than this is dropped (step 3).
    linkage, metric
        Of the agglomerative clustering. Ward's linkage is defined on Euclidean distances alone.
    kmeans_start
        ``tree`` starts k-means from the means of the tree's own clusters: one deterministic run.
        ``random`` draws k-means++ starts, as published.
    kmeans_restarts
        Number of random starts (scikit-learn's ``n_init``); a start from the tree needs no other.
    kmeans_max_iter, seed
        Of k-means: the most iterations of a run, and the seed of the random starts.

    Raises
    ------
    ParameterError
        If a value is out of its range, or linkage and metric do not go together.
    """

    top_n: int = 100
    distance_threshold: float = 15.0
    outlier_radius_squared: float = 15.0
    min_cluster_size: int = 5
    linkage: LinkageMethod = "ward"
    metric: Metric = "euclidean"
    kmeans_start: KMeansStart = "tree"
    kmeans_restarts: int = 1
    kmeans_max_iter: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("top_n", self.top_n, 2, MAX_TOP_N)
        require_whole("min_cluster_size", self.min_cluster_size, 1, MAX_TOP_N)
        require_whole("kmeans_restarts", self.kmeans_restarts, 1, 1000)
        require_whole("kmeans_max_iter", self.kmeans_max_iter, 1, 1_000_000)
        require_whole("seed", self.seed, 0, 2**32 - 1)
        require_not_negative("distance_threshold", self.distance_threshold)
        require_not_negative("outlier_radius_squared", self.outlier_radius_squared)
        require_one_of("linkage", self.linkage, LINKAGE_METHODS)
        require_one_of("metric", self.metric, METRICS)
        require_one_of("kmeans_start", self.kmeans_start, KMEANS_STARTS)
        reason = incompatibility(self.linkage, self.metric)
        if reason:
            raise ParameterError(reason)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Parameters:
        """Build parameters from :meth:`to_dict`'s values; missing ones take their defaults.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is not valid.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ParameterError(f"There is no parameter named {', '.join(unknown)}.")
        return cls(**values)


def incompatibility(linkage: LinkageMethod, metric: Metric) -> str:
    """Return why a linkage cannot be used with a metric, or an empty string if it can."""
    if linkage == "ward" and metric != "euclidean":
        return (
            f"Ward's linkage minimises variance, which is defined on Euclidean distances and not on {metric} "
            "ones: choose the linkage average, complete or single, or the metric euclidean."
        )
    return ""


PUBLISHED = Parameters(kmeans_start="random", kmeans_restarts=5)
"""The published experiment: Inception V3, ``Mixed_7b``, 100 images (paper, appendix A.1)."""

PRESETS: dict[str, Parameters] = {"published": PUBLISHED}


@dataclass(frozen=True)
class Suggestion:
    """A distance threshold and an outlier radius that suit a layer's own scale.

    Attributes
    ----------
    distance_threshold, outlier_radius_squared
        The suggested values, in the units of :class:`Parameters`.
    top_n
        The number of top images that they hold for: Ward's heights grow with it.
    n_neurons
        Size of the sample of neurons that they were measured on.
    reason
        A sentence that says where they come from.
    """

    distance_threshold: float
    outlier_radius_squared: float
    top_n: int
    n_neurons: int
    reason: str

    def parameters(self, base: Parameters | None = None) -> Parameters:
        """Return ``base`` (default: the defaults) with the suggested threshold and radius."""
        return replace(
            base or Parameters(),
            top_n=self.top_n,
            distance_threshold=self.distance_threshold,
            outlier_radius_squared=self.outlier_radius_squared,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the suggestion as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Suggestion:
        """Build a suggestion from :meth:`to_dict`'s values."""
        return cls(**values)
