"""One neuron from its activations to everything that is shown of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.evaluation.projections import MaxProjecting, max_projecting, project
from backend.evaluation.similarity import concept_similarities
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.disentangle import disentangle
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.results import Disentanglement
from backend.method.top_images import TopImages, top_images
from backend.neurons import NeuronIndex
from backend.task import SilentTask, Task


def analyse_neuron(
    layer: str,
    activations: NDArray[np.float32],
    neuron: int,
    parameters: Parameters,
    *,
    index: NeuronIndex | None = None,
    n_max_projecting: int = 100,
    hierarchy: Hierarchy | None = None,
    adjustments: Adjustments = UNADJUSTED,
    excluded: Collection[int] | None = None,
    task: Task | None = None,
) -> NeuronAnalysis:
    """Disentangle a neuron and evaluate its concepts over the whole dataset (paper, sections 2 and 3).

    Parameters
    ----------
    layer
        Name of the layer, kept with the result.
    activations
        float32 (images, d), usually a memory map.
    neuron, parameters, hierarchy, adjustments
        As for :func:`~backend.method.disentangle.disentangle`.
    index
        The layer's neuron index, which spares ranking the column and averaging the layer.
    n_max_projecting
        Number of max-projecting images kept for the neuron and for each concept.
    excluded
        Rows of images that a person took out of the analysis: they are among no top and no max-projecting
        images and in no null. By default those of the index.
    task
        Cancellation.

    Raises
    ------
    ParameterError
        As ``disentangle`` does.
    """
    in_range = 0 <= neuron < activations.shape[1]
    top = index.top(neuron, parameters.top_n) if index is not None and in_range else None
    excluded = _excluded(excluded, index)
    if top is None and in_range:
        top = top_images(activations, neuron, parameters.top_n, excluded=excluded)
    result = disentangle(
        activations, neuron, parameters, top=top, hierarchy=hierarchy, adjustments=adjustments
    )
    return evaluate(
        layer,
        activations,
        result,
        index=index,
        n_max_projecting=n_max_projecting,
        excluded=excluded,
        task=task,
    )


def evaluate(
    layer: str,
    activations: NDArray[np.float32],
    result: Disentanglement,
    *,
    index: NeuronIndex | None = None,
    n_max_projecting: int = 100,
    excluded: Collection[int] | None = None,
    task: Task | None = None,
) -> NeuronAnalysis:
    """Evaluate a neuron that is disentangled already; parameters as for :func:`analyse_neuron`."""
    task = task or SilentTask()
    task.check_cancelled()
    members = [result.member_rows(concept) for concept in result.concepts]
    excluded = _excluded(excluded, index)
    rows_out = np.sort(np.fromiter(excluded, dtype=np.int64, count=len(excluded)))
    rows_out = rows_out[rows_out < len(activations)]
    concept_max, held_out = _max_projecting(activations, result, members, n_max_projecting, rows_out, task)
    layer_mean = _mean(activations, rows_out) if index is None else index.statistics.mean
    neuron_max = _neuron_max(activations, index, result.neuron, n_max_projecting, rows_out)
    return NeuronAnalysis(
        layer=layer,
        disentanglement=result,
        neuron_max=neuron_max,
        concept_max=concept_max,
        concept_max_held_out=held_out,
        similarities=concept_similarities(
            activations, members, result.neuron, layer_mean, seed=result.parameters.seed, excluded=excluded
        ),
        neuron_activations=_activations_of(activations, result.neuron, (neuron_max, *concept_max, *held_out)),
        excluded=tuple(sorted(excluded)),
    )


def _activations_of(
    activations: NDArray[np.float32], neuron: int, ranked: Iterable[MaxProjecting]
) -> Mapping[int, float]:
    rows = np.unique(np.concatenate([each.images for each in ranked]))
    return MappingProxyType(dict(zip(rows.tolist(), activations[rows, neuron].tolist(), strict=True)))


def _excluded(excluded: Collection[int] | None, index: NeuronIndex | None) -> Collection[int]:
    if excluded is not None:
        return excluded
    return index.excluded if index is not None else ()


def _max_projecting(
    activations: NDArray[np.float32],
    result: Disentanglement,
    members: list[NDArray[np.int64]],
    k: int,
    excluded: NDArray[np.int64],
    task: Task,
) -> tuple[tuple[MaxProjecting, ...], tuple[MaxProjecting, ...]]:
    if not result.concepts:
        return (), ()
    vectors = np.stack([concept.vector for concept in result.concepts])
    projections = project(activations, vectors, task=task)
    everywhere = tuple(max_projecting(row, k, exclude=excluded) for row in projections)
    held_out = tuple(
        max_projecting(row, k, exclude=np.concatenate([rows, excluded]))
        for row, rows in zip(projections, members, strict=True)
    )
    return everywhere, held_out


def _neuron_max(
    activations: NDArray[np.float32],
    index: NeuronIndex | None,
    neuron: int,
    k: int,
    excluded: NDArray[np.int64],
) -> MaxProjecting:
    """Rank by the neuron itself: the projection on its own direction e_n is its activation."""
    if index is None or index.k < min(k, index.statistics.n_images):
        return max_projecting(np.array(activations[:, neuron], dtype=np.float32), k, exclude=excluded)
    top: TopImages = index.top(neuron, k)
    return MaxProjecting(top.images, top.activations)


def _mean(activations: NDArray[np.float32], excluded: NDArray[np.int64]) -> NDArray[np.float64]:
    taken = np.asarray(np.isfinite(activations).all(axis=1))
    taken[excluded] = False
    mean: NDArray[np.float64] = activations[taken].mean(axis=0, dtype=np.float64)
    return mean
