"""What people add to a project: names of neurons, named concepts with notes, concepts adjusted by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from backend.errors import ProjectError
from backend.method.adjustments import Adjustments
from backend.method.parameters import Parameters
from backend.named_concepts import NamedConcept
from backend.project_folder.project_database import ProjectDatabase
from backend.project_folder.project_layers import layer_id, now

_VECTOR_DTYPE = np.dtype("<f4")


class AnnotationTable:
    """The tables ``neuron_names``, ``named_concepts`` and ``adjustments``. Every change is saved at once."""

    def __init__(self, database: ProjectDatabase, n_images: int) -> None:
        self._database = database
        self._n_images = n_images

    def neuron_names(self, layer: str) -> dict[int, str]:
        """Return the names of a layer's neurons, where they have one."""
        rows = self._database.query(
            "SELECT neuron, neuron_names.name FROM neuron_names JOIN layers ON layer = id"
            " WHERE layers.name = ? ORDER BY neuron",
            (layer,),
        )
        return {int(neuron): str(name) for neuron, name in rows}

    def set_neuron_name(self, layer: str, neuron: int, name: str) -> None:
        """Name a neuron; an empty name takes the name away.

        Raises
        ------
        ProjectError
            If there is no such layer or neuron.
        """
        self.set_neuron_names(layer, {neuron: name})

    def set_neuron_names(self, layer: str, names: Mapping[int, str]) -> None:
        """Name several neurons at once; errors as :meth:`set_neuron_name`, and nothing is changed then."""
        identity = layer_id(self._database, layer)
        for neuron in (min(names), max(names)) if names else ():
            self._require_neuron(layer, neuron)
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO neuron_names (layer, neuron, name) VALUES (?, ?, ?)",
                [(identity, neuron, name) for neuron, name in names.items() if name],
            )
            connection.executemany(
                "DELETE FROM neuron_names WHERE layer = ? AND neuron = ?",
                [(identity, neuron) for neuron, name in names.items() if not name],
            )

    def named_concepts(self, layer: str | None, neuron: int | None = None) -> tuple[NamedConcept, ...]:
        """Return the named concepts of a neuron, of a layer, or (None) of the whole project, oldest first."""
        rows = self._database.query(
            "SELECT c.id, layers.name, neuron, c.name, notes, member_images, vector, c.parameters,"
            " by_hand"
            " FROM named_concepts AS c JOIN layers ON layer = layers.id"
            " WHERE (?1 IS NULL OR layers.name = ?1) AND (?2 IS NULL OR neuron = ?2) ORDER BY c.id",
            (layer, neuron),
        )
        decode = self._database.decode
        return tuple(
            NamedConcept(
                id=identity,
                layer=layer_name,
                neuron=number,
                name=name,
                notes=notes,
                member_images=decode(members, "column named_concepts.member_images", _rows),
                vector=np.frombuffer(vector, _VECTOR_DTYPE).astype(np.float32),
                parameters=decode(parameters, "column named_concepts.parameters", Parameters.from_dict),
                by_hand=by_hand,
            )
            for identity, layer_name, number, name, notes, members, vector, parameters, by_hand in rows
        )

    def save_named_concept(self, concept: NamedConcept) -> NamedConcept:
        """Save a concept, as a new one if it has no id, else in the place of the saved one.

        A concept with an id that is not in the project (its deletion is being undone) is saved under that id.

        Returns
        -------
        NamedConcept
            The same with its id.

        Raises
        ------
        ProjectError
            If the project has no such layer, neuron or image, or the vector is of another length.
        """
        identity, n_neurons = self._require_neuron(concept.layer, concept.neuron)
        self._require_fitting(concept, n_neurons)
        values = (
            concept.id,
            identity,
            concept.neuron,
            concept.name,
            concept.notes,
            json.dumps([int(row) for row in concept.member_images]),
            np.asarray(concept.vector, _VECTOR_DTYPE).tobytes(),
            json.dumps(concept.parameters.to_dict()),
            concept.by_hand,
            now(),
        )
        with self._database.transaction() as connection:
            cursor = connection.execute(
                "INSERT OR REPLACE INTO named_concepts"
                " (id, layer, neuron, name, notes, member_images, vector, parameters, by_hand, modified)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        return replace(concept, id=cursor.lastrowid)

    def delete_named_concept(self, identity: int) -> None:
        """Delete a concept; one that is not there any more is no error."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM named_concepts WHERE id = ?", (identity,))

    def adjustments(self, layer: str) -> dict[int, Adjustments]:
        """Return what was adjusted by hand in a layer, by neuron, where anything was."""
        rows = self._database.query(
            "SELECT neuron, adjustments FROM adjustments JOIN layers ON layer = id"
            " WHERE layers.name = ? ORDER BY neuron",
            (layer,),
        )
        where, decode = "column adjustments.adjustments", self._database.decode
        return {int(neuron): decode(text, where, Adjustments.from_dict) for neuron, text in rows}

    def save_adjustments(self, layer: str, neuron: int, adjustments: Adjustments) -> None:
        """Keep what was adjusted in a neuron, in place of what was before; empty ones forget it.

        Raises
        ------
        ProjectError
            If the project has no such layer, neuron or image.
        """
        identity, _ = self._require_neuron(layer, neuron)
        if any(row >= self._n_images for row in adjustments.rows):
            raise ProjectError(
                f"Image {max(adjustments.rows)} cannot be moved by hand in neuron {neuron} of {layer}: the "
                f"project's images are 0 to {self._n_images - 1}."
            )
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM adjustments WHERE layer = ? AND neuron = ?", (identity, neuron))
            if adjustments:
                connection.execute(
                    "INSERT INTO adjustments (layer, neuron, adjustments) VALUES (?, ?, ?)",
                    (identity, neuron, json.dumps(adjustments.to_dict())),
                )

    def _require_neuron(self, layer: str, neuron: int) -> tuple[int, int]:
        """Return the layer's number in the database and its number of neurons."""
        identity = layer_id(self._database, layer)
        ((n_neurons,),) = self._database.query("SELECT n_neurons FROM layers WHERE id = ?", (identity,))
        if not 0 <= neuron < n_neurons:
            raise ProjectError(
                f"There is no neuron {neuron} in layer {layer}: its neurons are 0 to {n_neurons - 1}."
            )
        return identity, n_neurons

    def _require_fitting(self, concept: NamedConcept, n_neurons: int) -> None:
        if concept.vector.shape != (n_neurons,):
            raise ProjectError(
                f"The vector of concept '{concept.name}' has the shape {concept.vector.shape}, "
                f"but layer {concept.layer} has {n_neurons} neurons."
            )
        if any(not 0 <= row < self._n_images for row in concept.member_images):
            raise ProjectError(
                f"The concept '{concept.name}' has a member that is not among the {self._n_images} images."
            )


def _rows(values: Any) -> tuple[int, ...]:
    return tuple(int(row) for row in values)
