"""How the plane is made and looked at: method, seed, outliers, zoom."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QToolButton, QWidget

from backend.evaluation.embedding_result import (
    HIGHEST_SEED,
    METHOD_NAMES,
    MOST_NEIGHBORS,
    EmbeddingMethod,
    EmbeddingSettings,
)
from widgets import theme
from widgets.flow_layout import FlowLayout
from widgets.number_boxes import ChoiceBox, PreciseNumberBox, WholeNumberBox

DEFAULT_SETTINGS = EmbeddingSettings()

_METHOD_TIPS: dict[EmbeddingMethod, str] = {
    "umap": "Keeps neighbourhoods; what the paper shows. Distances between groups mean little.",
    "tsne": "Keeps near neighbours together. Sizes of groups and distances between them mean little.",
    "pca": "The two directions of largest variance: distances are true, but two directions show only a part.",
}


@dataclass(frozen=True)
class EmbeddingChoice:
    """What the user wants to see.

    Attributes
    ----------
    method, seed, settings
        As for :func:`backend.evaluation.embedding.embed`.
    left_out
        Whether outliers and images of dropped clusters have a place, too.
    """

    method: EmbeddingMethod = "umap"
    seed: int = 0
    settings: EmbeddingSettings = DEFAULT_SETTINGS
    left_out: bool = True


class EmbeddingBar(QWidget):
    """Boxes for method, neighbours and seed, a switch for what is left out, buttons for drag and zoom.

    Signals
    -------
    choice_changed(EmbeddingChoice)
        The user wants to see something else.
    pan_wanted(bool)
        Dragging moves the picture, or draws a lasso.
    zoom_wanted(float)
        Zoom by this factor; 0 shows all points.
    """

    choice_changed = Signal(object)
    pan_wanted = Signal(bool)
    zoom_wanted = Signal(float)

    def __init__(self, zoom_step: float, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = EmbeddingChoice()
        self.method_box = ChoiceBox()
        for method, name in METHOD_NAMES.items():
            self.method_box.add_choice(name, method, _METHOD_TIPS[method])
        self.neighbors_box = WholeNumberBox(2, MOST_NEIGHBORS)
        self.neighbors_label = QLabel("Neighbours")
        self.seed_box = PreciseNumberBox(0, HIGHEST_SEED, whole=True)
        self.left_out_box = QCheckBox("Outliers")
        self.pan_button = self._button(
            "move", "Drag to move the picture (also: middle button), not to encircle"
        )
        self.pan_button.setCheckable(True)
        self.zoom_buttons = [
            self._button("zoom-out", "Smaller (−)", 1 / zoom_step),
            self._button("zoom-fit", "Show all images (0)", 0.0),
            self._button("zoom-in", "Larger: pictures in place of signs (+, wheel)", zoom_step),
        ]
        self._describe()
        self._arrange()
        self._show_choice()
        self.method_box.currentIndexChanged.connect(self._on_method)
        self.neighbors_box.valueChanged.connect(self._on_neighbors)
        self.seed_box.valueChanged.connect(self._on_seed)
        self.left_out_box.toggled.connect(self._on_left_out)
        self.pan_button.toggled.connect(self.pan_wanted)

    def _describe(self) -> None:
        self.method_box.setAccessibleName("Method of the embedding")
        self.seed_box.setAccessibleName("Seed of the embedding")
        self.seed_box.setToolTip(
            "Seed of the method's randomness: the same seed gives the same picture.\n"
            "What another seed does not show is an accident of the picture."
        )
        self.left_out_box.setToolTip(
            "Show outliers and images of dropped clusters, faintly.\n"
            "Off: only the kept images are put into the plane, as in the paper's figure."
        )
        self.left_out_box.setAccessibleName("Show outliers and images of dropped clusters")

    def _arrange(self) -> None:
        fields = QWidget()
        flow = FlowLayout(fields, theme.SPACING // 2)
        seed_label = QLabel("Seed")
        seed_label.setBuddy(self.seed_box)
        self.neighbors_label.setBuddy(self.neighbors_box)
        self.neighbors_box.setMinimumWidth(64)
        self.seed_box.setFixedWidth(72)
        self._pairs = [
            _row(self.method_box),
            _row(self.neighbors_label, self.neighbors_box),
            _row(seed_label, self.seed_box),
            _row(self.left_out_box),
        ]
        height = max(pair.sizeHint().height() for pair in self._pairs)
        for position, pair in enumerate(self._pairs):
            pair.setMinimumHeight(height)
            flow.insertWidget(position, pair)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, 3, theme.SPACING, 3)
        layout.setSpacing(theme.SPACING // 2)
        layout.addWidget(fields, 1)
        for button in (self.pan_button, *self.zoom_buttons):
            layout.addWidget(button)

    def _button(self, icon: str, tip: str, factor: float | None = None) -> QToolButton:
        button = QToolButton()
        theme.set_icon(button, icon)
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        if factor is not None:
            button.clicked.connect(lambda _checked=False: self.zoom_wanted.emit(factor))
        return button

    # --- what is chosen ---------------------------------------------------------------------------

    def choice(self) -> EmbeddingChoice:
        """Return what is chosen."""
        return self._choice

    def set_choice(self, choice: EmbeddingChoice) -> None:
        """Show another choice, without a signal."""
        self._choice = choice
        self._show_choice()

    def _show_choice(self) -> None:
        choice, settings = self._choice, self._choice.settings
        self.method_box.choose(choice.method)
        self.method_box.setToolTip(_METHOD_TIPS[choice.method])
        is_tsne = choice.method == "tsne"
        name = "Perplexity" if is_tsne else "Neighbours"
        tip = (
            "Perplexity: about how many neighbours an image is placed by; at most a third of the images."
            if is_tsne
            else "Number of neighbours that an image is placed by, itself included. Few show fine detail."
        )
        self.neighbors_label.setText(name)
        self.neighbors_box.setAccessibleName(f"{name} of the embedding")
        for widget in (self.neighbors_label, self.neighbors_box):
            widget.setToolTip(tip)
        with (
            QSignalBlocker(self.neighbors_box),
            QSignalBlocker(self.seed_box),
            QSignalBlocker(self.left_out_box),
        ):
            self.neighbors_box.setValue(round(settings.perplexity) if is_tsne else settings.n_neighbors)
            self.seed_box.setValue(choice.seed)
            self.left_out_box.setChecked(choice.left_out)
        for pair in self._pairs[1:3]:
            pair.setEnabled(choice.method != "pca")

    def _change(self, choice: EmbeddingChoice) -> None:
        if choice != self._choice:
            self._choice = choice
            self._show_choice()
            self.choice_changed.emit(choice)

    @Slot()
    def _on_method(self) -> None:
        self._change(replace(self._choice, method=cast(EmbeddingMethod, self.method_box.choice())))

    @Slot(int)
    def _on_neighbors(self, value: int) -> None:
        settings = self._choice.settings
        if self._choice.method == "tsne":
            settings = replace(settings, perplexity=float(value))
        else:
            settings = replace(settings, n_neighbors=value)
        self._change(replace(self._choice, settings=settings))

    @Slot(float)
    def _on_seed(self, value: float) -> None:
        self._change(replace(self._choice, seed=int(value)))

    @Slot(bool)
    def _on_left_out(self, shown: bool) -> None:
        self._change(replace(self._choice, left_out=shown))


def _row(*widgets: QWidget) -> QWidget:
    pair = QWidget()
    layout = QHBoxLayout(pair)
    layout.setContentsMargins(0, 0, theme.SPACING, 0)
    layout.setSpacing(theme.SPACING // 2)
    for widget in widgets:
        layout.addWidget(widget)
    return pair
