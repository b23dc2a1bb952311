"""The job behind the export dialogs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.task import Task

if TYPE_CHECKING:
    from backend.project import Project


@dataclass(frozen=True)
class Exported:
    """What an export wrote, and where."""

    folder: Path
    n_files: int
    n_neurons: int
    n_concepts: int
    warning: str = ""


def export(
    project: Project, folder: Path, layer: str | None, neurons: tuple[int, ...] | None, task: Task
) -> Exported:
    """Write concept vectors, tables and the report of some neurons, or of the whole project.

    They go into a folder of their own in ``folder``, named after what is exported, so that one export never
    overwrites another.
    """
    from backend.exchange.export import export_project

    out = folder / folder_name(project.name, layer, neurons)
    result = export_project(project, out, neurons=neurons, layer=layer, task=task)
    return Exported(out, len(result.files), result.n_neurons, result.n_concepts, result.warning)


def folder_name(project: str, layer: str | None, neurons: tuple[int, ...] | None) -> str:
    """Return the name of the export's folder, without characters that file systems refuse."""
    parts = [project, layer or "", f"neuron {neurons[0]}" if neurons else "", "export"]
    name = " ".join(part for part in parts if part)
    return "".join("_" if character in '<>:"/\\|?*' else character for character in name)
