"""Questions and notices that do not block: each is a window of its own, answered by calling back."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QStandardPaths, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget


def ask(
    parent: QWidget,
    title: str,
    text: str,
    *,
    accept: str,
    on_accept: Callable[[], None],
    reject: str = "Cancel",
    on_reject: Callable[[], None] | None = None,
    details: str = "",
    warning: bool = False,
) -> QMessageBox:
    """Ask a question with two answers.

    Parameters
    ----------
    accept, reject
        Labels of the two buttons: verbs, not Yes and No.
    on_accept, on_reject
        What follows. Closing the window rejects.
    details
        Smaller text below the question.
    warning
        Whether accepting can do harm: rejecting is the default then.

    Returns
    -------
    QMessageBox
        Already on screen, and deleted when it closes.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning if warning else QMessageBox.Icon.Question)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(details)
    accept_button = box.addButton(accept, QMessageBox.ButtonRole.AcceptRole)
    reject_button = box.addButton(reject, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(reject_button if warning else accept_button)
    box.setEscapeButton(reject_button)

    def answered() -> None:
        if box.clickedButton() is accept_button:
            on_accept()
        elif on_reject is not None:
            on_reject()

    box.finished.connect(answered)
    box.open()
    return box


def tell(
    parent: QWidget,
    title: str,
    text: str,
    *,
    action: str = "",
    on_action: Callable[[], object] | None = None,
) -> QMessageBox:
    """Say something that needs no answer, with one further action if given ("Open folder")."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Information)
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    close_button = box.addButton("Close", QMessageBox.ButtonRole.RejectRole)
    box.setEscapeButton(close_button)
    box.setDefaultButton(close_button)
    if action and on_action is not None:
        further = box.addButton(action, QMessageBox.ButtonRole.ActionRole)
        further.clicked.connect(on_action)
    box.open()
    return box


def choose_file(
    parent: QWidget, title: str, accept: str, start: Path, filters: str, then: Callable[[Path], None]
) -> QFileDialog:
    """Let the user choose an existing file, and call ``then`` with it.

    Parameters
    ----------
    accept
        Label of the button.
    start
        The folder to begin in.
    filters
        Kinds of files, as ``QFileDialog`` takes them.
    """
    dialog = QFileDialog(parent, title, str(start), filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, accept)

    def chosen(text: str) -> None:
        then(Path(text))

    dialog.fileSelected.connect(chosen)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog


def choose_folder(
    parent: QWidget, title: str, accept: str, start: Path | None, then: Callable[[Path], None]
) -> QFileDialog:
    """Let the user choose a folder, and call ``then`` with it.

    Parameters
    ----------
    accept
        Label of the button.
    start
        Where to begin; None for the user's documents.
    """
    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setLabelText(QFileDialog.DialogLabel.Accept, accept)
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    dialog.setDirectory(str(start) if start is not None else documents)

    def chosen(text: str) -> None:
        then(Path(text))

    dialog.fileSelected.connect(chosen)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
