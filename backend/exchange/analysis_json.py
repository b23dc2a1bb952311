"""The analysis of one neuron as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.evaluation.projections import MaxProjecting
from backend.evaluation.similarity import ConceptSimilarity
from backend.exchange.atomic_file import write_bytes
from backend.method.parameters import Parameters
from backend.method.results import Concept, Disentanglement


def analysis_document(
    analysis: NeuronAnalysis,
    image_paths: Sequence[str],
    names: Mapping[int, str] | None = None,
    outdated: Sequence[str] = (),
) -> dict[str, Any]:
    """Return an analysis as plain JSON values.

    Parameters
    ----------
    analysis
        What was found.
    image_paths
        Path of each row of the activations, relative to the images' folder.
    names
        Name of each cluster that has one.
    outdated
        What changed since the activations were computed, a sentence each.

    Returns
    -------
    document
        ``layer``, ``neuron``, ``status`` and ``message``; ``parameters``; ``top_images`` (paths, strongest
        first) and their ``activations``; ``merge_heights`` (ascending); ``n_clusters``; ``labels``, one for
        each top image: its cluster, −1 for an outlier, −2 in a dropped cluster, −3 if it was left out by hand
        (concepts made by hand are numbered from ``n_clusters``); ``dropped`` (clusters);
        ``adjusted_by_hand``, whether a person moved any of the top images, and ``adjustments``, which images
        these are and all others that wait for another N: ``own_concepts`` (lists of paths) and ``left_out``;
        ``excluded_images`` (paths), which a person took out of the whole analysis; ``neuron_max`` (path and
        activation); and ``concepts``, each with ``cluster``, ``name``, ``by_hand`` (``own concept``,
        ``adjusted neuron`` or empty), ``size``, ``members`` (indices into ``top_images``), ``vector`` (norm
        1), ``max_projecting`` over the whole dataset and ``max_projecting_held_out`` without the members
        (path and projection), and the mean cosines of its members beside their nulls; and ``outdated``,
        sentences that say what of images and network changed since then, none if nothing did. A number that
        does not exist is ``null``.
    """
    result = analysis.disentanglement
    names = names or {}
    return {
        "layer": analysis.layer,
        "neuron": int(result.neuron),
        "status": result.status,
        "message": result.message,
        "parameters": parameters_document(result.parameters),
        "top_images": [image_paths[row] for row in result.top.images],
        "activations": [_number(value) for value in result.top.activations],
        "merge_heights": [_number(height) for height in result.hierarchy.merge_heights],
        "n_clusters": int(result.n_clusters),
        "labels": [int(label) for label in result.labels],
        "dropped": [int(cluster) for cluster in result.dropped],
        "adjusted_by_hand": result.adjusted_by_hand,
        "adjustments": {
            "own_concepts": [[image_paths[row] for row in rows] for rows in result.adjustments.own_concepts],
            "left_out": [image_paths[row] for row in result.adjustments.left_out],
        },
        "excluded_images": [image_paths[row] for row in analysis.excluded],
        "neuron_max": _images(analysis.neuron_max, image_paths, "activation"),
        "concepts": [
            _concept(result, concept, everywhere, held_out, similarity, image_paths, names)
            for concept, everywhere, held_out, similarity in zip(
                result.concepts,
                analysis.concept_max,
                analysis.concept_max_held_out,
                analysis.similarities,
                strict=True,
            )
        ],
        "outdated": list(outdated),
    }


def parameters_document(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters as plain JSON values; an infinite threshold or radius (no limit) is ``null``."""
    return {
        name: _number(value) if isinstance(value, float) else value
        for name, value in parameters.to_dict().items()
    }


def analysis_bytes(
    analysis: NeuronAnalysis,
    image_paths: Sequence[str],
    names: Mapping[int, str] | None = None,
    outdated: Sequence[str] = (),
) -> bytes:
    """Return :func:`analysis_document` as strict JSON (no NaN) in UTF-8, one line for each of its keys."""
    document = analysis_document(analysis, image_paths, names, outdated)
    lines = (
        f' "{key}": {json.dumps(value, ensure_ascii=False, allow_nan=False)}'
        for key, value in document.items()
    )
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    # A file name with bytes that are no Unicode holds lone surrogates: \udcXX is how JSON spells them.
    return text.encode("utf-8", errors="backslashreplace")


def write_analysis(
    path: Path,
    analysis: NeuronAnalysis,
    image_paths: Sequence[str],
    names: Mapping[int, str] | None = None,
    outdated: Sequence[str] = (),
) -> None:
    """Write :func:`analysis_bytes` as UTF-8, whole or not at all (ExportError if it cannot be)."""
    write_bytes(path, analysis_bytes(analysis, image_paths, names, outdated))


def _concept(
    result: Disentanglement,
    concept: Concept,
    everywhere: MaxProjecting,
    held_out: MaxProjecting,
    similarity: ConceptSimilarity,
    image_paths: Sequence[str],
    names: Mapping[int, str],
) -> dict[str, Any]:
    return {
        "cluster": int(concept.cluster),
        "name": names.get(int(concept.cluster), ""),
        "by_hand": result.hand_mark(concept.cluster),
        "size": len(concept.members),
        "members": [int(index) for index in concept.members],
        "vector": [_number(value) for value in concept.vector],
        "max_projecting": _images(everywhere, image_paths, "projection"),
        "max_projecting_held_out": _images(held_out, image_paths, "projection"),
        "mean_cosine": _number(similarity.mean_cosine),
        "mean_cosine_null": _number(similarity.mean_cosine_null),
        "centred_cosine": _number(similarity.centred_cosine),
        "centred_cosine_null": _number(similarity.centred_cosine_null),
        "neuron_mean_cosine": _number(similarity.neuron_mean_cosine),
        "neuron_mean_cosine_null": _number(similarity.neuron_mean_cosine_null),
    }


def _images(ranked: MaxProjecting, image_paths: Sequence[str], measure: str) -> list[dict[str, Any]]:
    return [
        {"path": image_paths[row], measure: _number(value)}
        for row, value in zip(ranked.images, ranked.projections, strict=True)
    ]


def _number(value: float) -> float | None:
    """JSON knows no NaN and no infinity."""
    number = float(value)
    return number if math.isfinite(number) else None
