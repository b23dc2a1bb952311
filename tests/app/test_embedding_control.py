"""The embedding tab on the planted project: what is computed when, shown at once, kept and selected."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from sklearn.decomposition import PCA

import widgets.embedding.embedding_canvas
from app.concept_presentation import present_concepts
from app.embedding_control import EmbeddingControl
from app.jobs.embedding_process import EmbeddingProcess
from app.jobs.job_threads import InteractiveThread
from backend.errors import EmbeddingError
from backend.evaluation.embedding_result import Embedding
from tests.app.jobs.stand_in_embeddings import HANG, by_seed
from tests.app.planted_project import LAYER, ONE_CLUSTER_AT
from tests.widgets.picture_files import make_loader
from widgets.embedding.embedding_bar import EmbeddingChoice
from widgets.embedding.embedding_view import EmbeddingView
from widgets.palette import concept_color

LEFT = Qt.MouseButton.LeftButton
DEAD_NEURON = 5


class StandIn:
    """Stands in for the process: one image after the other on a line, whose slope is the seed."""

    def __init__(self):
        self.go_on = threading.Event()
        self.error = None
        self.asked = []

    def embed(self, vectors, method, seed, settings, task):
        self.asked.append((len(vectors), method, seed))
        while not self.go_on.wait(0.002):
            task.check_cancelled()
        if self.error is not None:
            raise self.error
        x = np.arange(len(vectors), dtype=np.float32)
        return Embedding(method, seed, settings, np.stack([x, seed * x], axis=1))

    def close(self):
        self.go_on.set()


@pytest.fixture(autouse=True)
def jump(monkeypatch):
    monkeypatch.setattr(widgets.embedding.embedding_canvas, "prefers_reduced_motion", lambda: True)


@pytest.fixture
def process():
    return StandIn()


@pytest.fixture
def view(qtbot, session, process):
    """The view with its control, not shown yet."""
    owner = QWidget()
    qtbot.addWidget(owner)
    loader = make_loader()
    thread = InteractiveThread("embedding", owner)
    embedding_view = EmbeddingView(loader, owner)
    embedding_view.control = EmbeddingControl(embedding_view, session, thread, owner, process)
    owner.resize(700, 450)
    embedding_view.resize(700, 450)
    embedding_view.hide()
    owner.show()
    yield embedding_view
    thread.begin_shutdown()
    assert thread.finish_shutdown(10_000)
    loader.shutdown()


@pytest.fixture
def shown(qtbot, view, process):
    """The view with UMAP of neuron 0 on show."""
    process.go_on.set()
    view.show()
    wait_for(qtbot, view, "umap")
    return view


def wait_for(qtbot, view, method, n=None):
    def is_there():
        embedding = view.embedding()
        return embedding is not None and embedding.method == method and n in (None, len(view.rows()))

    qtbot.waitUntil(is_there, timeout=10_000)


def show_neuron(qtbot, session, neuron):
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(neuron)


def place_of(view, row):
    x, y = view.plot.shown_pixels()[view.rows().index(row)]
    return QPoint(round(x), round(y))


class TestPreparing:
    def test_nothing_is_computed_until_somebody_looks(self, view, session, process, qtbot):
        show_neuron(qtbot, session, 1)
        assert process.asked == []
        assert view.embedding() is None

    def test_pca_is_shown_at_once_and_what_was_asked_for_when_it_is_there(
        self, qtbot, view, session, process
    ):
        view.show()
        wait_for(qtbot, view, "pca")
        vectors = session.layer.activations[session.split.top.images].astype(np.float64)
        reference = PCA(2, svd_solver="full").fit_transform(vectors)
        np.testing.assert_allclose(np.abs(view.embedding().positions), np.abs(reference), atol=1e-4)
        assert view.preparing() == "Preparing UMAP… PCA is shown meanwhile"
        process.go_on.set()
        wait_for(qtbot, view, "umap")
        assert view.preparing() == ""
        assert view.rows() == tuple(session.split.top.images)

    def test_the_points_have_the_colours_and_letters_of_their_concepts(self, shown, session):
        concepts = present_concepts(session.split, session.names.by_cluster)
        entries = [entry.shown_group for entry in shown.legend.entries()]
        assert [(e.key, e.marker, e.color) for e in entries] == [
            (c.cluster, c.marker, concept_color(c.number)) for c in concepts
        ]
        assert [entry.text() for entry in shown.legend.entries()] == ["Concept A  15", "Concept B  15"]

    def test_the_newest_wish_wins(self, qtbot, view, process):
        view.show()
        wait_for(qtbot, view, "pca")
        for seed in (1, 2, 3):
            view.bar.seed_box.setValue(seed)
        qtbot.waitUntil(lambda: process.asked[-1][2] == 3, timeout=5000)
        process.go_on.set()
        wait_for(qtbot, view, "umap")
        assert view.embedding().seed == 3

    def test_another_seed_leaves_the_picture_until_it_is_there(self, qtbot, shown, process):
        process.go_on.clear()
        shown.bar.seed_box.setValue(5)
        assert shown.embedding().method == "umap"
        assert shown.preparing() == "Preparing UMAP…"
        process.go_on.set()
        qtbot.waitUntil(lambda: shown.embedding().seed == 5, timeout=5000)

    def test_what_takes_long_is_explained(self, qtbot, view, process):
        view.control._patience.setInterval(1)
        view.show()
        qtbot.waitUntil(lambda: "compiled at its very first use" in view.preparing(), timeout=5000)
        process.go_on.set()
        wait_for(qtbot, view, "umap")
        assert view.preparing() == ""

    def test_pca_asks_no_process(self, qtbot, view, process):
        view.set_choice(EmbeddingChoice("pca"))
        view.show()
        wait_for(qtbot, view, "pca")
        assert process.asked == []
        assert view.preparing() == ""


class TestKept:
    def test_a_neuron_seen_before_is_there_at_once(self, qtbot, shown, session, process):
        show_neuron(qtbot, session, 1)
        qtbot.waitUntil(lambda: shown.rows() == tuple(session.split.top.images), timeout=10_000)
        wait_for(qtbot, shown, "umap")
        asked = len(process.asked)
        session.show_neuron(0)
        assert shown.embedding().method == "umap"
        assert shown.rows() == tuple(session.split.top.images)
        assert len(process.asked) == asked == 2

    def test_another_threshold_recolours_the_same_points(self, qtbot, shown, session, process):
        before = shown.embedding()
        with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
            session.commit_threshold(ONE_CLUSTER_AT)
        assert shown.embedding() is before
        assert [entry.text() for entry in shown.legend.entries()] == ["Concept A  30"]
        assert len(process.asked) == 1

    def test_a_name_appears_in_the_legend(self, shown, session):
        session.names.set_name(session.split.concepts[0].cluster, "apples")
        assert "apples  15" in [entry.text() for entry in shown.legend.entries()]


class TestOutliers:
    @pytest.fixture
    def with_outliers(self, qtbot, shown, session):
        split = session.split
        radius = float(np.median(split.squared_distances))
        with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
            session.set_parameters(replace(session.parameters, outlier_radius_squared=radius))
        return shown

    def test_they_are_shown_as_what_they_are(self, with_outliers, session):
        n_outliers = int((session.split.labels == -1).sum())
        assert n_outliers == 15
        assert f"Outliers  {n_outliers}" in [entry.text() for entry in with_outliers.legend.entries()]
        assert len(with_outliers.rows()) == 30

    def test_without_them_the_kept_images_alone_are_put_into_the_plane(
        self, qtbot, with_outliers, session, process
    ):
        box = with_outliers.bar.left_out_box
        qtbot.mouseClick(box, LEFT, pos=box.rect().center())
        wait_for(qtbot, with_outliers, "umap", 15)
        assert process.asked[-1] == (15, "umap", 0)
        kept = session.split.top.images[session.split.labels >= 0]
        assert with_outliers.rows() == tuple(kept)

    def test_if_nothing_is_kept_that_is_said(self, qtbot, with_outliers, session):
        with_outliers.bar.left_out_box.setChecked(False)
        with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
            session.set_parameters(replace(session.parameters, outlier_radius_squared=0.0))
        assert "No image is kept" in with_outliers.message()


class TestSelection:
    def test_what_is_clicked_and_encircled_is_selected_everywhere(self, qtbot, shown, session):
        rows = shown.rows()
        qtbot.mouseClick(shown.plot, LEFT, pos=place_of(shown, rows[4]))
        assert session.selection.images == {rows[4]}
        # The stand-in puts the images on a horizontal line: a lasso around the first three.
        first, third = place_of(shown, rows[0]), place_of(shown, rows[2])
        corners = [
            first + QPoint(-9, -30),
            third + QPoint(4, -30),
            third + QPoint(4, 30),
            first + QPoint(-9, 30),
        ]
        QTest.mousePress(shown.plot, LEFT, pos=corners[0])
        for corner in corners[1:]:
            QTest.mouseMove(shown.plot, corner)
        QTest.mouseRelease(shown.plot, LEFT, pos=corners[-1])
        assert session.selection.images == set(rows[:3])

    def test_what_is_selected_elsewhere_is_selected_here(self, shown, session):
        rows = shown.rows()
        session.selection.select_images(rows[5:8])
        assert shown.selected_rows() == rows[5:8]
        session.selection.clear()
        assert shown.selected_rows() == ()

    def test_a_selection_made_before_is_there_when_the_tab_is_opened(self, qtbot, view, session, process):
        rows = tuple(int(row) for row in session.split.top.images[:2])
        session.selection.select_images(rows)
        view.show()
        wait_for(qtbot, view, "pca")
        assert view.selected_rows() == rows

    def test_a_click_in_the_legend_selects_the_concept(self, qtbot, shown, session):
        entry = shown.legend.entries()[1]
        qtbot.mouseClick(entry, LEFT)
        cluster = entry.shown_group.key
        assert session.selection.concept == cluster
        members = session.split.top.images[session.split.labels == cluster]
        assert session.selection.images == set(members.tolist())
        assert set(shown.selected_rows()) == set(members.tolist())


class TestTrouble:
    def test_a_dead_neuron_is_said(self, qtbot, shown, session):
        show_neuron(qtbot, session, DEAD_NEURON)
        assert shown.message() == session.split.message
        assert "dead" in shown.message()

    def test_an_error_is_said_above_pca(self, qtbot, view, process):
        process.error = EmbeddingError("UMAP cannot be loaded.")
        process.go_on.set()
        view.show()
        qtbot.waitUntil(lambda: view.problem() == "UMAP cannot be loaded.", timeout=5000)
        assert view.embedding().method == "pca"
        assert view.preparing() == ""
        process.error = None
        view.bar.seed_box.setValue(2)
        wait_for(qtbot, view, "umap")
        assert view.problem() == ""

    def test_a_fault_of_the_program_is_handed_on_with_its_details(self, qtbot, view, process):
        process.error = KeyError("no such key")
        process.go_on.set()
        with qtbot.waitSignal(view.control.failed, timeout=5000) as caught:
            view.show()
        assert "KeyError" in caught.args[1].details

    def test_without_a_project_there_is_a_hint(self, shown, session):
        session.set_project(None)
        assert "Choose a neuron" in shown.message()


class TestSaving:
    @pytest.mark.parametrize(("name", "begins"), [("figure.png", b"\x89PNG"), ("figure.svg", b"<?xml")])
    def test_the_suffix_decides(self, shown, tmp_path, name, begins):
        shown.save_requested.emit(str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begins)

    def test_the_picture_names_layer_and_neuron(self, shown):
        assert shown.caption().startswith(f"{LAYER} · neuron 0 · UMAP")

    def test_a_file_that_cannot_be_written_is_said(self, qtbot, shown, tmp_path):
        (tmp_path / "file").write_text("")
        with qtbot.waitSignal(shown.control.problem) as caught:
            shown.save_requested.emit(str(tmp_path / "file" / "figure.png"))
        assert "figure.png" in caught.args[0]


def test_the_window_closes_while_a_process_hangs(qtbot, opened):
    """The whole way: tab, thread, process; the fixture checks that no thread is left."""
    control, view = opened.panels.embedding, opened.workspace.embedding
    control._process = process = EmbeddingProcess(by_seed)
    view.set_choice(EmbeddingChoice("umap", seed=HANG))
    opened.workspace.tabs.setCurrentWidget(view)
    wait_for(qtbot, view, "pca")
    qtbot.waitUntil(lambda: process.is_running, timeout=5000)
    opened.close()
    assert opened.shut_down_cleanly
    assert not process.is_running


def test_the_choice_returns_with_the_next_start(qtbot, opened, settings):
    from app.embedding_choice import chosen_embedding

    choice = EmbeddingChoice("tsne", seed=4, left_out=False)
    opened.workspace.embedding.set_choice(choice)
    opened.close()
    assert chosen_embedding(settings) == choice
    for key, nonsense in (("method", 99), ("seed", -1), ("neighbors", 0), ("perplexity", -3)):
        settings.set_number(f"embedding/{key}", nonsense)
    assert chosen_embedding(settings) == EmbeddingChoice(left_out=False)
