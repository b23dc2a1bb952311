"""How alike the members of a concept are, beside what random images would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NULL_DRAWS = 20
"""Random images for a null, as a multiple of the number of members: as many draws of the same count."""


@dataclass(frozen=True)
class ConceptSimilarity:
    """Mean cosine similarities of a concept, each beside its null (paper, section 3 and Fig. 5).

    Non-negative activations all point roughly the same way, so that a similarity means nothing without the
    one that random images reach.

    Attributes
    ----------
    mean_cosine, mean_cosine_null
        Of the members, and of random images, with the concept vector.
    centred_cosine, centred_cosine_null
        The same after the layer's mean is subtracted from the images and from the members' mean.
    neuron_mean_cosine, neuron_mean_cosine_null
        Of the members, and of random images, with the neuron's own direction.
    """

    mean_cosine: float
    mean_cosine_null: float
    centred_cosine: float
    centred_cosine_null: float
    neuron_mean_cosine: float
    neuron_mean_cosine_null: float


def concept_similarity(
    activations: NDArray[np.float32],
    members: NDArray[np.int64],
    neuron: int,
    layer_mean: NDArray[np.floating],
    *,
    seed: int = 0,
) -> ConceptSimilarity:
    """Measure the similarities of one concept.

    Parameters
    ----------
    activations
        float32 (images, d); rows that are not finite are never drawn.
    members
        int64 (m,), m ≥ 1: rows of the concept's images.
    neuron
        The neuron whose direction is compared.
    layer_mean
        float (d,): mean activation over the dataset.
    seed
        Of the random images. They are drawn among the images that are not members.
    """
    inside = np.asarray(activations[members], dtype=np.float64)
    outside = _random_images(activations, members, seed)
    mean = inside.mean(axis=0)
    axis = np.zeros(activations.shape[1])
    axis[neuron] = 1.0
    return ConceptSimilarity(
        mean_cosine=_mean_cosine(inside, mean),
        mean_cosine_null=_mean_cosine(outside, mean),
        centred_cosine=_mean_cosine(inside - layer_mean, mean - layer_mean),
        centred_cosine_null=_mean_cosine(outside - layer_mean, mean - layer_mean),
        neuron_mean_cosine=_mean_cosine(inside, axis),
        neuron_mean_cosine_null=_mean_cosine(outside, axis),
    )


def _random_images(
    activations: NDArray[np.float32], members: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    others = np.setdiff1d(np.arange(len(activations)), members, assume_unique=True)
    count = min(len(others), _NULL_DRAWS * len(members))
    rows = np.sort(np.random.default_rng(seed).choice(others, size=count, replace=False))
    vectors = np.asarray(activations[rows], dtype=np.float64)
    return vectors[np.isfinite(vectors).all(axis=1)]


def _mean_cosine(vectors: NDArray[np.float64], direction: NDArray[np.float64]) -> float:
    """Average the cosine over vectors; a vector of norm 0 counts as 0; NaN without vectors."""
    if len(vectors) == 0:
        return float("nan")
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(direction)
    products = vectors @ direction
    cosines = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
    return float(cosines.mean())
