"""What is asked for when a project is made: the network, its layers, the images, the place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from backend.networks.model_source import ModelSource, Pooling, Precision

if TYPE_CHECKING:
    from backend.activations.precision_check_result import PrecisionCheck

Field = Literal["model", "layers", "images", "destination", "precision", "estimate"]

PROJECT_ENDING = ".prism"


@dataclass(frozen=True)
class ModelChoice:
    """The network as chosen. ``allow_code``: the user confirmed that this Python file may run."""

    source: ModelSource
    allow_code: bool = False


@dataclass(frozen=True)
class ImagesChoice:
    """The images as chosen. ``per_class`` None: all of them; ``seed`` of the draw from each class."""

    folder: Path
    per_class: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class NewProjectRequest:
    """Everything a new project needs.

    Attributes
    ----------
    model
        The network, with the rule for grey values.
    layers
        Layers to extract.
    images
        The images.
    destination
        The folder NAME.prism, which does not exist yet.
    poolings
        Layer → pooling, for the layers where there is a choice.
    precision
        Of the network's arithmetic.
    precision_check
        What the fast one changes, if that was measured.
    """

    model: ModelChoice
    layers: tuple[str, ...]
    images: ImagesChoice
    destination: Path
    poolings: Mapping[str, Pooling] = field(default_factory=dict)
    precision: Precision = "float32"
    precision_check: PrecisionCheck | None = None

    def takes_as_long_as(self, other: NewProjectRequest | None) -> bool:
        """Return whether the extraction of another request takes as much time and space as that of this."""
        return other is not None and self._work() == other._work()

    def computes_the_same_as(self, other: NewProjectRequest | None) -> bool:
        """Return whether another request has the same activations, but for the precision."""
        if other is None:
            return False
        without: dict[str, Any] = {"destination": Path(), "precision": "float32", "precision_check": None}
        return replace(self, **without) == replace(other, **without)

    def _work(self) -> NewProjectRequest:
        """Return the request without what makes no difference to its time and space."""
        source = replace(self.model.source, grey_scaling=None)
        model = replace(self.model, source=source)
        return replace(self, model=model, destination=Path(), poolings={}, precision_check=None)
