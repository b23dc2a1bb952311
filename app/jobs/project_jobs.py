"""Jobs on whole projects: open, close, relocate, create."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.image_files.image_address import image_file
from backend.task import Task
from widgets.new_project.new_project_request import NewProjectRequest

if TYPE_CHECKING:
    from backend.project import ImageCheck, Project


def open_project(path: Path, task: Task, *, read_only: bool = False, recover: bool = False) -> Project:
    """Open a project; see :meth:`backend.project.Project.open`."""
    task.progress(0, 0, "Opening the project")
    from backend.project import Project

    return Project.open(path, read_only=read_only, recover=recover)


def close_project(project: Project, task: Task) -> None:
    """Back up and close a project. Runs after every job that was queued before, so none uses it any more."""
    task.progress(0, 0, "Closing the project")
    project.close()


def create_project(request: NewProjectRequest, task: Task) -> Project:
    """Find the images and make the project; its layers are planned, not extracted."""
    from backend.images import find_images

    images = find_images(
        request.images.folder, per_class=request.images.per_class, seed=request.images.seed, task=task
    )
    task.check_cancelled()
    task.progress(0, 0, "Writing the list of images")
    from backend.project import Project

    project = Project.create(
        request.destination,
        request.model.source,
        images,
        layers=request.layers,
        poolings=request.poolings,
        precision=request.precision,
    )
    if request.precision_check is not None:
        for layer in request.layers:
            project.save_precision_check(layer, request.precision_check)
    return project


def relocate_images(project: Project, folder: Path, task: Task) -> ImageCheck:
    """Take another folder for the project's images, if all of them are there."""
    return project.relocate_images(folder, task=task)


def images_are_missing(project: Project, task: Task) -> bool:
    """Return whether the images folder, or the first of its images, is not where it was."""
    return project.n_images > 0 and not image_file(project.image_path(0)).is_file()
