"""Runs the window: from the QApplication to the exit status."""

from __future__ import annotations

import os
import signal
import sys


def run(*, demo: bool = False) -> int:
    """Show the window and work until it is closed.

    Parameters
    ----------
    demo
        Open the demo project at once.

    Returns
    -------
    int
        The exit status.
    """
    from app.processor_threads import take_turns_quickly, wait_without_spinning
    from app.torch_loading import load_libraries_with_torch
    from backend.thread_pools import search_without_locks

    wait_without_spinning()
    take_turns_quickly()
    search_without_locks()
    if sys.platform == "win32":
        # Torch's libraries do not load beside Qt's if they come second. Elsewhere the window comes first.
        import torch  # noqa: F401
    load_libraries_with_torch()
    status, clean = _show_window(demo)
    if not clean:
        # A library call that cannot be cancelled still runs. Everything is on disk; destroying its thread
        # would abort the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _show_window(demo: bool) -> tuple[int, bool]:
    """Return the exit status, and whether every worker thread ended."""
    from PySide6.QtWidgets import QApplication

    from app.exception_hook import ExceptionReporter
    from app.garbage_collection import GarbageCollector
    from app.main_window import MainWindow
    from app.settings import APPLICATION, ORGANISATION, Settings
    from app.warm_up import WarmUp
    from widgets.theme import application_icon, apply_scheme

    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    QApplication.setApplicationName(APPLICATION)
    QApplication.setOrganizationName(ORGANISATION)
    QApplication.setWindowIcon(application_icon())
    settings = Settings(parent=application)
    # Before the window: icons are drawn in the palette's colours.
    apply_scheme(application, settings.scheme)
    window = MainWindow(settings)
    collector = GarbageCollector(application)
    ExceptionReporter(window).install()
    # Python hears of a signal when it next runs, at the latest with the collector's next second.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: window.close())
    WarmUp(window)
    window.show()
    if demo:
        window.projects.open_demo()
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    collector.stop()
    return status, window.shut_down_cleanly
