"""The job that opens the demo project, making it first if need be, and what the window says of its tour."""

from __future__ import annotations

from pathlib import Path

from backend.demo.tour import LAYER, TOUR
from backend.project import Project
from backend.task import Task


def open_demo(task: Task) -> Project:
    """Return the demo project, open for writing."""
    from backend.demo.demo_project import ensure_demo_project

    return ensure_demo_project(task=task)


def demo_path() -> Path:
    """Return where the demo project is."""
    from backend.demo.demo_project import demo_folder

    return demo_folder() / "Demo.prism"


def tour_text(project: Project | None, layer: str, neuron: int) -> str:
    """Return what to try at a stop of the demo's tour, or "" elsewhere."""
    if project is None or layer != LAYER or not project.model_source.is_demo:
        return ""
    return next((stop.text for stop in TOUR if stop.neuron == neuron), "")
