"""How alike the members of a concept are, beside what random images would show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NULL_IMAGES = 1000
"""Random images that a null is averaged over."""


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


def concept_similarities(
    activations: NDArray[np.float32],
    members: Sequence[NDArray[np.int64]],
    neuron: int,
    layer_mean: NDArray[np.floating],
    *,
    seed: int = 0,
) -> tuple[ConceptSimilarity, ...]:
    """Measure the similarities of each concept of a neuron.

    Parameters
    ----------
    activations
        float32 (images, d); rows that are not finite are never drawn.
    members
        For each concept int64 (m,), m ≥ 1: rows of its images.
    neuron
        The neuron whose direction is compared.
    layer_mean
        float (d,): mean activation over the dataset.
    seed
        Of the random images: up to 1000 that are a member of no concept of this neuron.
    """
    if not members:
        return ()
    mean = np.asarray(layer_mean, dtype=np.float32)
    outside = _Images(_random_images(activations, np.concatenate(members), seed), mean)
    similarities = []
    for rows in members:
        inside = _Images(np.asarray(activations[rows], dtype=np.float32), mean)
        direction = inside.raw.mean(axis=0, dtype=np.float64)
        similarities.append(
            ConceptSimilarity(
                mean_cosine=inside.mean_cosine(direction),
                mean_cosine_null=outside.mean_cosine(direction),
                centred_cosine=inside.mean_centred_cosine(direction),
                centred_cosine_null=outside.mean_centred_cosine(direction),
                neuron_mean_cosine=inside.mean_cosine_with_channel(neuron),
                neuron_mean_cosine_null=outside.mean_cosine_with_channel(neuron),
            )
        )
    return tuple(similarities)


class _Images:
    """Activation vectors with their norms, raw and centred: computed once for all directions."""

    def __init__(self, raw: NDArray[np.float32], layer_mean: NDArray[np.float32]) -> None:
        self.raw = raw
        self._layer_mean = layer_mean
        self._centred = raw - layer_mean
        self._norms = np.linalg.norm(raw, axis=1)
        self._centred_norms = np.linalg.norm(self._centred, axis=1)

    def mean_cosine(self, direction: NDArray[np.float64]) -> float:
        unit = _unit(direction)
        return _mean_ratio(self.raw @ unit, self._norms)

    def mean_centred_cosine(self, direction: NDArray[np.float64]) -> float:
        unit = _unit(direction - self._layer_mean)
        return _mean_ratio(self._centred @ unit, self._centred_norms)

    def mean_cosine_with_channel(self, neuron: int) -> float:
        return _mean_ratio(self.raw[:, neuron], self._norms)


def _random_images(
    activations: NDArray[np.float32], members: NDArray[np.int64], seed: int
) -> NDArray[np.float32]:
    others = np.setdiff1d(np.arange(len(activations)), members, assume_unique=True)
    count = min(len(others), _NULL_IMAGES)
    rows = np.sort(np.random.default_rng(seed).choice(others, size=count, replace=False))
    vectors = np.asarray(activations[rows], dtype=np.float32)
    return vectors[np.isfinite(vectors).all(axis=1)]


def _unit(direction: NDArray[np.float64]) -> NDArray[np.float32]:
    norm = float(np.linalg.norm(direction))
    return (direction / norm if norm > 0 else direction).astype(np.float32)


def _mean_ratio(products: NDArray[np.floating], norms: NDArray[np.floating]) -> float:
    """Average products over norms; a vector of norm 0 counts as 0; NaN without vectors."""
    if len(products) == 0:
        return float("nan")
    cosines = np.divide(products, norms, out=np.zeros(len(products)), where=norms > 0)
    return float(cosines.mean())
