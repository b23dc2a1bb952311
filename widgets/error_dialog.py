"""An error: the sentence first, the traceback one click away."""

from PySide6.QtWidgets import QDialog, QWidget


class ErrorDialog(QDialog):
    """What happened in one sentence; "Details" opens the traceback, "Copy" takes both along."""

    def __init__(
        self, sentence: str, details: str = "", *, title: str = "", parent: QWidget | None = None
    ) -> None: ...
