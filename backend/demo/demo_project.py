"""The demo project: drawn, extracted and suggested for on the first start, opened at once afterwards."""

from pathlib import Path

import platformdirs

from backend.demo.network_file import WEIGHTS
from backend.demo.pictures import write_images
from backend.demo.tour import LAYER, TOUR, TOUR_NEURON
from backend.errors import ModelError, ProjectError
from backend.networks.model_source import DEMO_ARCHITECTURE, ModelSource
from backend.project import Project
from backend.task import SilentTask, Task

__all__ = ["LAYER", "TOUR", "TOUR_NEURON", "demo_folder", "ensure_demo_project"]

PICTURES_PER_CONCEPT = 120
"""More than a neuron's top images, so that a monosemantic neuron can fill them with its one concept."""

WORLD_VERSION = 1
"""Raised whenever drawings or weights change: another version's pictures must not mix with these."""

_PROJECT = "Demo.prism"
_VERSION_SETTING = "demo_world_version"


def demo_folder() -> Path:
    """Where the demo project is kept by default: in the user's data folder."""
    return platformdirs.user_data_path("Neuron Prism", appauthor=False) / f"demo-{WORLD_VERSION}"


def ensure_demo_project(folder: Path | None = None, *, task: Task | None = None) -> Project:
    """Open the demo project, and make first what of it is missing.

    An interrupted or cancelled run is continued. Names, notes and parameters that the user has saved stay.

    Parameters
    ----------
    folder : Path, optional
        Holds the pictures and the project; default :func:`demo_folder`.
    task : Task, optional
        Progress and cancellation.

    Returns
    -------
    Project
        Open for writing; its layer :data:`LAYER` is complete and has a suggestion.

    Raises
    ------
    ModelError
        The weights of the demo network are not there.
    ImageError, ProjectError, ExtractionError
        The folder cannot be written to, is in use elsewhere, or holds another version's demo.
    Cancelled
        The task was asked to stop; what is finished is kept.
    """
    task = task or SilentTask()
    folder = folder or demo_folder()
    pictures = folder / "pictures"
    if not (folder / _PROJECT).exists():
        _require_network()
    write_images(pictures, per_concept=PICTURES_PER_CONCEPT, task=task)
    project = _open_or_create(folder / _PROJECT, pictures, task)
    try:
        _complete(project, task)
    except BaseException:
        project.close()
        raise
    return project


def _require_network() -> None:
    """Make sure of the network before minutes of drawing; what is in the file is read when it is needed."""
    if not WEIGHTS.is_file():
        raise ModelError(f"The weights of the demo network are not in {WEIGHTS}. Install Neuron Prism again.")


def _open_or_create(path: Path, pictures: Path, task: Task) -> Project:
    if path.exists():
        project = Project.open(path)
        if project.get_setting(_VERSION_SETTING) != WORLD_VERSION:
            project.close()
            raise ProjectError(
                f"{path} is no demo project of this version: choose another folder for the demo."
            )
        return project
    from backend.images import find_images

    return Project.create(
        path,
        ModelSource(DEMO_ARCHITECTURE),
        find_images(pictures, task=task),
        layers=(LAYER,),
        settings={_VERSION_SETTING: WORLD_VERSION},
    )


def _complete(project: Project, task: Task) -> None:
    """Extract and suggest what is missing; the heavy imports are here, as a finished demo needs none."""
    if not any(record.name == LAYER and record.complete for record in project.layers):
        task.progress(0, 0, "Loading the demo's network")
        from backend.activations.extraction import extract
        from backend.models import load_model

        extract(project, load_model(project.model_source, task=task), task=task)
        for stop in TOUR:
            project.set_neuron_name(LAYER, stop.neuron, stop.title)
    if project.suggestion(LAYER) is None:
        from backend.layer_parameters import layer_suggestion

        layer_suggestion(project, LAYER, task=task)
