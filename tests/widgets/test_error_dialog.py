"""The error dialog: the sentence first, the traceback one click away."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from widgets.error_dialog import ErrorDialog

SENTENCE = "The folder <b>/data</b> is gone: mount the disk again."
TRACE = "Traceback (most recent call last):\nOSError"


@pytest.fixture
def dialog(qtbot: QtBot) -> ErrorDialog:
    dialog = ErrorDialog(SENTENCE, TRACE, title="The project could not be opened")
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    return dialog


def test_the_traceback_is_one_click_away(dialog: ErrorDialog) -> None:
    assert not dialog._traceback.isVisible()
    QTest.mouseClick(dialog.details_button, Qt.MouseButton.LeftButton)
    assert dialog._traceback.isVisible()
    assert dialog._traceback.toPlainText() == TRACE
    QTest.mouseClick(dialog.details_button, Qt.MouseButton.LeftButton)
    assert not dialog._traceback.isVisible()


def test_the_sentence_is_shown_as_it_stands(dialog: ErrorDialog) -> None:
    assert dialog._sentence.text() == SENTENCE
    assert dialog._sentence.textFormat() == Qt.TextFormat.PlainText


def test_copy_takes_both_along(dialog: ErrorDialog) -> None:
    QTest.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == f"{SENTENCE}\n\n{TRACE}"
    assert dialog.copy_button.text() == "Copied"


def test_return_and_escape_close(dialog: ErrorDialog, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        dialog.show()
        with qtbot.waitSignal(dialog.finished) as signal:
            QTest.keyClick(dialog, key)
        assert signal.args == [QDialog.DialogCode.Rejected]


def test_without_a_traceback_there_is_nothing_to_open(qtbot: QtBot) -> None:
    dialog = ErrorDialog(SENTENCE)
    qtbot.addWidget(dialog)
    dialog.show()
    assert not dialog.details_button.isVisible()
    QTest.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == SENTENCE
