"""The images that are excluded from a project's analysis, and the way back for them."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPushButton, QVBoxLayout, QWidget

from app.image_items import ImageFacts
from app.session import Session
from widgets.images.image_grid import ImageBand, ImageGrid
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import secondary_label
from widgets.palette import left_out_color
from widgets.theme import MARGIN, SPACING


class ExcludedImagesDialog(QDialog):
    """Shows the excluded images, and takes those that are selected back into the analysis."""

    def __init__(self, session: Session, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Excluded images")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(640, 440)
        self.grid = ImageGrid(thumbnails)
        self.grid.rows_selected.connect(self._update_button)
        self.include_button = QPushButton("&Take back into the analysis")
        self.include_button.setToolTip("The selected images count again, for every neuron (can be undone)")
        self.include_button.setAutoDefault(False)
        self.include_button.clicked.connect(self._include)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.include_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(SPACING)
        layout.addWidget(
            secondary_label(
                "These images are among no neuron's top images, no max-projecting images and in no null. "
                "Their files and activations stay."
            )
        )
        layout.addWidget(self.grid, 1)
        layout.addWidget(buttons)
        session.adjustments.excluded_changed.connect(self._show_images)
        session.project_changed.connect(self.reject)
        self._show_images()

    @Slot()
    def _show_images(self) -> None:
        project, rows = self._session.project, sorted(self._session.adjustments.excluded)
        if project is None or not rows:
            self.grid.set_message("Right click on a picture to exclude it.", "No image is excluded")
        else:
            facts = ImageFacts(project)
            items = tuple(facts.item(row, "", []) for row in rows)
            self.grid.set_bands([ImageBand(0, "Excluded by hand", left_out_color(), "−", items)])
        self._update_button()

    @Slot()
    def _update_button(self) -> None:
        can = bool(self.grid.selected_rows()) and self._session.adjustments.can_exclude
        self.include_button.setEnabled(can)

    @Slot()
    def _include(self) -> None:
        self._session.adjustments.include(self.grid.selected_rows())
