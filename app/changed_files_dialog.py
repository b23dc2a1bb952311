"""Every file that is not as it was when the project's activations were computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from widgets.labels import secondary_label
from widgets.text_table import text_table
from widgets.theme import MARGIN, SPACING

if TYPE_CHECKING:
    from backend.project import Freshness

WIDTH, HEIGHT = 640, 420

_CHANGES = {
    "changed": "changed since then",
    "touched": "may be changed: another time of modification",
    "gone": "not there",
}


class ChangedFilesDialog(QDialog):
    """A table of files and what became of them.

    Attributes
    ----------
    files : list of (str, str)
        Path (of an image relative to its folder), and what became of it.
    """

    def __init__(self, freshness: Freshness, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("What changed")
        self.files = [
            *((file.path, _CHANGES[file.change]) for file in freshness.model_files),
            *((path, _CHANGES["changed"]) for path in freshness.changed),
            *((path, _CHANGES["gone"]) for path in freshness.gone),
        ]
        if not freshness.images_found:
            self.files.append((str(freshness.images_root), "the folder of the images is not there"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACING)
        layout.addWidget(secondary_label(_explanation(freshness), factor=1.0))
        self.table = text_table(("File", "Since its activations were computed"), self.files)
        layout.addWidget(self.table, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(WIDTH, HEIGHT)


def _explanation(freshness: Freshness) -> str:
    if freshness.n_compared:
        return (
            f"The content of {freshness.n_compared:,} images was compared with what was read; of other files "
            "their size and time of modification."
        )
    return (
        "Images are compared by size and time of modification. “Check images by content…” in the File menu "
        "tells which of them really have another content."
    )
