"""The layers of a network as a tree with check boxes."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from backend.model_source import LayerInfo


class LayerTree(QWidget):
    """Layers nested by the dots in their names; those that cannot be analysed are disabled and say why.

    Signals
    -------
    selection_changed(tuple of str)
        The names of the checked layers, in the network's order.
    """

    selection_changed = Signal(object)

    def set_layers(self, layers: Sequence[LayerInfo]) -> None: ...
    def checked_layers(self) -> tuple[str, ...]: ...
    def set_checked_layers(self, names: Sequence[str]) -> None: ...
