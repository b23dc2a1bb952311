"""The window is painted before its panels exist, and they come without anything else changing on screen."""

import pytest
from PySide6.QtCore import QEvent, QObject, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from app.main_window import MainWindow
from app.settings import Settings
from app.warm_up import FirstPaint, WarmUp

PANELS = {
    "workspace",
    "neurons",
    "concepts",
    "visualization",
    "embedding",
    "projection_maps",
    "concept_effects",
}


class ShownWindows(QObject):
    """Notes every widget that is shown as a window of its own."""

    def __init__(self):
        super().__init__()
        self.found = []

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.found.append(type(watched).__name__)
        return False


@pytest.fixture
def shown_windows(qapp):
    noted = ShownWindows()
    qapp.installEventFilter(noted)
    yield noted.found
    qapp.removeEventFilter(noted)


def made(window):
    return PANELS & set(vars(window.panels))


def test_no_panel_is_made_for_the_welcome_page(window):
    QApplication.processEvents()
    assert made(window) == set()


def test_one_panel_is_made_at_a_time_and_each_once(window):
    counts = []
    while window.panels.make_next():
        counts.append(len(made(window)))
    assert counts == list(range(1, len(PANELS)))
    workspace, panel = window.workspace, window.neurons_dock.widget()
    window.panels.make_all()
    assert window.workspace is workspace
    assert window.neurons_dock.widget() is panel is window.neuron_panel
    assert window.concepts_dock.widget() is window.concept_panel


def test_panels_come_behind_the_page_that_is_on_screen(qtbot, window, shown_windows):
    qtbot.waitActive(window)
    size = window.size()
    window.panels.make_all()
    QApplication.processEvents()
    assert shown_windows == []
    assert window.isActiveWindow()
    assert window.size() == size
    assert window.stack.currentWidget() is window.welcome
    assert not window.neurons_dock.isVisible()


def test_opening_a_project_makes_what_is_missing(qtbot, window, project_path):
    window.panels.make_next()
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.projects.open(project_path)
    assert made(window) == PANELS
    assert window.stack.currentWidget() is window.workspace
    assert window.neuron_panel.browser.model.n_neurons == window.session.layer.n_neurons


def test_the_first_paint_is_told_once(qtbot, settings):
    window = MainWindow(settings)
    painted = []
    FirstPaint(window).painted.connect(lambda: painted.append(window.isVisible()))
    QApplication.processEvents()
    assert painted == []
    window.show()
    qtbot.waitUntil(lambda: painted == [True])
    window.repaint()
    QApplication.processEvents()
    assert painted == [True]
    window.close()
    window.deleteLater()


def test_the_rest_is_prepared_once_the_window_is_painted(qtbot, settings):
    window = MainWindow(settings)
    WarmUp(window)
    QApplication.processEvents()
    assert window.threads.aside.running is None
    ended = []
    window.threads.aside.job_ended.connect(lambda job: ended.append((job.title, job.outcome)))
    window.show()
    qtbot.waitUntil(lambda: len(ended) == 2, timeout=20_000)
    assert [outcome for _, outcome in ended] == ["succeeded", "succeeded"]
    assert made(window) == PANELS
    window.close()
    assert window.shut_down_cleanly
    window.deleteLater()


def test_what_was_arranged_outlives_a_window_that_never_had_panels(qtbot, settings, tmp_path, project_path):
    first = MainWindow(settings)
    first.show()
    with qtbot.waitSignal(first.session.analysis_changed, timeout=20_000):
        first.projects.open(project_path)
    first.workspace.splitter.setSizes([200, 520])
    upper, lower = first.workspace.splitter.sizes()
    assert upper < lower
    first.workspace.splitter.setSizes([lower, upper])
    first.workspace.members.set_thumbnail_size(144)
    first.close()
    for _ in range(2):
        kept = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
        window = MainWindow(kept)
        window.show()
        window.close()
    again = MainWindow(kept)
    again.show()
    with qtbot.waitSignal(again.session.analysis_changed, timeout=20_000):
        again.projects.open(project_path)
    upper, lower = again.workspace.splitter.sizes()
    assert upper > lower
    assert again.workspace.members.thumbnail_size() == 144
    again.close()
    for each in (first, window, again):
        each.deleteLater()
