"""Do results still belong to the images and the network? Asked on opening; and what is done about it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.jobs.extraction_run import compare_network
from app.jobs.freshness_jobs import ContentCheck, check_content, check_freshness, relocate_model_file
from app.jobs.job import Job
from app.questions import ask, choose_file, tell

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from backend.project import Freshness, Project
    from backend.project_folder.model_files import ModelFileKind


_FILTERS: dict[ModelFileKind, str] = {
    "weights": "Weights (*.pth *.pt *.safetensors);;All files (*)",
    "python": "Python files (*.py);;All files (*)",
}


class FreshnessControl(QObject):
    """Compares the open project with its files, in the thread aside, and offers to compute anew what changed.

    Attributes
    ----------
    network_difference : str
        How the network differs, in words that follow "its", once that was looked at; else "".

    Signals
    -------
    changed()
        The above is another one.
    """

    changed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._aside = window.threads.aside
        self._long_work = window.threads.long_work
        self._job: Job | None = None
        self._project: Project | None = None
        self.network_difference = ""
        self._session.project_changed.connect(self._begin)

    @Slot()
    def check(self) -> None:
        """Look at every file, but into none, behind everything else."""
        self._stop()
        project = self._session.project
        if project is not None:
            self._project = project
            self._job = self._aside.submit(
                "Checking for changes", partial(check_freshness, project), background=True, quiet=True
            )
            self._job.succeeded.connect(self._take)

    def check_content(self) -> None:
        """Compare the images by content, and record the content of those where that was not done yet."""
        project = self._session.project
        if project is not None:
            self._project = project
            job = self._long_work.submit(
                "Checking the images' content", partial(check_content, project), unit="image"
            )
            job.succeeded.connect(self._take_contents)

    def compare_network(self) -> None:
        """Load the network and find out whether it still gives the activations."""
        project = self._session.project
        if project is not None:
            self._window.permission.request(project.model_source, partial(self._compare_network, project))

    def extract_again(self) -> None:
        """Compute the activations of changed images again; those that are gone are left out."""
        if self._session.freshness is not None:
            self._window.projects.extraction.extract_again(self._session.freshness)

    def ask_to_extract_everything(self) -> None:
        """Compute everything with the network as it is now, once the user agreed to lose what is there."""
        freshness = self._session.freshness
        if freshness is not None:
            everything = partial(self._window.projects.extraction.extract_again, freshness, everything=True)
            ask(
                self._window,
                "Compute everything again?",
                "All activations are computed with the network as it is now.",
                details="Those that are there are deleted. Names, notes and parameters stay, and so do "
                "layers that were imported.",
                accept="Compute again",
                on_accept=everything,
                warning=True,
            )

    def locate_network(self) -> None:
        """Let the user say where the file of the network is that is not there any more."""
        project, freshness = self._session.project, self._session.freshness
        gone = (
            [file for file in freshness.model_files if file.change == "gone"] if freshness is not None else []
        )
        if project is not None and gone:
            file = gone[0]
            choose_file(
                self._window,
                f"Where is the {file.title} now?",
                "Use this file",
                project.path.parent,
                _FILTERS[file.kind],
                partial(self.relocate_network, file.kind),
            )

    def relocate_network(self, kind: ModelFileKind, path: Path) -> None:
        """Take another place for a file of the network, if it is the same file."""
        project = self._session.project
        if project is not None:
            job = self._long_work.submit(
                "Comparing the file", partial(relocate_model_file, project, kind, path), quiet=True
            )
            job.succeeded.connect(self.check)

    def show_details(self) -> None:
        """List every file that changed."""
        if self._session.freshness is not None:
            from app.changed_files_dialog import ChangedFilesDialog

            ChangedFilesDialog(self._session.freshness, self._window).open()

    @Slot()
    def _begin(self) -> None:
        self.network_difference = ""
        self.changed.emit()
        self.check()

    def _stop(self) -> None:
        if self._job is not None:
            self._aside.cancel(self._job)
            self._job = None

    @Slot(object)
    def _take(self, freshness: Freshness) -> None:
        if self._project is not self._session.project:
            return
        if not freshness.network_changed and self.network_difference:
            self.network_difference = ""
            self.changed.emit()
        self._session.set_freshness(freshness)

    @Slot(object)
    def _take_contents(self, check: ContentCheck) -> None:
        if self._project is not self._session.project:
            return
        self._take(check.freshness)
        tell(
            self._window,
            "Images checked by content",
            check.sentence,
            action="Show which" if check.freshness.rows else "",
            on_action=self.show_details,
        )

    def _compare_network(self, project: Project) -> None:
        if project is not self._session.project or project.read_only:
            return
        self._project = project
        allow_code = self._window.permission.is_allowed(project.model_source)
        function = partial(compare_network, project, self._window.models, allow_code)
        job = self._long_work.submit("Comparing the network", function)
        job.succeeded.connect(self._take_comparison)

    @Slot(object)
    def _take_comparison(self, difference: str) -> None:
        if self._project is not self._session.project:
            return
        self.network_difference = difference
        self.changed.emit()
        if not difference:
            self.check()
            tell(
                self._window,
                "The network is the same",
                "Its weights are the same, and it gives the activations that are on record.",
            )
