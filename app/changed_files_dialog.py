"""Every file that is not as it was when the project's activations were computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QSizePolicy, QVBoxLayout, QWidget

from widgets.labels import secondary_label
from widgets.text_table import text_table
from widgets.theme import MARGIN, SPACING

if TYPE_CHECKING:
    from backend.project import Freshness

WIDTH, HEIGHT = 640, 420

_CHANGES = {
    "changed": "changed since the activations were computed",
    "touched": "has another time of modification, perhaps changed",
    "gone": "not there any more",
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
        explanation = secondary_label(_explanation(freshness), factor=1.0)
        explanation.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        layout.addWidget(explanation)
        self.table = text_table(("File", "What became of it"), self.files)
        self.table.setMaximumHeight(HEIGHT)
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
