"""The list of a layer's neurons: sort, filter, name, and choose one."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from widgets.neuron_table_model import NeuronTable
from widgets.thumbnails import ThumbnailLoader


class NeuronBrowser(QWidget):
    """Every neuron of a layer in a sortable, filterable table.

    Signals
    -------
    neuron_selected(int)
        The user chose another neuron. Not emitted by :meth:`select_neuron`.
    neuron_renamed(int, str)
        The user named a neuron; an empty string takes the name away.
    """

    neuron_selected = Signal(int)
    neuron_renamed = Signal(int, str)

    def __init__(self, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None: ...
    def set_table(self, table: NeuronTable | None, *, empty_text: str = "") -> None: ...
    def set_loading(self, text: str) -> None: ...
    def set_concept_count(self, neuron: int, n_concepts: int) -> None: ...
    def set_concept_counts(self, n_concepts: object) -> None: ...
    def set_name(self, neuron: int, name: str) -> None: ...
    def select_neuron(self, neuron: int | None) -> None: ...
    def selected_neuron(self) -> int | None: ...
    def focus_filter(self) -> None: ...
