"""One numbered section of a form, with its own busy sign and its own error; and a line for a path."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QMimeData, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.labels import MessageLabel, heading_label


class FormSection(QWidget):
    """A heading (none without a title), rows of labelled fields, and a message below them."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._error = ""
        self._busy = False
        self._busy_bar = QProgressBar()
        self._busy_bar.setRange(0, 0)
        self._busy_bar.setTextVisible(False)
        self._busy_bar.setFixedSize(72, 6)
        self._busy_bar.setAccessibleName(f"{title}: working")
        self._busy_bar.hide()
        heading = QHBoxLayout()
        if title:
            heading.addWidget(heading_label(title))
        heading.addStretch(1)
        heading.addWidget(self._busy_bar)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(theme.MARGIN)
        self.grid.setVerticalSpacing(theme.SPACING - 2)
        self.grid.setColumnStretch(1, 1)
        self.message = MessageLabel()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(theme.SPACING)
        self._layout.addLayout(heading)
        self._layout.addLayout(self.grid)
        self._layout.addWidget(self.message)

    def add_row(self, title: str, field: QWidget, tooltip: str = "") -> QLabel:
        """Add a labelled field; its label is returned. ``title`` may hold a mnemonic."""
        label = QLabel(title)
        label.setBuddy(field)
        row = self.grid.rowCount()
        self.grid.addWidget(label, row, 0)
        self.grid.addWidget(field, row, 1)
        field.setAccessibleName(title.replace("&", ""))
        if tooltip:
            label.setToolTip(tooltip)
            field.setToolTip(tooltip)
        return label

    def add_wide(self, widget: QWidget, stretch: int = 0) -> None:
        """Add a widget over the whole width, above the message."""
        self._layout.insertWidget(self._layout.indexOf(self.message), widget, stretch)

    def set_busy(self, busy: bool) -> None:
        """Show that something about this section is being found out."""
        self._busy_bar.setVisible(busy)
        self._busy = busy

    def is_busy(self) -> bool:
        """Return whether something is being found out."""
        return self._busy

    def set_error(self, sentence: str) -> None:
        """Say what is wrong here; empty: nothing is."""
        self._error = sentence
        self.message.show_message(sentence, "error")

    def show_note(self, sentence: str) -> None:
        """Say something that stands in nobody's way; empty: nothing. An error goes before it."""
        if not self._error:
            self.message.show_message(sentence, "info")

    def error(self) -> str:
        """Return what is wrong here, empty if nothing is."""
        return self._error


class PathEdit(QWidget):
    """A line for the path of a file or folder, with a button to look for it; takes drops.

    Signals
    -------
    path_changed(str)
        The path is another one: typed and left, chosen, or dropped.

    Parameters
    ----------
    kind
        What is looked for.
    title
        Title of the dialog.
    name_filter
        For files, such as "Python files (*.py)".
    """

    path_changed = Signal(str)

    def __init__(
        self,
        kind: Literal["file", "folder"],
        title: str,
        name_filter: str = "",
        *,
        placeholder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._title = title
        self._name_filter = name_filter
        self._last = ""
        self.line = _PathLine(takes_files=kind == "file")
        self.line.setPlaceholderText(placeholder)
        self.line.setClearButtonEnabled(True)
        self.browse_button = QPushButton()
        theme.set_icon(self.browse_button, "open")
        self.browse_button.setToolTip(title)
        self.browse_button.setAccessibleName(title)
        self.browse_button.setAutoDefault(False)
        self.browse_button.clicked.connect(self._browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.SPACING // 2)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse_button)
        self.setFocusProxy(self.line)
        self.line.editingFinished.connect(self._report)
        self.line.dropped.connect(self._report)
        self.line.textChanged.connect(self._report_if_emptied)

    def path(self) -> str:
        """Return the path as typed, without blanks around it; empty if there is none."""
        return self.line.text().strip()

    def set_path(self, path: str) -> None:
        """Show another path; no signal."""
        self._last = path
        self.line.setText(path)

    def setAccessibleName(self, name: str) -> None:
        """Name the line and the button."""
        super().setAccessibleName(name)
        self.line.setAccessibleName(name)

    def setToolTip(self, text: str) -> None:
        """Explain the line."""
        self.line.setToolTip(text)

    @Slot()
    def _report(self) -> None:
        if self.path() != self._last:
            self._last = self.path()
            self.path_changed.emit(self._last)

    @Slot(str)
    def _report_if_emptied(self, text: str) -> None:
        if not text:
            self._report()

    @Slot()
    def _browse(self) -> None:
        start = self.path() if Path(self.path()).exists() else ""
        if self._kind == "folder":
            chosen = QFileDialog.getExistingDirectory(self, self._title, start)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._title, start, self._name_filter)
        if chosen:
            self.line.setText(chosen)
            self._report()


class _PathLine(QLineEdit):
    """Takes a dropped file or folder as its path, not as a URL."""

    dropped = Signal()

    def __init__(self, *, takes_files: bool) -> None:
        super().__init__()
        self._takes_files = takes_files

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._path(event):
            event.acceptProposedAction()
        elif event.mimeData().hasUrls():
            event.ignore()  # what it is part of may take it, or say why not
        else:
            super().dragEnterEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        path = self._path(event)
        if not path:
            super().dropEvent(event)
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.setText(path)
        self.dropped.emit()

    def _path(self, event: QDropEvent) -> str:
        path = dropped_path(event.mimeData())
        fits = path is not None and (path.is_file() if self._takes_files else path.is_dir())
        return str(path) if fits else ""


def dropped_path(mime: QMimeData) -> Path | None:
    """Return the one local file or folder that is dragged, or None."""
    urls = mime.urls()
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None
