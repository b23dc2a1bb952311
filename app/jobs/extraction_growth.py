"""How far the layers of a project are, told while they are extracted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backend.activations.extraction_progress import ExtractionProgress
from backend.task import Task

if TYPE_CHECKING:
    from backend.project import Project

SECONDS_BETWEEN_REPORTS = 1.0


@dataclass(frozen=True)
class LayerRows:
    """How far a layer is.

    Attributes
    ----------
    n_done : int
        Images whose rows are safely on disk.
    n_leading : int
        Those without a gap from the first on: what can be looked at.
    n_images : int
        Images of the project.
    """

    n_done: int
    n_leading: int
    n_images: int


@dataclass(frozen=True)
class ExtractionGrowth:
    """The layers that are not complete, by name."""

    rows: Mapping[str, LayerRows]


def rows_of_unfinished_layers(project: Project) -> dict[str, LayerRows]:
    """Return how far each layer is that was begun and is not complete, and each that is only planned."""
    records = {record.name: record for record in project.layers}
    names = dict.fromkeys((*project.planned_layers, *records))
    rows = {}
    for name in names:
        if name not in records:
            rows[name] = LayerRows(0, 0, project.n_images)
        elif not records[name].complete:
            n_leading = project.extracted_layers.n_leading_rows(name)
            rows[name] = LayerRows(records[name].n_done, n_leading, project.n_images)
    return rows


class GrowthReports:
    """A task that, besides passing everything on, tells now and then how far the layers are on disk.

    Parameters
    ----------
    project : Project
        Looked at in the thread that extracts: nobody else waits for its database.
    task : Task
        Gets what this one is told, and an :class:`ExtractionGrowth` whenever rows have been added.
    clock
        Seconds that only rise.
    """

    def __init__(self, project: Project, task: Task, clock: Callable[[], float] = time.monotonic) -> None:
        self._project = project
        self._task = task
        self._clock = clock
        self._begun = False
        self._last: tuple[float, Mapping[str, LayerRows]] = (float("-inf"), {})
        self.progress = task.progress

    def partial(self, result: object) -> None:
        """Pass an intermediate result on."""
        self._begun = self._begun or isinstance(result, ExtractionProgress)
        self._task.partial(result)

    def check_cancelled(self) -> None:
        """Look at the layers if it is time to, then stop if asked to, or wait."""
        moment, rows = self._last
        if self._begun and self._clock() - moment >= SECONDS_BETWEEN_REPORTS:
            now = rows_of_unfinished_layers(self._project)
            self._last = (self._clock(), now)
            if now != rows:
                self._task.partial(ExtractionGrowth(now))
        self._task.check_cancelled()
