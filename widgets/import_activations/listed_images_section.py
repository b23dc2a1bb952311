"""The choice of the images: the list that says which row is which, and the folder that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from widgets.labels import secondary_label
from widgets.new_project.form_section import FormSection, PathEdit
from widgets.theme import SPACING

_NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_TEXTS = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_LISTS = "Lists (*.txt *.csv *.tsv *.json *.npz *.npy);;All files (*)"
_IN_THE_SAME_FILE = "in the file of the activations"
_ONE_LINE_A_ROW = "row i of the array belongs to line i of this file"
_NO_FOLDER = "none: no pictures are shown until they are located"


class ListedImagesSection(FormSection):
    """Chooses a list of images and their folder, and shows the first of them.

    Signals
    -------
    changed()
        Another list or folder.
    """

    changed = Signal()

    def __init__(self, title: str = "2   Images", parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._of_project: Path | None = None
        self.list_edit = PathEdit("file", "Choose the list of images", _LISTS)
        self.add_row(
            "&List",
            self.list_edit,
            "Text with one path a line, CSV with the columns path and (if you like) label, a JSON list, or "
            "an array of texts.\nPaths are relative to the images folder, or absolute and below it.",
        )
        self.folder_edit = PathEdit("folder", "Choose the images folder", placeholder=_NO_FOLDER)
        self.add_row(
            "F&older",
            self.folder_edit,
            "The folder that the paths of the list start from. It is only ever read.",
        )
        self.summary_label = secondary_label(factor=1.0)
        self.add_wide(self.summary_label)
        self.table = _table()
        self.add_wide(self.table)
        self.list_edit.path_changed.connect(self.changed)
        self.folder_edit.path_changed.connect(self.changed)
        self.set_same_file(False)
        self.show_listed((), "")

    def list_file(self) -> Path | None:
        """Return the list as chosen; None: in the file of the activations."""
        path = self.list_edit.path()
        return Path(path).expanduser() if path else None

    def folder(self) -> Path | None:
        """Return the images folder as chosen; None: the project's, or none."""
        path = self.folder_edit.path()
        return Path(path).expanduser() if path and self._of_project is None else None

    def set_same_file(self, may_hold_list: bool) -> None:
        """Say whether the file of the activations may hold the list itself."""
        self.list_edit.line.setPlaceholderText(_IN_THE_SAME_FILE if may_hold_list else _ONE_LINE_A_ROW)

    def set_project_folder(self, folder: Path | None) -> None:
        """Take the folder of a project, whose images the list must name; None: a folder may be chosen."""
        self._of_project = folder
        self.folder_edit.setEnabled(folder is None)
        line = self.folder_edit.line
        line.setPlaceholderText(_NO_FOLDER if folder is None else str(folder))
        if folder is not None:
            self.folder_edit.set_path("")

    def show_listed(self, listed: Sequence[tuple[str, str, str]], summary: str) -> None:
        """Show the first rows (number, path, whether the file is there) and a sentence about all of them."""
        self.summary_label.setText(summary)
        self.summary_label.setVisible(bool(summary))
        self.table.setRowCount(len(listed))
        for row, texts in enumerate(listed):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                if column == 0:
                    item.setTextAlignment(_NUMBERS)
                self.table.setItem(row, column, item)
        self.table.setVisible(bool(listed))
        height = self.table.horizontalHeader().sizeHint().height() + 2 * self.table.frameWidth()
        self.table.setFixedHeight(height + self.table.verticalHeader().defaultSectionSize() * len(listed))


def _table() -> QTableWidget:
    table = QTableWidget(0, 3)
    for column, title in enumerate(("Row", "Image", "File")):
        item = QTableWidgetItem(title)
        item.setTextAlignment(_TEXTS if column else _NUMBERS)
        table.setHorizontalHeaderItem(column, item)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + SPACING)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    table.setShowGrid(False)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    table.setWordWrap(False)
    table.setAccessibleName("The first rows, their images, and whether the files are there")
    header = table.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
    header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
    return table
