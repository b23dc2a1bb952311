"""Runs the window: from the QApplication to the exit status."""

import os
import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.analysis_jobs import warm_up
from app.exception_hook import ExceptionReporter
from app.garbage_collection import GarbageCollector
from app.main_window import MainWindow
from app.settings import APPLICATION, ORGANISATION
from widgets.theme import application_icon, apply_scheme


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
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    QApplication.setApplicationName(APPLICATION)
    QApplication.setOrganizationName(ORGANISATION)
    QApplication.setWindowIcon(application_icon())
    window = MainWindow()
    apply_scheme(application, window.settings.scheme)
    collector = GarbageCollector(application)
    ExceptionReporter(window).install()
    window.show()
    if demo:
        window.projects.open_demo()
    # scikit-learn takes a second to import: in the worker, once the window is painted.
    QTimer.singleShot(0, window, lambda: window.threads.interactive.submit("Warming up", warm_up))
    status = application.exec()
    sys.excepthook = sys.__excepthook__
    collector.stop()
    if not window.shut_down_cleanly:
        # A library call that cannot be cancelled still runs. Everything is on disk; destroying its thread
        # would abort the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status
