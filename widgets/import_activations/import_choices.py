"""What is asked for when activations are imported, and what is found out about it meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from widgets.new_project.new_project_request import ModelChoice

Field = Literal["activations", "images", "layer", "network", "destination"]
"""A part of the form: an error stands below the one that it is about."""

MapPooling = Literal["mean", "max"]


@dataclass(frozen=True)
class ImportChoice:
    """Everything but the network and the place of a new project, as far as it is chosen.

    Attributes
    ----------
    activations : Path
        The file.
    array : str or None
        Which array of it; None: the only one that fits.
    pooling : str or None
        Of feature maps; None: of vectors.
    image_list : Path or None
        None: in the file of the activations.
    images : Path or None
        The images folder; None: the project's, or none.
    layer : str
        Its name.
    neuron_names : Path or None
        A file of names.
    into_open : bool
        Whether the layer is added to the open project, not to a new one.
    """

    activations: Path
    array: str | None
    pooling: MapPooling | None
    image_list: Path | None
    images: Path | None
    layer: str
    neuron_names: Path | None
    into_open: bool


@dataclass(frozen=True)
class ArrayFound:
    """An array of the file.

    Attributes
    ----------
    name : str or None
        None: the file holds one without a name.
    title : str
        Name, shape and type for people.
    reason : str
        Why it cannot be imported, "" if it can.
    is_feature_maps : bool
        Whether it has to be pooled.
    """

    name: str | None
    title: str
    reason: str
    is_feature_maps: bool


@dataclass(frozen=True)
class ImportExamination:
    """What looking at the files of a choice came to.

    Attributes
    ----------
    arrays : tuple of ArrayFound
        Of the file.
    array : str or None
        The one that is meant.
    is_feature_maps : bool
        Whether that has to be pooled.
    shape_text : str
        Its shape and type, and what becomes of its values; "" while there is none.
    listed : tuple of (str, str, str)
        The first rows: number, path, and whether the file is there.
    images_text : str
        How many images are listed, and how many were found; "" while that is not known.
    bytes_on_disk : int
        What the layer takes in the project; 0 while it is not known.
    errors : mapping of str to str
        Field → what is wrong.
    """

    arrays: tuple[ArrayFound, ...] = ()
    array: str | None = None
    is_feature_maps: bool = False
    shape_text: str = ""
    listed: tuple[tuple[str, str, str], ...] = ()
    images_text: str = ""
    bytes_on_disk: int = 0
    errors: Mapping[Field, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportFormRequest:
    """Everything that an import needs.

    Attributes
    ----------
    choice : ImportChoice
    network : ModelChoice or None
        The network that gave the activations, which was tried; None: not known.
    destination : Path or None
        The folder NAME.prism of the new project; None: the open one.
    """

    choice: ImportChoice
    network: ModelChoice | None
    destination: Path | None
