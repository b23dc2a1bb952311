"""Names that the user gives to neurons of the layer on show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.undo_commands import SetNeuronName

if TYPE_CHECKING:
    from app.session import Session


class NeuronNames(QObject):
    """The named neurons of one layer.

    Signals
    -------
    changed(int, str)
        A neuron has another name; "" if it has none any more.
    """

    changed = Signal(int, str)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._names: dict[int, str] = {}

    def set_names(self, names: Mapping[int, str]) -> None:
        """Follow another layer. Sends no signal."""
        self._names = {neuron: name for neuron, name in names.items() if name}

    def all(self) -> dict[int, str]:
        """Return the name of each neuron that has one."""
        return dict(self._names)

    def name(self, neuron: int) -> str:
        """Return a neuron's name, or ""."""
        return self._names.get(neuron, "")

    @Slot(int, str)
    def rename(self, neuron: int, name: str) -> None:
        """Name a neuron of the layer on show (undoable)."""
        layer, before = self._session.layer, self.name(neuron)
        if layer is not None and name != before:
            self._session.undo_stack.push(SetNeuronName(self, layer.name, neuron, before, name))

    def store(self, layer: str, neuron: int, name: str) -> None:
        """Store a neuron's name and show it, for the undo command."""
        self._session.store(lambda project: project.set_neuron_name(layer, neuron, name))
        if self._session.layer is None or self._session.layer.name != layer:
            return
        if name:
            self._names[neuron] = name
        else:
            self._names.pop(neuron, None)
        self.changed.emit(neuron, name)

    def show_neuron(self, layer: str, neuron: int) -> None:
        """Show whose name was undone or done again."""
        self._session.show_layer(layer, neuron)
