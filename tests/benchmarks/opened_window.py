"""The window with a copy of a project open in it, for the benchmarks that work with the whole application."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QSettings, Qt, QTimer, SignalInstance
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from app.garbage_collection import GarbageCollector
from app.main_window import MainWindow
from app.processor_threads import take_turns_quickly, wait_without_spinning
from app.settings import Settings
from app.torch_loading import load_libraries_with_torch
from app.warm_up import WarmUp
from backend.thread_pools import search_without_locks
from widgets.theme import apply_scheme

WINDOW_SIZE = (1440, 900)
OPENING_LIMIT_MS = 120_000


@contextmanager
def opened_window(project: Path, *, unfinished_layers: Sequence[str] = ()) -> Iterator[MainWindow]:
    """Open a copy of a project in the window as the application does, its first neuron analysed.

    Parameters
    ----------
    project
        A project whose images and network are where it says; it is not changed.
    unfinished_layers
        Layers that the copy is to have planned and not extracted.
    """
    application = QApplication.instance() or QApplication([])
    assert isinstance(application, QApplication)
    wait_without_spinning()
    take_turns_quickly()
    load_libraries_with_torch()
    search_without_locks()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy = folder / project.name
        shutil.copytree(project, copy, ignore=shutil.ignore_patterns("project.lock"))
        _plan(copy, unfinished_layers)
        settings = Settings(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
        apply_scheme(application, "light")
        window = MainWindow(settings)
        collector = GarbageCollector(application)
        WarmUp(window)
        window.resize(*WINDOW_SIZE)
        window.show()
        try:
            with waiting_for(window.session.analysis_changed, OPENING_LIMIT_MS):
                window.projects.open(copy)
            settle(500)
            close_dialogs(window)
            yield window
        finally:
            close_dialogs(window)
            window.close()
            collector.stop()


def _plan(project: Path, layers: Sequence[str]) -> None:
    """Add layers to those that the project is to have, as if it had been created with them."""
    if not layers:
        return
    with closing(sqlite3.connect(project / "project.sqlite")) as database, database:
        (text,) = database.execute("SELECT value FROM project WHERE key = 'planned_layers'").fetchone()
        planned = list(dict.fromkeys([*json.loads(text), *layers]))
        database.execute("UPDATE project SET value = ? WHERE key = 'planned_layers'", (json.dumps(planned),))


@contextmanager
def waiting_for(signal: SignalInstance, limit_ms: int) -> Iterator[None]:
    """Do something, then let the event loop run until a signal comes.

    Raises
    ------
    TimeoutError
        If it does not come in time.
    """
    came: list[bool] = []
    loop = QEventLoop()

    def note(*_: object) -> None:
        came.append(True)
        loop.quit()

    signal.connect(note)
    try:
        yield
        if not came:
            QTimer.singleShot(limit_ms, loop.quit)
            loop.exec()
    finally:
        signal.disconnect(note)
    if not came:
        raise TimeoutError(f"The signal did not come within {limit_ms / 1000:.0f} s.")


def settle(milliseconds: int) -> None:
    """Let the event loop run for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def run_until(condition: Callable[[], bool], limit_ms: int) -> bool:
    """Let the event loop run until a condition holds; returns whether it did in time."""
    loop = QEventLoop()
    poll = QTimer(interval=5)
    poll.timeout.connect(lambda: loop.quit() if condition() else None)
    QTimer.singleShot(limit_ms, loop.quit)
    if not condition():
        poll.start()
        loop.exec()
    poll.stop()
    return condition()


def close_dialogs(window: MainWindow) -> None:
    """Answer whatever the window asks with no."""
    for dialog in window.findChildren(QDialog):
        dialog.reject()


def click_neuron(window: MainWindow, neuron: int) -> None:
    """Click the row of a neuron in the browser, which has to be in sight (:func:`show_row`)."""
    view = window.neuron_panel.browser.table_view
    rect = view.visualRect(view.model().index(window.neuron_panel.browser.model.row(neuron), 0))
    where = QPoint(rect.left() + 4, rect.center().y())
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)


def show_row(window: MainWindow, neuron: int) -> None:
    """Scroll the browser to a neuron."""
    view = window.neuron_panel.browser.table_view
    view.scrollTo(view.model().index(window.neuron_panel.browser.model.row(neuron), 0))
