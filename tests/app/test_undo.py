"""Every change has its words in the Edit menu, is taken back where it happened, and made again."""

from dataclasses import replace

import pytest

from tests.app.planted_project import DEEP_LAYER, LAYER


@pytest.fixture
def edit(opened):
    """The window's undo and redo, as the Edit menu has them."""

    class Edit:
        undo, redo = opened.menus.actions["undo"], opened.menus.actions["redo"]

        def texts(self):
            return self.undo.text().replace("&", ""), self.redo.text().replace("&", "")

    return Edit()


def settle(qtbot, window):
    qtbot.waitUntil(lambda: window.session.analysis is not None, timeout=20_000)


def test_nothing_to_undo_at_first(edit):
    assert not edit.undo.isEnabled() and not edit.redo.isEnabled()


def test_each_kind_of_change_says_what_it_is(qtbot, opened, edit):
    session = opened.session
    steps = [
        (lambda: session.commit_threshold(9.5), "d_max 9.5"),
        (
            lambda: session.set_parameters(replace(session.parameters, min_cluster_size=3)),
            "min cluster size",
        ),
        (lambda: session.neuron_names.rename(0, "round"), "name of neuron 0"),
        (lambda: session.names.set_name(0, "apples"), "name of a concept"),
        (lambda: session.names.set_notes(0, "red"), "notes of a concept"),
    ]
    for change, text in steps:
        change()
        settle(qtbot, opened)
        assert edit.texts() == (f"Undo {text}", "Redo")
    for _, text in reversed(steps):
        assert edit.undo.text().replace("&", "") == f"Undo {text}"
        edit.undo.trigger()
        settle(qtbot, opened)
        assert edit.redo.text().replace("&", "") == f"Redo {text}"
    project = opened.session.project
    assert not edit.undo.isEnabled()
    assert project.parameters(LAYER).distance_threshold == 12.0
    assert not project.neuron_names(LAYER) and not project.named_concepts()
    for _ in steps:
        edit.redo.trigger()
        settle(qtbot, opened)
    assert not edit.redo.isEnabled()
    assert project.neuron_names(LAYER) == {0: "round"}
    assert [(c.name, c.notes) for c in project.named_concepts()] == [("apples", "red")]
    assert (project.parameters(LAYER).distance_threshold, project.parameters(LAYER).min_cluster_size) == (
        9.5,
        3,
    )


@pytest.mark.parametrize("kind", ["parameters", "neuron", "concept"])
def test_undone_from_elsewhere_it_shows_the_place(qtbot, opened, edit, kind):
    session = opened.session
    if kind == "parameters":
        session.commit_threshold(9.5)
    elif kind == "neuron":
        session.neuron_names.rename(0, "round")
    else:
        session.names.set_name(0, "apples")
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_layer(DEEP_LAYER, 4)
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        edit.undo.trigger()
    assert session.layer.name == LAYER
    if kind != "parameters":
        assert session.neuron == 0
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_layer(DEEP_LAYER, 4)
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        edit.redo.trigger()
    assert session.layer.name == LAYER


def test_a_name_given_on_the_way_to_another_neuron_does_not_lead_back(qtbot, opened, edit):
    session = opened.session
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        session.show_neuron(1)
    session.neuron_names.rename(0, "round")
    assert session.neuron == 1
    edit.undo.trigger()
    assert session.neuron == 0
