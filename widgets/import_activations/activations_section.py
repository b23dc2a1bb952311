"""The choice of the activations: the file, which of its arrays, and how feature maps are pooled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from widgets.import_activations.import_choices import ArrayFound, MapPooling
from widgets.labels import secondary_label
from widgets.new_project.form_section import FormSection, PathEdit
from widgets.number_boxes import ChoiceBox

_FILES = "Activations (*.npy *.npz *.safetensors);;All files (*)"


class ActivationsSection(FormSection):
    """Chooses an array in a file.

    Signals
    -------
    changed()
        Another file, array or pooling.
    """

    changed = Signal()

    def __init__(self, title: str = "1   Activations", parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._is_maps = False
        self.file_edit = PathEdit(
            "file", "Choose the file of activations", _FILES, placeholder="Drop a file here"
        )
        self.add_row(
            "&File",
            self.file_edit,
            "A .npy, .npz or .safetensors file: images × neurons, or images × channels × height × width.",
        )
        self.array_box = ChoiceBox()
        self.array_label = self.add_row("A&rray", self.array_box, "Which array of the file is the layer.")
        self.pooling_box = ChoiceBox()
        self.pooling_box.add_choice(
            "mean over space", "mean", "How much of the image shows it: the mean of each feature map."
        )
        self.pooling_box.add_choice(
            "max over space", "max", "Whether it is anywhere in the image: the largest value of each map."
        )
        self.pooling_label = self.add_row(
            "&Pooling", self.pooling_box, "How each feature map becomes one value for its image."
        )
        self.shape_label = secondary_label(factor=1.0)
        self.add_wide(self.shape_label)
        self.file_edit.path_changed.connect(self._file_changed)
        self.array_box.currentIndexChanged.connect(self.changed)
        self.pooling_box.currentIndexChanged.connect(self.changed)
        self.show_arrays((), None)

    def set_file(self, file: Path) -> None:
        """Choose a file, as if the user had."""
        self.file_edit.set_path(str(file))
        self._file_changed()

    def file(self) -> Path | None:
        """Return the file as chosen; None without one."""
        path = self.file_edit.path()
        return Path(path).expanduser() if path else None

    def array(self) -> str | None:
        """Return the name of the array as chosen; None: the only one that fits."""
        return (
            self.array_box.choice() if self.array_box.count() and self.array_box.currentIndex() >= 0 else None
        )

    def pooling(self) -> MapPooling | None:
        """Return how feature maps are pooled; None for vectors."""
        return cast(MapPooling, self.pooling_box.choice()) if self._is_maps else None

    def show_arrays(self, arrays: Sequence[ArrayFound], chosen: str | None, shape: str = "") -> None:
        """Offer the arrays of the file, and say what the chosen one is."""
        named = [array for array in arrays if array.name is not None]
        offered = [self.array_box.itemData(row) for row in range(self.array_box.count())]
        if offered != [array.name for array in named]:
            self._offer(named)
        if named:
            self.array_box.choose(chosen or "")
        meant = next((array for array in arrays if array.name == chosen), None)
        self._is_maps = meant is not None and meant.is_feature_maps
        self.shape_label.setText(shape)
        self.shape_label.setVisible(bool(shape))
        for widget in (self.array_label, self.array_box):
            widget.setVisible(bool(named))
        for widget in (self.pooling_label, self.pooling_box):
            widget.setVisible(self._is_maps)

    def _offer(self, arrays: Sequence[ArrayFound]) -> None:
        self.array_box.blockSignals(True)
        self.array_box.clear()
        for array in arrays:
            self.array_box.add_choice(
                array.title, str(array.name), f"It {array.reason}." if array.reason else ""
            )
            if array.reason:
                self.array_box.forbid(str(array.name), f"It {array.reason}.")
        self.array_box.blockSignals(False)

    @Slot()
    def _file_changed(self) -> None:
        self.show_arrays((), None)
        self.changed.emit()
