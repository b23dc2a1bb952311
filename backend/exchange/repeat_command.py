"""The command line that repeats an analysis."""

from __future__ import annotations

import shlex
from dataclasses import fields

from backend.method.parameters import Parameters

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
    """Return the command that gives exactly this analysis, whatever parameters the project holds by then.

    What was adjusted by hand, and which images are excluded, it takes from the project.

    Parameters
    ----------
    project
        Path of the project, as it is to be written.
    """
    words = ["neuronprism", "analyse", project, "--layer", layer, "--neuron", str(neuron)]
    # Every one of them: what is left out is taken from the project, which may hold other parameters by then.
    for one in fields(Parameters):
        words += [PARAMETER_OPTIONS[one.name], str(getattr(parameters, one.name))]
    return shlex.join(words)
