"""What a project holds: the layers with their activations, and what people added to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.activations.precision_check_result import PrecisionCheck
from backend.method.adjustments import Adjustments
from backend.method.parameters import Parameters, Suggestion
from backend.named_concepts import NamedConcept
from backend.neurons import NeuronIndex
from backend.project_folder.layer_record import LayerRecord
from backend.project_folder.project_activations import Activations
from backend.project_folder.project_inputs import ProjectInputs
from backend.task import Task


class ProjectResults(ProjectInputs):
    """The part of a :class:`backend.project.Project` that holds its layers and what people added to them."""

    @property
    def layers(self) -> tuple[LayerRecord, ...]:
        """The layers that have activations, complete or not, in the order of their extraction."""
        return self.extracted_layers.records()

    def layer(self, name: str) -> LayerRecord:
        """Return one layer; :class:`ProjectError` naming those there are if it is not among them."""
        return self.extracted_layers.record(name)

    def activations(self, layer: str, *, partial: bool = False) -> Activations:
        """Map a layer's activations: float32, images × neurons, read-only. Skipped images have rows of NaN.

        Parameters
        ----------
        layer
            Its name.
        partial
            Whether a layer that is still being extracted may be read: then the rows are those from 0 to the
            first that is not there yet.

        Raises
        ------
        ProjectError
            If there is no such layer, it is not complete, or its file is missing or damaged.
        """
        return self._reader.activations(layer, partial=partial)

    def neuron_index(self, layer: str, *, partial: bool = False, task: Task | None = None) -> NeuronIndex:
        """Return a layer's neuron index: the strongest images of every neuron, and its statistics.

        Read once, then kept in memory. If its file is missing or damaged, or the layer is partial, it is
        computed by reading the activations once (about 30,000 images a second at 2048 neurons).

        Raises
        ------
        ProjectError
            As :meth:`activations`.
        """
        return self._reader.neuron_index(layer, partial=partial, task=task)

    def rows_so_far(self, layer: str, *, task: Task | None = None) -> tuple[Activations, NeuronIndex]:
        """Return the rows of a layer that are there (see :meth:`activations`), and the index over just these.

        Asked again while the layer is extracted, it reads only the rows that came since.

        Raises
        ------
        ProjectError
            If there is no such layer, or its file is missing or damaged.
        """
        return self._reader.rows_so_far(layer, task=task)

    def save_neuron_index(self, layer: str, index: NeuronIndex) -> None:
        """Keep a layer's neuron index beside its activations."""
        self._reader.save_neuron_index(layer, index)

    def parameters(self, layer: str) -> Parameters | None:
        """Return the parameters chosen for a layer, if any."""
        return self.extracted_layers.parameters(layer)

    def save_parameters(self, layer: str, parameters: Parameters | None) -> None:
        """Keep the parameters chosen for a layer; None forgets them."""
        self.extracted_layers.save_parameters(layer, parameters)

    def suggestion(self, layer: str) -> Suggestion | None:
        """Return what was suggested for a layer, if anything."""
        return self.extracted_layers.suggestion(layer)

    def save_suggestion(self, layer: str, suggestion: Suggestion | None) -> None:
        """Keep what is suggested for a layer; None forgets it."""
        self.extracted_layers.save_suggestion(layer, suggestion)

    def precision_check(self, layer: str) -> PrecisionCheck | None:
        """Return what ``fast`` was found to change at a layer, extracted or planned; None if not known."""
        return self._precision_checks.of_layer(layer)

    def save_precision_check(self, layer: str, check: PrecisionCheck) -> None:
        """Keep what was found of a layer, whether its extraction has begun or not."""
        self._precision_checks.save(layer, check)

    # What people add

    def neuron_names(self, layer: str) -> dict[int, str]:
        """Return the names of a layer's neurons, where they have one."""
        return self._annotations.neuron_names(layer)

    def set_neuron_name(self, layer: str, neuron: int, name: str) -> None:
        """Name a neuron; an empty name takes the name away."""
        self._annotations.set_neuron_name(layer, neuron, name)

    def set_neuron_names(self, layer: str, names: Mapping[int, str]) -> None:
        """Name several neurons at once; an empty name takes a name away."""
        self._annotations.set_neuron_names(layer, names)

    def named_concepts(self, layer: str | None = None, neuron: int | None = None) -> tuple[NamedConcept, ...]:
        """Return the named concepts of a neuron, a layer, or the whole project, oldest first."""
        return self._annotations.named_concepts(layer, neuron)

    def save_named_concept(self, concept: NamedConcept) -> NamedConcept:
        """Save a concept and return it with its id; one that has an id takes the place of the saved one."""
        return self._annotations.save_named_concept(concept)

    def delete_named_concept(self, identity: int) -> None:
        """Delete a concept; to undo it, save it again with its id."""
        self._annotations.delete_named_concept(identity)

    def adjustments(self, layer: str) -> dict[int, Adjustments]:
        """Return what was adjusted by hand in a layer's neurons, where anything was."""
        return self._annotations.adjustments(layer)

    def save_adjustments(self, layer: str, neuron: int, adjustments: Adjustments) -> None:
        """Keep what was adjusted by hand in a neuron; empty adjustments forget it."""
        self._annotations.save_adjustments(layer, neuron, adjustments)

    def get_setting(self, key: str, default: Any = None) -> Any:
        """Return a setting, any JSON value, or ``default``."""
        return self._database.read_values("settings").get(key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Keep a setting, any JSON value."""
        self._database.write_values("settings", {key: value})
