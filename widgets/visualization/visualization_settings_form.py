"""The settings of the feature visualisation: what people use in one row, the rest below it."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QWidget

from backend.visualization.visualization_result import MAX_IMAGE_SIZE, VisualizationSettings
from widgets import theme
from widgets.flow_layout import FlowLayout
from widgets.number_boxes import ChoiceBox, PreciseNumberBox, WholeNumberBox

_MODEL_SIZE = 0  # shown as the network's own input size
_SMALLEST_IMAGE = 8


class VisualizationSettingsForm(QWidget):
    """Chooses :class:`VisualizationSettings`.

    The row of the most used settings is a widget of its own (:meth:`first_row`), for the panel's tool row;
    the form itself holds the others.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = VisualizationSettings()
        self._first_row = QWidget()
        self._build_boxes()
        self._lay_out(
            self._first_row,
            (("Steps", self.steps_box), ("Size", self.size_box), ("Seed", self.seed_box)),
        )
        self._lay_out(
            self,
            (
                ("Objective", self.objective_box),
                ("Power", self.power_box),
                ("Read", self.position_box),
                ("Picture", self.parameterization_box),
                ("", self.transforms_box),
            ),
        )
        self.objective_box.currentIndexChanged.connect(self._show_power)
        self.set_settings(self._settings)

    def _build_boxes(self) -> None:
        self.steps_box = WholeNumberBox(1, 100_000)
        self.steps_box.setSingleStep(32)
        self.steps_box.setToolTip(
            "Optimisation steps. More make the picture richer; twice as many take twice as long."
        )
        self.size_box = WholeNumberBox(_MODEL_SIZE, MAX_IMAGE_SIZE)
        self.size_box.setSingleStep(32)
        self.size_box.setSpecialValueText("own size")
        self.size_box.setSuffix(" px")
        self.size_box.setToolTip(
            "Side of the picture in pixels; the lowest value is the network's own input size."
        )
        self.seed_box = PreciseNumberBox(0, 2**32 - 1, whole=True)
        self.seed_box.setMaximumWidth(90)
        self.seed_box.setToolTip(
            "Seed of the start and of the transforms: the same seed gives the same picture."
        )
        self.objective_box = ChoiceBox()
        self.objective_box.add_choice("Cosine", "cosine", "Points most in the direction, however weakly.")
        self.objective_box.add_choice("Dot product", "dot", "Strongest along the direction, whatever else.")
        self.objective_box.add_choice(
            "Dot × cosine^p", "dot_cosine", "Strong along the direction and little else; p weighs the latter."
        )
        self.objective_box.setToolTip(
            "What rises from step to step. The neuron always has its own activation."
        )
        self.power_box = PreciseNumberBox(0.0, 100.0)
        self.power_box.setToolTip("Exponent p of the cosine.")
        self.position_box = ChoiceBox()
        self.position_box.add_choice(
            "average", "average", "The average over space: what the method clusters."
        )
        self.position_box.add_choice("centre", "centre", "The middle of the feature map alone.")
        self.position_box.add_choice("every place", "every", "Every position by itself, averaged after.")
        self.position_box.setToolTip("Where the feature map is read.")
        self.parameterization_box = ChoiceBox()
        self.parameterization_box.add_choice("Fourier", "fft", "Decorrelated Fourier coefficients.")
        self.parameterization_box.add_choice("pixels", "pixel", "The pixels themselves.")
        self.parameterization_box.setToolTip("What is optimised.")
        self.transforms_box = QCheckBox("Transforms")
        self.transforms_box.setToolTip(
            "Shift, scale and rotate the picture a little at each step, so that no pixel pattern wins."
        )

    @staticmethod
    def _lay_out(holder: QWidget, fields: tuple[tuple[str, QWidget], ...]) -> None:
        flow = FlowLayout(holder, theme.SPACING)
        for position, (title, box) in enumerate(fields):
            pair = QWidget()
            row = QHBoxLayout(pair)
            row.setContentsMargins(0, 0, theme.SPACING, 0)
            row.setSpacing(theme.SPACING // 2)
            if title:
                label = QLabel(title)
                label.setBuddy(box)
                label.setToolTip(box.toolTip())
                row.addWidget(label)
                box.setAccessibleName(f"{title} of the feature visualisation")
            row.addWidget(box)
            flow.insertWidget(position, pair)

    def first_row(self) -> QWidget:
        """Return the row with steps, size and seed."""
        return self._first_row

    @Slot(bool)
    def show_more(self, more: bool) -> None:
        """Show or hide the rarer settings."""
        self.setVisible(more)

    def set_enabled(self, enabled: bool) -> None:
        """Allow changes or not."""
        self._first_row.setEnabled(enabled)
        self.setEnabled(enabled)

    def settings(self) -> VisualizationSettings:
        """Return the settings as chosen."""
        size = self.size_box.value()
        values: dict[str, object] = {
            "steps": self.steps_box.value(),
            "image_size": None if size == _MODEL_SIZE else max(size, _SMALLEST_IMAGE),
            "seed": int(self.seed_box.value()),
            "objective": self.objective_box.choice(),
            "cosine_power": self.power_box.value(),
            "position": self.position_box.choice(),
            "parameterization": self.parameterization_box.choice(),
            "transforms": self.transforms_box.isChecked(),
        }
        return VisualizationSettings.from_dict({**self._settings.to_dict(), **values})

    def set_settings(self, settings: VisualizationSettings) -> None:
        """Show other settings."""
        self._settings = replace(settings)
        self.steps_box.setValue(settings.steps)
        self.size_box.setValue(settings.image_size or _MODEL_SIZE)
        self.seed_box.setValue(settings.seed)
        self.objective_box.choose(settings.objective)
        self.power_box.setValue(settings.cosine_power)
        self.position_box.choose(settings.position)
        self.parameterization_box.choose(settings.parameterization)
        self.transforms_box.setChecked(settings.transforms)
        self._show_power()

    @Slot()
    def _show_power(self) -> None:
        self.power_box.setEnabled(self.objective_box.choice() == "dot_cosine")
