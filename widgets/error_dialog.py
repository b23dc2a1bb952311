"""An error: the sentence first, the traceback one click away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.labels import Pictogram, heading_label


class ErrorDialog(QDialog):
    """What happened in one sentence; "Details" opens the traceback, "Copy" takes both along.

    Parameters
    ----------
    sentence
        What happened, to what, and what to do.
    details
        The traceback; without one there is nothing to open.
    title
        What was being done, as a heading: "The project could not be opened".
    """

    def __init__(
        self, sentence: str, details: str = "", *, title: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._sentence_text = sentence
        self._details_text = details
        self.setWindowTitle(title or "Something went wrong")
        self.setMinimumWidth(460)

        self._sentence = QLabel(sentence)
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._traceback = QPlainTextEdit(details)
        self._traceback.setReadOnly(True)
        self._traceback.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._traceback.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._traceback.setAccessibleName("Technical details of the error")
        self._traceback.setMinimumHeight(200)
        self._traceback.hide()

        words = QVBoxLayout()
        words.setSpacing(theme.SPACING)
        words.addWidget(heading_label(self.windowTitle()))
        words.addWidget(self._sentence)
        top = QHBoxLayout()
        top.setSpacing(2 * theme.SPACING)
        top.addWidget(Pictogram("error", 32, QPalette.ColorRole.BrightText), 0, Qt.AlignmentFlag.AlignTop)
        top.addLayout(words, 1)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(*(2 * theme.MARGIN,) * 4)
        layout.setSpacing(2 * theme.SPACING)
        layout.addLayout(top)
        layout.addWidget(self._traceback, 1)
        layout.addWidget(self._button_row())

    def _button_row(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.details_button = QPushButton("Details")
        self.details_button.setCheckable(True)
        self.details_button.setToolTip(
            "Show where in the program it happened: useful in a report of the error."
        )
        theme.set_icon(self.details_button, "collapse")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("Copy the message and its details to the clipboard.")
        theme.set_icon(self.copy_button, "copy")
        buttons.addButton(self.details_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        self.details_button.setVisible(bool(self._details_text))
        close = buttons.button(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        close.setFocus()
        for button in (self.details_button, self.copy_button):
            button.setAutoDefault(False)
        self.details_button.toggled.connect(self._show_details)
        self.copy_button.clicked.connect(self._copy)
        buttons.rejected.connect(self.reject)
        return buttons

    @Slot(bool)
    def _show_details(self, shown: bool) -> None:
        theme.set_icon(self.details_button, "expand" if shown else "collapse")
        self._traceback.setVisible(shown)
        self.setMinimumWidth(680 if shown else 460)
        self.adjustSize()

    @Slot()
    def _copy(self) -> None:
        text = "\n\n".join(part for part in (self._sentence_text, self._details_text) if part)
        QGuiApplication.clipboard().setText(text)
        self.copy_button.setText("Copied")
