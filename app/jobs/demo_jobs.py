"""The job that opens the demo project, making it first if need be, and the stops of its tour.

The demo's modules draw pictures; they are imported when the demo is asked for, not when the window opens.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from backend.task import Task

if TYPE_CHECKING:
    from backend.demo.tour import TourStop
    from backend.project import Project


def open_demo(task: Task) -> Project:
    """Return the demo project, open for writing."""
    from backend.demo.demo_project import ensure_demo_project

    return ensure_demo_project(task=task)


def demo_path() -> Path:
    """Return where the demo project is."""
    from backend.demo.demo_project import demo_folder

    return demo_folder() / "Demo.prism"


def tour_start() -> tuple[str, int]:
    """Return the layer and the neuron that the tour begins with."""
    from backend.demo.tour import LAYER, TOUR_NEURON

    return LAYER, TOUR_NEURON


def tour_stops(project: Project | None) -> tuple[tuple[str, TourStop], ...]:
    """Return the layer and each stop of the tour; none for a project that is not the demo."""
    if project is None or not project.model_source.is_demo:
        return ()
    from backend.demo.tour import LAYER, TOUR

    return tuple((LAYER, stop) for stop in TOUR)


def tour_text(project: Project | None, layer: str, neuron: int) -> str:
    """Return what to try at a stop of the demo's tour, or "" elsewhere."""
    stops = tour_stops(project)
    return next((stop.text for place, stop in stops if (place, stop.neuron) == (layer, neuron)), "")
