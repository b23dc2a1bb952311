"""What a project holds, at a glance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.activations.store import open_activations
from backend.errors import ProjectError
from backend.networks.model_source import Pooling
from backend.project_folder.file_state import is_folder
from backend.project_folder.layer_origin import LayerOrigin
from backend.project_folder.layer_record import LayerRecord
from backend.project_folder.project_schema import VERSION

if TYPE_CHECKING:
    from backend.project_folder.project_results import ProjectResults


@dataclass(frozen=True)
class LayerSummary:
    """One layer in a :class:`ProjectSummary`.

    Attributes
    ----------
    name, n_neurons, n_done, n_images, complete
        As in the layer's record.
    n_bytes
        Size of its activations and its neuron index on disk.
    pooling, precision
        How it was computed.
    n_named_neurons, n_named_concepts
        What people named in it.
    problem
        A sentence about its file, if that is missing or damaged; empty if it is sound.
    origin
        The file that it was imported from; None: it was extracted.
    """

    name: str
    n_neurons: int
    n_done: int
    n_images: int
    complete: bool
    n_bytes: int
    pooling: Pooling
    precision: str
    n_named_neurons: int
    n_named_concepts: int
    problem: str
    origin: LayerOrigin | None = None


@dataclass(frozen=True)
class ProjectSummary:
    """What a project holds, for ``neuronprism info`` and the window's project page.

    Attributes
    ----------
    name, path
        Of the project.
    created
        When it was made (ISO 8601, UTC).
    format_version
        Version of the database's tables.
    images_root, images_found
        Folder of the images, and whether it is there.
    n_images, n_skipped, n_unused_files, n_classes
        Rows; images among them that could not be read; files passed over when the project was made; classes
        (0 in a flat folder).
    architecture, weights, weights_sha256, input_size
        Of the model (``imported``: there is none, the activations were computed elsewhere); the last two are
        None before the first extraction.
    layers
        Those with activations.
    planned_layers
        Those chosen when the project was made.
    versions
        Software of the latest extraction, by name; if nothing was extracted, of the latest import.
    """

    name: str
    path: Path
    created: str
    format_version: int
    images_root: Path
    images_found: bool
    n_images: int
    n_skipped: int
    n_unused_files: int
    n_classes: int
    architecture: str
    weights: str | None
    weights_sha256: str | None
    input_size: int | None
    layers: tuple[LayerSummary, ...]
    planned_layers: tuple[str, ...]
    versions: dict[str, str]

    @property
    def n_named_concepts(self) -> int:
        """Named concepts in all layers."""
        return sum(layer.n_named_concepts for layer in self.layers)

    @property
    def n_bytes(self) -> int:
        """Size of all activations on disk."""
        return sum(layer.n_bytes for layer in self.layers)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        values = asdict(self)
        return {**values, "path": str(self.path), "images_root": str(self.images_root)}


def summarise(project: ProjectResults, created: str) -> ProjectSummary:
    """Gather the summary of an open project."""
    layers = project.layers
    extracted = tuple(record for record in layers if record.origin is None)
    source = project.model_source
    return ProjectSummary(
        name=project.name,
        path=project.path,
        created=created,
        format_version=VERSION,
        images_root=project.images_root,
        images_found=is_folder(project.images_root),
        n_images=project.n_images,
        n_skipped=len(project.skipped_images()),
        n_unused_files=len(project.unused_files()),
        n_classes=len(set(project.image_labels) - {None}),
        architecture=source.architecture,
        weights=source.weights,
        weights_sha256=project.weights_sha256,
        input_size=None if project.preprocessing is None else project.preprocessing.input_size,
        layers=tuple(_summarise_layer(project, record) for record in layers),
        planned_layers=project.planned_layers,
        versions=dict((extracted or layers)[-1].versions) if layers else {},
    )


def _summarise_layer(project: ProjectResults, record: LayerRecord) -> LayerSummary:
    files = [file for file in (record.file, record.index_file) if file.exists()]
    return LayerSummary(
        name=record.name,
        n_neurons=record.n_neurons,
        n_done=record.n_done,
        n_images=record.n_images,
        complete=record.complete,
        n_bytes=sum(file.stat().st_size for file in files),
        pooling=record.binding.pooling,
        precision=record.binding.precision,
        n_named_neurons=len(project.neuron_names(record.name)),
        n_named_concepts=len(project.named_concepts(record.name)),
        problem=_problem(record),
        origin=record.origin,
    )


def _problem(record: LayerRecord) -> str:
    if not record.n_done:
        return ""
    try:
        open_activations(record.file, record.n_images, record.n_neurons)
    except ProjectError as error:
        return str(error)
    return ""
