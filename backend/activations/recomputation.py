"""Forgetting activations that no longer belong to the images and the network, so that they are made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.activations.block_extraction import require_images_folder
from backend.activations.network_identity import difference_of_network
from backend.errors import ProjectError
from backend.models import list_layers
from backend.task import Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.project import Project
    from backend.project_folder.project_freshness import Freshness


@dataclass(frozen=True)
class Forgotten:
    """What is taken as not extracted from now on.

    Attributes
    ----------
    n_images
        Images whose activations are to be computed again; all of them if the network is another.
    network
        How the network differs from the former one, in words that follow "its"; empty if it does not.
    """

    n_images: int
    network: str = ""


def forget_outdated_images(
    project: Project, loaded: LoadedModel, freshness: Freshness, *, task: Task | None = None
) -> Forgotten:
    """Forget the activations of images that changed or are gone.

    The next extraction computes the first again, and skips the others until they are there again.

    Raises
    ------
    ProjectError
        If the network is another than that of the other activations; nothing has been forgotten then.
    """
    if freshness.network_changed or project.weights_sha256 != loaded.weights_sha256:
        if difference := difference_of_network(project, loaded, task=task):
            raise ProjectError(
                f"The network is not the one that the activations of {project.path} were computed with: its "
                f"{difference}. Compute everything again, or put the former network back."
            )
        project.confirm_model_files()
    if freshness.rows:
        project.recompute_images(freshness.rows)
    return Forgotten(len(freshness.rows))


def forget_outdated(
    project: Project, loaded: LoadedModel, freshness: Freshness, *, task: Task | None = None
) -> Forgotten:
    """Forget what is outdated: everything that was extracted if the network is another, else some images.

    Layers that were imported stay as they are, and so does what people added.

    Raises
    ------
    ProjectError
        If a layer has another number of neurons in the network as it is now, or is not in it any more;
        nothing has been forgotten then.
    ExtractionError
        If the images folder is gone, so that nothing could be computed; nothing has been forgotten then.
    """
    changed = freshness.network_changed or project.weights_sha256 != loaded.weights_sha256
    difference = difference_of_network(project, loaded, task=task) if changed else ""
    if not difference:
        return forget_outdated_images(project, loaded, freshness, task=task)
    _require_same_widths(project, loaded)
    require_images_folder(project.images)
    project.rebind_model(loaded.weights_sha256, loaded.preprocessing)
    return Forgotten(project.n_images, difference)


def _require_same_widths(project: Project, loaded: LoadedModel) -> None:
    widths = {layer.name: layer.n_neurons for layer in list_layers(loaded)}
    for record in project.layers:
        found = widths.get(record.name)
        if record.origin is None and found != record.n_neurons:
            what = "is not in it any more" if found is None else f"has {found} neurons in it now"
            raise ProjectError(
                f"The activations of {project.path} cannot be computed again with the network as it is: "
                f"layer {record.name} with its {record.n_neurons} neurons {what}. Make a new project for it."
            )
