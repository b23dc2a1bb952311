"""Looking at a layer while it is extracted: marked, growing when nobody is disturbed, complete in the end."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from app import growing_layer
from app.jobs import extraction_growth
from backend.errors import ProjectError
from backend.exchange.export import export_project
from backend.project import Project
from tests.app.slow_extraction import BatchGate, new_project
from tests.app.tiny_network import TINY_LAYER
from widgets.error_dialog import ErrorDialog

N_IMAGES = 90


@pytest.fixture
def gate(monkeypatch, planted):
    gate = BatchGate(monkeypatch, planted.parent / "images")
    yield gate
    gate.open()


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    monkeypatch.setattr(extraction_growth, "SECONDS_BETWEEN_REPORTS", 0.0)
    monkeypatch.setattr(growing_layer, "LOOK_INTERVAL_MS", 10)
    monkeypatch.setattr(growing_layer, "LEAST_INTERVAL_MS", 0)


@pytest.fixture
def never_idle(monkeypatch):
    monkeypatch.setattr(growing_layer, "IDLE_MS", 10**9)


@pytest.fixture
def idle_at_once(monkeypatch):
    monkeypatch.setattr(growing_layer, "IDLE_MS", 0)


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def answer(qtbot, window, label):
    qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
    (box,) = visible(window, QMessageBox)
    (button,) = [b for b in box.buttons() if b.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def wait_rows(qtbot, window, n_rows):
    def there():
        rows = window.session.growth.rows(TINY_LAYER)
        return rows is not None and rows.n_leading >= n_rows

    qtbot.waitUntil(there, timeout=60_000)


def begin(qtbot, window, path, gate, n_batches):
    """Open the project, let it be extracted, and wait until so many batches are on disk."""
    window.projects.open(path)
    answer(qtbot, window, "Continue")
    answer(qtbot, window, "Run this file")
    gate.allow(n_batches)
    wait_rows(qtbot, window, 16 * n_batches)


@pytest.fixture
def partial(qtbot, window, tmp_path, planted, gate):
    """The window with the first 32 images of a layer on show while the rest is held."""
    begin(qtbot, window, new_project(tmp_path, planted.parent / "images"), gate, 2)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        qtbot.mouseClick(window.unfinished.action_button, Qt.MouseButton.LeftButton)
    return window


def test_the_first_images_can_be_looked_at_and_are_marked(never_idle, qtbot, partial):
    session, notices = partial.session, partial.notices
    assert partial.stack.currentWidget() is partial.workspace
    assert (session.layer.n_rows, session.layer.is_partial) == (32, True)
    assert max(session.split.top.images) < 32
    assert notices.partial.isVisible()
    assert notices.partial.text() == "Partial: 32 of 90 images · the extraction goes on."
    assert "partial: 32 of 90 images" in partial.workspace.title.text()
    assert partial.neuron_panel.layer_box.currentText() == f"{TINY_LAYER} — 35 % extracted"
    rows = np.load(session.project.path / "activations" / f"{TINY_LAYER}.npy")[:32]
    expected = np.argsort(-rows[:, session.neuron], kind="stable")
    assert session.split.top.images.tolist() == expected.tolist()[: len(session.split.top)]


def test_new_images_are_announced_and_shown_when_asked_for(never_idle, qtbot, partial, gate):
    session, banner = partial.session, partial.notices.partial
    neuron = session.neuron
    assert not banner.button("refresh").isEnabled()
    gate.allow(1)
    wait_rows(qtbot, partial, 48)
    qtbot.waitUntil(lambda: "16 new images have arrived" in banner.text(), timeout=5000)
    assert session.layer.n_rows == 32
    with qtbot.waitSignal(session.layer_refreshed, timeout=20_000):
        qtbot.mouseClick(banner.button("refresh"), Qt.MouseButton.LeftButton)
    assert (session.layer.n_rows, session.neuron) == (48, neuron)
    assert max(session.split.top.images) >= 32
    assert banner.text().startswith("Partial: 48 of 90 images")
    assert "partial: 48 of 90 images" in partial.workspace.title.text()
    shown = {item.row for band in partial.workspace.members.bands() for item in band.items}
    assert shown == set(session.split.top.images.tolist())


def test_they_come_by_themselves_when_the_user_is_idle(idle_at_once, qtbot, partial, gate):
    with qtbot.waitSignal(partial.session.layer_refreshed, timeout=20_000):
        gate.allow(1)
    assert partial.session.layer.n_rows == 48


def test_a_few_new_images_are_not_worth_it(idle_at_once, qtbot, partial, gate, monkeypatch):
    monkeypatch.setattr(growing_layer, "LEAST_GROWTH", 0.9)
    gate.allow(1)
    wait_rows(qtbot, partial, 48)
    partial.session.growth._refresh_if_idle()
    assert partial.session.growth._job is None
    with qtbot.waitSignal(partial.session.layer_refreshed, timeout=20_000):
        gate.allow(1)
    assert partial.session.layer.n_rows == 64


def test_nothing_changes_under_a_drag(idle_at_once, qtbot, partial, gate):
    session, plot = partial.session, partial.workspace.dendrogram._plot
    qtbot.waitUntil(lambda: partial.threads.interactive.running is None, timeout=20_000)
    tree = session.split.hierarchy
    viewport = plot.viewport() if hasattr(plot, "viewport") else plot
    start = viewport.rect().center()
    QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(viewport, start + QPoint(0, 5))
    gate.allow(1)
    wait_rows(qtbot, partial, 48)
    assert QApplication.mouseButtons() != Qt.MouseButton.NoButton
    session.growth._refresh_if_idle()
    assert session.growth._job is None
    assert session.layer.n_rows == 32
    assert session.split.hierarchy is tree
    with qtbot.waitSignal(session.layer_refreshed, timeout=20_000):
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start)
    assert session.layer.n_rows == 48


def test_a_refresh_that_a_drag_overtakes_is_dropped(never_idle, qtbot, partial, gate):
    session = partial.session
    gate.allow(1)
    wait_rows(qtbot, partial, 48)
    session.growth.refresh()
    with qtbot.waitSignal(session.split_changed, timeout=20_000):
        session.preview_threshold(session.parameters.distance_threshold * 1.5)
    assert session.layer.n_rows == 32
    session.cancel_preview()


def test_another_neuron_is_shown_at_once_while_it_grows(never_idle, qtbot, partial, gate):
    session = partial.session
    neuron = next(n for n in range(8) if n != session.neuron)
    gate.allow(1)
    wait_rows(qtbot, partial, 48)
    session.growth.refresh()
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(neuron)
    assert session.neuron == neuron
    assert session.layer.n_rows == 32


def test_in_the_end_the_layer_is_complete_and_neuron_and_parameters_stay(never_idle, qtbot, partial, gate):
    session = partial.session
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(2)
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.commit_threshold(session.parameters.distance_threshold * 0.8)
    parameters = session.parameters
    with qtbot.waitSignal(session.layer_refreshed, timeout=60_000):
        gate.open()
    assert (session.layer.n_rows, session.layer.is_partial) == (N_IMAGES, False)
    assert (session.neuron, session.parameters) == (2, parameters)
    assert not partial.notices.partial.isVisible()
    assert "partial" not in partial.workspace.title.text()
    assert partial.neuron_panel.layer_box.currentText() == TINY_LAYER
    activations = np.load(session.project.path / "activations" / f"{TINY_LAYER}.npy")
    order = np.argsort(-activations[:, 2], kind="stable")
    assert session.split.top.images.tolist() == order.tolist()[: len(session.split.top)]
    assert session.project.parameters(TINY_LAYER) == parameters


def test_who_writes_a_note_is_not_interrupted(never_idle, qtbot, partial, gate):
    session, notes = partial.session, partial.concept_panel.concepts.notes_editor
    qtbot.waitUntil(lambda: len(session.split.concepts) > 0, timeout=20_000)
    with qtbot.waitActive(partial):
        partial.activateWindow()
    view = partial.concept_panel.concepts.view
    first = view.visualRect(view.model().index(0, 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=first.center())
    qtbot.mouseClick(notes.viewport(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(notes.hasFocus, timeout=5000)
    gate.open()
    with qtbot.waitSignal(partial.projects.extraction.ended, timeout=60_000):
        pass
    session.growth._refresh_if_idle()
    assert session.layer.is_partial
    assert "58 new images have arrived" in partial.notices.partial.text()
    partial.workspace.dendrogram.setFocus()
    qtbot.waitUntil(lambda: not session.layer.is_partial, timeout=20_000)


def test_parameters_that_nobody_chose_are_kept_too(never_idle, qtbot, partial, gate):
    session = partial.session
    parameters = session.parameters
    assert session.project.parameters(TINY_LAYER) is None
    assert session.project.suggestion(TINY_LAYER) is None, "nothing measured on a part is kept"
    with qtbot.waitSignal(session.layer_refreshed, timeout=60_000):
        gate.open()
    assert session.parameters == parameters
    suggested = session.project.suggestion(TINY_LAYER).parameters()
    assert session.layer.suggestion.parameters() == suggested
    kept = session.project.parameters(TINY_LAYER)
    assert (kept if kept is not None else suggested) == parameters


def test_pausing_leaves_the_layer_to_be_looked_at(never_idle, qtbot, partial, gate):
    session, status = partial.session, partial.job_status
    qtbot.waitUntil(status.pause_button.isVisible, timeout=5000)
    qtbot.mouseClick(status.pause_button, Qt.MouseButton.LeftButton)
    gate.allow(1)  # what is under way ends before it waits
    qtbot.waitUntil(lambda: status.text_label.text().endswith("· paused"), timeout=20_000)
    banner = partial.notices.partial
    assert partial.menus.actions["continue"].isEnabled()
    assert not partial.menus.actions["pause"].isEnabled()
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(next(n for n in range(8) if n != session.neuron))
    qtbot.mouseClick(banner.button("continue"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: status.pause_button.text() == "Pause", timeout=5000)
    with qtbot.waitSignal(session.layer_refreshed, timeout=60_000):
        gate.open()
    assert not session.layer.is_partial


def test_closing_while_paused_is_clean(never_idle, qtbot, partial, gate):
    path = partial.session.project.path
    partial.menus.actions["pause"].trigger()
    gate.allow(1)
    qtbot.waitUntil(lambda: partial.projects.extraction.job.is_waiting, timeout=20_000)
    gate.open()
    partial.close()
    assert partial.shut_down_cleanly
    with Project.open(path) as project:
        n_done = project.layer(TINY_LAYER).n_done
        assert n_done in (32, 48, 64, 80)
        assert len(project.rows_so_far(TINY_LAYER)[0]) == n_done


def test_after_cancelling_it_can_be_looked_at_and_continued_from_the_banner(never_idle, qtbot, partial, gate):
    session, banner = partial.session, partial.notices.partial
    job = partial.projects.extraction.job
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        qtbot.mouseClick(partial.job_status.cancel_button, Qt.MouseButton.LeftButton)
        gate.open()
    qtbot.waitUntil(lambda: "continue" in banner.keys(), timeout=20_000)  # noqa: SIM118
    assert session.layer.is_partial
    with qtbot.waitSignal(partial.projects.extraction.ended, timeout=60_000):
        qtbot.mouseClick(banner.button("continue"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not session.layer.is_partial, timeout=20_000)
    assert not banner.isVisible()


def test_at_the_next_opening_the_part_is_shown_again(never_idle, qtbot, partial, gate):
    path = partial.session.project.path
    job = partial.projects.extraction.job
    neuron = 3
    with qtbot.waitSignal(partial.session.analysis_changed, timeout=20_000):
        partial.session.show_neuron(neuron)
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        partial.job_status.cancel_button.click()
        gate.open()
    partial.projects.close_project()
    qtbot.waitUntil(lambda: partial.session.project is None, timeout=5000)
    with qtbot.waitSignal(partial.session.analysis_changed, timeout=20_000):
        partial.projects.open(path)
    assert partial.session.layer.is_partial
    assert partial.session.neuron == neuron
    answer(qtbot, partial, "Not now")
    assert partial.notices.partial.isVisible()


def test_a_part_is_not_exported(never_idle, qtbot, partial, gate):
    assert not partial.menus.actions["export_neuron"].isEnabled()
    assert "not complete" in partial.menus.actions["export_neuron"].toolTip()
    assert not partial.menus.actions["export_project"].isEnabled()
    with qtbot.waitSignal(partial.session.layer_refreshed, timeout=60_000):
        gate.open()
    assert partial.menus.actions["export_neuron"].isEnabled()
    assert partial.menus.actions["export_project"].isEnabled()


def test_the_export_of_a_part_is_refused_with_a_sentence(never_idle, partial, tmp_path):
    project = partial.session.project
    with pytest.raises(
        ProjectError, match=r"not complete yet \(\d\d of 90 images\): continue its extraction"
    ):
        export_project(project, tmp_path / "out", layer=TINY_LAYER, neurons=[0])
    assert not (tmp_path / "out" / "members.csv").exists()


def test_a_layer_without_its_first_images_is_not_shown(never_idle, qtbot, partial, gate):
    """Its blocks are forgotten from the start, as where the first image changed."""
    session = partial.session
    job = partial.projects.extraction.job
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        partial.job_status.cancel_button.click()
        gate.open()
    qtbot.waitUntil(lambda: not session.growth._must and session.growth._job is None, timeout=20_000)
    session.project.recompute_images([0])
    session.refresh_layers()
    qtbot.waitUntil(lambda: session.layer is None, timeout=20_000)
    qtbot.waitUntil(lambda: bool(visible(partial, ErrorDialog)), timeout=20_000)
    (dialog,) = visible(partial, ErrorDialog)
    assert "not extracted yet" in dialog._sentence.text()
    assert partial.stack.currentWidget() is partial.unfinished
    assert not session.can_show(TINY_LAYER)
