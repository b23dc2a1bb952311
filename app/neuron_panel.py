"""The left side of the window: which layer, and its neurons."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.image_items import ImagePaths
from app.jobs.extraction_growth import LayerRows
from app.layer_data import LayerData
from app.session import Session
from widgets.images.thumbnails import ThumbnailLoader
from widgets.neurons.neuron_browser import NeuronBrowser
from widgets.neurons.neuron_table_model import NeuronTable
from widgets.theme import SPACING, set_icon

if TYPE_CHECKING:
    from app.extraction_control import ExtractionControl


class NeuronPanel(QWidget):
    """Layer chooser above the neuron browser, both following the session."""

    def __init__(self, session: Session, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._extraction: ExtractionControl | None = None
        self._files: ImagePaths | None = None
        self.browser = NeuronBrowser(thumbnails)
        self.layer_box = QComboBox()
        self.layer_box.setAccessibleName("Layer")
        self.layer_box.setToolTip("The layer whose neurons are listed")
        self.layer_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.layer_box.setMinimumContentsLength(10)
        self.continue_button = QPushButton("Continue extraction")
        self.continue_button.setAutoDefault(False)
        set_icon(self.continue_button, "start")
        self.continue_button.hide()
        self.layer_box.setPlaceholderText("Choose a layer")
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
        layout.addWidget(self.continue_button)
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
        session.layer_refreshed.connect(self._refresh_layer)
        session.growth.changed.connect(self._show_growth)
        session.neuron_changed.connect(self.browser.select_neuron)
        session.neuron_names.changed.connect(self.browser.set_name)
        session.counts.changed.connect(self._show_counts)

    def follow_extraction(self, extraction: ExtractionControl) -> None:
        """Offer to continue the extraction whenever that is possible."""
        self._extraction = extraction
        extraction.changed.connect(self._offer_to_continue)
        for signal in (self._session.layers_changed, self._session.layer_changed):
            signal.connect(self._offer_to_continue)
        self._session.layer_refreshed.connect(self._offer_to_continue)
        self.continue_button.clicked.connect(extraction.continue_extraction)
        self._offer_to_continue()

    @Slot()
    def _offer_to_continue(self) -> None:
        layer = self._session.layer
        # A partial layer that is on show says so itself.
        partial = layer is not None and layer.is_partial
        can_continue = self._extraction is not None and not partial and self._extraction.can_continue()
        self.continue_button.setVisible(can_continue)
        waiting = [layer_text(name, rows) for name, rows in self._session.growth.all_rows().items()]
        self.continue_button.setToolTip("\n".join(["Compute what is missing:", *waiting]))

    @Slot()
    def _list_layers(self) -> None:
        project, growth = self._session.project, self._session.growth
        records = project.layers if project is not None else ()
        names = dict.fromkeys((*(record.name for record in records), *growth.all_rows()))
        with QSignalBlocker(self.layer_box):
            self.layer_box.clear()
            for name in names:
                self.layer_box.addItem(layer_text(name, growth.rows(name)), name)
        self._show_growth()
        self._mark_layer(self._session.layer)

    @Slot()
    def _show_growth(self) -> None:
        """Tell how far the layers are that are being extracted."""
        for position in range(self.layer_box.count()):
            name = str(self.layer_box.itemData(position))
            rows = self._session.growth.rows(name)
            if (text := layer_text(name, rows)) != self.layer_box.itemText(position):
                self.layer_box.setItemText(position, text)
            self._enable(position, rows is None or rows.n_leading > 0)

    def _enable(self, position: int, can_be_shown: bool) -> None:
        model = self.layer_box.model()
        item = model.item(position) if isinstance(model, QStandardItemModel) else None
        if item is not None:
            item.setEnabled(can_be_shown)

    @Slot(int)
    def _choose_layer(self, position: int) -> None:
        name = str(self.layer_box.itemData(position))
        if self._session.can_show(name):
            self._session.show_layer(name)
        else:
            self._mark_layer(self._session.layer)

    @Slot(object)
    def _refresh_layer(self, layer: LayerData) -> None:
        """Show the statistics over the rows that there are now, and leave the list where it is."""
        bar = self.browser.table_view.verticalScrollBar()
        scrolled = bar.value()
        self._show_layer(layer)
        bar.setValue(scrolled)

    @Slot(str)
    def _show_loading(self, name: str) -> None:
        self.browser.set_loading(f"Loading {name}…")

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        self._mark_layer(layer)
        if layer is None:
            self.browser.set_table(None, empty_text=self._empty_text())
            return
        project = self._session.project
        self._files = ImagePaths(project) if project is not None else None
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
        if self._session.first_with_rows():
            return "Choose a layer to look at the images so far."
        return "No layer of this project has been extracted yet."

    def _mark_layer(self, layer: LayerData | None) -> None:
        with QSignalBlocker(self.layer_box):
            self.layer_box.setCurrentIndex(self.layer_box.findData(layer.name) if layer is not None else -1)

    def _top_paths(self, neuron: int) -> tuple[Path, ...]:
        layer = self._session.layer
        if layer is None or self._files is None:
            return ()
        return tuple(self._files.path(int(row)) for row in layer.index.top_images[neuron, :3])


def layer_text(name: str, rows: LayerRows | None) -> str:
    """Return a layer's name, and how far it is if it is not complete: "features.18 — 62 % extracted"."""
    if rows is None:
        return name
    if not rows.n_done:
        return f"{name} — not extracted"
    # Never 100 % before it is complete.
    return f"{name} — {min(99, 100 * rows.n_done // rows.n_images)} % extracted"
