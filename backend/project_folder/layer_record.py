"""A layer of a project: what it is, and how much of it is on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backend.activations.store import INDEX_SUFFIX, SUFFIX, activation_bytes
from backend.errors import ProjectError
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.layer_origin import LayerOrigin


@dataclass(frozen=True)
class LayerRecord:
    """A layer of a project, and how far its extraction is.

    Attributes
    ----------
    name
        As the model names it.
    n_neurons, n_images
        Shape of its activations: n_images × n_neurons.
    n_done
        Rows that are safely on disk.
    binding
        What the activations belong to.
    file
        The ``.npy`` file; its neuron index lies beside it.
    created
        When its extraction began (ISO 8601).
    versions
        Software that computed it, by name; of an imported layer, that imported it.
    origin
        The file that it was imported from; None: it was extracted.
    """

    name: str
    n_neurons: int
    n_images: int
    n_done: int
    binding: LayerBinding
    file: Path
    created: str
    versions: Mapping[str, str]
    origin: LayerOrigin | None = None

    @property
    def complete(self) -> bool:
        """Whether every row is there."""
        return self.n_done == self.n_images

    def network_obstacle(self, weights_sha256: str | None) -> str:
        """Say why a project's network, of this hash, says nothing about the layer; "" if it gives it."""
        if self.origin is None or (
            self.binding.has_network and self.binding.weights_sha256 == weights_sha256
        ):
            return ""
        return (
            "These activations were computed elsewhere, and no network is known to give them. Import them "
            "again (File menu) and name the network: it is tried on some of the images first."
        )

    @property
    def index_file(self) -> Path:
        """Where its neuron index is kept."""
        return self.file.with_name(self.file.name.removesuffix(SUFFIX) + INDEX_SUFFIX)

    def forget_index(self) -> None:
        """Remove the neuron index: it belongs to rows that are about to change.

        Raises
        ------
        ProjectError
            If the system refuses that.
        """
        try:
            self.index_file.unlink(missing_ok=True)
        except OSError as error:
            raise ProjectError(
                f"The neuron index {self.index_file} cannot be removed ({error.strerror or error}): make its "
                "folder writable and close other programs that read it."
            ) from error

    @property
    def n_bytes(self) -> int:
        """Size of the ``.npy`` file when complete."""
        return activation_bytes(self.n_images, self.n_neurons)


@dataclass(frozen=True)
class StoredBlock:
    """Rows ``start`` to ``stop`` (exclusive) that are on disk, and the CRC-32 of their bytes."""

    start: int
    stop: int
    crc32: int
