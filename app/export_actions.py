"""Export from the File menu: the neuron on show, or the whole project."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from app.jobs.export_jobs import Exported, export
from app.jobs.job_threads import QueueThread
from app.questions import choose_folder, tell
from app.session import Session
from widgets.quantity_text import count_text


class ExportActions(QObject):
    """Asks where to, exports in the long-work thread, and says what was written."""

    def __init__(self, session: Session, long_work: QueueThread, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._long_work = long_work
        self._window = window

    def export_neuron(self) -> None:
        """Export the neuron on show into a folder of the user's choice."""
        layer, neuron = self._session.layer, self._session.neuron
        if layer is not None and neuron is not None:
            write = partial(self.export_to, layer=layer.name, neurons=(neuron,))
            self._choose(f"Export neuron {neuron} of {layer.name}", write)

    def export_project(self) -> None:
        """Export the whole project into a folder of the user's choice."""
        self._choose("Export the project", self.export_to)

    def export_to(
        self, folder: Path, *, layer: str | None = None, neurons: tuple[int, ...] | None = None
    ) -> None:
        """Export into a folder."""
        project = self._session.project
        if project is None:
            return
        self._session.about_to_change.emit()  # what was typed a moment ago belongs into the export
        title = "Exporting the project" if neurons is None else f"Exporting neuron {neurons[0]}"
        job = self._long_work.submit(title, partial(export, project, folder, layer, neurons), unit="neuron")
        job.succeeded.connect(self._show_exported)

    def _choose(self, title: str, write: Callable[[Path], None]) -> None:
        project = self._session.project
        if project is not None:
            choose_folder(self._window, title, "Export here", project.path.parent, write)

    @Slot(object)
    def _show_exported(self, exported: Exported) -> None:
        concepts = count_text(exported.n_concepts, "concept vector")
        neurons = count_text(exported.n_neurons, "neuron")
        tell(
            self._window,
            "Exported",
            f"{concepts} of {neurons}, with tables and a report, were written to {exported.folder}."
            + (f"\n\n{exported.warning}" if exported.warning else ""),
            action="Open the folder",
            on_action=partial(QDesktopServices.openUrl, QUrl.fromLocalFile(str(exported.folder))),
        )
