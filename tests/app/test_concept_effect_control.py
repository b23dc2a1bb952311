"""The tab of the classes on the planted project: what is computed when, kept, dropped, and said."""

import threading

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

import app.concept_effect_control
from app.code_permission import CodePermission
from app.concept_effect_control import ConceptEffectControl
from app.jobs.concept_effect_jobs import MOST_IMAGES, FoundEffect, effect_key, spread_over
from app.jobs.job_threads import InteractiveThread
from app.model_cache import ModelCache
from backend.errors import ImageError
from backend.evaluation.concept_effect import concept_effect
from backend.evaluation.concept_effect_result import ConceptEffect
from backend.models import load_model
from backend.networks.model_source import ModelSource
from backend.project_folder.layer_record import LayerRecord
from tests.app.planted_project import LAYER, ONE_CLUSTER_AT
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK
from widgets.classes.concept_effect_view import ConceptEffectView

DEAD_NEURON = 5


class StandIn:
    """Stands in for the network: each concept raises class n by its number of images, once it may go on."""

    def __init__(self):
        self.go_on = threading.Event()
        self.after_first = threading.Event()
        self.after_first.set()
        self.error = None
        self.requests = []

    def __call__(self, models, request, task):
        self.requests.append(request)
        for position, wanted in enumerate(request.concepts):
            for gate in (self.go_on, *([self.after_first] if position else [])):
                while not gate.wait(0.002):
                    task.check_cancelled()
            if self.error is not None:
                raise self.error
            n = len(wanted.images)
            figures = [np.full(2, float(n))] * 4
            effect = ConceptEffect(n, *figures, 100, np.array([0.5, 0.5]), np.array([0.9, 0.1]))
            task.partial(FoundEffect(wanted.key, effect, effect.output_names(request.class_names)))


@pytest.fixture
def network(monkeypatch):
    fake = StandIn()
    monkeypatch.setattr(app.concept_effect_control, "follow_concepts", fake)
    return fake


@pytest.fixture
def view(qtbot, session):
    """The view with its control, not shown yet."""
    owner = QWidget()
    qtbot.addWidget(owner)
    thread = InteractiveThread("concept effects", owner)
    effects = ConceptEffectView(MOST_IMAGES, owner)
    effects.control = ConceptEffectControl(effects, session, thread, CodePermission(owner), owner)
    owner.resize(900, 600)
    effects.resize(900, 600)
    effects.hide()
    owner.show()
    yield effects
    thread.begin_shutdown()
    assert thread.finish_shutdown(20_000)


def filled(view):
    return [view.card(key).rows() is not None for key in view.concepts()]


def wait_for_all(qtbot, view, n=2):
    qtbot.waitUntil(lambda: filled(view) == [True] * n, timeout=20_000)


def show_neuron(qtbot, session, neuron):
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(neuron)


class TestRequests:
    def test_nothing_is_computed_until_somebody_looks(self, qtbot, view, session, network):
        show_neuron(qtbot, session, 1)
        assert not view.control._gather.isActive()
        assert network.requests == []

    def test_every_concept_gets_its_effect(self, qtbot, view, session, network):
        network.go_on.set()
        view.show()
        wait_for_all(qtbot, view)
        (request,) = network.requests
        assert request.layer == LAYER
        assert request.pooling == session.project.layer(LAYER).binding.pooling
        by_rows = {wanted.key.rows: wanted for wanted in request.concepts}
        for concept in session.split.concepts:
            rows = tuple(session.split.member_rows(concept).tolist())
            wanted = by_rows[rows]
            np.testing.assert_array_equal(wanted.vector, concept.vector)
            assert wanted.images == tuple(session.project.image_path(row) for row in rows)
        assert [one.name for one in view.card(view.concepts()[0]).rows().classes] == ["output 0", "output 1"]

    def test_the_first_is_shown_while_the_second_is_computed(self, qtbot, view, network):
        network.after_first.clear()
        network.go_on.set()
        view.show()
        qtbot.waitUntil(lambda: filled(view) == [True, False], timeout=20_000)
        network.after_first.set()
        wait_for_all(qtbot, view)

    def test_effects_return_with_the_neuron(self, qtbot, view, session, network):
        network.go_on.set()
        view.show()
        wait_for_all(qtbot, view)
        show_neuron(qtbot, session, 1)
        wait_for_all(qtbot, view)
        show_neuron(qtbot, session, 0)
        assert filled(view) == [True, True]
        assert len(network.requests) == 2

    def test_what_the_last_neuron_was_asked_for_is_dropped(self, qtbot, view, session, network):
        view.show()
        qtbot.waitUntil(lambda: len(network.requests) == 1, timeout=20_000)
        show_neuron(qtbot, session, 1)
        network.go_on.set()
        wait_for_all(qtbot, view)
        asked = [{wanted.key for wanted in request.concepts} for request in network.requests]
        assert len(asked) == 2
        assert not asked[0] & asked[1]
        assert set(view.control._kept) == asked[1]

    def test_other_clusters_are_other_concepts(self, qtbot, view, session, network):
        network.go_on.set()
        view.show()
        wait_for_all(qtbot, view)
        session.commit_threshold(ONE_CLUSTER_AT)
        wait_for_all(qtbot, view, 1)
        assert len(network.requests[-1].concepts[0].images) == 30

    def test_names_are_followed(self, qtbot, view, session, network):
        network.go_on.set()
        view.show()
        wait_for_all(qtbot, view)
        session.names.set_name(view.concepts()[0], "tomatoes")
        assert view.card(view.concepts()[0]).title() == "tomatoes"
        assert len(network.requests) == 1


class TestWhatIsSaid:
    def test_a_dead_neuron(self, qtbot, view, session, network):
        view.show()
        show_neuron(qtbot, session, DEAD_NEURON)
        assert view.message() == session.split.message

    def test_an_error_is_a_sentence_and_is_not_tried_again_until_one_returns(self, qtbot, view, network):
        network.error = ImageError("The drive is gone: connect it.")
        network.go_on.set()
        view.show()
        qtbot.waitUntil(lambda: view.problem() == "The drive is gone: connect it.", timeout=20_000)
        assert [view.card(key).waiting() for key in view.concepts()] == ["Not computed: see above."] * 2
        network.error = None
        view.hide()
        view.show()
        wait_for_all(qtbot, view)
        assert view.problem() == ""

    def test_imported_activations_without_a_network(self, qtbot, view, monkeypatch, network):
        monkeypatch.setattr(LayerRecord, "network_obstacle", lambda record, sha: "No network gives them.")
        view.show()
        assert view.message() == "No network gives them."

    def test_a_python_file_is_not_run_without_leave(
        self, qtbot, view, session, network, tmp_path, monkeypatch
    ):
        file = tmp_path / "tiny.py"
        file.write_text(TINY_NETWORK)
        source = ModelSource(f"{file}:build")
        monkeypatch.setattr(type(session.project), "model_source", source)
        view.show()
        assert "has not been allowed" in view.message()
        assert network.requests == []
        network.go_on.set()
        view.control._permission.allow(source)  # what the question does on yes
        qtbot.mouseClick(view.empty_state.action_button, Qt.MouseButton.LeftButton)
        wait_for_all(qtbot, view)


class TestTheJob:
    def test_members_are_taken_evenly_from_strongest_to_weakest(self):
        assert spread_over(range(100), 4) == (0, 33, 66, 99)
        assert spread_over(range(3), 4) == (0, 1, 2)

    def test_a_real_network_is_followed(self, session, tmp_path):
        file = tmp_path / "tiny.py"
        file.write_text(TINY_NETWORK)
        source = ModelSource(f"{file}:build")
        rows = np.arange(5)
        vector = np.eye(8)[2]
        paths = tuple(session.project.image_path(row) for row in rows)
        key = effect_key(TINY_LAYER, rows, vector)
        wanted = app.jobs.concept_effect_jobs.WantedEffect(key, paths, vector)
        request = app.jobs.concept_effect_jobs.EffectRequest(
            source, True, TINY_LAYER, "mean", ("cat", "dog", "owl"), (wanted,)
        )
        task = Collected()
        app.jobs.concept_effect_jobs.follow_concepts(ModelCache(), request, task)
        (found,) = task.found
        assert found.key == key
        assert found.names == ("cat", "dog", "owl")
        loaded = load_model(source, allow_code=True)
        # Behind the layer come the mean over space and a linear head: its column is the derivative.
        column = loaded.module[-1].weight[:, 2].detach().numpy()
        np.testing.assert_allclose(found.effect.sensitivities, column, rtol=1e-4)
        assert concept_effect(loaded, TINY_LAYER, paths, vector).n_images == found.effect.n_images == 5


class Collected:
    """A task that keeps the partial results."""

    def __init__(self):
        self.found = []

    def progress(self, done, total, message=""):
        pass

    def partial(self, result):
        self.found.append(result)

    def check_cancelled(self):
        pass


def test_the_tab_is_in_the_window(qtbot, opened, network):
    network.go_on.set()
    workspace = opened.workspace
    workspace.tabs.setCurrentWidget(workspace.classes)
    assert workspace.classes.accessibleName() == "What the concept does to the classes"
    wait_for_all(qtbot, workspace.classes)
