"""Import from the File menu: the dialog, and the project that it makes or adds to.

What an import needs is imported with the first one, so that the window need not wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from app.questions import tell
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from app.jobs.import_jobs import ImportOrder
    from app.main_window import MainWindow
    from backend.activations.activation_import import ImportResult
    from backend.project import Project


class ImportActions(QObject):
    """Asks what to import, makes the project if it is a new one, and runs the import.

    Parameters
    ----------
    window : MainWindow
    show_project : callable
        Shows a project that was just made, in the place of the one on show.
    when_idle : callable
        Calls what it is given, once the user agreed to stop what runs.
    """

    def __init__(
        self,
        window: MainWindow,
        show_project: Callable[[Project], None],
        when_idle: Callable[[Callable[[], None]], None],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._show_project = show_project
        self._when_idle = when_idle

    @Slot()
    def import_activations(self, file: Path | str | None = None) -> None:
        """Open the dialog."""
        from app.import_dialog import ImportDialog

        project = self._session.project
        window = self._window
        dialog = ImportDialog(
            window.threads.aside,
            window.models,
            window.permission,
            None if project is None or project.read_only else project,
            None if file is None else Path(file),
            window,
        )
        dialog.chosen.connect(self._begin)
        dialog.open()

    @Slot(object)
    def _begin(self, order: ImportOrder) -> None:
        if order.destination is None:
            self._run(order, self._session.project)
        else:
            self._when_idle(partial(self._create, order))

    def _create(self, order: ImportOrder) -> None:
        from app.jobs.import_jobs import create_project_of

        assert order.destination is not None
        job = self._window.threads.long_work.submit(
            f"Creating {order.destination.stem}", partial(create_project_of, order)
        )

        def created(project: Project) -> None:
            self._show_project(project)
            self._run(order, project)

        job.succeeded.connect(created)

    def _run(self, order: ImportOrder, project: Project | None) -> None:
        """Import into a project that is on show; where another was opened meanwhile, nothing is imported."""
        if project is None or project is not self._session.project or order.project not in (None, project):
            return
        from app.jobs.import_jobs import run_import

        job = self._window.projects.extraction.run_import(
            project, order.request.layer, partial(run_import, project, order)
        )
        if job is not None:
            job.succeeded.connect(self._show_imported)

    @Slot(object)
    def _show_imported(self, result: ImportResult) -> None:
        self._session.show_layer(result.layer)
        if result.origin.n_not_finite:
            tell(
                self._window,
                "Some rows are left out",
                f"{count_text(result.origin.n_not_finite, 'row')} of {result.n_images:,} cannot be used in "
                f"{result.layer}: a value is NaN, infinite or beyond single precision. The first is row "
                f"{result.origin.first_not_finite}.",
            )
