"""From a file of activations to the first neuron, through the dialog, with real files and real jobs."""

import json
import threading
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMessageBox

from app.import_dialog import ImportDialog
from app.project_dialog import ProjectDialog
from backend.activations.activation_import import create_import_project
from backend.activations.activation_rows import ActivationRows
from backend.project import Project
from tests.app.planted_project import LAYER, TWO_CLUSTERS, planted_activations
from tests.app.test_extraction import answer, visible
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK
from widgets.error_dialog import ErrorDialog


@pytest.fixture
def world(tmp_path, planted):
    """The planted activations and their list as another program would write them."""
    with Project.open(planted, read_only=True) as project:
        paths, labels = project.image_paths, project.image_labels
    np.save(tmp_path / "acts.npy", planted_activations(labels))
    (tmp_path / "list.json").write_text(json.dumps(list(paths)))
    return tmp_path


@pytest.fixture
def dialog(qtbot, window):
    window.menus.actions["import"].trigger()
    (dialog,) = window.findChildren(ImportDialog)
    return dialog


def fill(qtbot, dialog, world, images, layer="mixed"):
    form = dialog.form
    form.set_destination_folder(world)
    for edit, path in (
        (form.activations_section.file_edit, world / "acts.npy"),
        (form.images_section.list_edit, world / "list.json"),
        (form.images_section.folder_edit, images),
    ):
        edit.line.setFocus()
        qtbot.keyClicks(edit.line, str(path))
        qtbot.keyClick(edit.line, Qt.Key.Key_Return)
    qtbot.keyClicks(form.layer_edit, layer)


def press_import(qtbot, dialog):
    qtbot.waitUntil(dialog.form.import_button.isEnabled, timeout=20_000)
    qtbot.mouseClick(dialog.form.import_button, Qt.MouseButton.LeftButton)


def test_from_the_file_to_the_first_neuron(qtbot, window, dialog, world, planted):
    fill(qtbot, dialog, world, planted.parent / "images")
    qtbot.waitUntil(lambda: dialog.form.images_section.table.rowCount() == 5, timeout=20_000)
    table = dialog.form.images_section.table
    assert [table.item(0, column).text() for column in range(3)] == ["0", "blue/00.png", "found"]
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        press_import(qtbot, dialog)
    project = window.session.project
    assert project.path == world / "acts.prism"
    assert window.session.layer.name == "mixed"
    np.testing.assert_array_equal(window.session.layer.activations, np.load(world / "acts.npy"))
    assert window.settings.recent_projects()[0].path == project.path
    # Two planted groups, as in a layer that was extracted.
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.session.set_parameters(TWO_CLUSTERS)
    assert len(window.session.split.concepts) == 2
    assert not window.workspace.visualization.start_button.isEnabled()
    assert "computed elsewhere" in window.workspace.visualization.message.text()
    window.projects.show_information()
    (about,) = window.findChildren(ProjectDialog)
    texts = " ".join(label.text() for label in about.findChildren(type(about.layout().itemAt(0).widget())))
    assert "activations computed elsewhere" in texts
    assert "mixed was imported from acts.npy" in texts


def test_a_layer_is_added_to_the_open_project(qtbot, opened, world):
    opened.menus.actions["import"].trigger()
    (dialog,) = opened.findChildren(ImportDialog)
    dialog.form.set_into_open(True)
    fill(qtbot, dialog, world, "", layer="again")
    with qtbot.waitSignal(opened.session.analysis_changed, timeout=60_000):
        press_import(qtbot, dialog)
    assert opened.session.layer.name == "again"
    assert set(opened.session.layer_names()) >= {LAYER, "again"}


def test_the_name_of_an_extracted_layer_is_marked(qtbot, opened, world):
    opened.menus.actions["import"].trigger()
    (dialog,) = opened.findChildren(ImportDialog)
    dialog.form.set_into_open(True)
    fill(qtbot, dialog, world, "", layer=LAYER)
    qtbot.waitUntil(lambda: "was extracted" in dialog.form.layer_section.error(), timeout=20_000)
    assert not dialog.form.import_button.isEnabled()


def test_what_is_wrong_with_each_file_is_said_under_it(qtbot, dialog, world, planted, tmp_path):
    np.save(world / "acts.npy", np.zeros((7, 3), np.float32))
    (tmp_path / "empty").mkdir()
    fill(qtbot, dialog, world, tmp_path / "empty")
    form = dialog.form
    qtbot.waitUntil(lambda: "7 rows" in form.images_section.error(), timeout=20_000)
    assert form.activations_section.error() == ""
    np.save(world / "acts.npy", np.zeros((2, 3, 4), np.float32))
    with qtbot.waitSignal(form.examination_requested, timeout=5000):
        qtbot.keyClicks(form.layer_edit, "x")
    qtbot.waitUntil(lambda: "three axes" in form.activations_section.error(), timeout=20_000)
    assert "None of the images" in form.images_section.error()
    assert not form.import_button.isEnabled()


def test_a_network_is_tried_in_the_dialog_and_makes_visualisation_possible(
    qtbot, window, dialog, world, planted, monkeypatch
):
    import torch

    from backend.images import preprocess_image
    from backend.models import LayerReader, load_model, normalise
    from backend.networks.model_source import ModelSource

    monkeypatch.setattr("app.import_dialog.list_torchvision_names", lambda task: ("resnet18",))
    monkeypatch.setattr("app.import_dialog.list_timm_names", lambda task: ())
    file = world / "tiny_network.py"
    file.write_text(TINY_NETWORK)
    loaded = load_model(ModelSource(f"{file}:build"), allow_code=True)
    with Project.open(planted, read_only=True) as project:
        paths = [project.image_path(row) for row in range(project.n_images)]
    pixels = np.stack([preprocess_image(path, loaded.preprocessing) for path in paths])
    reader = LayerReader(loaded.module, [TINY_LAYER])
    with torch.no_grad():
        np.save(world / "acts.npy", reader.read(normalise(pixels, loaded.preprocessing))[TINY_LAYER].numpy())
    fill(qtbot, dialog, world, planted.parent / "images", layer="1")
    form = dialog.form
    form.network_check.setFocus()
    qtbot.keyClick(form.network_check, Qt.Key.Key_Space)
    section = form.model_section
    section.python_button.setChecked(True)
    section.file_edit.set_path(str(file))
    qtbot.keyClicks(section.callable_edit, "build")
    section.trust_box.setChecked(True)
    qtbot.waitUntil(lambda: bool(form.network_section.error()), timeout=60_000)  # another layer
    assert not form.import_button.isEnabled()
    form.layer_edit.selectAll()
    qtbot.keyClicks(form.layer_edit, TINY_LAYER)
    qtbot.waitUntil(lambda: "mean cosine 1.0000" in form.network_section.message.text(), timeout=60_000)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        press_import(qtbot, dialog)
    assert window.session.project.model_source == ModelSource(f"{file}:build")
    assert window.workspace.visualization.start_button.isEnabled()


def test_a_cancelled_import_is_offered_again_and_goes_on(qtbot, window, dialog, world, planted, monkeypatch):
    read = ActivationRows.read
    jobs = []

    def slow(rows, start, stop):
        jobs.append(window.threads.long_work.running)
        while not jobs[0].cancel_requested:
            threading.Event().wait(0.005)
        return read(rows, start, stop)

    monkeypatch.setattr(ActivationRows, "read", slow)
    monkeypatch.setattr(
        "app.jobs.import_jobs.create_import_project", partial(create_import_project, block_rows=32)
    )
    fill(qtbot, dialog, world, planted.parent / "images")
    press_import(qtbot, dialog)
    qtbot.waitUntil(lambda: bool(jobs), timeout=20_000)
    qtbot.waitUntil(window.job_status.cancel_button.isVisible, timeout=5000)
    with qtbot.waitSignal(jobs[0].cancelled, timeout=20_000):
        qtbot.mouseClick(window.job_status.cancel_button, Qt.MouseButton.LeftButton)
    monkeypatch.setattr(ActivationRows, "read", read)
    path = window.session.project.path
    assert window.session.project.layer("mixed").n_done == 32
    window.projects.close_project()
    qtbot.waitUntil(lambda: window.session.project is None, timeout=20_000)
    qtbot.waitUntil(lambda: window.threads.long_work.running is None, timeout=20_000)
    window.projects.open(path)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        box = answer(qtbot, window, "Continue")
        assert box.windowTitle() == "Continue the import?"
    np.testing.assert_array_equal(window.session.layer.activations, np.load(world / "acts.npy"))


def test_rows_that_are_not_finite_are_told(qtbot, window, dialog, world, planted):
    values = np.load(world / "acts.npy")
    values[4, 0] = np.nan
    np.save(world / "acts.npy", values)
    fill(qtbot, dialog, world, planted.parent / "images")
    press_import(qtbot, dialog)
    qtbot.waitUntil(lambda: bool(visible(window, QMessageBox)), timeout=60_000)
    (box,) = visible(window, QMessageBox)
    assert "1 row of 90" in box.text()
    assert "row 4" in box.text()


def test_a_file_that_goes_away_is_said_in_a_sentence(qtbot, window, dialog, world, planted, monkeypatch):
    fill(qtbot, dialog, world, planted.parent / "images")
    qtbot.waitUntil(dialog.form.import_button.isEnabled, timeout=20_000)
    (world / "acts.npy").unlink()
    press_import(qtbot, dialog)
    qtbot.waitUntil(lambda: bool(visible(window, ErrorDialog)), timeout=20_000)
    assert window.session.project is None
    assert not (world / "acts.prism").exists()


def test_dropping_a_file_of_activations_opens_the_dialog_with_it(qtbot, window, world):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(world / "acts.npy"))])
    none, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    window.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, left, none))
    (dialog,) = visible(window, ImportDialog)
    assert dialog.form.activations_section.file() == world / "acts.npy"
    qtbot.waitUntil(lambda: "90 images" in dialog.form.activations_section.shape_label.text(), timeout=20_000)
