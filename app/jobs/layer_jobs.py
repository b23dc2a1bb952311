"""Jobs that load a layer, complete or as far as it is extracted, and load it anew as it grows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.jobs.analysis_jobs import analyse
from app.layer_data import LayerData
from backend.clustering_libraries import load_clustering_libraries
from backend.errors import ParameterError, ProjectError
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.parameters import Parameters, Suggestion
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.project import Project


def load_layer(project: Project, name: str, task: Task) -> LayerData:
    """Map a layer's activations and read its index; suggest a threshold if none has been suggested yet.

    Of a layer that is not complete the rows so far are taken, and what is suggested for those is not kept.

    Raises
    ------
    ProjectError
        If there is no such layer, it has no rows yet, or its files are damaged.
    """
    layer = _load(project, name, task)
    if layer.is_partial:
        suggestion = project.suggestion(name) or _suggest_for_now(layer, task)
    else:
        suggestion = suggest_for_layer(project, name, task)
    parameters = project.parameters(name)
    if parameters is None:
        parameters = suggestion.parameters() if suggestion is not None else Parameters()
    return replace(layer, suggestion=suggestion, parameters=parameters)


@dataclass(frozen=True)
class RefreshedLayer:
    """A layer loaded anew, and the neuron on show analysed in it.

    Attributes
    ----------
    layer : LayerData
    analysis : NeuronAnalysis
        Of the neuron, with the parameters that were on show.
    """

    layer: LayerData
    analysis: NeuronAnalysis


def refresh_layer(
    project: Project,
    shown: LayerData,
    neuron: int,
    parameters: Parameters,
    task: Task,
    adjustments: Adjustments = UNADJUSTED,
) -> RefreshedLayer:
    """Load the layer on show anew, since it has grown or was computed again, and analyse its neuron.

    Neuron and parameters stay; both come in one piece, so that nothing on show changes before all of it can.

    Raises
    ------
    ProjectError
        As :func:`load_layer`.
    """
    layer = _load(project, shown.name, task)
    if layer.is_partial:
        # That of the first rows will do until all are there: a d_max that moved by itself would be no help.
        suggestion = shown.suggestion or _suggest_for_now(layer, task)
    else:
        suggestion = suggest_for_layer(project, shown.name, task)
    layer = replace(layer, suggestion=suggestion, parameters=parameters)
    task.check_cancelled()
    # Its intermediate result would be shown before the layer that it belongs to.
    return RefreshedLayer(layer, analyse(layer, neuron, parameters, None, _WithoutPartial(task), adjustments))


def suggest_for_layer(project: Project, name: str, task: Task) -> Suggestion | None:
    """Return what is suggested for a layer, measured and kept in the project if it is not there yet."""
    suggestion = project.suggestion(name)
    if suggestion is not None:
        return suggestion
    # scikit-learn, which a layer with a suggestion need not wait for.
    load_clustering_libraries()
    from backend.layer_parameters import layer_suggestion

    return layer_suggestion(project, name, task=task)


def _load(project: Project, name: str, task: Task) -> LayerData:
    activations, index = project.rows_so_far(name, task=task)
    if not len(activations):
        raise ProjectError(
            f"The first images of layer {name} are not extracted yet, so there is nothing to look at: "
            "continue its extraction."
        )
    task.check_cancelled()
    return LayerData(
        name,
        activations,
        index,
        suggestion=None,
        parameters=Parameters(),
        neuron_names=project.neuron_names(name),
        n_images=project.n_images,
        adjustments=project.adjustments(name),
    )


def _suggest_for_now(layer: LayerData, task: Task) -> Suggestion | None:
    load_clustering_libraries()
    from backend.method.suggestion import suggest

    try:
        return suggest(layer.activations, layer.index, task=task)
    except ParameterError:
        return None  # too few images so far


class _WithoutPartial(SilentTask):
    """A task that hands no intermediate results on."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def check_cancelled(self) -> None:
        self._task.check_cancelled()
