"""Steps 1 to 4 and all projections, beside a plain rendering of the published procedure.

Both run in turn on the same activations, neuron by neuron, and have to give the same labels:

    python -m tests.benchmarks.disentanglement PROJECT.prism --layer features.18 --neurons 20
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans

from backend.evaluation.projections import max_projecting, project
from backend.method.disentangle import disentangle
from backend.method.parameters import PUBLISHED, Parameters
from backend.method.suggestion import suggest
from backend.neurons import NeuronIndex
from backend.project import Project

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Comparison:
    """Seconds of both renderings for each neuron, and for how many the labels were the same."""

    published: NDArray[np.float64]
    ours: NDArray[np.float64]
    identical: int

    @property
    def ratios(self) -> NDArray[np.float64]:
        """How many times faster, neuron by neuron."""
        return self.published / self.ours


def published_procedure(
    activations: NDArray[np.float32], neuron: int, parameters: Parameters
) -> tuple[Labels, list[list[int]]]:
    """Follow the paper as one would write it down: scikit-learn on full vectors, loops for projections."""
    top = np.argsort(-activations[:, neuron], kind="stable")[: parameters.top_n]
    vectors = activations[top]
    tree = AgglomerativeClustering(n_clusters=None, distance_threshold=parameters.distance_threshold)
    n_clusters = tree.fit(vectors).n_clusters_
    kmeans = KMeans(
        n_clusters=n_clusters,
        n_init=parameters.kmeans_restarts,
        max_iter=parameters.kmeans_max_iter,
        random_state=parameters.seed,
    ).fit(vectors)
    labels = np.full(len(top), -1, dtype=np.int64)
    strongest = []
    for cluster in range(n_clusters):
        members = []
        for i in np.flatnonzero(kmeans.labels_ == cluster):
            distance = ((vectors[i] - kmeans.cluster_centers_[cluster]) ** 2).sum()
            if distance < parameters.outlier_radius_squared:
                members.append(i)
        if len(members) < parameters.min_cluster_size:
            labels[members] = -2
            continue
        labels[members] = cluster
        vector = vectors[members].mean(axis=0)
        vector /= np.linalg.norm(vector)
        projections = [float(np.dot(image, vector)) for image in activations]
        strongest.append(sorted(range(len(projections)), key=lambda i: -projections[i])[:100])
    return labels, strongest


def our_procedure(
    activations: NDArray[np.float32], index: NeuronIndex, neuron: int, parameters: Parameters
) -> tuple[Labels, list[list[int]]]:
    """Do the same with the project's own method and evaluation."""
    result = disentangle(activations, neuron, parameters, top=index.top(neuron, parameters.top_n))
    if not result.concepts:
        return result.labels, []
    projections = project(activations, np.stack([concept.vector for concept in result.concepts]))
    return result.labels, [max_projecting(row, 100).images.tolist() for row in projections]


def compare(
    activations: NDArray[np.float32], index: NeuronIndex, neurons: NDArray[np.int64], parameters: Parameters
) -> Comparison:
    """Time both on each neuron in turn."""
    published, ours, identical = [], [], 0
    for neuron in neurons:
        expected, seconds = _timed(lambda n=int(neuron): published_procedure(activations, n, parameters))
        published.append(seconds)
        found, seconds = _timed(lambda n=int(neuron): our_procedure(activations, index, n, parameters))
        ours.append(seconds)
        identical += bool(np.array_equal(found[0], expected[0]))
    return Comparison(np.array(published), np.array(ours), identical)


def _timed(
    work: Callable[[], tuple[Labels, list[list[int]]]],
) -> tuple[tuple[Labels, list[list[int]]], float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def main() -> int:
    """Compare under the published preset, and under the published start with the layer's own threshold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("project", type=Path)
    parser.add_argument("--layer", required=True)
    parser.add_argument("--neurons", type=int, default=20, help="number of neurons, drawn with a seed")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with Project.open(arguments.project, read_only=True) as project_on_disk:
        stored = project_on_disk.activations(arguments.layer)
        index = project_on_disk.neuron_index(arguments.layer)
        # The plain rendering reads from memory; so that it is not the disk that is compared, both do.
        activations = np.array(stored)
        neurons = np.random.default_rng(arguments.seed).choice(
            activations.shape[1], arguments.neurons, replace=False
        )
        suggestion = suggest(activations, index, parameters=PUBLISHED)
        own_scale = replace(
            PUBLISHED,
            distance_threshold=suggestion.distance_threshold,
            outlier_radius_squared=suggestion.outlier_radius_squared,
        )
        our_procedure(activations, index, int(neurons[0]), own_scale)
        print(f"{activations.shape[0]} images × {activations.shape[1]} neurons, {len(neurons)} neurons timed")
        for name, parameters in (
            ("published", PUBLISHED),
            ("published start, suggested d_max", own_scale),
        ):
            found = compare(activations, index, neurons, parameters)
            print(
                f"{name} (d_max {parameters.distance_threshold:.1f}): "
                f"plain {np.median(found.published):.3f} s, "
                f"ours {np.median(found.ours):.4f} s a neuron, "
                f"{np.median(found.ratios):.0f} times faster in the median (least {found.ratios.min():.0f}, "
                f"in total {found.published.sum() / found.ours.sum():.0f}); "
                f"labels identical for {found.identical} of {len(neurons)}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
