"""What can be undone: parameters, names of neurons, names and notes of concepts, adjustments by hand.

Each command stores first and then shows the place where it happened, so that undoing is never invisible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QUndoCommand

from backend.method.adjustments import Adjustments
from backend.method.parameters import Parameters

if TYPE_CHECKING:
    from app.concept_names import ConceptNames
    from app.hand_adjustments import HandAdjustments
    from app.neuron_names import NeuronNames
    from app.session import Session
    from backend.named_concepts import NamedConcept

_CONCEPT_TEXT_ID = 1


class SetParameters(QUndoCommand):
    """Another set of parameters for a layer."""

    def __init__(self, session: Session, layer: str, neuron: int, before: Parameters, after: Parameters):
        super().__init__(_describe(before, after))
        self._session = session
        self._layer = layer
        self._neuron = neuron
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Apply the new parameters."""
        self._apply(self._after)

    def undo(self) -> None:
        """Return to the earlier ones."""
        self._apply(self._before)

    def _apply(self, parameters: Parameters) -> None:
        self._session.apply_parameters(self._layer, parameters)
        self._session.show_layer(self._layer)


class SetNeuronName(QUndoCommand):
    """Another name for a neuron."""

    def __init__(self, names: NeuronNames, layer: str, neuron: int, before: str, after: str):
        super().__init__(f"name of neuron {neuron}")
        self._names = names
        self._layer = layer
        self._neuron = neuron
        self._before = before
        self._after = after
        self._was_given = False

    def redo(self) -> None:
        """Give the new name; the first time wherever the user is by then."""
        self._names.store(self._layer, self._neuron, self._after)
        if self._was_given:
            self._names.show_neuron(self._layer, self._neuron)
        self._was_given = True

    def undo(self) -> None:
        """Give the earlier name."""
        self._names.store(self._layer, self._neuron, self._before)
        self._names.show_neuron(self._layer, self._neuron)


class SetConceptText(QUndoCommand):
    """Another name or other notes for a concept; typing on in the same field is one step.

    ``before`` and ``after`` are records of the project, or None where there is none.
    """

    def __init__(
        self, names: ConceptNames, field: str, before: NamedConcept | None, after: NamedConcept | None
    ):
        super().__init__(f"{field} of a concept")
        self._names = names
        self._field = field
        self._before = before
        self._after = after

    def id(self) -> int:
        """Return the kind of command, for merging."""
        return _CONCEPT_TEXT_ID

    def redo(self) -> None:
        """Store the new record in place of the old one."""
        self._after = self._names.replace_record(self._before, self._after)

    def undo(self) -> None:
        """Store the old record in place of the new one."""
        self._before = self._names.replace_record(self._after, self._before)

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in the next edit of the same field of the same record."""
        if not isinstance(other, SetConceptText) or other._field != self._field:
            return False
        if self._after is None or other._before is None or other._before.id != self._after.id:
            return False
        self._after = other._after
        return True


class SetAdjustments(QUndoCommand):
    """Other adjustments by hand of a neuron's concepts."""

    def __init__(
        self,
        adjustments: HandAdjustments,
        layer: str,
        neuron: int,
        before: Adjustments,
        after: Adjustments,
        text: str,
    ):
        super().__init__(text)
        self._adjustments = adjustments
        self._layer = layer
        self._neuron = neuron
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Adjust."""
        self._adjustments.store(self._layer, self._neuron, self._after)

    def undo(self) -> None:
        """Return to the earlier adjustments."""
        self._adjustments.store(self._layer, self._neuron, self._before)


class SetExcludedImages(QUndoCommand):
    """Other images are excluded from the project's analysis."""

    def __init__(
        self, adjustments: HandAdjustments, before: frozenset[int], after: frozenset[int], text: str
    ):
        super().__init__(text)
        self._adjustments = adjustments
        self._before = before
        self._after = after

    def redo(self) -> None:
        """Exclude these."""
        self._adjustments.store_excluded(self._after)

    def undo(self) -> None:
        """Exclude those from before."""
        self._adjustments.store_excluded(self._before)


def _describe(before: Parameters, after: Parameters) -> str:
    old, new = before.to_dict(), after.to_dict()
    changed = [name for name in new if new[name] != old[name]]
    if changed == ["distance_threshold"]:
        return f"d_max {after.distance_threshold:.4g}"
    return "parameters" if len(changed) != 1 else changed[0].replace("_", " ")
