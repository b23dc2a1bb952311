"""Back, forward and the search in the window, by keys and mouse."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

import app.search_control
from app.selection import VisitedNeurons
from backend.named_concepts import NamedConcept
from tests.app.planted_project import DEEP_LAYER, LAYER


@pytest.fixture
def active(qtbot, opened):
    """The window with the planted project, in front."""
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow, timeout=5000)
    return opened


def show(qtbot, window, neuron, layer=LAYER):
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.session.show_layer(layer, neuron)


def search_for(qtbot, window, text):
    """Open the box with its key, type, and wait until everything has been looked through."""
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    box = window.navigation.search_box
    assert QApplication.focusWidget() is box
    QTest.keyClicks(box, text)
    qtbot.waitUntil(lambda: not window.navigation.search._jobs, timeout=20_000)
    return box


def found(box):
    model = box.results.results
    return [str(model.index(row).data()) for row in range(model.rowCount())]


def choose(qtbot, window, box, title):
    """Go down to a hit and press Enter."""
    for _ in range(30):
        if box.results.current_hit().title == title:
            break
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.results.current_hit().title == title
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        QTest.keyClick(box, Qt.Key.Key_Return)


class TestBackAndForward:
    def test_the_buttons_name_the_neuron_they_lead_to(self, qtbot, active):
        back, forward = active.menus.actions["back"], active.menus.actions["forward"]
        assert not back.isEnabled() and not forward.isEnabled()
        active.session.neuron_names.rename(0, "round")
        show(qtbot, active, 1)
        assert back.toolTip().startswith("Back to neuron 0 “round” (")
        button = active.navigation.widgetForAction(back)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        assert active.session.neuron == 0
        assert forward.toolTip().startswith("Forward to neuron 1 (")
        qtbot.mouseClick(active.navigation.widgetForAction(forward), Qt.MouseButton.LeftButton)
        assert active.session.neuron == 1

    def test_into_another_layer_and_back(self, qtbot, active):
        show(qtbot, active, 2, DEEP_LAYER)
        assert f"neuron 0 of {LAYER}" in active.menus.actions["back"].toolTip()
        with qtbot.waitSignal(active.session.analysis_changed, timeout=20_000):
            QTest.keyClick(active, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert (active.session.layer.name, active.session.neuron) == (LAYER, 0)
        assert f"neuron 2 of {DEEP_LAYER}" in active.menus.actions["forward"].toolTip()

    def test_the_mouse_has_buttons_for_it_over_every_panel(self, qtbot, active):
        show(qtbot, active, 1)
        grid = active.workspace.members._view.viewport()
        place = grid.mapTo(active, grid.rect().center())
        QTest.mouseClick(active.windowHandle(), Qt.MouseButton.BackButton, pos=place)
        assert active.session.neuron == 0
        assert not active.session.selection.images, "the grid below saw nothing of it"
        QTest.mouseClick(active.windowHandle(), Qt.MouseButton.BackButton, pos=place)
        assert active.session.neuron == 0, "nowhere to go"
        table = active.neuron_panel.browser.table_view
        place = table.mapTo(active, QPoint(20, 80))
        QTest.mouseClick(active.windowHandle(), Qt.MouseButton.ForwardButton, pos=place)
        assert active.session.neuron == 1

    def test_without_a_project_there_is_no_bar(self, window):
        assert not window.navigation.isVisible()


def test_visited_neurons_tell_where_they_lead():
    visited = VisitedNeurons()
    assert visited.place_behind is None and visited.place_ahead is None
    visited.visit("a", 1)
    visited.visit("a", 2)
    assert visited.place_behind == ("a", 1) and visited.place_ahead is None
    visited.back()
    assert visited.place_behind is None and visited.place_ahead == ("a", 2)


class TestSearch:
    def test_a_number_leads_to_the_neuron(self, qtbot, active):
        box = search_for(qtbot, active, "4")
        assert found(box) == ["Neurons", "Neuron 4", "Neuron 4"]
        choose(qtbot, active, box, "Neuron 4")
        assert (active.session.layer.name, active.session.neuron) == (LAYER, 4)
        assert active.neuron_panel.browser.selected_neuron() == 4
        assert not box.hasFocus()

    def test_names_of_neurons_in_another_layer(self, qtbot, active):
        active.session.project.set_neuron_name(DEEP_LAYER, 3, "Stripes")
        box = search_for(qtbot, active, "stri")
        assert found(box) == ["Neurons", "Neuron 3 “Stripes”"]
        choose(qtbot, active, box, "Neuron 3 “Stripes”")
        assert (active.session.layer.name, active.session.neuron) == (DEEP_LAYER, 3)

    def test_a_concept_by_its_notes_is_selected_where_it_was_found(self, qtbot, active):
        split = active.session.split
        (green,) = [c.cluster for c in split.concepts if c.cluster == 1]
        active.session.names.set_notes(green, "like meadows in spring")
        images = {int(row) for row in split.member_rows(split.concepts[1])}
        show(qtbot, active, 1)
        box = search_for(qtbot, active, "meadow")
        choose(qtbot, active, box, "Concept without a name: like meadows in spring")
        assert active.session.neuron == 0
        assert active.session.selection.concept == green
        assert active.session.selection.images == images

    def test_of_a_concept_that_is_no_cluster_now_its_images_are_selected(self, qtbot, active):
        split, project = active.session.split, active.session.project
        concept = split.concepts[1]
        images = tuple(int(row) for row in split.member_rows(concept)[:4])
        # 4 of 15 images: less than the overlap at which a cluster inherits the name.
        project.save_named_concept(
            NamedConcept(
                LAYER, 0, "clover", "", images, concept.vector.astype(np.float32), active.session.parameters
            )
        )
        show(qtbot, active, 1)
        box = search_for(qtbot, active, "clov")
        choose(qtbot, active, box, "clover")
        assert active.session.neuron == 0
        assert active.session.selection.images == set(images)
        assert active.session.selection.concept is None

    def test_a_class_leads_to_the_neuron_whose_top_images_hold_it_most(self, qtbot, active):
        box = search_for(qtbot, active, "yell")
        assert f"Class “yellow” in {LAYER}" in found(box)
        labels = active.session.project.image_labels
        layer, n_top = active.session.layer, active.session.parameters.top_n
        counts = []
        for neuron in range(layer.n_neurons):
            order = sorted(range(len(labels)), key=lambda row: (-layer.activations[row, neuron], row))
            top = [row for row in order[:n_top] if layer.activations[row, neuron] > 0]
            counts.append(sum(labels[row] == "yellow" for row in top))
        best = max(range(len(counts)), key=lambda neuron: (counts[neuron], -neuron))
        hit = box.results.current_hit()
        assert (hit.title, hit.detail) == (f"Neuron {best}", f"{counts[best]} of its top {n_top} images")
        choose(qtbot, active, box, hit.title)
        assert active.session.neuron == best
        assert {labels[row] for row in active.session.selection.images} == {"yellow"}
        assert len(active.session.selection.images) == counts[best]

    def test_the_neuron_on_show_is_found_without_another_analysis(self, qtbot, active):
        box = search_for(qtbot, active, "red")
        hits = [hit for hit in [box.results.current_hit()] if hit.target.neuron == 0]
        assert hits, "neuron 0 holds the reds first"
        QTest.keyClick(box, Qt.Key.Key_Return)
        labels = active.session.project.image_labels
        assert {labels[row] for row in active.session.selection.images} == {"red"}
        first = active.workspace.members.selected_rows()[0]
        qtbot.waitUntil(lambda: active.workspace.members.current_row() == first)

    def test_what_fits_nothing_is_said(self, qtbot, active):
        box = search_for(qtbot, active, "zebra")
        assert found(box) == ["No neuron, concept or class fits “zebra”"]

    def test_classes_are_counted_once_a_layer_and_names_read_each_time(self, qtbot, active, monkeypatch):
        counted = []
        count = app.search_control.count_classes
        monkeypatch.setattr(
            app.search_control,
            "count_classes",
            lambda layer, *rest: counted.append(layer.name) or count(layer, *rest),
        )
        search_for(qtbot, active, "red")
        active.workspace.members.setFocus()
        active.session.neuron_names.rename(2, "crimson")
        box = search_for(qtbot, active, "crims")
        assert found(box) == ["Neurons", "Neuron 2 “crimson”"]
        show(qtbot, active, 2, DEEP_LAYER)
        search_for(qtbot, active, "red")
        assert counted == [LAYER, DEEP_LAYER]

    def test_names_that_cannot_be_read_are_said(self, qtbot, active, monkeypatch):
        def broken(project, task):
            raise OSError("the disk is gone")

        monkeypatch.setattr(app.search_control, "gather_names", broken)
        box = search_for(qtbot, active, "zebra")
        (sentence,) = found(box)
        assert "Gathering names" in sentence and "the disk is gone" in sentence

    def test_with_the_project_its_names_are_forgotten(self, qtbot, active):
        box = search_for(qtbot, active, "red")
        with qtbot.waitSignal(active.threads.long_work.job_ended, timeout=20_000):
            active.menus.actions["close"].trigger()
        assert box.text() == "" and not box.is_list_shown()
        assert not active.menus.actions["search"].isEnabled()
