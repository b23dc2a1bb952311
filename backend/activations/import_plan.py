"""What an import of activations would do: everything that can be checked before a byte is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backend.activations.activation_file import StoredArray, choose_array, list_arrays
from backend.activations.activation_rows import MapPooling, require_pooling
from backend.activations.image_list import ImageList, ListedImages, look_for_listed, read_image_list
from backend.activations.list_file import read_neuron_names
from backend.activations.store import activation_bytes, layer_file_stem
from backend.errors import ActivationImportError, ProjectError
from backend.neurons import index_bytes
from backend.project_folder.file_state import is_folder

if TYPE_CHECKING:
    from backend.project import Project

ImportField = Literal["activations", "images", "layer"]
"""The part of a request that an error is about."""


@dataclass(frozen=True)
class ImportRequest:
    """What is to be imported.

    Attributes
    ----------
    activations
        A ``.npy``, ``.npz`` or ``.safetensors`` file.
    array
        Which array of it; None: the only one that can be activations.
    pooling
        ``mean`` or ``max`` over space, of feature maps; None for vectors.
    image_list
        Which image each row is; None: in the same file (``.npz``).
    images
        The images folder; None: there are none to be seen, or the project has one.
    layer
        Its name in the project.
    neuron_names
        A file with a name for each neuron; None: without.
    """

    activations: Path
    image_list: Path | None
    images: Path | None
    layer: str
    array: str | None = None
    pooling: MapPooling | None = None
    neuron_names: Path | None = None


@dataclass(frozen=True)
class ImportPlan:
    """A request that was checked.

    Attributes
    ----------
    request
        What was asked for.
    array
        The array that is meant.
    images
        The list of images, one for each of its rows.
    root
        The images folder; None: not known.
    listed
        What is there of the images; None without a folder.
    neuron_names
        One for each neuron, or none at all.
    """

    request: ImportRequest
    array: StoredArray
    images: ImageList
    root: Path | None
    listed: ListedImages | None
    neuron_names: tuple[str, ...]


def import_bytes(array: StoredArray) -> int:
    """Return how large the layer of an array and its neuron index are on disk."""
    return activation_bytes(array.n_images, array.n_neurons) + index_bytes(array.n_images, array.n_neurons)


def plan_import(request: ImportRequest, project: Project | None = None) -> ImportPlan:
    """Check a request; nothing is written.

    Parameters
    ----------
    request
        What is to be imported.
    project
        Where to; None: into a new project.

    Raises
    ------
    ActivationImportError
        If a file is missing, damaged or of a wrong shape, the list does not belong to the array, names
        images twice, or is not that of the project, or the layer's name cannot be used.
    """
    array = check_array(request)
    images = check_images(request, array, project)
    names = check_layer(request, array, project)
    root = project.images_root if project is not None else request.images
    listed = None if root is None else look_for_listed(images, root)
    return ImportPlan(request, array, images, root, listed, names)


def check_array(request: ImportRequest) -> StoredArray:
    """Return the array that a request means; errors as :func:`plan_import`."""
    array = choose_array(list_arrays(request.activations), request.array)
    require_pooling(array, request.pooling)
    return array


def check_images(request: ImportRequest, array: StoredArray | None, project: Project | None) -> ImageList:
    """Return the list of images, compared with the array (if known), the folder and the project."""
    file = request.image_list
    if file is None:
        if request.activations.suffix.lower() != ".npz":
            raise ActivationImportError(
                f"Which image each row of {request.activations.name} belongs to is not known: give a list of "
                "images."
            )
        file = request.activations
    root = request.images
    if project is not None:
        _require_root_of(project, root)
        root = project.images_root
    elif root is not None and not is_folder(root):
        raise ActivationImportError(
            f"There is no folder {root}: name the images folder, or none to import without pictures."
        )
    images = read_image_list(file, root)
    if project is not None:
        images.require_same(project.image_paths)
    if array is not None:
        images.require_rows(array.n_images, request.activations.name)
    if project is None and root is not None:
        _require_some(images, root)
    return images


def check_layer(
    request: ImportRequest, array: StoredArray | None, project: Project | None
) -> tuple[str, ...]:
    """Check the layer's name, and return the neurons' names if there are any."""
    if not request.layer.strip():
        raise ActivationImportError("The layer has no name: give it one.")
    try:
        layer_file_stem(request.layer)
    except ProjectError as error:
        raise ActivationImportError(str(error)) from error
    extracted = () if project is None else project.layers
    if any(record.name == request.layer and record.origin is None for record in extracted):
        raise ActivationImportError(
            f"The project has a layer {request.layer} that was extracted: give the imported one another name."
        )
    if request.neuron_names is None or array is None:
        return ()
    return read_neuron_names(request.neuron_names, array.n_neurons)


def _require_root_of(project: Project, given: Path | None) -> None:
    if given is not None and given.absolute().resolve() != project.images_root.resolve():
        raise ActivationImportError(
            f"The project's images are in {project.images_root}, not in {given}: leave the folder out; where "
            "they have moved, say so first (“Locate the images…”)."
        )


def _require_some(images: ImageList, root: Path) -> None:
    listed = look_for_listed(images, root)
    if not listed.n_found:
        raise ActivationImportError(
            f"None of the images that {images.file.name} lists is in {root} ({images.paths[0]}, for "
            "example): choose the folder that its paths start from, or none to import without pictures."
        )
