"""The job behind the export dialogs."""

from __future__ import annotations

from pathlib import Path

from backend.project import Project
from backend.task import Task


def export(
    project: Project, out: Path, layer: str | None, neurons: tuple[int, ...] | None, task: Task
) -> Path:
    """Write concept vectors, tables and the report of some neurons, or of the whole project.

    Returns
    -------
    Path
        The folder that was written.
    """
    from backend.exchange.export import export_project

    export_project(project, out, neurons=neurons, layer=layer, task=task)
    return out
