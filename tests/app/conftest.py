"""Shared by the tests of the application: a planted project, and a session with its threads."""

import gc
import shutil
import sys

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QDialog

from app.garbage_collection import GarbageCollector
from app.jobs.job_threads import JobThreads
from app.main_window import MainWindow
from app.session import Session
from app.settings import Settings
from backend.project import Project
from tests.app.planted_project import make_project, write_images


@pytest.fixture(scope="session")
def libraries_are_loaded():
    """Import what every analysis needs once, and spare the collector from looking through it each time."""
    import backend.evaluation.neuron_analysis  # noqa: F401

    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def collect_garbage_here(qapp, libraries_are_loaded):
    """As the application does: no reference cycle with a QObject is ever collected in a worker thread."""
    collector = GarbageCollector(qapp)
    modules = len(sys.modules)
    yield
    gc.collect()
    if len(sys.modules) > modules + 100:  # torch came with this test: pass over it from now on
        gc.freeze()
    collector.stop()
    collector.deleteLater()


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    """The planted project, to be copied and never changed."""
    folder = tmp_path_factory.mktemp("planted")
    write_images(folder / "images")
    return make_project(folder, folder / "images")


@pytest.fixture
def project_path(planted, tmp_path):
    """A copy of the planted project of one's own; the images are shared."""
    return shutil.copytree(planted, tmp_path / planted.name)


@pytest.fixture
def settings(tmp_path):
    return Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))


@pytest.fixture
def threads(qtbot):
    job_threads = JobThreads()
    yield job_threads
    assert job_threads.shutdown(20_000)


@pytest.fixture
def window(qtbot, settings):
    """The main window, on screen; closed at the end, with no thread left running."""
    main_window = MainWindow(settings)
    main_window.show()
    yield main_window
    for dialog in main_window.findChildren(QDialog):
        dialog.reject()
    main_window.close()
    assert main_window.shut_down_cleanly
    assert not main_window.threads.any_alive
    main_window.deleteLater()


@pytest.fixture
def opened(qtbot, window, project_path):
    """The main window with the planted project open and its first neuron analysed."""
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.projects.open(project_path)
    return window


@pytest.fixture
def session(qtbot, threads, project_path):
    """A session with the planted project on show, its first neuron analysed."""
    with Project.open(project_path) as project:
        session = Session(threads)
        with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
            session.set_project(project)
        yield session
        threads.interactive.cancel_all()
        threads.aside.cancel_all()
        assert threads.shutdown(20_000)
