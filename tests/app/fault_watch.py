"""Notes faults that show nowhere: exceptions in slots and threads, warnings of Qt, what is left behind."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QThread,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtWidgets import QDialog, QMainWindow, QMenu
from shiboken6 import isValid

HARMLESS = ("This plugin does not support", "propagateSizeHints")
"""What Qt's offscreen platform says of itself."""

OF_LIBRARIES = ("Dummy", "tqdm_monitor")
"""Threads that stay: Python's dummies of Qt's threads that ever ran its code, and the one of tqdm."""


class FaultWatch(logging.Handler):
    """From entering to leaving, collects what went wrong.

    Attributes
    ----------
    faults : list of str
        One text each, with where it came from.
    context : callable
        Gives the lines that are noted with each fault: what was done last.
    """

    def __init__(self, context: Callable[[], str] = lambda: "") -> None:
        super().__init__(logging.WARNING)
        self.faults: list[str] = []
        self.context = context

    def __enter__(self) -> FaultWatch:
        self._hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self._on_exception(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        sys.unraisablehook = lambda args: self._on_exception(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        self._messages = qInstallMessageHandler(self._on_message)
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
        qInstallMessageHandler(self._messages)
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._hooks

    def note(self, text: str) -> None:
        """Note a fault once."""
        if not any(fault.startswith(text) for fault in self.faults):
            self.faults.append(f"{text}\n{self.context()}")

    def emit(self, record: logging.LogRecord) -> None:
        """Take the log of an exception; a plain sentence is for the user."""
        if record.exc_info and record.exc_info[0] is not None:
            self._on_exception(*record.exc_info)

    def _on_exception(
        self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.note("".join(traceback.format_exception(kind, error, trace)))

    def _on_message(self, kind: QtMsgType, _where: QMessageLogContext, text: str) -> None:
        if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) or any(part in text for part in HARMLESS):
            return
        self.note(f"Qt: {text}")


class Leftovers:
    """What is there now and need not be there later: threads, timers that run, windows."""

    def __init__(self) -> None:
        self._before = self._now()

    def since(self) -> list[str]:
        """Return what has come since and is there still, after everything deleted is gone."""
        gc.unfreeze()  # the application hides libraries from the collector, and what else was there then
        for _ in range(2):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()
            gc.collect()
        now = self._now()
        gc.freeze()
        return [text for identity, text in now.items() if identity not in self._before]

    def _now(self) -> dict[int, str]:
        own = [thread for thread in threading.enumerate() if not thread.name.startswith(OF_LIBRARIES)]
        found = {id(thread): f"thread {thread.name}" for thread in own}
        for thing in gc.get_objects():
            kind = type(thing)
            if issubclass(kind, QThread) and isValid(thing) and thing.isRunning():
                found[id(thing)] = f"Qt thread {thing.objectName()}"
            elif issubclass(kind, QTimer) and isValid(thing) and thing.isActive():
                found[id(thing)] = f"timer every {thing.interval()} ms of {type(thing.parent()).__name__}"
            elif issubclass(kind, QDialog | QMainWindow | QMenu) and isValid(thing):
                found[id(thing)] = f"{kind.__name__} “{thing.windowTitle()}”"
        return found
