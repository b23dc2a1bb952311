"""Jobs that gather what can be searched for: names in all layers, classes in the layer on show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.layer_data import LayerData
from backend.evaluation.top_image_classes import TopImageClasses, top_image_classes
from backend.task import Task

if TYPE_CHECKING:
    from backend.project import Project


@dataclass(frozen=True)
class NamedNeuron:
    """A neuron that was given a name."""

    layer: str
    neuron: int
    name: str


@dataclass(frozen=True)
class NotedConcept:
    """A concept with a name or notes; ``identity`` is its number in the project."""

    layer: str
    neuron: int
    identity: int
    name: str
    notes: str
    images: tuple[int, ...]


@dataclass(frozen=True)
class SearchableNames:
    """Every name and note of a project.

    Attributes
    ----------
    neurons, concepts
        By layer and neuron.
    layers
        Every layer that can be shown, with the number of its neurons.
    """

    neurons: tuple[NamedNeuron, ...] = ()
    concepts: tuple[NotedConcept, ...] = ()
    layers: tuple[tuple[str, int], ...] = ()


def gather_names(project: Project, task: Task) -> SearchableNames:
    """Read the names of neurons and concepts of all layers."""
    neurons: list[NamedNeuron] = []
    layers = tuple((record.name, record.n_neurons) for record in project.layers if record.n_done)
    for layer, _ in layers:
        task.check_cancelled()
        names = project.neuron_names(layer)
        neurons += [NamedNeuron(layer, neuron, name) for neuron, name in sorted(names.items()) if name]
    concepts = [
        NotedConcept(
            concept.layer, concept.neuron, concept.id, concept.name, concept.notes, concept.member_images
        )
        for concept in project.named_concepts()
        if concept.id is not None
    ]
    return SearchableNames(tuple(neurons), tuple(concepts), layers)


def count_classes(layer: LayerData, labels: Sequence[str | None], n_top: int, task: Task) -> TopImageClasses:
    """Find the neurons of a layer whose top images hold each class most."""
    return top_image_classes(layer.index, labels, n_top, task=task)
