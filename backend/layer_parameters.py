"""The parameters that the analyses of a project's layer are made with, unless others are asked for."""

from __future__ import annotations

from backend.errors import ParameterError
from backend.method.parameters import Parameters, Suggestion
from backend.method.suggestion import suggest
from backend.project import Project
from backend.task import Task


def layer_parameters(project: Project, layer: str, *, task: Task | None = None) -> Parameters:
    """Return what the user chose for a layer, else what is suggested for its scale, else the defaults.

    Raises
    ------
    ProjectError
        If there is no such layer, or it is not complete.
    """
    chosen = project.parameters(layer)
    if chosen is not None:
        return chosen
    suggestion = layer_suggestion(project, layer, task=task)
    return Parameters() if suggestion is None else suggestion.parameters()


def layer_suggestion(project: Project, layer: str, *, task: Task | None = None) -> Suggestion | None:
    """Return what is suggested for a layer, measured and kept in the project if it is not there yet.

    Returns
    -------
    suggestion
        None if no neuron of the layer is active, so that there is nothing to measure.

    Raises
    ------
    ProjectError
        If there is no such layer, or it is not complete.
    """
    suggestion = project.suggestion(layer)
    if suggestion is not None:
        return suggestion
    activations, index = project.activations(layer), project.neuron_index(layer, task=task)
    try:
        suggestion = suggest(activations, index, task=task)
    except ParameterError:
        return None
    if not project.read_only:
        project.save_suggestion(layer, suggestion)
    return suggestion
