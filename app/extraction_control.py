"""The extraction of the open project: begun, paused, continued, and begun again for what is outdated.

An import of activations that were computed elsewhere is run and continued like one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.jobs.extraction_run import (
    continue_imports,
    extract_again,
    extract_layers,
    imports_to_continue,
    layers_to_extract,
)
from app.jobs.job import Job, JobFailure, JobFunction
from app.questions import tell
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from backend.activations.extraction import ExtractionResult
    from backend.project import Freshness, Project


class ExtractionControl(QObject):
    """Runs one extraction at a time in the long-work thread, and lets the session know how far it is.

    Attributes
    ----------
    failure : str
        The sentence that the latest extraction ended with, "" if it did not fail.

    Signals
    -------
    changed()
        An extraction was begun, paused or continued, or has ended.
    ended()
        It has ended, whatever its outcome.
    """

    changed = Signal()
    ended = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._long_work = window.threads.long_work
        self._job: Job | None = None
        self._project: Project | None = None
        self.failure = ""
        self._long_work.pause_changed.connect(self._follow_pause)
        self._session.project_changed.connect(self._forget_failure)

    @property
    def job(self) -> Job | None:
        """The extraction that runs, waits or is paused."""
        return self._job

    @property
    def is_running(self) -> bool:
        """Whether there is an extraction that is not paused."""
        return self._job is not None and not self._job.paused

    @property
    def is_paused(self) -> bool:
        """Whether there is one that is paused."""
        return self._job is not None and self._job.paused

    def can_continue(self) -> bool:
        """Whether an extraction is paused, or a layer is not complete and not being extracted."""
        project = self._session.project
        if self._job is not None:
            return self._job.paused
        return project is not None and not project.read_only and bool(unfinished_layers(project))

    @property
    def word(self) -> str:
        """What is not finished: an extraction, or an import where that is all that is left."""
        project = self._session.project
        only_imports = project is not None and not layers_to_extract(project) and imports_to_continue(project)
        return "import" if only_imports else "extraction"

    @Slot()
    def continue_extraction(self) -> None:
        """Let a paused extraction go on, or extract what is missing of the project's layers."""
        project = self._session.project
        if self._job is not None:
            self._long_work.resume(self._job)
        elif project is None or not self.can_continue():
            return
        elif layers_to_extract(project):
            self._window.permission.request(project.model_source, partial(self._extract, project))
        else:
            layers = imports_to_continue(project)
            self._begin(project, f"Importing {', '.join(layers)}", partial(continue_imports, project, layers))

    @Slot()
    def pause(self) -> None:
        """Let the extraction wait."""
        if self._job is not None:
            self._long_work.pause(self._job)

    def extract_again(self, freshness: Freshness, *, everything: bool = False) -> None:
        """Compute again what is outdated; ``everything`` if the network is another."""
        project = self._session.project
        if project is not None and not project.read_only and self._job is None:
            again = partial(self._extract_again, project, freshness, everything)
            self._window.permission.request(project.model_source, again)

    def run_import(self, project: Project, layer: str, function: JobFunction) -> Job | None:
        """Run an import into the open project, unless an extraction runs; returns its job."""
        if project is not self._session.project or project.read_only or self._job is not None:
            return None
        return self._begin(project, f"Importing {layer}", function)

    def unfinished_text(self) -> str:
        """Return how far the extraction of the project is, "" if nothing is missing."""
        project = self._session.project
        layers = unfinished_layers(project) if project is not None else ()
        if project is None or not layers:
            return ""
        rows = [self._session.growth.rows(layer) for layer in layers]
        n_done = min(row.n_done if row is not None else 0 for row in rows)
        done = f"{', '.join(layers)}: {n_done:,} of {count_text(project.n_images, 'image')} done."
        if self.is_paused:
            return done + f" The {self.word} is paused."
        if self._job is not None:
            return done + " The status bar follows the rest."
        if project.read_only:
            return done + " Open the project for writing to continue."
        if self.failure:
            return f"{done} It stopped: {self.failure}"
        how = "computed" if self.word == "extraction" else "read"
        return done + f" What is there is kept; only the missing images are {how}."

    def _extract(self, project: Project) -> None:
        if project is not self._session.project or self._job is not None or not self.can_continue():
            return
        layers = layers_to_extract(project)
        allow_code = self._window.permission.is_allowed(project.model_source)
        function = partial(extract_layers, project, self._window.models, allow_code, layers)
        job = self._begin(project, f"Extracting {', '.join(layers)}", function)
        job.succeeded.connect(self._show_skipped)
        job.failed.connect(self._take_failure)

    def _extract_again(self, project: Project, freshness: Freshness, everything: bool) -> None:
        if project is not self._session.project or self._job is not None:
            return
        allow_code = self._window.permission.is_allowed(project.model_source)
        function = partial(extract_again, project, self._window.models, allow_code, freshness, everything)
        job = self._begin(project, "Computing what changed", function)
        job.succeeded.connect(self._show_skipped)

    def _begin(self, project: Project, title: str, function: JobFunction) -> Job:
        job = self._long_work.submit(title, function, unit="image", pausable=True)
        self._job, self._project, self.failure = job, project, ""
        job.partial.connect(self._session.growth.take)
        job.ended.connect(self._end)
        self.changed.emit()
        return job

    @Slot(object)
    def _show_skipped(self, result: ExtractionResult) -> None:
        if result.n_skipped:
            tell(
                self._window,
                "Some images are left out",
                f"{count_text(result.n_skipped, 'image')} of {result.n_images:,} could not be read.",
                action="Show which, and why",
                on_action=self._window.projects.show_information,
            )

    @Slot(object)
    def _take_failure(self, failure: JobFailure) -> None:
        self.failure = failure.sentence

    @Slot()
    def _forget_failure(self) -> None:
        self.failure = ""

    @Slot(object)
    def _follow_pause(self, job: Job) -> None:
        if job is self._job:
            self.changed.emit()

    @Slot()
    def _end(self) -> None:
        of_shown = self._project is self._session.project
        self._job = self._project = None
        if of_shown:
            self._session.refresh_layers()
            self.ended.emit()
        self.changed.emit()


def unfinished_layers(project: Project) -> tuple[str, ...]:
    """Return the layers that are to be extracted or imported and are not complete."""
    return (*layers_to_extract(project), *imports_to_continue(project))
