"""The dialog for a new project: filled in with real events, answered by real jobs, up to the first neuron."""

import re

import pytest
from PySide6.QtCore import Qt

import app.new_project_dialog
from app.new_project_dialog import NewProjectDialog
from tests.app.planted_project import CLASSES, PER_CLASS
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK


@pytest.fixture
def network_file(tmp_path):
    file = tmp_path / "tiny_network.py"
    file.write_text(TINY_NETWORK)
    return file


@pytest.fixture
def dialog(qtbot, window, monkeypatch, tmp_path):
    monkeypatch.setattr(app.new_project_dialog, "list_torchvision_names", lambda task: ("resnet18",))
    window.projects.new_project()
    (dialog,) = window.findChildren(NewProjectDialog)
    dialog.form.set_destination_folder(tmp_path)
    return dialog


def fill_line(qtbot, edit, text):
    edit.clear()
    qtbot.keyClicks(edit, text)


def choose_network(qtbot, dialog, file, function="build"):
    section = dialog.form.model_section
    section.python_button.setChecked(True)
    section.file_edit.set_path(str(file))
    fill_line(qtbot, section.callable_edit, function)
    section.trust_box.setChecked(True)


def wait_layers(qtbot, dialog, n):
    qtbot.waitUntil(lambda: len(dialog.form.layer_tree._items) == n, timeout=60_000)


def choose_images(qtbot, dialog, folder):
    dialog.form.set_images_folder(folder)
    qtbot.waitUntil(lambda: dialog.form.images_section.n_chosen == len(CLASSES) * PER_CLASS, timeout=20_000)


def test_from_the_empty_form_to_the_first_neuron(qtbot, window, dialog, network_file, planted, tmp_path):
    form = dialog.form
    assert not form.create_button.isEnabled()
    choose_network(qtbot, dialog, network_file)
    wait_layers(qtbot, dialog, 7)
    assert re.fullmatch(r"network's own \(\d+\)", form.model_section.input_size_box.text())
    form.layer_tree.set_checked_layers((TINY_LAYER,))
    choose_images(qtbot, dialog, planted.parent / "images")
    fill_line(qtbot, form.destination_section.name_edit, "tiny")
    qtbot.waitUntil(lambda: "images/s" in form.estimate_label.text(), timeout=60_000)
    qtbot.waitUntil(form.create_button.isEnabled, timeout=5000)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        qtbot.mouseClick(form.create_button, Qt.MouseButton.LeftButton)
    assert window.session.project.path == tmp_path / "tiny.prism"
    assert window.session.project.n_images == len(CLASSES) * PER_CLASS
    assert window.session.layer.n_neurons == 8
    assert window.settings.recent_projects()[0].path == tmp_path / "tiny.prism"


def test_a_network_that_raises_is_marked_in_the_form(qtbot, dialog, network_file):
    choose_network(qtbot, dialog, network_file, "broken")
    section = dialog.form.model_section
    qtbot.waitUntil(lambda: bool(section.error()), timeout=60_000)
    assert "no such luck" in section.error()
    assert not dialog.form.create_button.isEnabled()


def test_a_folder_without_images_is_marked_in_the_form(qtbot, dialog, tmp_path):
    (tmp_path / "empty").mkdir()
    dialog.form.set_images_folder(tmp_path / "empty")
    section = dialog.form.images_section
    qtbot.waitUntil(lambda: bool(section.error()), timeout=20_000)
    assert "no images" in section.error()


def test_the_newest_folder_counts(qtbot, dialog, planted, tmp_path):
    (tmp_path / "empty").mkdir()
    dialog.form.set_images_folder(tmp_path / "empty")
    choose_images(qtbot, dialog, planted.parent / "images")
    assert not dialog.form.images_section.error()


def test_closing_the_dialog_drops_its_questions(qtbot, window, dialog, network_file, planted):
    choose_network(qtbot, dialog, network_file)
    dialog.form.set_images_folder(planted.parent / "images")
    dialog.reject()
    qtbot.waitUntil(lambda: window.threads.aside.running is None, timeout=60_000)
    assert window.threads.aside.waiting == ()
