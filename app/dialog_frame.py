"""The frame of a dialog that only tells: what it holds, above a button that closes it."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from widgets.theme import MARGIN, SPACING

ROOM_AROUND = QSize(40, 60)
"""For the window's frame and the desktop's bars."""


def fill_dialog(dialog: QDialog, parts: Sequence[QWidget]) -> None:
    """Put the parts below each other and a Close button at the end; the dialog is deleted when it closes."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    buttons.button(QDialogButtonBox.StandardButton.Close).setToolTip("Close this window (Esc)")
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
    layout.setSpacing(SPACING)
    for part in parts:
        layout.addWidget(part)
    layout.addWidget(buttons)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
