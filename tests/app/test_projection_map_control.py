"""Projection maps in the workspace: the direction of each band, cancelling, errors, leave to run code."""

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

import app.projection_map_control
from app.code_permission import CodePermission
from app.image_items import NEURON_KEY
from app.jobs.projection_map_jobs import FoundMaps
from app.neuron_workspace import NeuronWorkspace
from app.projection_map_control import NOT_ALLOWED, ProjectionMapControl, band_vectors, direction_key
from backend.errors import ModelError
from backend.image_files.seen_region import Region
from backend.networks.model_source import ModelSource
from backend.visualization.projection_map import ProjectionMap
from tests.app.planted_project import ONE_CLUSTER_AT
from tests.widgets.picture_files import make_loader


class FakeMapping:
    """Stands in for the network: one image, then the others when they are let go."""

    def __init__(self):
        self.go_on = threading.Event()
        self.requests = []
        self.cancelled = threading.Event()
        self.error = None

    def __call__(self, prepared, request, task):
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        for number, (row, _) in enumerate(request.images):
            maps = tuple(
                (request.keys[which], ProjectionMap(np.ones((2, 2), np.float32), Region(0.0, 0.0, 1.0, 1.0)))
                for which in request.wanted[row]
            )
            task.partial(FoundMaps(request.layer, row, maps))
            while number == 0 and not self.go_on.wait(0.002):
                try:
                    task.check_cancelled()
                except BaseException:
                    self.cancelled.set()
                    raise


@pytest.fixture
def mapping(monkeypatch):
    fake = FakeMapping()
    monkeypatch.setattr(app.projection_map_control, "map_projections", fake)
    return fake


@pytest.fixture
def workspace(qtbot, session, threads, mapping):
    loader = make_loader()
    workspace = NeuronWorkspace(session, loader)
    qtbot.addWidget(workspace)
    workspace.permission = CodePermission(workspace)
    workspace.control = ProjectionMapControl(
        workspace.maps, session, threads.maps, workspace.permission, workspace
    )
    workspace.resize(900, 800)
    workspace._show_project()
    workspace._show_split(session.split)
    with qtbot.waitExposed(workspace):
        workspace.show()
    yield workspace
    mapping.go_on.set()
    loader.shutdown()


def press_h(workspace):
    QTest.keyClick(workspace.members._view, Qt.Key.Key_H)


def test_each_band_has_its_direction(session):
    split = session.split
    vectors = band_vectors(split, 6)
    for concept in split.concepts:
        np.testing.assert_array_equal(vectors[concept.cluster], concept.vector)
    for band in (NEURON_KEY, -1, -2, -3):
        np.testing.assert_array_equal(vectors[band], np.eye(6)[split.neuron])
    keys = {direction_key("mixed", vector) for vector in vectors.values()}
    assert len(keys) == 1 + len(split.concepts)
    assert direction_key("deep", vectors[-1]) not in keys


def test_h_asks_for_all_images_of_the_members_and_shows_what_comes(
    qtbot, workspace, session, threads, mapping
):
    press_h(workspace)
    qtbot.waitUntil(lambda: len(mapping.requests) == 1)
    (request,) = mapping.requests
    assert sorted(row for row, _ in request.images) == sorted(session.split.top.images.tolist())
    for row, which in request.wanted.items():
        position = session.split.top.images.tolist().index(row)
        (concept,) = [c for c in session.split.concepts if c.cluster == session.split.labels[position]]
        np.testing.assert_array_equal(request.vectors[which[0]], concept.vector)
    first = request.images[0][0]
    band = int(session.split.labels[session.split.top.images.tolist().index(first)])
    qtbot.waitUntil(lambda: workspace.maps.map_of(band, first) is not None)
    assert "1 of 30 pictures" in workspace.maps.note
    mapping.go_on.set()
    qtbot.waitUntil(lambda: not workspace.maps.missing() and not workspace.maps.note)
    press_h(workspace)
    press_h(workspace)
    with qtbot.assertNotEmitted(threads.maps.job_started, wait=100):
        pass


@pytest.mark.parametrize("change", ["off", "neuron", "threshold"])
def test_it_is_cancelled_when_nobody_wants_it_any_more(qtbot, workspace, session, mapping, change):
    press_h(workspace)
    qtbot.waitUntil(lambda: len(mapping.requests) == 1)
    if change == "off":
        press_h(workspace)
    elif change == "neuron":
        session.show_neuron(1)
    else:
        session.commit_threshold(ONE_CLUSTER_AT)
    qtbot.waitUntil(mapping.cancelled.is_set)
    if change != "off":
        qtbot.waitUntil(lambda: len(mapping.requests) > 1)
        assert set(mapping.requests[-1].keys).isdisjoint(mapping.requests[0].keys)


def test_an_error_is_said_in_place_and_tried_anew_when_switched_on_anew(qtbot, workspace, mapping):
    mapping.error = ModelError("The layer 'mixed' has no positions in the image.")
    press_h(workspace)
    qtbot.waitUntil(lambda: workspace.maps.note == str(mapping.error))
    assert len(mapping.requests) == 1
    press_h(workspace)
    mapping.error = None
    press_h(workspace)
    qtbot.waitUntil(lambda: len(mapping.requests) == 2)


def test_a_python_file_runs_only_with_leave(qtbot, workspace, session, mapping, tmp_path, monkeypatch):
    file = tmp_path / "network.py"
    file.write_text("def build(): ...\n")
    source = ModelSource(f"{file}:build")
    monkeypatch.setattr(type(session.project), "model_source", property(lambda _self: source))
    press_h(workspace)
    qtbot.waitUntil(lambda: workspace.maps.note == NOT_ALLOWED)
    question = workspace.findChild(QMessageBox)
    assert str(file) in question.text() + question.informativeText()
    (button,) = [b for b in question.buttons() if b.text().replace("&", "") == "Run this file"]
    assert mapping.requests == []
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(mapping.requests) == 1)
    assert mapping.requests[0].allow_code


def test_activations_without_a_network_say_so(workspace, session, monkeypatch):
    reason = "These activations were computed elsewhere, and no network is known to give them."
    monkeypatch.setattr(
        type(session.project.layer(session.layer.name)), "network_obstacle", lambda _self, _hash: reason
    )
    session.names.changed.emit(None)
    assert workspace.maps.obstacle == reason
