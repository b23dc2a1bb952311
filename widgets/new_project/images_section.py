"""The choice of the images: their folder, how many of each class, and the rule for deep grey values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPlainTextEdit, QToolButton, QWidget

from widgets import theme
from widgets.drop_frame import DropFrame
from widgets.labels import secondary_label
from widgets.new_project.form_section import FormSection, PathEdit, dropped_path
from widgets.new_project.grey_scaling_choice import GreyScalingChoice
from widgets.new_project.new_project_request import ImagesChoice
from widgets.number_boxes import PreciseNumberBox, WholeNumberBox
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    # Imports Pillow, which the window need not wait for.
    from backend.image_files.grey_depth import GreyDepth

_SPINNING_PAUSE = 300  # milliseconds
_PUBLISHED_PER_CLASS = 130


class ImagesSection(FormSection):
    """Chooses a folder of images; takes one that is dropped on it.

    Signals
    -------
    choice_changed(ImagesChoice or None)
        Other images, or none.
    grey_scaling_changed()
        Another rule for grey values, see :attr:`grey_scaling`.
    """

    choice_changed = Signal(object)
    grey_scaling_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("3   Images", parent)
        self._last: ImagesChoice | None = None
        self._n_chosen = 0
        self._frame: DropFrame | None = None
        self.setAcceptDrops(True)
        self.folder_edit = PathEdit("folder", "Choose the folder of images", placeholder="Drop a folder here")
        self.add_row(
            "F&older",
            self.folder_edit,
            "Images of any common format, nested as deep as you like. Folders directly in it are classes.",
        )
        self._build_sampling()
        self.grey_scaling = GreyScalingChoice()
        self.grey_scaling.grey_scaling_changed.connect(self.grey_scaling_changed)
        self._build_summary()
        self.add_wide(self.grey_scaling)
        self._report_later = QTimer(self, singleShot=True, interval=_SPINNING_PAUSE)
        self._report_later.timeout.connect(self._report)
        self.folder_edit.path_changed.connect(self._report)
        self.per_class_check.toggled.connect(self._sampling_toggled)
        self.per_class_box.valueChanged.connect(self._report_soon)
        self.seed_box.valueChanged.connect(self._report_soon)
        self._sampling_toggled(False)

    def _build_sampling(self) -> None:
        self.per_class_check = QCheckBox("At &most")
        self.per_class_box = WholeNumberBox(1, 1_000_000)
        self.per_class_box.setValue(_PUBLISHED_PER_CLASS)
        self.seed_box = PreciseNumberBox(0, 2**32 - 1, whole=True)
        self.seed_box.setMaximumWidth(90)
        self.per_class_check.setToolTip("Draw this many images of each class instead of taking all of them.")
        self.per_class_box.setToolTip("Images of each class. The published experiment has about 130.")
        self.per_class_box.setAccessibleName("Images of each class")
        self.seed_box.setToolTip("Seed of the draw: the same seed draws the same images.")
        self.seed_box.setAccessibleName("Seed of the draw from each class")
        row = QHBoxLayout()
        row.setSpacing(theme.SPACING)
        row.addWidget(self.per_class_check)
        row.addWidget(self.per_class_box)
        row.addWidget(QLabel("of each class, seed"))
        row.addWidget(self.seed_box)
        row.addStretch(1)
        self.grid.addLayout(row, self.grid.rowCount(), 1)

    def _build_summary(self) -> None:
        self.summary_label = secondary_label(factor=1.0)
        self.skipped_button = QToolButton()
        self.skipped_button.setCheckable(True)
        self.skipped_button.setAutoRaise(True)
        self.skipped_button.setToolTip("Show the files that are left out, each with the reason.")
        self.skipped_list = QPlainTextEdit()
        self.skipped_list.setReadOnly(True)
        self.skipped_list.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.skipped_list.setMaximumHeight(110)
        self.skipped_list.setAccessibleName("Files that are left out")
        self.skipped_button.toggled.connect(self.skipped_list.setVisible)
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.summary_label, 1)
        row.addWidget(self.skipped_button)
        self.add_wide(line)
        self.add_wide(self.skipped_list)
        self.clear_summary()

    def set_folder(self, folder: Path) -> None:
        """Choose a folder, as if the user had."""
        self.folder_edit.set_path(str(folder))
        self._report()

    def choice(self) -> ImagesChoice | None:
        """Return the images as chosen; None without a folder."""
        folder = self.folder_edit.path()
        if not folder:
            return None
        per_class = self.per_class_box.value() if self.per_class_check.isChecked() else None
        return ImagesChoice(Path(folder), per_class, int(self.seed_box.value()))

    @property
    def n_chosen(self) -> int:
        """Number of images that will be used, 0 while it is not known."""
        return self._n_chosen

    def set_summary(
        self,
        n_images: int,
        n_classes: int,
        n_chosen: int,
        skipped: Sequence[tuple[str, str]],
        depths: Sequence[GreyDepth] = (),
    ) -> None:
        """Say what was found in the folder."""
        self._n_chosen = n_chosen
        found = count_text(n_images, "image")
        if n_classes:
            found += f" in {count_text(n_classes, 'class', 'classes')}"
        if n_chosen != n_images:
            found += f", {n_chosen:,} drawn"
        self.summary_label.setText(found)
        self.skipped_list.setPlainText("\n".join(f"{path}: {reason}" for path, reason in skipped))
        self.skipped_button.setText(f"{len(skipped):,} left out…")
        self.skipped_button.setVisible(bool(skipped))
        self.skipped_button.setChecked(False)
        self.skipped_list.setVisible(False)
        self.grey_scaling.show_depths(depths)
        self.set_error("")

    def clear_summary(self) -> None:
        """Forget what was found."""
        self._n_chosen = 0
        self.summary_label.setText("")
        self.skipped_button.setVisible(False)
        self.skipped_list.setVisible(False)
        self.grey_scaling.show_depths(())

    @Slot(bool)
    def _sampling_toggled(self, drawn: bool) -> None:
        self.per_class_box.setEnabled(drawn)
        self.seed_box.setEnabled(drawn)
        self._report()

    @Slot()
    def _report_soon(self) -> None:
        self._report_later.start()

    @Slot()
    def _report(self) -> None:
        self._report_later.stop()
        choice = self.choice()
        if choice != self._last:
            self._last = choice
            self.clear_summary()
            self.set_error("")
            self.choice_changed.emit(choice)

    # --- drops ---------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders: of what is no folder, say so when it is dropped."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            self._show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget what was dragged over the section."""
        self._show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose the dropped folder."""
        self._show_drop(False)
        event.acceptProposedAction()
        path = dropped_path(event.mimeData())
        if path is not None and path.is_dir():
            self.set_folder(path)
        elif path is not None:
            self.show_note(f"{path.name} is a file: drop the folder that the images are in.")
        else:
            self.show_note("Drop one folder of this computer: the one that all the images are in.")

    def _show_drop(self, dragged_over: bool) -> None:
        """Frame the section while something is dragged over it."""
        parent = self.parentWidget()
        if self._frame is None and parent is not None:
            self._frame = DropFrame(parent)
        if self._frame is not None and dragged_over:
            self._frame.show_around(self, theme.SPACING + 2)
        elif self._frame is not None:
            self._frame.hide()
