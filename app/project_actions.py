"""What the File menu does: projects are opened, created, continued, relocated, exported and closed here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from app.export_actions import ExportActions
from app.extraction_control import ExtractionControl, unfinished_layers
from app.freshness_control import FreshnessControl
from app.import_actions import ImportActions
from app.jobs.demo_jobs import demo_path, open_demo, tour_start
from app.jobs.job import Job, JobFailure
from app.jobs.project_jobs import (
    close_project,
    create_project,
    images_are_missing,
    open_project,
    relocate_images,
)
from app.project_dialog import ProjectDialog
from app.questions import ask, choose_folder, tell
from backend.errors import NeuronPrismError
from widgets.new_project.new_project_request import NewProjectRequest

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from backend.project import Project

DATABASE_FILE = "project.sqlite"


class ProjectActions(QObject):
    """Runs the long jobs on projects, and asks what has to be asked on the way.

    Attributes
    ----------
    exports : ExportActions
    extraction : ExtractionControl
    freshness : FreshnessControl
    imports : ImportActions
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._long_work = window.threads.long_work
        self.exports = ExportActions(window.session, window.threads.long_work, window)
        self.extraction = ExtractionControl(window)
        self.freshness = FreshnessControl(window)
        self.imports = ImportActions(window, self._show_made, self._when_idle)
        self.extraction.ended.connect(self.freshness.check)
        self._opening: tuple[Job, Path] | None = None

    # Opening and closing

    def choose_and_open(self) -> None:
        """Let the user choose a project folder, and open it."""
        self._choose_folder("Open a project", "Open", self.open)

    @Slot(str)
    def open_or_begin(self, folder: Path | str) -> None:
        """Open a folder if it is a project; else begin a new project with the images in it."""
        folder = Path(folder)
        if (folder / DATABASE_FILE).exists():
            self.open(folder)
        else:
            self.new_project(folder)

    @Slot(str)
    def open(self, path: Path | str, *, read_only: bool = False, recover: bool = False) -> None:
        """Open a project in the long-work thread; the one on show stays until that succeeded."""
        path = Path(path)
        current = self._session.project
        if current is None or current.path != path.absolute():
            self._when_idle(partial(self._open, path, read_only=read_only, recover=recover))

    def _open(self, path: Path, *, read_only: bool, recover: bool) -> None:
        job = self._long_work.submit(
            f"Opening {path.stem}", partial(open_project, path, read_only=read_only, recover=recover)
        )
        self._opening = (job, path)
        job.succeeded.connect(self._show_opened)

    def open_demo(self) -> None:
        """Make the demo project if need be, and show the neuron that its tour begins with."""
        project = self._session.project
        if project is not None and project.path == demo_path():
            self._show_tour_neuron()
        else:
            self._when_idle(self._open_demo)

    def _open_demo(self) -> None:
        job = self._long_work.submit("Opening the demo", open_demo, unit="image")
        self._opening = (job, demo_path())
        job.succeeded.connect(self._show_demo)

    def close_project(self) -> None:
        """Return to the welcome page."""
        self._when_idle(partial(self._replace_project, None))

    def close_quietly(self, project: Project) -> None:
        """Close a project whose threads have ended; a failure must not keep the window open."""
        try:
            project.close()
        except NeuronPrismError as error:
            self._window.show_problem(str(error))

    def takes_failure(self, job: Job, failure: JobFailure) -> bool:
        """Answer a failed opening with an offer, where there is one; returns whether it did."""
        if self._opening is None or self._opening[0] is not job:
            return False
        _, path = self._opening
        self._opening = None
        from backend.project import ProjectDamagedError, ProjectInUseError

        if isinstance(failure.error, ProjectInUseError):
            self._offer_read_only(path, failure.sentence)
            return True
        if isinstance(failure.error, ProjectDamagedError) and failure.error.backup is not None:
            self._offer_recovery(path, failure.sentence)
            return True
        return False

    # New projects and extraction

    @Slot()
    def new_project(self, images: Path | str | None = None) -> None:
        """Open the dialog for a new project."""
        images = Path(images) if images is not None else None
        # Imported when first asked for: the window need not wait for it.
        from app.new_project_dialog import NewProjectDialog

        dialog = NewProjectDialog(
            self._window.threads.aside, self._window.models, self._window.permission, images, self._window
        )
        dialog.chosen.connect(self._create)
        dialog.open()

    def show_information(self) -> None:
        """Show what the project holds."""
        if self._session.project is not None:
            ProjectDialog(self._session.project, self._window, self._session.freshness).open()

    # Images that moved

    def choose_images_folder(self) -> None:
        """Let the user say where the project's images are now."""
        if self._session.project is not None:
            self._choose_folder("Where are the images now?", "Use this folder", self.relocate)

    def relocate(self, folder: Path) -> None:
        """Look for the project's images in a folder, and take it if all are there."""
        project = self._session.project
        if project is not None:
            job = self._long_work.submit("Looking for the images", partial(relocate_images, project, folder))
            job.succeeded.connect(self._show_relocated)

    # Answers of the jobs

    @Slot(object)
    def _show_opened(self, project: Project) -> None:
        self._opening = None
        self._replace_project(project)
        self._window.settings.add_recent(project.path)
        if project.recovered:
            kept = project.recovered_from
            tell(
                self._window,
                "Project recovered",
                "The project was damaged and has been recovered from its backup."
                + ("" if kept is None else f" The damaged file was kept as {kept}."),
            )
        self._look_after(project)

    @Slot(object)
    def _show_demo(self, project: Project) -> None:
        self._opening = None
        self._replace_project(project)
        self._window.settings.add_recent(project.path)
        self._show_tour_neuron()

    def _show_tour_neuron(self) -> None:
        self._session.show_layer(*tour_start())

    @Slot(object)
    def _create(self, request: NewProjectRequest) -> None:
        self._when_idle(partial(self._create_now, request))

    def _create_now(self, request: NewProjectRequest) -> None:
        if request.model.allow_code:
            self._window.permission.allow(request.model.source)
        name = request.destination.stem
        job = self._long_work.submit(f"Creating {name}", partial(create_project, request))
        job.succeeded.connect(self._begin_extraction)

    @Slot(object)
    def _begin_extraction(self, project: Project) -> None:
        self._show_made(project)
        self.extraction.continue_extraction()

    def _show_made(self, project: Project) -> None:
        self._replace_project(project)
        self._window.settings.add_recent(project.path)

    @Slot(object)
    def _show_relocated(self) -> None:
        self._window.thumbnails.clear()
        self._session.reload_images()
        self.freshness.check()

    # Offers

    def _look_after(self, project: Project) -> None:
        """Offer what a project that was just opened may need: its images found, its extraction continued."""
        job = self._long_work.submit("Checking the images", partial(images_are_missing, project), quiet=True)
        job.succeeded.connect(self._offer)

    @Slot(object)
    def _offer(self, images_are_missing: bool) -> None:
        project = self._session.project
        if project is None:
            return
        if images_are_missing:
            self._offer_relocation(project)
        elif self.extraction.can_continue():
            self._offer_extraction(project)

    def _offer_extraction(self, project: Project) -> None:
        layers, word = ", ".join(unfinished_layers(project)), self.extraction.word
        ask(
            self._window,
            f"Continue the {word}?",
            f"The activations of {layers} are not complete yet.",
            details="What is there already is kept; only what is missing is done.",
            accept="Continue",
            reject="Not now",
            on_accept=self.extraction.continue_extraction,
        )

    def _offer_relocation(self, project: Project) -> None:
        ask(
            self._window,
            "The images are not there",
            f"The images of this project are not in {project.images_root}.",
            details="What was computed can be looked at without them, but no picture can be shown.",
            accept="Locate them…",
            reject="Not now",
            on_accept=self.choose_images_folder,
        )

    def _offer_read_only(self, path: Path, sentence: str) -> None:
        ask(
            self._window,
            "The project is in use",
            sentence,
            details="Opened read-only, nothing you change is kept.",
            accept="Open read-only",
            on_accept=partial(self.open, path, read_only=True),
        )

    def _offer_recovery(self, path: Path, sentence: str) -> None:
        ask(
            self._window,
            "The project is damaged",
            sentence,
            details="The backup was made when the project was last closed; the damaged file will be kept.",
            accept="Recover from the backup",
            on_accept=partial(self.open, path, recover=True),
        )

    # Common steps

    def _when_idle(self, then: Callable[[], None]) -> None:
        """Do what replaces the project; ask first if that stops work that the user started."""
        running = self._long_work.running
        if running is None or running.quiet or running.cancel_requested:
            then()
            return

        def stop_and_go_on() -> None:
            self._long_work.cancel_all()
            then()

        kept = running is self.extraction.job
        ask(
            self._window,
            "Stop what is running?",
            f"“{running.title}” is still running.",
            details="What is done so far is kept and can be continued." if kept else "",
            accept="Stop it",
            reject="Let it run",
            on_accept=stop_and_go_on,
        )

    def _replace_project(self, project: Project | None) -> None:
        """Show another project, and close the earlier one after the jobs that still use it."""
        earlier = self._session.project
        self._long_work.cancel_all()
        if project is not None:
            self._window.panels.make_all()
        self._session.set_project(project)
        if earlier is not None:
            self._long_work.submit(f"Closing {earlier.name}", partial(close_project, earlier), quiet=True)

    def _choose_folder(self, title: str, accept: str, then: Callable[[Path], None]) -> None:
        current = self._session.project
        choose_folder(self._window, title, accept, current.path.parent if current is not None else None, then)
