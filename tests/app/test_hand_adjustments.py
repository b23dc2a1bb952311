"""Adjustments by hand in the session: undone and redone exactly, kept in the project, analysed anew."""

import numpy as np
import pytest

from app.jobs.job_threads import JobThreads
from app.session import Session
from backend.method.adjustments import LEFT_OUT, UNADJUSTED, Adjustments
from backend.project import Project
from tests.app.planted_project import LAYER


def _analysed(qtbot, session, act):
    """Act, wait until the neuron is analysed, and return the analysis."""
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        act()
    return session.analysis


def _fingerprint(analysis):
    split = analysis.disentanglement
    return (
        split.top.images.tobytes(),
        split.labels.tobytes(),
        [one.vector.tobytes() for one in split.concepts],
        [one.images.tobytes() for one in analysis.concept_max],
        repr(analysis.similarities),
    )


def test_an_own_concept_is_undone_and_redone_exactly(qtbot, session):
    before = _fingerprint(session.analysis)
    rows = session.split.top.images[[0, 3, 20]].tolist()
    adjusted = _analysed(qtbot, session, lambda: session.adjustments.make_own_concept(rows))
    own = adjusted.disentanglement.concepts[-1]
    assert sorted(adjusted.disentanglement.member_rows(own).tolist()) == sorted(rows)
    mean = session.layer.activations[rows].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(own.vector, mean / np.linalg.norm(mean), atol=1e-6)
    after = _fingerprint(adjusted)
    assert after != before
    assert session.undo_stack.undoText() == "concept of 3 images"
    assert _fingerprint(_analysed(qtbot, session, session.undo_stack.undo)) == before
    assert session.project.adjustments(LAYER) == {}
    assert _fingerprint(_analysed(qtbot, session, session.undo_stack.redo)) == after
    assert session.project.adjustments(LAYER) == {0: Adjustments((tuple(rows),))}


def test_what_is_left_out_is_given_back_and_reset(qtbot, session):
    before = _fingerprint(session.analysis)
    rows = session.split.top.images[:4].tolist()
    analysis = _analysed(qtbot, session, lambda: session.adjustments.leave_out(rows))
    assert analysis.disentanglement.labels[:4].tolist() == [LEFT_OUT] * 4
    analysis = _analysed(qtbot, session, lambda: session.adjustments.give_back(rows[:1]))
    assert (analysis.disentanglement.labels == LEFT_OUT).sum() == 3
    assert _fingerprint(_analysed(qtbot, session, session.adjustments.reset)) == before
    assert session.adjustments.current == UNADJUSTED
    analysis = _analysed(qtbot, session, session.undo_stack.undo)
    assert (analysis.disentanglement.labels == LEFT_OUT).sum() == 3


def test_rows_that_are_no_top_images_adjust_nothing(session):
    beyond = np.setdiff1d(np.arange(90), session.split.top.images).tolist()
    session.adjustments.make_own_concept(beyond)
    session.adjustments.leave_out([])
    session.adjustments.reset()
    assert session.undo_stack.count() == 0
    assert session.adjustments.top_rows([*beyond, int(session.split.top.images[5])]) == (
        int(session.split.top.images[5]),
    )


def test_undo_returns_to_the_neuron_that_was_adjusted(qtbot, session):
    rows = session.split.top.images[:6].tolist()
    _analysed(qtbot, session, lambda: session.adjustments.leave_out(rows))
    _analysed(qtbot, session, lambda: session.show_neuron(1))
    assert not session.split.adjustments
    _analysed(qtbot, session, session.undo_stack.undo)
    assert session.neuron == 0
    assert not session.split.adjusted_by_hand


def test_adjustments_follow_the_dragged_threshold(qtbot, session):
    rows = session.split.top.images[:6].tolist()
    _analysed(qtbot, session, lambda: session.adjustments.make_own_concept(rows))
    with qtbot.waitSignal(session.split_changed, timeout=10_000):
        session.preview_threshold(25.0)
    assert session.split.n_clusters == 1
    assert session.split.labels[:6].tolist() == [1] * 6


def test_excluded_images_are_nowhere_and_the_next_ones_come(qtbot, session):
    before, layer = _fingerprint(session.analysis), session.layer
    top = session.split.top.images.tolist()
    gone = top[:3]
    session.selection.select_images(top[:5])
    analysis = _analysed(qtbot, session, lambda: session.adjustments.exclude(gone))
    split = analysis.disentanglement
    assert split.top.images.tolist()[:27] == top[3:]
    assert len(split.top) == 30
    shown = [split.top.images, analysis.neuron_max.images]
    shown += [one.images for one in (*analysis.concept_max, *analysis.concept_max_held_out)]
    assert not any(np.isin(images, gone).any() for images in shown)
    assert session.selection.images == set(top[3:5])
    assert session.layer is not layer
    assert session.layer.index.statistics.n_images == 87
    assert session.project.excluded_images == set(gone)
    again = _analysed(qtbot, session, session.undo_stack.undo)
    assert _fingerprint(again) == before
    assert session.project.excluded_images == frozenset()


def test_another_neuron_chosen_at_once_is_analysed_without_them(qtbot, session):
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        session.adjustments.exclude(session.layer.index.top(1, 4).images.tolist())
        session.show_neuron(1)
    assert session.neuron == 1
    assert session.split.neuron == 1
    assert session.layer.index.excluded == session.project.excluded_images
    assert not np.isin(session.split.top.images, list(session.project.excluded_images)).any()


def test_everything_is_there_after_the_project_is_opened_again(qtbot, session, project_path):
    top = session.split.top.images.tolist()
    _analysed(qtbot, session, lambda: session.adjustments.exclude(top[:2]))
    _analysed(qtbot, session, lambda: session.adjustments.make_own_concept(top[4:8]))
    kept = _fingerprint(_analysed(qtbot, session, lambda: session.adjustments.leave_out(top[10:12])))
    session.set_project(None)
    threads = JobThreads()
    with Project.open(project_path, read_only=True) as project:
        assert project.excluded_images == set(top[:2])
        assert project.adjustments(LAYER) == {0: Adjustments((tuple(top[4:8]),), tuple(top[10:12]))}
        other = Session(threads)
        with qtbot.waitSignal(other.analysis_changed, timeout=10_000):
            other.set_project(project)
        assert _fingerprint(other.analysis) == kept
        other.adjustments.exclude([5])
        assert not other.adjustments.can_exclude
        assert other.undo_stack.count() == 0
        other.counts.set_layer(None)
        assert threads.shutdown(20_000)


@pytest.mark.parametrize("cluster", [0, 2])
def test_a_name_given_to_an_adjusted_concept_says_so(qtbot, session, cluster):
    rows = session.split.top.images[:6].tolist()
    _analysed(qtbot, session, lambda: session.adjustments.make_own_concept(rows))
    session.names.set_name(cluster, "apples")
    (concept,) = session.project.named_concepts(LAYER, 0)
    assert concept.by_hand == ("own concept" if cluster == 2 else "adjusted neuron")
