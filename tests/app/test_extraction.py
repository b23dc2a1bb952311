"""From images to activations in the window: progress, cancel, continue, trouble, closing in the middle."""

import shutil
import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

from app.project_dialog import ProjectDialog
from backend.images import find_images
from backend.networks.layer_reader import LayerReader
from backend.networks.model_source import ModelSource
from backend.project import Project
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK
from widgets.error_dialog import ErrorDialog


class Gate:
    """Holds the extraction before its first batch of images, as slow images would."""

    def __init__(self, read):
        self.entered = threading.Event()
        self.opened = threading.Event()
        self.opens_by_itself = lambda: False
        self._read = read

    def read(self, reader, batch):
        if len(batch) > 1:  # the dry run has one image
            self.entered.set()
            while not self.opened.wait(0.005) and not self.opens_by_itself():
                pass
        return self._read(reader, batch)


@pytest.fixture
def gate(monkeypatch):
    gate = Gate(LayerReader.read)

    def read(reader, batch):  # a function, so that it becomes a method
        return gate.read(reader, batch)

    monkeypatch.setattr(LayerReader, "read", read)
    yield gate
    gate.opened.set()


@pytest.fixture
def network_file(tmp_path):
    file = tmp_path / "tiny_network.py"
    file.write_text(TINY_NETWORK)
    return file


@pytest.fixture
def new_project(tmp_path, network_file, planted):
    """A project whose layer is planned and not extracted."""
    source = ModelSource(f"{network_file}:build")
    images = find_images(planted.parent / "images")
    Project.create(tmp_path / "new.prism", source, images, layers=(TINY_LAYER,)).close()
    return tmp_path / "new.prism"


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def answer(qtbot, window, label):
    qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
    (box,) = visible(window, QMessageBox)
    (button,) = [b for b in box.buttons() if b.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return box


def begin(qtbot, window, path):
    """Open the project, accept the offer to extract, and the Python file."""
    window.projects.open(path)
    answer(qtbot, window, "Continue")
    answer(qtbot, window, "Run this file")


def test_an_incomplete_project_offers_to_continue_and_shows_the_layer_when_done(qtbot, window, new_project):
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        begin(qtbot, window, new_project)
    assert window.session.layer.name == TINY_LAYER
    assert window.session.layer.suggestion is not None
    assert window.session.parameters == window.session.layer.suggestion.parameters()
    assert not window.menus.actions["continue"].isEnabled()


def test_cancelling_keeps_the_project_and_it_can_be_continued(qtbot, window, new_project, gate):
    begin(qtbot, window, new_project)
    qtbot.waitUntil(gate.entered.is_set, timeout=60_000)
    qtbot.waitUntil(window.job_status.cancel_button.isVisible, timeout=5000)
    assert not window.menus.actions["continue"].isEnabled()
    job = window.threads.long_work.running
    qtbot.mouseClick(window.job_status.cancel_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        gate.opened.set()
    assert not window.session.project.layer(TINY_LAYER).complete
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        window.menus.actions["continue"].trigger()
    activations = window.session.layer.activations
    assert activations.shape == (90, 8)
    assert np.isfinite(activations).all()


def test_closing_in_the_middle_leaves_a_valid_project(qtbot, window, new_project, gate):
    begin(qtbot, window, new_project)
    qtbot.waitUntil(gate.entered.is_set, timeout=60_000)
    job = window.threads.long_work.running
    gate.opens_by_itself = lambda: job.cancel_requested
    window.close()
    assert job.cancel_requested
    assert window.shut_down_cleanly
    assert not window.threads.any_alive
    with Project.open(new_project) as project:
        assert not project.layer(TINY_LAYER).complete
        assert project.planned_layers == (TINY_LAYER,)


def test_a_network_that_raises_is_said_in_a_sentence(qtbot, window, tmp_path, network_file, planted):
    source = ModelSource(f"{network_file}:broken")
    images = find_images(planted.parent / "images")
    Project.create(tmp_path / "broken.prism", source, images, layers=(TINY_LAYER,)).close()
    begin(qtbot, window, tmp_path / "broken.prism")
    qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=60_000)
    (dialog,) = visible(window, ErrorDialog)
    assert "no such luck" in dialog._sentence.text() + dialog._traceback.toPlainText()
    assert window.menus.actions["continue"].isEnabled()


def test_declining_runs_nothing(qtbot, window, new_project):
    window.projects.open(new_project)
    answer(qtbot, window, "Continue")
    answer(qtbot, window, "Cancel")
    assert window.threads.long_work.running is None
    assert window.session.project.layers == ()


def test_images_that_cannot_be_read_are_listed_with_the_reason(
    qtbot, window, tmp_path, network_file, planted
):
    images = shutil.copytree(planted.parent / "images", tmp_path / "images")
    (images / "red" / "00.png").write_bytes(b"no picture")
    source = ModelSource(f"{network_file}:build")
    Project.create(tmp_path / "new.prism", source, find_images(images), layers=(TINY_LAYER,)).close()
    begin(qtbot, window, tmp_path / "new.prism")
    answer(qtbot, window, "Show which, and why")
    (dialog,) = visible(window, ProjectDialog)
    ((path, reason),) = dialog.left_out
    assert path == "red/00.png"
    assert reason


def test_opening_another_project_asks_before_it_stops_the_extraction(
    qtbot, window, new_project, project_path, gate
):
    begin(qtbot, window, new_project)
    qtbot.waitUntil(gate.entered.is_set, timeout=60_000)
    job = window.threads.long_work.running
    window.projects.open(project_path)
    answer(qtbot, window, "Let it run")
    assert not job.cancel_requested
    window.projects.open(project_path)
    answer(qtbot, window, "Stop it")
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        gate.opened.set()
    assert job.outcome == "cancelled"
    assert window.session.project.path == project_path
    with Project.open(new_project) as project:
        assert not project.layer(TINY_LAYER).complete


def test_two_layers_come_out_of_one_pass(qtbot, window, tmp_path, network_file, planted):
    source = ModelSource(f"{network_file}:build")
    images = find_images(planted.parent / "images")
    Project.create(tmp_path / "both.prism", source, images, layers=("1", TINY_LAYER)).close()
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        begin(qtbot, window, tmp_path / "both.prism")
    assert window.session.layer_names() == ("1", TINY_LAYER)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        window.session.show_layer(TINY_LAYER)
    assert window.session.layer.n_neurons == 8


def test_the_centre_of_an_unfinished_project_has_the_way_forward(qtbot, window, new_project):
    window.projects.open(new_project)
    answer(qtbot, window, "Not now")
    n_images = window.session.project.n_images
    assert window.stack.currentWidget() is window.unfinished
    assert f"0 of {n_images} images done" in window.unfinished.text()
    assert not window.menus.actions["export_project"].isEnabled()
    assert "Nothing to export yet" in window.menus.actions["export_project"].toolTip()
    button = window.unfinished.action_button
    assert button.isVisible()
    assert button.text() == "Continue extraction"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        answer(qtbot, window, "Run this file")
    assert window.stack.currentWidget() is window.workspace
    assert window.menus.actions["export_project"].isEnabled()


def test_the_way_forward_is_there_again_after_cancelling(qtbot, window, new_project, gate):
    begin(qtbot, window, new_project)
    qtbot.waitUntil(gate.entered.is_set, timeout=60_000)
    qtbot.waitUntil(window.job_status.cancel_button.isVisible, timeout=5000)
    assert window.unfinished.isVisible()
    assert not window.unfinished.action_button.isVisible()
    job = window.threads.long_work.running
    qtbot.mouseClick(window.job_status.cancel_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(job.cancelled, timeout=20_000):
        gate.opened.set()
    assert window.unfinished.action_button.isVisible()
