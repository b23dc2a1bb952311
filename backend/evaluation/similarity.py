"""How alike the members of a concept are, beside what random images would show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.activations.row_stream import gather_rows

_NULL_IMAGES = 1000
"""Random images that the nulls of a neuron's concepts are drawn from."""

_NULL_DRAWS = 30
"""Draws of as many images as the concept has members."""


@dataclass(frozen=True)
class ConceptSimilarity:
    """Mean cosine similarities of a concept, each beside its null (paper, section 3 and Fig. 5).

    Non-negative activations all point roughly the same way, and every image is part of its own group's mean:
    a similarity means nothing without the one that as many random images reach. So the nulls are those of
    groups of random images, of the concept's size, each with its own mean.

    Attributes
    ----------
    mean_cosine, mean_cosine_null
        Of the members with the concept vector; of a random group with its own.
    centred_cosine, centred_cosine_null
        The same after the layer's mean is subtracted from the images, and so from their group's mean.
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
    excluded: Collection[int] = (),
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
        Of the random images. They are drawn from up to 1000 that are a member of no concept of this neuron;
        each null averages 30 groups, of as many images as there are members (or as there are to draw from).
    excluded
        Rows that a person took out of the analysis: they are never drawn.
    """
    if not members:
        return ()
    mean = np.asarray(layer_mean, dtype=np.float32)
    rng = np.random.default_rng(seed)
    never_drawn = np.unique(np.concatenate([*members, np.fromiter(excluded, np.int64, len(excluded))]))
    outside = _Images(_random_images(activations, never_drawn, rng), mean)
    similarities = []
    for rows in members:
        inside = _Images(gather_rows(activations, rows), mean)
        mean_cosine, centred_cosine = inside.cohesion(np.arange(len(rows)))
        null, centred_null = _random_cohesion(outside, len(rows), rng)
        similarities.append(
            ConceptSimilarity(
                mean_cosine=mean_cosine,
                mean_cosine_null=null,
                centred_cosine=centred_cosine,
                centred_cosine_null=centred_null,
                neuron_mean_cosine=inside.mean_cosine_with_channel(neuron),
                neuron_mean_cosine_null=outside.mean_cosine_with_channel(neuron),
            )
        )
    return tuple(similarities)


class _Images:
    """Activation vectors scaled to norm 1, raw and centred; one without a direction stays zero."""

    def __init__(self, vectors: NDArray[np.float32], layer_mean: NDArray[np.float32]) -> None:
        self._vectors = vectors
        self._layer_mean = layer_mean
        self._units = _to_units(vectors)
        self._centred_units = _to_units(vectors - layer_mean)

    def __len__(self) -> int:
        return len(self._vectors)

    def cohesion(self, group: NDArray[np.int64]) -> tuple[float, float]:
        """Return the mean cosine of a group's images with the group's mean, raw and centred."""
        mean = self._vectors[group].mean(axis=0, dtype=np.float64)
        raw = self._units[group] @ _to_units(mean[np.newaxis])[0]
        centred = self._centred_units[group] @ _to_units((mean - self._layer_mean)[np.newaxis])[0]
        return float(raw.mean()), float(centred.mean())

    def mean_cosine_with_channel(self, neuron: int) -> float:
        return float(self._units[:, neuron].mean()) if len(self) else float("nan")


def _random_cohesion(images: _Images, size: int, rng: np.random.Generator) -> tuple[float, float]:
    """Average the cohesion of random groups; NaN without images."""
    if len(images) == 0:
        return float("nan"), float("nan")
    size = min(size, len(images))
    draws = [images.cohesion(rng.choice(len(images), size, replace=False)) for _ in range(_NULL_DRAWS)]
    raw, centred = np.mean(draws, axis=0)
    return float(raw), float(centred)


def _random_images(
    activations: NDArray[np.float32], never_drawn: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.float32]:
    others = np.setdiff1d(np.arange(len(activations)), never_drawn, assume_unique=True)
    rows = np.sort(rng.choice(others, size=min(len(others), _NULL_IMAGES), replace=False))
    vectors = gather_rows(activations, rows)
    return vectors[np.isfinite(vectors).all(axis=1)]


def _to_units(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(
        vectors, norms, out=np.zeros(vectors.shape, dtype=np.float32), where=norms > 0, casting="same_kind"
    )
    return units
