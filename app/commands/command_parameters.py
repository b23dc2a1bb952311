"""The parameters of the method that a command is run with."""

from __future__ import annotations

import argparse
from dataclasses import replace

from app.commands.command_parser import SUGGESTED_PRESET, given_parameters
from backend.layer_parameters import layer_parameters, layer_suggestion
from backend.method.parameters import PRESETS, Parameters
from backend.project import Project
from backend.task import Task

SCALE = frozenset({"distance_threshold", "outlier_radius_squared"})
"""What is measured in the units of one layer."""
_MEASURED_FOR = ("top_n", "linkage", "metric")


def has_parameters(arguments: argparse.Namespace) -> bool:
    """Return whether any parameter or preset was given."""
    return arguments.preset is not None or bool(given_parameters(arguments))


def chosen_parameters(
    project: Project, layer: str, arguments: argparse.Namespace, *, task: Task
) -> Parameters:
    """Return the preset, or else what the project has for a layer, with the options that were given.

    Where top_n, linkage or metric differ from those that the layer's own threshold and radius hold for, these
    two are measured again, unless both were given.

    Raises
    ------
    ParameterError
        If a value is out of its range or two do not go together.
    ProjectError
        If there is no such layer, or it is not complete.
    """
    given = given_parameters(arguments)
    if arguments.preset in PRESETS:
        return replace(PRESETS[arguments.preset], **given)
    if arguments.preset == SUGGESTED_PRESET:
        suggestion = layer_suggestion(project, layer, task=task)
        base = Parameters() if suggestion is None else suggestion.parameters()
    else:
        base = layer_parameters(project, layer, task=task)
    wanted = replace(base, **given)
    same_scale = all(getattr(base, name) == getattr(wanted, name) for name in _MEASURED_FOR)
    if same_scale or set(given) >= SCALE:
        return wanted
    return replace(_measured_again(project, layer, wanted, task), **given)


def _measured_again(project: Project, layer: str, parameters: Parameters, task: Task) -> Parameters:
    from backend.method.suggestion import suggest

    suggestion = suggest(
        project.activations(layer), project.neuron_index(layer), parameters=parameters, task=task
    )
    return suggestion.parameters(parameters)
