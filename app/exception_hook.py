"""The last resort: an exception that nobody caught is shown, with its traceback, and the window lives on."""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QWidget

from widgets.error_dialog import ErrorDialog

logger = logging.getLogger(__name__)


class ExceptionReporter(QObject):
    """Takes ``sys.excepthook``'s place. Safe from any thread: the dialog opens in the GUI thread.

    While one such dialog is open, further exceptions are only logged: a fault in painting would otherwise
    bury the screen.
    """

    _raised = Signal(str, str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._dialog: ErrorDialog | None = None
        self._raised.connect(self._show)

    def install(self) -> None:
        """Become ``sys.excepthook``."""
        sys.excepthook = self.report

    def report(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log an exception and show it."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        logger.error("Uncaught exception", exc_info=(kind, error, trace))
        sentence = f"Something went wrong inside Neuron Prism: {kind.__name__}: {error}".rstrip(": ")
        self._raised.emit(sentence, "".join(traceback.format_exception(kind, error, trace)))

    @Slot(str, str)
    def _show(self, sentence: str, details: str) -> None:
        if self._dialog is not None:
            return
        self._dialog = ErrorDialog(
            f"{sentence}\nYour project is saved; you can go on working.", details, parent=self._window
        )
        self._dialog.finished.connect(self._closed)
        self._dialog.open()

    @Slot()
    def _closed(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None
