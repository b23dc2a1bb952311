"""Finding and opening the project that a command names."""

from __future__ import annotations

from pathlib import Path

from backend.project import PROJECT_SUFFIX, Project, ProjectDamagedError
from backend.project_folder.project_database import DATABASE_FILE


def project_folder(path: Path) -> Path:
    """Return the folder that is meant: ``birds`` stands for ``birds.prism`` unless it is a project itself."""
    # "." and ".." have no name of their own to put a suffix to.
    path = path.resolve() if path.name in ("", "..") else path
    folder = path.parent if path.name == DATABASE_FILE else path
    if folder.suffix == PROJECT_SUFFIX or is_project(folder) or not folder.name:
        return folder
    return folder.with_name(folder.name + PROJECT_SUFFIX)


def is_project(folder: Path) -> bool:
    """Return whether a folder holds a project, sound or damaged."""
    return folder.is_dir() and any(folder.glob(f"{DATABASE_FILE}*"))


def open_for_reading(path: Path) -> Project:
    """Open a project that is only looked at; a window or an extraction may have it open meanwhile.

    Raises
    ------
    ProjectError
        If there is none, or it cannot be read. For a damaged one it names the command that recovers it.
    """
    return _open(project_folder(path), read_only=True)


def open_for_writing(folder: Path, *, recover: bool = False) -> Project:
    """Open a project to continue it; errors as :func:`open_for_reading`."""
    return _open(folder, recover=recover)


def _open(folder: Path, *, read_only: bool = False, recover: bool = False) -> Project:
    try:
        return Project.open(folder, read_only=read_only, recover=recover)
    except ProjectDamagedError as error:
        if error.backup is None:
            raise
        hint = f"{error} Run “neuronprism info {folder} --recover”."
        raise ProjectDamagedError(hint, error.backup) from error
