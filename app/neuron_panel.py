"""The left side of the window: which layer, and its neurons."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.layer_data import LayerData
from app.session import Session
from widgets.images.thumbnails import ThumbnailLoader
from widgets.neurons.neuron_browser import NeuronBrowser
from widgets.neurons.neuron_table_model import NeuronTable
from widgets.theme import SPACING


class NeuronPanel(QWidget):
    """Layer chooser above the neuron browser, both following the session."""

    def __init__(self, session: Session, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.browser = NeuronBrowser(thumbnails)
        self.layer_box = QComboBox()
        self.layer_box.setAccessibleName("Layer")
        self.layer_box.setToolTip("The layer whose neurons are listed")
        self.layer_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.layer_box.setMinimumContentsLength(10)
        label = QLabel("&Layer")
        label.setBuddy(self.layer_box)
        chooser = QHBoxLayout()
        chooser.setSpacing(SPACING)
        chooser.addWidget(label)
        chooser.addWidget(self.layer_box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACING, SPACING, SPACING, SPACING)
        layout.setSpacing(SPACING)
        layout.addLayout(chooser)
        layout.addWidget(self.browser, 1)
        self._connect()

    def _connect(self) -> None:
        session = self._session
        self.layer_box.activated.connect(self._choose_layer)
        self.browser.neuron_selected.connect(session.show_neuron)
        self.browser.neuron_renamed.connect(session.neuron_names.rename)
        session.layers_changed.connect(self._list_layers)
        session.layer_loading.connect(self._show_loading)
        session.layer_changed.connect(self._show_layer)
        session.neuron_changed.connect(self.browser.select_neuron)
        session.neuron_names.changed.connect(self.browser.set_name)
        session.counts.changed.connect(self._show_counts)

    @Slot()
    def _list_layers(self) -> None:
        project = self._session.project
        with QSignalBlocker(self.layer_box):
            self.layer_box.clear()
            for record in project.layers if project is not None else ():
                text = record.name if record.complete else f"{record.name} (incomplete)"
                self.layer_box.addItem(text, record.name)
        self._mark_layer(self._session.layer)

    @Slot(int)
    def _choose_layer(self, position: int) -> None:
        name = self.layer_box.itemData(position)
        if name in self._session.layer_names():
            self._session.show_layer(name)
        else:
            self._mark_layer(self._session.layer)

    @Slot(str)
    def _show_loading(self, name: str) -> None:
        self.browser.set_loading(f"Loading {name}…")

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        self._mark_layer(layer)
        if layer is None:
            self.browser.set_table(None, empty_text=self._empty_text())
            return
        unknown = np.full(layer.n_neurons, -1, dtype=np.int64)
        self.browser.set_table(
            NeuronTable(layer.index.statistics, unknown, self._session.neuron_names.all(), self._top_paths)
        )

    @Slot(object)
    def _show_counts(self, counts: NDArray[np.int64]) -> None:
        # While another layer is being loaded, the sweep over the one before still reports.
        if len(counts) == self.browser.model.n_neurons:
            self.browser.set_concept_counts(counts)

    def _empty_text(self) -> str:
        if self._session.project is None:
            return ""
        return "No layer of this project has been extracted yet."

    def _mark_layer(self, layer: LayerData | None) -> None:
        with QSignalBlocker(self.layer_box):
            self.layer_box.setCurrentIndex(self.layer_box.findData(layer.name) if layer is not None else -1)

    def _top_paths(self, neuron: int) -> tuple[Path, ...]:
        layer, project = self._session.layer, self._session.project
        if layer is None or project is None:
            return ()
        return tuple(project.image_path(int(row)) for row in layer.index.top_images[neuron, :3])
