"""The job behind the tab of the classes: what each concept of a neuron does to them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.model_cache import ModelCache
from backend.evaluation.concept_effect_result import ConceptEffect
from backend.networks.model_source import ModelSource, Pooling
from backend.task import Task

MOST_IMAGES = 32
"""Members of a concept that are put through the network."""


@dataclass(frozen=True)
class EffectKey:
    """What an effect depends on: two that are equal are the same.

    Attributes
    ----------
    layer : str
    rows : tuple of int
        Dataset rows of the images.
    vector : str
        Digest of the concept vector.
    """

    layer: str
    rows: tuple[int, ...]
    vector: str


@dataclass(frozen=True)
class WantedEffect:
    """One concept: the files of its images, and its vector, float64 (d,)."""

    key: EffectKey
    images: tuple[Path, ...]
    vector: NDArray[np.float64]


@dataclass(frozen=True)
class EffectRequest:
    """What the job is to find out: the network, whether its Python file may run, the layer, the concepts.

    ``class_names`` are the project's; None: those of the network, if it has any.
    """

    source: ModelSource
    allow_code: bool
    layer: str
    pooling: Pooling
    class_names: tuple[str, ...] | None
    concepts: tuple[WantedEffect, ...]


@dataclass(frozen=True)
class FoundEffect:
    """A concept's effect, with a name for each output of the network."""

    key: EffectKey
    effect: ConceptEffect
    names: tuple[str, ...]


def effect_key(layer: str, member_rows: NDArray[np.int64], vector: NDArray[np.float64]) -> EffectKey:
    """Return the key of a concept's effect, with the images that stand for all its members."""
    digest = hashlib.sha256(vector.tobytes()).hexdigest()
    return EffectKey(layer, spread_over(member_rows.tolist(), MOST_IMAGES), digest)


def spread_over(rows: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most so many rows, evenly spread from the first to the last: the strongest alone flatter."""
    if len(rows) <= most:
        return tuple(rows)
    return tuple(rows[place] for place in np.linspace(0, len(rows) - 1, most).round().astype(int))


def follow_concepts(models: ModelCache, request: EffectRequest, task: Task) -> None:
    """Follow one concept after the other to the classes; each comes as a partial result."""
    task.progress(0, 0, "Loading the network")
    loaded = models.load(request.source, allow_code=request.allow_code, task=task)
    task.check_cancelled()
    from backend.evaluation.concept_effect import concept_effect

    for wanted in request.concepts:
        task.check_cancelled()
        effect = concept_effect(
            loaded, request.layer, wanted.images, wanted.vector, pooling=request.pooling, task=task
        )
        names = effect.output_names(request.class_names or loaded.class_names)
        task.partial(FoundEffect(wanted.key, effect, names))
