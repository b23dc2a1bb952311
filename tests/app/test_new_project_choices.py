"""What is chosen in the dialog for a new project, with real jobs, up to the activations that come of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox

import app.new_project_dialog
from app.jobs.extraction_jobs import list_timm_names
from app.jobs.project_jobs import create_project
from app.model_cache import ModelCache
from app.new_project_dialog import NewProjectDialog
from backend.activations import precision
from backend.networks.model_source import ModelSource
from backend.project import Project
from backend.task import SilentTask
from tests.app.planted_project import CLASSES, PER_CLASS
from tests.app.tiny_network import TINY_LAYER, TINY_NETWORK
from widgets.new_project.new_project_request import ImagesChoice, ModelChoice, NewProjectRequest


@pytest.fixture
def network_file(tmp_path):
    file = tmp_path / "tiny_network.py"
    file.write_text(TINY_NETWORK.replace("return network", "return network, preprocessing"))
    return file


@pytest.fixture
def few_names(monkeypatch):
    monkeypatch.setattr(app.new_project_dialog, "list_torchvision_names", lambda task: ("resnet18",))
    monkeypatch.setattr(app.new_project_dialog, "list_timm_names", lambda task: ())


@pytest.fixture
def dialog(window, few_names, tmp_path):
    window.projects.new_project()
    (dialog,) = window.findChildren(NewProjectDialog)
    dialog.form.set_destination_folder(tmp_path)
    return dialog


def choose_network(qtbot, dialog, file, layers):
    section = dialog.form.model_section
    section.python_button.setChecked(True)
    section.file_edit.set_path(str(file))
    qtbot.keyClicks(section.callable_edit, "build")
    section.trust_box.setChecked(True)
    tree = dialog.form.layer_tree
    qtbot.waitUntil(lambda: len(tree._items) == 7, timeout=60_000)
    tree.set_checked_layers(layers)
    tree.selection_changed.emit(tree.checked_layers())


def choose_images(qtbot, dialog, folder, n):
    dialog.form.set_images_folder(folder)
    qtbot.waitUntil(lambda: dialog.form.images_section.n_chosen == n, timeout=20_000)


def create(qtbot, window, dialog):
    qtbot.waitUntil(dialog.form.create_button.isEnabled, timeout=60_000)
    with qtbot.waitSignal(window.session.analysis_changed, timeout=60_000):
        qtbot.mouseClick(dialog.form.create_button, Qt.MouseButton.LeftButton)
    return window.session.project


def maps(network_file, paths, layer):
    """Return float64 (images, channels, positions): a layer's maps, by the network itself."""
    import torch

    values: dict[str, object] = {}
    exec(network_file.read_text(), values)
    network = values["build"]()[0].eval()[: int(layer) + 1]
    pixels = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
    return network(inputs).flatten(2).double().detach().numpy()


def test_each_layer_is_pooled_as_was_chosen_for_it(qtbot, window, dialog, network_file, planted):
    choose_network(qtbot, dialog, network_file, ("1", TINY_LAYER))
    choose_images(qtbot, dialog, planted.parent / "images", len(CLASSES) * PER_CLASS)
    qtbot.keyClick(dialog.form.layer_tree.pooling_box(TINY_LAYER), Qt.Key.Key_Down)
    project = create(qtbot, window, dialog)
    qtbot.waitUntil(lambda: all(record.complete for record in project.layers), timeout=20_000)
    assert {one.name: one.binding.pooling for one in project.layers} == {"1": "mean", TINY_LAYER: "max"}
    paths = [project.image_path(row) for row in range(project.n_images)]
    expected = maps(network_file, paths, TINY_LAYER).max(axis=2)
    np.testing.assert_allclose(project.activations(TINY_LAYER), expected, rtol=1e-4, atol=1e-6)
    expected = maps(network_file, paths, "1").mean(axis=2)
    np.testing.assert_allclose(project.activations("1"), expected, rtol=1e-4, atol=1e-6)


def test_what_was_chosen_outlives_the_window(qtbot, window, network_file, planted, tmp_path):
    request = NewProjectRequest(
        ModelChoice(ModelSource(f"{network_file}:build"), True),
        (TINY_LAYER,),
        ImagesChoice(planted.parent / "images", per_class=3),
        tmp_path / "later.prism",
        {TINY_LAYER: "max"},
    )
    create_project(request, SilentTask()).close()
    window.projects.open(tmp_path / "later.prism")
    for label in ("Continue", "Run this file"):
        qtbot.waitUntil(lambda: bool(visible_boxes(window)), timeout=20_000)
        (box,) = visible_boxes(window)
        (button,) = [one for one in box.buttons() if one.text().replace("&", "") == label]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.layer is not None, timeout=60_000)
    assert window.session.project.layer(TINY_LAYER).binding.pooling == "max"


def visible_boxes(window):
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def test_deep_grey_values_are_found_named_and_scaled_as_chosen(qtbot, window, dialog, network_file, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(6):
        Image.fromarray(np.full((32, 32), 100 + 600 * number, np.uint16)).save(scans / f"{number}.png")
    choose_network(qtbot, dialog, network_file, (TINY_LAYER,))
    choose_images(qtbot, dialog, scans, 6)
    choice = dialog.form.images_section.grey_scaling
    assert choice.found_label.text() == "More than eight bits: 6 of the 6 PNG files, such as 0.png."
    qtbot.keyClick(choice.box, Qt.Key.Key_Down)
    assert "value ÷ 16" in choice.rule_label.text()
    project = create(qtbot, window, dialog)
    assert project.model_source.grey_scaling == "twelve_bit"
    assert project.preprocessing.grey_scaling == "twelve_bit"
    eight_bits = tmp_path / "eight bits"
    eight_bits.mkdir()
    for number in range(6):
        grey = np.full((32, 32), (100 + 600 * number) // 16, np.uint8)
        Image.fromarray(grey).save(eight_bits / f"{number}.png")
    paths = [eight_bits / f"{number}.png" for number in range(6)]
    expected = maps(network_file, paths, TINY_LAYER).mean(axis=2)
    np.testing.assert_allclose(project.activations(TINY_LAYER), expected, rtol=1e-4, atol=1e-6)


def test_the_fast_precision_is_measured_and_kept(qtbot, window, dialog, network_file, planted, monkeypatch):
    monkeypatch.setattr(precision, "_instructions", lambda: {"avx512_bf16": True})
    choose_network(qtbot, dialog, network_file, (TINY_LAYER,))
    choose_images(qtbot, dialog, planted.parent / "images", len(CLASSES) * PER_CLASS)
    section = dialog.form.precision_section
    qtbot.keyClick(section.box, Qt.Key.Key_Down)
    assert not dialog.form.create_button.isEnabled()
    qtbot.waitUntil(lambda: section.check is not None, timeout=60_000)
    check = section.check
    assert check.n_images == len(CLASSES) * PER_CLASS
    assert [layer.layer for layer in check.layers] == [TINY_LAYER]
    project = create(qtbot, window, dialog)
    assert project.layer(TINY_LAYER).binding.precision == "fast"
    assert project.precision_check(TINY_LAYER) == check


def test_without_a_fast_precision_the_control_says_so(qtbot, window, few_names, monkeypatch):
    monkeypatch.setattr(precision, "_instructions", dict)
    window.projects.new_project()
    (dialog,) = window.findChildren(NewProjectDialog)
    section = dialog.form.precision_section
    qtbot.waitUntil(lambda: not section.box.isEnabled(), timeout=60_000)
    assert "does not compute in bfloat16" in section.message.text()


def test_timms_networks_are_offered_when_it_is_installed(qtbot, window, few_names, monkeypatch):
    monkeypatch.setattr(app.new_project_dialog, "list_timm_names", list_timm_names)
    window.projects.new_project()
    (dialog,) = window.findChildren(NewProjectDialog)
    box = dialog.form.model_section.name_box
    qtbot.waitUntil(lambda: box.findText("timm:resnet10t") >= 0, timeout=60_000)
    assert box.findText("resnet18") >= 0


def test_without_timm_there_are_none(monkeypatch):
    monkeypatch.setattr("backend.models.timm_is_installed", lambda: False)
    assert list_timm_names(SilentTask()) == ()


def test_another_rule_for_grey_values_loads_no_network_anew(network_file):
    models, source = ModelCache(), ModelSource(f"{network_file}:build")
    own = models.load(source, allow_code=True, task=SilentTask())
    other = models.load(replace(source, grey_scaling="min_max"), allow_code=True, task=SilentTask())
    assert other.module is own.module
    assert own.preprocessing.grey_scaling == "full_range"
    assert other.preprocessing == replace(own.preprocessing, grey_scaling="min_max")
    assert other.source.grey_scaling == "min_max"
    again = models.load(source, allow_code=True, task=SilentTask())
    assert again.preprocessing == own.preprocessing


def test_a_project_keeps_the_plan_of_its_request(planted, tmp_path):
    request = NewProjectRequest(
        ModelChoice(ModelSource("resnet18", grey_scaling="min_max")),
        ("layer3", "layer4"),
        ImagesChoice(planted.parent / "images", per_class=2),
        tmp_path / "planned.prism",
        {"layer3": "max", "layer4": "mean"},
        "fast",
    )
    create_project(request, SilentTask()).close()
    with Project.open(Path(tmp_path / "planned.prism")) as project:
        assert project.planned_layers == ("layer3", "layer4")
        assert project.planned_poolings == {"layer3": "max", "layer4": "mean"}
        assert project.planned_precision == "fast"
        assert project.model_source.grey_scaling == "min_max"
        assert project.n_images == 2 * len(CLASSES)
