"""The job that opens the demo project, making it first if need be."""

from __future__ import annotations

from backend.project import Project
from backend.task import Task


def open_demo(task: Task) -> tuple[Project, str, int]:
    """Return the demo project, its analysed layer, and the neuron that the tour begins with."""
    from backend.demo.demo_project import LAYER, TOUR_NEURON, ensure_demo_project

    return ensure_demo_project(task=task), LAYER, TOUR_NEURON
