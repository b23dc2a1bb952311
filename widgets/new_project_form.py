"""The form for a new project: network, layers, images, destination, and what it will cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from backend.model_source import LayerInfo, ModelSource

Field = Literal["model", "layers", "images", "destination", "estimate"]


@dataclass(frozen=True)
class ModelChoice:
    """The network as chosen. ``allow_code``: the user confirmed that this Python file may run."""

    source: ModelSource
    allow_code: bool = False


@dataclass(frozen=True)
class ImagesChoice:
    """The images as chosen. ``per_class`` None: all of them."""

    folder: Path
    per_class: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class NewProjectRequest:
    """Everything a new project needs. ``destination`` is the folder NAME.prism, which does not exist yet."""

    model: ModelChoice
    layers: tuple[str, ...]
    images: ImagesChoice
    destination: Path


class NewProjectForm(QWidget):
    """A pure form: it asks through signals, and is answered through setters.

    Signals
    -------
    model_changed(ModelChoice or None)
        Another network: list its layers, then ``set_layers`` (or ``set_error("model", …)``).
    images_changed(ImagesChoice or None)
        Other images: look at the folder, then ``set_image_summary``.
    estimate_requested(NewProjectRequest)
        The form is complete, or changed while it was: answer with ``set_estimate``.
    accepted(NewProjectRequest), cancelled()
        The user pressed Create, or Cancel.
    """

    model_changed = Signal(object)
    images_changed = Signal(object)
    estimate_requested = Signal(object)
    accepted = Signal(object)
    cancelled = Signal()

    def set_torchvision_names(self, names: Sequence[str]) -> None: ...
    def set_destination_folder(self, folder: Path) -> None: ...
    def set_images_folder(self, folder: Path) -> None: ...
    def set_layers(self, layers: Sequence[LayerInfo], note: str = "") -> None: ...
    def set_image_summary(
        self,
        n_images: int,
        n_classes: int,
        n_chosen: int,
        skipped: Sequence[tuple[str, str]] = (),
    ) -> None:
        """``skipped``: path and reason of each file left out. ``n_chosen``: after undersampling."""

    def set_estimate(
        self, bytes_on_disk: int, seconds: float | None, images_per_second: float | None = None
    ) -> None: ...
    def set_error(self, field: Field, sentence: str) -> None:
        """Say under the field what is wrong; an empty sentence takes it back."""

    def set_busy(self, field: Field, busy: bool) -> None: ...
    def request(self) -> NewProjectRequest | None: ...
