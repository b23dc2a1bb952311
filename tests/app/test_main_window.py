"""The main window on the planted project, driven by mouse and keyboard."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox

import app.concept_counts
import app.export_actions
import app.neuron_workspace
import app.new_project_dialog
import app.project_actions
import app.session
import app.visualization_control
from app.main_window import MainWindow
from app.new_project_dialog import NewProjectDialog
from app.settings import Settings
from backend.demo.tour import TOUR
from backend.method.parameters import Suggestion
from backend.networks.model_source import ModelSource
from backend.project import Project
from tests.app.planted_project import DEEP_LAYER, LAYER, ONE_CLUSTER_AT, TWO_CLUSTERS
from widgets.error_dialog import ErrorDialog
from widgets.neurons.neuron_table_model import Column


def visible(window, kind):
    return [widget for widget in window.findChildren(kind) if widget.isVisible()]


def sentence_of(dialog):
    return dialog._sentence.text()


def press(qtbot, box, label):
    (button,) = [b for b in box.buttons() if b.text().replace("&", "") == label]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def click_neuron(qtbot, window, neuron):
    """Click the row of a neuron in the browser."""
    view = window.neuron_panel.browser.table_view
    row = window.neuron_panel.browser.model.row(neuron)
    rect = view.visualRect(view.model().index(row, 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def click_concept(qtbot, window, row):
    view = window.concept_panel.concepts.view
    rect = view.visualRect(view.model().index(row, 0))
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def members_shown(window):
    """Return {band key: rows} of the members grid."""
    return {band.key: [item.row for item in band.items] for band in window.workspace.members.bands()}


def type_concept_name(qtbot, window, row, text):
    view = window.concept_panel.concepts.view
    click_concept(qtbot, window, row)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_F2)
    editor = QApplication.focusWidget()
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)


@pytest.fixture
def no_network_names(monkeypatch):
    """Spare the new-project dialog the import of torchvision, which cannot be cancelled."""
    monkeypatch.setattr(app.new_project_dialog, "list_torchvision_names", lambda task: ("resnet18",))


class TestWelcome:
    def test_without_a_project_there_is_the_welcome_page_and_nothing_else(self, window):
        assert window.stack.currentWidget() is window.welcome
        assert not window.neurons_dock.isVisible()
        assert not window.menus.actions["export_project"].isEnabled()

    def test_its_cards_do_what_the_menu_does(self, qtbot, window, no_network_names):
        qtbot.mouseClick(window.welcome.new_card, Qt.MouseButton.LeftButton)
        (dialog,) = visible(window, NewProjectDialog)
        dialog.reject()

    def test_a_recent_project_opens_from_there(self, qtbot, window, project_path):
        window.settings.add_recent(project_path)
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            window.welcome.recent_requested.emit(str(project_path))
        assert window.stack.currentWidget() is window.workspace


class TestParametersPanel:
    def test_it_is_blank_until_a_layer_is_shown_and_again_after_the_project(
        self, qtbot, window, project_path
    ):
        panel = window.concept_panel.parameters
        assert panel.threshold_box.text() == ""
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            window.projects.open(project_path)
        assert panel.threshold_box.text() == "12"
        assert panel.linkage_box.currentText() == "Ward"
        with qtbot.waitSignal(window.threads.long_work.job_ended, timeout=20_000):
            window.menus.actions["close"].trigger()
        assert panel.threshold_box.text() == ""
        assert panel.n_clusters_box.text() == ""


class TestOutlierRadius:
    def test_a_radius_that_leaves_no_concept_is_explained_and_widened_at_a_click(self, qtbot, opened):
        concepts = opened.concept_panel.concepts
        assert not concepts.hint_button.isVisible()
        session = opened.session
        # Red and green in one cluster: each image is 3/√2 from the centre along two axes.
        session.set_parameters(
            replace(session.parameters, distance_threshold=ONE_CLUSTER_AT, outlier_radius_squared=0.5)
        )
        qtbot.waitUntil(concepts.hint_button.isVisible, timeout=20_000)
        assert "outlier radius 0.500 leaves no image in any cluster" in concepts.hint_message.text()
        percentile = float(np.percentile(session.split.squared_distances, 95))
        qtbot.mouseClick(concepts.hint_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: len(session.split.concepts) == 1, timeout=20_000)
        assert percentile < session.parameters.outlier_radius_squared < 1.01 * percentile
        assert session.parameters.distance_threshold == ONE_CLUSTER_AT
        assert not concepts.hint_button.isVisible()
        opened.session.undo_stack.undo()
        qtbot.waitUntil(concepts.hint_button.isVisible, timeout=20_000)

    def test_clusters_that_are_too_small_anyway_are_not_blamed_on_the_radius(self, qtbot, opened):
        session = opened.session
        session.set_parameters(replace(session.parameters, min_cluster_size=20))
        qtbot.waitUntil(lambda: not session.split.concepts, timeout=20_000)
        assert not opened.concept_panel.concepts.hint_button.isVisible()


class TestOpenProject:
    def test_dendrogram_members_concepts_and_title_appear(self, opened):
        assert opened.workspace.title.text() == f"{LAYER} · neuron 0 · 2 clusters at d_max 12"
        labels = opened.session.project.image_labels
        bands = {key: {labels[row] for row in rows} for key, rows in members_shown(opened).items()}
        assert bands == {0: {"red"}, 1: {"green"}}
        assert opened.concept_panel.concepts.model.rowCount() == 2
        assert opened.workspace.dendrogram.threshold() == TWO_CLUSTERS.distance_threshold
        assert opened.windowTitle().startswith("planted")

    def test_concepts_are_listed_by_their_letters_everywhere(self, qtbot, opened):
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            opened.session.request_n_clusters(6)
        opened.session.set_parameters(replace(opened.session.parameters, min_cluster_size=1))
        qtbot.waitUntil(lambda: len(opened.session.split.concepts) == 6, timeout=20_000)
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            opened.session.set_parameters(replace(opened.session.parameters, min_cluster_size=2))
        letters = [entry.marker for entry in opened.concept_panel.concepts.model.entries]
        assert letters == sorted(letters)
        opened.workspace.tabs.setCurrentWidget(opened.workspace.max_projecting)
        columns = opened.workspace.max_projecting._columns[1:]
        assert [column.marker for column in columns] == letters
        split = opened.session.split
        for column in columns:
            (concept,) = [concept for concept in split.concepts if concept.cluster == column.key]
            best = int(np.nanargmax(opened.session.layer.activations @ concept.vector))
            assert column.items[0].row == best

    def test_choosing_a_neuron_shows_it_everywhere(self, qtbot, opened):
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            click_neuron(qtbot, opened, 1)
        labels = opened.session.project.image_labels
        shown = {labels[row] for rows in members_shown(opened).values() for row in rows}
        assert shown == {"blue", "yellow"}
        assert "neuron 1" in opened.workspace.title.text()

    def test_a_dead_neuron_says_so_in_every_panel(self, qtbot, opened):
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            click_neuron(qtbot, opened, 5)
        assert "dead" in opened.workspace.note.text()
        assert opened.workspace.note.isVisible()
        assert members_shown(opened) == {}

    def test_the_counts_of_all_neurons_fill_in(self, qtbot, opened):
        model = opened.neuron_panel.browser.model

        def shown():
            texts = [str(model.index(model.row(n), Column.CONCEPTS).data()) for n in (0, 1, 5)]
            assert texts == ["2", "2", "–"]

        qtbot.waitUntil(shown, timeout=20_000)

    def test_another_layer_from_the_chooser(self, qtbot, opened):
        box = opened.neuron_panel.layer_box
        assert [box.itemText(i) for i in range(box.count())] == [LAYER, DEEP_LAYER]
        box.setFocus()
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            qtbot.keyClick(box, Qt.Key.Key_Down)
        assert opened.session.layer.name == DEEP_LAYER
        assert opened.workspace.title.text().startswith(DEEP_LAYER)

    def test_max_projecting_has_the_neuron_and_each_concept(self, qtbot, opened):
        opened.workspace.tabs.setCurrentWidget(opened.workspace.max_projecting)
        columns = opened.workspace.max_projecting._columns
        assert [column.title for column in columns] == ["Neuron 0", "Concept A", "Concept B"]
        labels = opened.session.project.image_labels
        assert {labels[item.row] for item in columns[1].items[:15]} == {"red"}
        assert "red" not in {labels[item.row] for item in columns[1].held_out_items}

    def test_back_and_forward_by_keyboard(self, qtbot, opened):
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            click_neuron(qtbot, opened, 1)
        QTest.keyClick(opened, Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
        assert opened.session.neuron == 0
        assert opened.neuron_panel.browser.selected_neuron() == 0
        QTest.keyClick(opened, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
        assert opened.session.neuron == 1


def drag_points(window):
    """Return the plot's viewport, a point on the threshold's line, and one just above every merge."""
    plot = window.workspace.dendrogram._plot
    x = plot.viewport().width() // 2
    points = [QPointF(x, y) for y in range(plot.viewport().height())]
    near = [point for point in points if plot.is_near_line(point)]
    on_line = near[len(near) // 2]
    highest = window.session.split.hierarchy.merge_heights[-1]
    above = next(point for point in reversed(points) if plot.height_at(point) > 1.02 * highest)
    return plot.viewport(), on_line.toPoint(), above.toPoint()


class TestThreshold:
    def test_dragging_the_line_recounts_at_once_and_undo_restores(self, qtbot, opened):
        dendrogram, title = opened.workspace.dendrogram, opened.workspace.title
        viewport, line, above = drag_points(opened)
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=line)
        QTest.mouseMove(viewport, QPoint(line.x(), (line.y() + above.y()) // 2))
        QTest.mouseMove(viewport, above)
        assert "1 cluster " in title.text(), "counted while the button is still down"
        assert opened.session.project.parameters(LAYER) == TWO_CLUSTERS, "nothing stored yet"
        qtbot.waitUntil(lambda: len(members_shown(opened)) == 1, timeout=20_000)
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=above)
        assert opened.session.project.parameters(LAYER).distance_threshold == dendrogram.threshold() > 16
        QTest.keyClick(opened, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert dendrogram.threshold() == TWO_CLUSTERS.distance_threshold
        assert len(members_shown(opened)) == 2
        assert "2 clusters" in title.text()

    def test_escape_gives_a_drag_up(self, qtbot, opened):
        dendrogram = opened.workspace.dendrogram
        viewport, line, above = drag_points(opened)
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=line)
        QTest.mouseMove(viewport, above)
        qtbot.waitUntil(lambda: len(members_shown(opened)) == 1, timeout=20_000)
        QTest.keyClick(dendrogram._plot, Qt.Key.Key_Escape)
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=above)
        assert dendrogram.threshold() == TWO_CLUSTERS.distance_threshold
        assert len(members_shown(opened)) == 2
        assert opened.session.undo_stack.count() == 0

    def test_keys_on_the_dendrogram_go_from_merge_to_merge_and_undo_restores(self, qtbot, opened):
        dendrogram = opened.workspace.dendrogram
        dendrogram.setFocus()
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            qtbot.keyClick(QApplication.focusWidget() or dendrogram, Qt.Key.Key_PageUp)
        assert opened.session.split.n_clusters == 1
        assert "1 cluster " in opened.workspace.title.text()
        opened.menus.actions["undo"].trigger()
        assert opened.session.parameters == TWO_CLUSTERS
        assert dendrogram.threshold() == TWO_CLUSTERS.distance_threshold
        assert len(members_shown(opened)) == 2

    def test_the_cluster_count_box_moves_the_threshold(self, qtbot, opened):
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            opened.concept_panel.parameters.n_clusters_requested.emit(1)
        assert opened.workspace.dendrogram.threshold() > 16
        assert len(members_shown(opened)) == 1


class TestNames:
    def test_a_name_typed_is_there_after_the_next_start(self, qtbot, opened, settings, project_path):
        type_concept_name(qtbot, opened, 0, "apples")
        opened.close()
        again = MainWindow(Settings(settings._store))
        again.show()
        with qtbot.waitSignal(again.session.analysis_changed, timeout=20_000):
            again.projects.open(project_path)
        model = again.concept_panel.concepts.model
        assert [entry.name for entry in model.entries] == ["apples", ""]
        assert again.workspace.members.bands()[0].title == "apples"
        again.close()
        again.deleteLater()

    def test_closing_in_the_middle_of_a_word_loses_nothing(self, qtbot, opened, project_path):
        view = opened.concept_panel.concepts.view
        click_concept(qtbot, opened, 1)
        view.setFocus()
        qtbot.keyClick(view, Qt.Key.Key_F2)
        qtbot.keyClicks(QApplication.focusWidget(), "law")
        opened.close()
        with Project.open(project_path) as project:
            assert [c.name for c in project.named_concepts(LAYER)] == ["law"]

    def test_the_name_goes_to_the_neuron_it_was_typed_for(self, qtbot, opened, project_path):
        view = opened.concept_panel.concepts.view
        click_concept(qtbot, opened, 0)
        view.setFocus()
        qtbot.keyClick(view, Qt.Key.Key_F2)
        qtbot.keyClicks(QApplication.focusWidget(), "apples")
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            click_neuron(qtbot, opened, 1)
        named = opened.session.project.named_concepts(LAYER)
        assert [(c.neuron, c.name) for c in named] == [(0, "apples")]

    def test_undo_takes_the_name_back_in_list_and_grid(self, qtbot, opened):
        type_concept_name(qtbot, opened, 0, "apples")
        qtbot.waitUntil(lambda: opened.workspace.members.bands()[0].title == "apples", timeout=5000)
        opened.menus.actions["undo"].trigger()
        assert opened.concept_panel.concepts.model.entries[0].name == ""
        assert opened.workspace.members.bands()[0].title == "Concept A"


class TestSelection:
    def test_a_concept_chosen_in_the_list_selects_its_images_everywhere(self, qtbot, opened):
        click_concept(qtbot, opened, 1)
        labels = opened.session.project.image_labels
        assert {labels[row] for row in opened.session.selection.images} == {"green"}
        assert set(opened.workspace.members.selected_rows()) == opened.session.selection.images

    def test_an_image_clicked_in_the_grid_is_selected_everywhere(self, qtbot, opened):
        view = opened.workspace.members._view
        index = view.model().index(2, 0)
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())
        (row,) = opened.session.selection.images
        assert row == members_shown(opened)[0][2]
        opened.workspace.tabs.setCurrentWidget(opened.workspace.max_projecting)
        assert row in opened.workspace.max_projecting.selected_rows()


class TestTrouble:
    def wait_error(self, qtbot, window):
        qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=20_000)
        (dialog,) = visible(window, ErrorDialog)
        return dialog

    def test_a_folder_that_is_no_project(self, qtbot, window, tmp_path):
        (tmp_path / "empty").mkdir()
        window.projects.open(tmp_path / "empty")
        assert "There is no Neuron Prism project" in sentence_of(self.wait_error(qtbot, window))
        assert window.session.project is None

    def test_a_damaged_project_offers_its_backup(self, qtbot, window, project_path):
        for leftover in project_path.glob("project.sqlite-*"):
            leftover.unlink()
        (project_path / "project.sqlite").write_bytes(b"this is no database" * 100)
        window.projects.open(project_path)
        qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
        (box,) = visible(window, QMessageBox)
        assert "damaged" in box.text()
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            press(qtbot, box, "Recover from the backup")
        assert window.session.project.recovered_from is not None

    def test_a_damaged_project_without_a_backup_is_refused_with_a_sentence(self, qtbot, window, project_path):
        for leftover in project_path.glob("project.sqlite*"):
            leftover.unlink()
        (project_path / "project.sqlite").write_bytes(b"this is no database" * 100)
        window.projects.open(project_path)
        assert "damaged" in sentence_of(self.wait_error(qtbot, window))

    def test_a_project_in_use_can_be_opened_read_only(self, qtbot, window, project_path):
        with Project.open(project_path):
            window.projects.open(project_path)
            qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
            (box,) = visible(window, QMessageBox)
            with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
                press(qtbot, box, "Open read-only")
        assert window.session.project.read_only

    def test_a_project_that_does_not_open_leaves_the_present_one(self, qtbot, opened, tmp_path):
        opened.projects.open(tmp_path / "gone.prism")
        self.wait_error(qtbot, opened)
        assert opened.session.project is not None
        assert opened.workspace.title.text().startswith(LAYER)

    def test_a_layer_that_cannot_be_loaded_leaves_the_present_one(self, qtbot, opened):
        opened.session.project.layer(DEEP_LAYER).file.write_bytes(b"not an array")
        opened.session.show_layer(DEEP_LAYER)
        self.wait_error(qtbot, opened)
        qtbot.waitUntil(lambda: len(members_shown(opened)) == 2, timeout=20_000)
        assert opened.workspace.title.text().startswith(LAYER)
        assert opened.neuron_panel.browser.model.rowCount() == 6
        assert opened.neuron_panel.layer_box.currentText() == LAYER

    def test_a_fault_in_a_job_arrives_with_its_traceback(self, qtbot, window):
        def divide(task):
            return 1 // 0

        window.threads.long_work.submit("Dividing", divide)
        dialog = self.wait_error(qtbot, window)
        assert "ZeroDivisionError" in sentence_of(dialog)
        assert "in divide" in dialog._traceback.toPlainText()

    def test_images_that_moved_are_looked_for(self, qtbot, window, planted, project_path, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        original = planted.parent / "images"
        with Project.open(project_path) as project:
            project.set_setting("last_view", None)
        original.rename(planted.parent / "images away")
        try:
            window.projects.open(project_path)
            qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
            (box,) = visible(window, QMessageBox)
            assert "moved" in box.windowTitle() or "not in" in box.text()
            press(qtbot, box, "Not now")
            (planted.parent / "images away").rename(elsewhere)
            with qtbot.waitSignal(window.session.layer_changed, timeout=20_000):
                window.projects.relocate(elsewhere)
            assert window.session.project.images_root == elsewhere
        finally:
            elsewhere.rename(original)


class TestDemo:
    @pytest.fixture
    def small_demo(self, monkeypatch, project_path):
        """Let the planted project stand in for the demo, whose making has tests of its own."""
        monkeypatch.setattr(app.project_actions, "open_demo", lambda task: Project.open(project_path))
        monkeypatch.setattr(app.project_actions, "demo_path", lambda: project_path)
        monkeypatch.setattr(app.project_actions, "tour_start", lambda: (LAYER, 3))

    def test_its_card_opens_it_on_the_first_neuron_of_the_tour(self, qtbot, window, small_demo):
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            qtbot.mouseClick(window.welcome.demo_card, Qt.MouseButton.LeftButton)
        assert window.session.neuron == 3

    def test_asked_for_again_it_returns_to_that_neuron(self, qtbot, window, small_demo):
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            window.menus.actions["demo"].trigger()
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            click_neuron(qtbot, window, 1)
        window.menus.actions["demo"].trigger()
        assert window.session.neuron == 3

    def test_in_use_elsewhere_it_can_be_looked_at(self, qtbot, window, small_demo, project_path):
        with Project.open(project_path):
            window.projects.open_demo()
            qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=20_000)
            with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
                press(qtbot, visible(window, QMessageBox)[0], "Open read-only")
        assert window.session.project.read_only

    def test_its_sentence_stands_only_while_the_parameters_are_the_suggested(
        self, qtbot, opened, monkeypatch
    ):
        monkeypatch.setattr(app.neuron_workspace, "tour_text", lambda project, layer, neuron: "Look here.")
        session, note = opened.session, opened.workspace.note
        radius, top_n = session.parameters.outlier_radius_squared, session.parameters.top_n
        suggestion = Suggestion(11.0, radius, top_n, 6, "Because.")
        session.layer = replace(session.layer, suggestion=suggestion)
        session.set_parameters(suggestion.parameters())
        qtbot.waitUntil(note.isVisible, timeout=20_000)
        assert note.text() == "Look here."
        session.commit_threshold(ONE_CLUSTER_AT)
        qtbot.waitUntil(lambda: not note.isVisible(), timeout=20_000)

    def test_the_tour_is_in_the_menu_of_the_demo_alone(self, opened):
        menu = opened.menus.tour_menu
        assert not menu.menuAction().isVisible()
        opened.session.project._values["model_source"] = ModelSource("demo").to_dict()
        opened.session.project_changed.emit(opened.session.project)
        assert menu.menuAction().isVisible()
        assert [action.text() for action in menu.actions()] == [stop.title for stop in TOUR]


class TestProjects:
    def test_closing_the_project_returns_to_the_welcome_page(self, qtbot, opened, project_path):
        with qtbot.waitSignal(opened.threads.long_work.job_ended, timeout=20_000):
            opened.menus.actions["close"].trigger()
        assert opened.stack.currentWidget() is opened.welcome
        assert not opened.neurons_dock.isVisible()
        Project.open(project_path).close()

    def test_the_same_project_can_be_opened_again_after_it(self, qtbot, opened, project_path):
        opened.projects.close_project()
        with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
            opened.projects.open(project_path)
        assert opened.session.neuron == 0

    def test_an_opened_project_is_the_newest_of_the_recent_ones(self, opened, project_path):
        assert opened.settings.recent_projects()[0].path == project_path
        assert project_path.stem in [action.text() for action in opened.menus.recent_menu.actions()]

    def test_a_dropped_project_opens(self, qtbot, window, project_path):
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(project_path))])
        drop = QDropEvent(
            QPointF(50, 50),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
            window.dropEvent(drop)

    def test_a_dropped_folder_of_images_begins_a_project(self, window, planted, no_network_names):
        window.projects.open_or_begin(planted.parent / "images")
        (dialog,) = visible(window, NewProjectDialog)
        assert dialog.form.images_section.choice().folder == planted.parent / "images"


class HeldJob:
    """A job that goes on until it is cancelled."""

    def __init__(self):
        self.entered = threading.Event()
        self.left = threading.Event()

    def __call__(self, *arguments, **_options):
        task = arguments[-1]
        self.entered.set()
        try:
            while True:
                task.check_cancelled()
        finally:
            self.left.set()


def test_dialogs_go_from_the_screen_with_the_window(qtbot, opened):
    view = opened.workspace.members._view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Space)
    opened.show_guide()
    shown = visible(opened, QDialog)
    assert len(shown) == 2
    opened.close()
    assert not any(dialog.isVisible() for dialog in shown)


class TestClosingDuringWork:
    def close(self, window, project_path):
        window.close()
        assert window.shut_down_cleanly
        assert not window.threads.any_alive
        Project.open(project_path).close()

    def test_an_analysis(self, qtbot, opened, project_path, monkeypatch):
        held = HeldJob()
        monkeypatch.setattr(app.session, "analyse", held)
        click_neuron(qtbot, opened, 1)
        qtbot.waitUntil(held.entered.is_set, timeout=5000)
        self.close(opened, project_path)
        assert held.left.is_set()

    def test_a_feature_visualisation(self, qtbot, opened, project_path, monkeypatch):
        held = HeldJob()
        monkeypatch.setattr(app.visualization_control, "visualise", held)
        opened.workspace.tabs.setCurrentWidget(opened.workspace.visualization)
        qtbot.mouseClick(opened.workspace.visualization.start_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(held.entered.is_set, timeout=5000)
        self.close(opened, project_path)
        assert held.left.is_set()

    def test_an_export_and_a_sweep(self, qtbot, opened, project_path, monkeypatch):
        exporting, sweeping = HeldJob(), HeldJob()
        monkeypatch.setattr(app.export_actions, "export", exporting)
        monkeypatch.setattr(app.concept_counts, "sweep_merge_heights", sweeping)
        opened.projects.exports.export_to(project_path.parent)
        opened.session.show_layer(DEEP_LAYER)
        qtbot.waitUntil(exporting.entered.is_set, timeout=5000)
        qtbot.waitUntil(sweeping.entered.is_set, timeout=20_000)
        self.close(opened, project_path)

    def test_the_opening_of_a_project(self, qtbot, window, project_path, monkeypatch):
        held = HeldJob()
        monkeypatch.setattr(app.project_actions, "open_project", lambda path, task, **options: held(task))
        window.projects.open(project_path)
        qtbot.waitUntil(held.entered.is_set, timeout=5000)
        self.close(window, project_path)


class TestArrangement:
    def test_size_and_place_return(self, qtbot, opened, settings, project_path):
        opened.resize(900, 650)  # within the screen of the tests, which is 800 × 800
        opened.concepts_dock.close()
        opened.resizeDocks([opened.neurons_dock], [420], Qt.Orientation.Horizontal)
        opened.close()
        again = MainWindow(Settings(settings._store))
        again.show()
        with qtbot.waitSignal(again.session.analysis_changed, timeout=20_000):
            again.projects.open(project_path)
        assert (again.width(), again.height()) == (900, 650)
        assert again.neurons_dock.width() == pytest.approx(420, abs=2)
        assert not again.concepts_dock.isVisible()
        again.close()
        again.deleteLater()

    def test_the_scheme_is_applied_and_remembered(self, qtbot, window, settings):
        window.menus.actions["scheme_dark"].trigger()
        dark = QApplication.palette().window().color().lightness()
        window.menus.actions["scheme_light"].trigger()
        assert dark < 128 < QApplication.palette().window().color().lightness()
        assert Settings(settings._store).scheme == "light"


def test_every_shortcut_is_used_once(window):
    used = [
        keys.toString()
        for action in window.menus.actions.values()
        for keys in action.shortcuts()
        if not keys.isEmpty()
    ]
    assert len(used) == len(set(used))
    assert QKeySequence("Ctrl+E").toString() in used


def test_help_opens(qtbot, window):
    for name in ("shortcuts", "about"):  # the guide stays open beside the window: test_help
        window.menus.actions[name].trigger()
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        dialog.reject()


def test_the_window_is_on_screen_before_torch_or_scikit_learn_are_imported(project_path, tmp_path):
    program = """
import sys
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
application = QApplication([])
import app.concept_counts
import app.export_actions
import app.new_project_dialog
import app.project_actions
import app.session
import app.visualization_control
from app.main_window import MainWindow
from app.settings import Settings
window = MainWindow(Settings(QSettings(sys.argv[1], QSettings.Format.IniFormat)))
window.show()
application.processEvents()
slow = ("torch", "torchvision", "sklearn", "lucent", "scipy", "pyqtgraph")
loaded = [name for name in slow if name in sys.modules]
window.close()
assert window.shut_down_cleanly
print("loaded:", loaded)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "settings.ini")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "loaded: []"
