"""Closing the window and opening it again: everything is where it was left."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest

from app.main_window import MainWindow
from app.settings import Settings
from tests.app.planted_project import DEEP_LAYER, LAYER


@pytest.fixture
def reopen(qtbot, tmp_path, project_path):
    """Close a window and return a new one, with the same project and settings read anew from their file."""
    windows = []

    def reopened(window):
        window.close()
        kept = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
        again = MainWindow(kept)
        windows.append(again)
        again.show()
        with qtbot.waitSignal(again.session.analysis_changed, timeout=20_000):
            again.projects.open(project_path)
        return again

    yield reopened
    for window in windows:
        window.close()
        window.deleteLater()


def choose_in_box(box, position):
    """Choose an entry as a user does, from the first by the down key."""
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(position):
        QTest.keyClick(box, Qt.Key.Key_Down)


def share_above(splitter):
    """Return the share of the height that the upper part has."""
    upper, lower = splitter.sizes()
    return upper / (upper + lower)


def test_tab_sort_order_and_size_of_the_pictures(opened, reopen):
    workspace = opened.workspace
    choose_in_box(workspace.members._order._box, 2)
    before = [item.row for item in workspace.members.bands()[0].items]
    workspace.members._slider._slider.setValue(18)
    workspace.tabs.setCurrentWidget(workspace.embedding)
    again = reopen(opened).workspace
    assert again.tabs.currentWidget() is again.embedding
    assert again.members.order() == "distance"
    assert again.members._order._box.currentText() == "By distance"
    assert [item.row for item in again.members.bands()[0].items] == before
    assert again.members.thumbnail_size() == again.max_projecting.thumbnail_size() == 144


def test_layer_neuron_and_the_parameters_of_each_layer(qtbot, opened, reopen):
    session = opened.session
    session.commit_threshold(9.5)
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_layer(DEEP_LAYER, 4)
    deep = replace(session.parameters, distance_threshold=3.25, min_cluster_size=2)
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.set_parameters(deep)
    again = reopen(opened)
    assert (again.session.layer.name, again.session.neuron) == (DEEP_LAYER, 4)
    assert again.session.parameters == deep
    assert again.workspace.dendrogram.threshold() == 3.25
    assert again.neuron_panel.browser.selected_neuron() == 4
    with qtbot.waitSignal(again.session.analysis_changed, timeout=20_000):
        again.session.show_layer(LAYER)
    assert again.session.parameters.distance_threshold == 9.5


def test_docks_splitters_and_the_bar_at_the_top(opened, reopen):
    opened.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, opened.concepts_dock)
    opened.neurons_dock.close()
    upper, lower = opened.concept_panel.splitter.sizes()
    opened.concept_panel.splitter.setSizes([upper + 60, lower - 60])
    kept = share_above(opened.concept_panel.splitter)
    again = reopen(opened)
    assert again.dockWidgetArea(again.concepts_dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert not again.neurons_dock.isVisible()
    assert share_above(again.concept_panel.splitter) == pytest.approx(kept, abs=0.01)
    assert again.navigation.isVisible()


def test_what_was_saved_by_another_version_is_no_trouble(qtbot, tmp_path, project_path):
    store = QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat)
    for key, value in (("images/order", 7), ("window/tab", 99), ("images/size", "large")):
        store.setValue(key, value)
    window = MainWindow(Settings(store))
    window.show()
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.projects.open(project_path)
    assert window.workspace.members.order() == "activation"
    assert window.workspace.tabs.currentWidget() is not None
    window.close()
    window.deleteLater()
