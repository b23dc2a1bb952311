"""What is asked for when a project is made: the network, its layers, the images, the place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from backend.networks.model_source import ModelSource

Field = Literal["model", "layers", "images", "destination", "estimate"]

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
    """Everything a new project needs. ``destination`` is the folder NAME.prism, which does not exist yet."""

    model: ModelChoice
    layers: tuple[str, ...]
    images: ImagesChoice
    destination: Path
