"""The session against the planted project: what is on show, what is stored, what is undone."""

import json

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage

from app.session import Session
from app.threshold_choice import threshold_for
from backend.errors import ProjectError
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.project import Project
from tests.app.planted_project import DEEP_LAYER, LAYER, ONE_CLUSTER_AT, TWO_CLUSTERS


def wait_analysis(qtbot, session):
    return qtbot.waitSignal(session.analysis_changed, timeout=20_000)


class TestOpening:
    def test_it_shows_the_first_active_neuron_with_the_parameters_that_were_kept(self, session):
        assert session.layer.name == LAYER
        assert session.neuron == 0
        assert session.parameters == TWO_CLUSTERS

    def test_the_two_planted_classes_are_the_two_concepts(self, session):
        labels = session.project.image_labels
        classes = [
            {labels[row] for row in session.split.member_rows(concept)} for concept in session.split.concepts
        ]
        assert classes == [{"red"}, {"green"}]

    def test_the_view_returns_at_the_next_opening(self, qtbot, session, threads):
        with wait_analysis(qtbot, session):
            session.show_neuron(1)
        session.save_view()
        again = Session(threads)
        with wait_analysis(qtbot, again):
            again.set_project(session.project)
        assert (again.layer.name, again.neuron) == (LAYER, 1)

    def test_a_view_of_a_layer_that_is_gone_is_ignored(self, qtbot, session, threads):
        session.project.set_setting("last_view", {"layer": "gone", "neuron": 3})
        again = Session(threads)
        with wait_analysis(qtbot, again):
            again.set_project(session.project)
        assert again.layer.name == LAYER

    def test_a_layer_without_a_suggestion_gets_one_that_is_kept(self, session):
        suggestion = session.project.suggestion(LAYER)
        assert suggestion is not None
        assert suggestion == session.layer.suggestion


class TestNeurons:
    def test_a_quick_succession_of_choices_ends_with_the_last(self, qtbot, session):
        seen = []
        session.split_changed.connect(lambda split: seen.append(split.neuron))
        with wait_analysis(qtbot, session):
            for neuron in (1, 2, 3, 4, 1):
                session.show_neuron(neuron)
        assert seen == [1]
        assert session.analysis.neuron == 1

    def test_a_dead_neuron_is_said_to_be_dead(self, qtbot, session):
        with wait_analysis(qtbot, session):
            session.show_neuron(5)
        assert session.split.status == "dead"
        assert session.split.concepts == ()

    def test_a_neuron_that_the_layer_does_not_have_changes_nothing(self, session):
        for neuron in (-1, 6, 1000):
            session.show_neuron(neuron)
        assert session.neuron == 0

    def test_back_and_forward(self, qtbot, session):
        for neuron in (1, 2):
            with wait_analysis(qtbot, session):
                session.show_neuron(neuron)
        session.go_back()
        assert session.neuron == 1
        session.go_back()
        assert session.neuron == 0
        assert not session.visited.can_go_back
        session.go_forward()
        assert session.neuron == 1
        with wait_analysis(qtbot, session):
            session.show_neuron(3)
        assert not session.visited.can_go_forward

    def test_back_reaches_into_another_layer(self, qtbot, session):
        with wait_analysis(qtbot, session):
            session.show_layer(DEEP_LAYER, 2)
        with wait_analysis(qtbot, session):
            session.go_back()
        assert (session.layer.name, session.neuron) == (LAYER, 0)

    def test_an_analysis_seen_before_is_there_at_once(self, qtbot, session):
        first = session.analysis
        with wait_analysis(qtbot, session):
            session.show_neuron(1)
        session.show_neuron(0)
        assert session.analysis is first


class TestThreshold:
    def test_while_dragging_the_clusters_follow_and_nothing_is_stored(self, qtbot, session):
        with qtbot.waitSignal(session.split_changed, timeout=20_000):
            session.preview_threshold(ONE_CLUSTER_AT)
        assert session.split.n_clusters == 1
        assert session.parameters == TWO_CLUSTERS
        assert session.project.parameters(LAYER) == TWO_CLUSTERS
        assert session.undo_stack.count() == 0

    def test_giving_up_a_drag_restores_the_clusters(self, qtbot, session):
        with qtbot.waitSignal(session.split_changed, timeout=20_000):
            session.preview_threshold(ONE_CLUSTER_AT)
        session.cancel_preview()
        assert session.split.n_clusters == 2
        assert session.undo_stack.count() == 0

    def test_committing_stores_and_can_be_undone_and_redone(self, qtbot, session):
        with wait_analysis(qtbot, session):
            session.commit_threshold(ONE_CLUSTER_AT)
        assert session.split.n_clusters == 1
        assert session.project.parameters(LAYER).distance_threshold == ONE_CLUSTER_AT
        session.undo_stack.undo()
        assert session.parameters == TWO_CLUSTERS
        assert session.project.parameters(LAYER) == TWO_CLUSTERS
        assert session.split.n_clusters == 2
        session.undo_stack.redo()
        assert session.split.n_clusters == 1

    def test_the_tree_is_built_once_for_every_threshold(self, qtbot, session):
        tree = session.split.hierarchy
        with wait_analysis(qtbot, session):
            session.commit_threshold(ONE_CLUSTER_AT)
        assert session.split.hierarchy is tree

    def test_another_linkage_is_another_tree(self, qtbot, session):
        tree = session.split.hierarchy
        with wait_analysis(qtbot, session):
            session.set_parameters(Parameters.from_dict({**TWO_CLUSTERS.to_dict(), "linkage": "average"}))
        top = session.split.top.images
        vectors = np.asarray(session.layer.activations[top], dtype=np.float64)
        np.testing.assert_allclose(session.split.hierarchy.linkage, linkage(vectors, "average"))
        assert session.split.hierarchy is not tree

    def test_undo_of_a_change_in_another_layer_shows_that_layer(self, qtbot, session):
        with wait_analysis(qtbot, session):
            session.commit_threshold(ONE_CLUSTER_AT)
        with wait_analysis(qtbot, session):
            session.show_layer(DEEP_LAYER)
        with wait_analysis(qtbot, session):
            session.undo_stack.undo()
        assert session.layer.name == LAYER
        assert session.parameters == TWO_CLUSTERS

    def test_asking_for_a_number_of_clusters_moves_the_threshold(self, qtbot, session):
        with wait_analysis(qtbot, session):
            session.request_n_clusters(1)
        assert session.split.n_clusters == 1
        with wait_analysis(qtbot, session):
            session.request_n_clusters(4)
        assert session.split.n_clusters == 4

    def test_a_project_that_cannot_be_written_says_so_and_goes_on(self, qtbot, session, monkeypatch):
        def refuse(*_):
            raise ProjectError("The disk is full.")

        monkeypatch.setattr(session.project, "save_parameters", refuse)
        with qtbot.waitSignals([session.problem, session.analysis_changed], timeout=20_000):
            session.commit_threshold(ONE_CLUSTER_AT)
        assert session.split.n_clusters == 1


class TestThresholdFor:
    TREE = Hierarchy(np.array([[0, 1, 1.0, 2], [2, 3, 1.0, 2], [4, 5, 4.0, 4]], dtype=float), 4)

    @pytest.mark.parametrize(("wanted", "given"), [(1, 1), (2, 2), (4, 4), (3, 2), (9, 4)])
    def test_it_gives_the_number_or_the_nearest_there_is(self, wanted, given):
        assert self.TREE.n_clusters(threshold_for(self.TREE, wanted)) == given

    def test_a_tree_of_one_image_has_no_threshold_to_move(self):
        assert threshold_for(Hierarchy(np.empty((0, 4)), 1), 1) is not None


class TestNames:
    def test_a_name_is_stored_with_the_images_it_belongs_to(self, session):
        session.names.set_name(0, "apples")
        (saved,) = session.project.named_concepts(LAYER, 0)
        assert saved.name == "apples"
        assert {session.project.image_labels[row] for row in saved.member_images} == {"red"}
        assert saved.parameters == TWO_CLUSTERS
        np.testing.assert_allclose(saved.vector, session.split.concepts[0].vector, atol=1e-6)

    def test_it_follows_its_images_when_the_threshold_moves(self, qtbot, session):
        session.names.set_name(1, "lawns")
        with wait_analysis(qtbot, session):
            session.commit_threshold(ONE_CLUSTER_AT)
        (merged,) = session.names.by_cluster.values()
        assert merged.name == "lawns", "half of the merged cluster's images are the named ones"
        session.undo_stack.undo()
        assert {cluster: record.name for cluster, record in session.names.by_cluster.items()} == {1: "lawns"}

    def test_typing_on_is_one_step_of_undo(self, session):
        for text in ("a", "ap", "apple"):
            session.names.set_name(0, text)
        assert session.undo_stack.count() == 1
        session.undo_stack.undo()
        assert session.project.named_concepts(LAYER, 0) == ()
        session.undo_stack.redo()
        assert [c.name for c in session.project.named_concepts(LAYER, 0)] == ["apple"]

    def test_name_and_notes_are_undone_one_by_one(self, session):
        session.names.set_name(0, "apples")
        session.names.set_notes(0, "red ones")
        session.undo_stack.undo()
        (saved,) = session.project.named_concepts(LAYER, 0)
        assert (saved.name, saved.notes) == ("apples", "")
        session.undo_stack.undo()
        session.undo_stack.redo()
        session.undo_stack.redo()
        (saved,) = session.project.named_concepts(LAYER, 0)
        assert (saved.name, saved.notes) == ("apples", "red ones")

    def test_clearing_name_and_notes_removes_the_record(self, session):
        session.names.set_name(0, "apples")
        session.names.set_name(0, "")
        assert session.project.named_concepts(LAYER) == ()

    def test_blanks_are_neither_a_name_nor_notes(self, session):
        session.names.set_notes(0, " ")
        assert session.project.named_concepts(LAYER) == ()
        session.names.set_name(0, "apples")
        session.names.set_name(0, "  ")
        assert session.project.named_concepts(LAYER) == ()

    def test_undo_shows_the_neuron_where_it_happened(self, qtbot, session):
        session.names.set_name(0, "apples")
        with wait_analysis(qtbot, session):
            session.show_neuron(1)
        session.undo_stack.undo()
        assert session.neuron == 0
        assert session.project.named_concepts(LAYER) == ()

    def test_outliers_and_unknown_clusters_have_no_name(self, session):
        session.names.set_name(-1, "odd")
        session.names.set_name(7, "odd")
        assert session.project.named_concepts(LAYER) == ()

    def test_a_neuron_is_named_and_the_name_undone(self, qtbot, session):
        with qtbot.waitSignal(session.neuron_names.changed) as caught:
            session.neuron_names.rename(3, "green things")
        assert caught.args == [3, "green things"]
        assert session.project.neuron_names(LAYER) == {3: "green things"}
        session.undo_stack.undo()
        assert session.project.neuron_names(LAYER) == {}
        assert session.neuron_names.name(3) == ""


class TestCounts:
    def wait_all(self, qtbot, session):
        def all_known():
            assert (session.counts.counts() >= 0).all()

        qtbot.waitUntil(all_known, timeout=20_000)

    def expected(self, session, threshold):
        """Count by SciPy, neuron by neuron."""
        activations = np.asarray(session.layer.activations, dtype=np.float64)
        counts = []
        for neuron in range(activations.shape[1]):
            order = np.lexsort((np.arange(len(activations)), -activations[:, neuron]))[:30]
            dead = activations[order[0], neuron] <= 0
            heights = linkage(activations[order], "ward")[:, 2]
            counts.append(0 if dead else 1 + int((heights >= threshold).sum()))
        return counts

    def test_every_neuron_is_counted_in_the_background(self, qtbot, session):
        self.wait_all(qtbot, session)
        assert session.counts.counts().tolist() == self.expected(session, 12.0)

    def test_another_threshold_is_answered_without_a_sweep(self, qtbot, session):
        self.wait_all(qtbot, session)
        with qtbot.waitSignal(session.counts.changed):
            session.preview_threshold(ONE_CLUSTER_AT)
        assert session.counts.counts().tolist() == self.expected(session, ONE_CLUSTER_AT)

    def test_another_number_of_images_is_swept_anew(self, qtbot, session):
        self.wait_all(qtbot, session)
        session.set_parameters(Parameters.from_dict({**TWO_CLUSTERS.to_dict(), "top_n": 10}))
        assert (session.counts.counts() == -1).any()
        self.wait_all(qtbot, session)
        assert session.counts.counts()[0] == 1


class TestSelection:
    def test_it_is_cleared_with_the_neuron(self, qtbot, session):
        session.selection.select_images([3, 4])
        session.selection.select_concept(0)
        session.show_neuron(1)
        assert session.selection.images == frozenset()
        assert session.selection.concept is None

    def test_the_same_selection_again_is_no_change(self, qtbot, session):
        session.selection.select_images([3, 4])
        with qtbot.assertNotEmitted(session.selection.images_changed):
            session.selection.select_images((4, 3))


def test_a_damaged_layer_is_reported_and_the_other_one_stays(qtbot, session, threads):
    file = session.project.layer(DEEP_LAYER).file
    file.write_bytes(b"not an array")
    with qtbot.waitSignal(threads.interactive.job_failed, timeout=20_000) as caught:
        session.show_layer(DEEP_LAYER)
    assert DEEP_LAYER in str(caught.args[1].sentence) or file.name in caught.args[1].sentence
    assert session.layer.name == LAYER
    with wait_analysis(qtbot, session):
        session.show_neuron(1)


def test_reading_a_project_read_only_still_shows_everything(qtbot, threads, project_path):
    with Project.open(project_path, read_only=True) as project:
        session = Session(threads)
        with wait_analysis(qtbot, session):
            session.set_project(project)
        with qtbot.waitSignals([session.problem, session.analysis_changed], timeout=20_000):
            session.commit_threshold(ONE_CLUSTER_AT)
        with qtbot.assertNotEmitted(session.problem):  # said once
            session.names.set_name(0, "apples")
            session.commit_threshold(5.0)
            session.save_view()
        threads.aside.cancel_all()
        assert threads.shutdown(20_000)
    kept = Project.open(project_path).parameters(LAYER)
    assert json.dumps(kept.to_dict()) == json.dumps(TWO_CLUSTERS.to_dict())
