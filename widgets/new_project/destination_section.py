"""The choice of the place: the folder and the name of the new project."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLineEdit, QWidget

from widgets.labels import ElidedLabel
from widgets.new_project.form_section import FormSection, PathEdit
from widgets.new_project.new_project_request import PROJECT_ENDING

_FORBIDDEN = '<>:"/\\|?*'


class DestinationSection(FormSection):
    """Chooses where the project goes.

    Signals
    -------
    destination_changed(Path or None)
        Another place, or none that can be used.
    """

    destination_changed = Signal(object)

    def __init__(self, title: str = "4   Project", parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._named_by_user = False
        self.name_edit = QLineEdit()
        self.folder_edit = PathEdit("folder", "Choose where the project goes")
        self.add_row("Na&me", self.name_edit, "Name of the project, and of its folder.")
        self.add_row("&In folder", self.folder_edit, "The project's folder is made in here.")
        self.path_label = ElidedLabel(elide=Qt.TextElideMode.ElideMiddle)
        self.path_label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.grid.addWidget(self.path_label, self.grid.rowCount(), 1)
        self.name_edit.textEdited.connect(self._name_edited)
        self.name_edit.textChanged.connect(self._report)
        self.folder_edit.path_changed.connect(self._report)

    def suggest_name(self, name: str) -> None:
        """Propose a name, until the user gives one."""
        if not self._named_by_user:
            self.name_edit.setText("".join("-" if c in _FORBIDDEN else c for c in name))

    def set_folder(self, folder: Path) -> None:
        """Show another folder for the project."""
        self.folder_edit.set_path(str(folder))
        self._report()

    def destination(self) -> Path | None:
        """Return the project's folder to be; None if it cannot be used."""
        name, folder = self._name(), self.folder_edit.path()
        return None if not name or not folder or self._problem() else Path(folder) / (name + PROJECT_ENDING)

    def missing(self) -> str:
        """Return a sentence that says what is missing; empty if nothing is."""
        if not self._name():
            return "Give the project a name."
        return "" if self.folder_edit.path() else "Choose a folder for the project."

    def _name(self) -> str:
        return self.name_edit.text().strip().removesuffix(PROJECT_ENDING)

    def _problem(self) -> str:
        name, folder = self._name(), self.folder_edit.path()
        bad = sorted({c for c in name if c in _FORBIDDEN})
        if bad:
            return f"A project's name cannot hold {' '.join(bad)}: choose another one."
        if name in (".", ".."):
            return f"“{name}” cannot be a project's name: choose another one."
        if name and folder and (Path(folder) / (name + PROJECT_ENDING)).exists():
            return f"There is a project “{name}” in this folder already: choose another name or folder."
        if folder and Path(folder).exists() and not Path(folder).is_dir():
            return f"{folder} is a file: choose a folder."
        return ""

    @Slot()
    def _name_edited(self) -> None:
        self._named_by_user = bool(self.name_edit.text())

    @Slot()
    def _report(self) -> None:
        destination = self.destination()
        self.path_label.setText(str(destination) if destination else "")
        self.set_error(self._problem())
        self.destination_changed.emit(destination)
