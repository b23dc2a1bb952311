"""The command line that repeats an analysis."""

from __future__ import annotations

import shlex
from dataclasses import fields

from backend.method.parameters import PRESETS, Parameters

PARAMETER_OPTIONS: dict[str, str] = {
    "top_n": "--top",
    "distance_threshold": "--d-max",
    "outlier_radius_squared": "--outlier-radius",
    "min_cluster_size": "--min-cluster-size",
    "linkage": "--linkage",
    "metric": "--metric",
    "kmeans_start": "--kmeans-start",
    "kmeans_restarts": "--kmeans-restarts",
    "kmeans_max_iter": "--kmeans-max-iter",
    "seed": "--seed",
}
"""The option of the command line for every field of the parameters."""


def analyse_command(project: str, layer: str, neuron: int, parameters: Parameters) -> str:
    """Return the command that gives exactly this analysis, whatever the project's suggestion becomes.

    Parameters
    ----------
    project
        Path of the project, as it is to be written.
    """
    words = ["neuronprism", "analyse", project, "--layer", layer, "--neuron", str(neuron)]
    words += _parameter_words(parameters)
    return shlex.join(words)


def _parameter_words(parameters: Parameters) -> list[str]:
    for preset, values in PRESETS.items():
        if parameters == values:
            return ["--preset", preset]
    defaults = Parameters()
    always = {"top_n", "distance_threshold", "outlier_radius_squared"}
    words: list[str] = []
    for one in fields(Parameters):
        value = getattr(parameters, one.name)
        if one.name in always or value != getattr(defaults, one.name):
            words += [PARAMETER_OPTIONS[one.name], str(value)]
    return words
