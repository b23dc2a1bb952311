"""The feature visualisation tab: its cards, a run with pictures on their way, cancelling, and an error."""

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

import app.visualization_control
from app.code_permission import CodePermission
from app.model_cache import ModelCache
from app.visualization_control import VisualizationControl
from backend.errors import ModelError
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.layer_origin import LayerOrigin
from backend.visualization.visualization_result import FeatureVisualization
from tests.app.planted_project import ONE_CLUSTER_AT
from widgets.visualization.feature_visualization_panel import FeatureVisualizationPanel


class FakeRendering:
    """Stands in for Lucent: the picture of each direction is one grey, lighter with every step."""

    def __init__(self):
        self.go_on = threading.Event()
        self.directions = ()
        self.error = None

    def __call__(self, models, source, allow_code, layer, directions, settings, pooling, task):
        self.directions, self.pooling = directions, pooling
        if self.error is not None:
            raise self.error
        task.partial(self.result(layer, directions, settings, 1))
        while not self.go_on.wait(0.002):
            task.check_cancelled()
        return self.result(layer, directions, settings, settings.steps)

    def result(self, layer, directions, settings, step):
        k = len(directions)
        images = np.full((k, 16, 16, 3), min(step, 255), dtype=np.uint8)
        keys = tuple(direction.key for direction in directions)
        objective = np.zeros((k, step), dtype=np.float32)
        return FeatureVisualization(layer, keys, settings, images, objective, step, settings.steps)


@pytest.fixture
def rendering(monkeypatch):
    fake = FakeRendering()
    monkeypatch.setattr(app.visualization_control, "visualise", fake)
    return fake


@pytest.fixture
def panel(qtbot, session, threads, rendering):
    owner = QWidget()
    qtbot.addWidget(owner)
    panel = FeatureVisualizationPanel(owner)
    panel.control = VisualizationControl(
        panel, session, threads.long_work, ModelCache(), CodePermission(owner), owner
    )
    panel.control._show_cards()
    owner.resize(800, 600)
    panel.resize(800, 600)
    owner.show()
    return panel


def keys_of(panel):
    return list(panel._views)


def grey(panel, key):
    image = panel.image(key)
    return None if image is None else image.pixelColor(8, 8).red()


def press_start(qtbot, panel):
    qtbot.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)


def test_there_is_a_card_for_the_neuron_and_for_each_concept(panel, session):
    assert len(keys_of(panel)) == 1 + len(session.split.concepts) == 3


def test_pictures_appear_on_their_way_and_finished(qtbot, panel, session, threads, rendering):
    press_start(qtbot, panel)
    neuron, first, second = keys_of(panel)
    qtbot.waitUntil(lambda: grey(panel, first) == 1, timeout=5000)
    job = threads.long_work.running
    with qtbot.waitSignal(job.ended, timeout=5000):
        rendering.go_on.set()
    steps = panel.settings().steps
    assert [grey(panel, key) for key in (neuron, first, second)] == [min(steps, 255)] * 3
    assert panel.start_button.isEnabled()


def test_the_directions_are_the_neuron_and_its_concept_vectors(qtbot, panel, session, threads, rendering):
    rendering.go_on.set()
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    own, *concepts = rendering.directions
    assert own.neuron == 0
    for direction, concept in zip(concepts, session.split.concepts, strict=True):
        np.testing.assert_array_equal(direction.vector, concept.vector)


def test_cancelling_keeps_the_pictures_so_far(qtbot, panel, threads, rendering):
    press_start(qtbot, panel)
    first = keys_of(panel)[1]
    qtbot.waitUntil(lambda: grey(panel, first) == 1, timeout=5000)
    job = threads.long_work.running
    with qtbot.waitSignal(job.cancelled, timeout=5000):
        qtbot.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert grey(panel, first) == 1
    assert panel.start_button.isVisible()


def test_pictures_return_with_the_neuron(qtbot, panel, session, threads, rendering):
    rendering.go_on.set()
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    before = {key: grey(panel, key) for key in keys_of(panel)}
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(1)
    assert all(grey(panel, key) is None for key in keys_of(panel))
    session.show_neuron(0)
    assert {key: grey(panel, key) for key in keys_of(panel)} == before


def test_the_layer_is_rendered_as_it_was_pooled(qtbot, panel, session, threads, rendering):
    rendering.go_on.set()
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    assert rendering.pooling == session.project.layer(session.layer.name).binding.pooling


def test_a_concept_with_other_members_has_no_picture_yet(qtbot, panel, session, threads, rendering):
    rendering.go_on.set()
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.commit_threshold(ONE_CLUSTER_AT)
    neuron, merged = keys_of(panel)
    assert grey(panel, neuron) is not None
    assert grey(panel, merged) is None


def test_an_error_is_said_on_the_panel(qtbot, panel, threads, rendering):
    rendering.error = ModelError("The weights are absent.")
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    assert panel.message.isVisible()
    assert panel.start_button.isEnabled()


def test_a_picture_is_saved_as_png(qtbot, panel, threads, rendering, tmp_path):
    rendering.go_on.set()
    press_start(qtbot, panel)
    with qtbot.waitSignal(threads.long_work.job_ended, timeout=5000):
        pass
    file = tmp_path / "concept.png"
    panel.save_requested.emit(keys_of(panel)[1], str(file))
    assert file.read_bytes().startswith(b"\x89PNG")
    with qtbot.waitSignal(panel.control.problem):
        panel.save_requested.emit(keys_of(panel)[1], str(tmp_path / "nowhere" / "concept.png"))


def test_activations_of_no_known_network_cannot_be_visualised_and_the_reason_is_said(
    qtbot, panel, session, threads, rendering
):
    project = session.project
    record = project.layer(session.layer.name)
    origin = LayerOrigin("a.npy", "/a.npy", 1, 1, "0" * 64, None, "float32", (90, 6), None, "l.txt", "2026")
    project.extracted_layers.save_origin(record.name, origin, LayerBinding("", None, "none", "unknown"))
    session.analysis_changed.emit(session.analysis)
    assert not panel.start_button.isEnabled()
    assert "computed elsewhere" in panel.message.text()
    assert "computed elsewhere" in panel.start_button.toolTip()
    # Once a network was tried and named, it works as for any other layer.
    project.extracted_layers.save_origin(record.name, origin, record.binding)
    session.analysis_changed.emit(session.analysis)
    assert panel.start_button.isEnabled()
    assert panel.message.text() == ""
