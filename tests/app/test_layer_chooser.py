"""The layer chooser: what is complete, how far the rest is, and the way to continue where people look."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from app.jobs.extraction_growth import LayerRows
from app.neuron_panel import layer_text
from backend.activations.store import ActivationWriter
from backend.project import Project
from tests.app.planted_project import DEEP_LAYER, LAYER


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (None, "features.18"),
        (LayerRows(0, 0, 100), "features.18 — not extracted"),
        (LayerRows(62, 62, 100), "features.18 — 62 % extracted"),
        (LayerRows(1, 1, 26_000), "features.18 — 0 % extracted"),
        (LayerRows(25_999, 0, 26_000), "features.18 — 99 % extracted"),
    ],
)
def test_how_far_a_layer_is(rows, text):
    assert layer_text("features.18", rows) == text


@pytest.fixture
def unfinished(qtbot, window, project_path):
    """The planted project with a third layer, of which 45 of 90 images are there, and a fourth only begun."""
    with Project.open(project_path) as project:
        binding = project.layer(LAYER).binding
        values = project.activations(LAYER)[:45]
        for name, blocks in (("half", [0]), ("begun", [])):
            record = project.extracted_layers.add(name, 6, binding)
            writer = ActivationWriter(record.file, 90, 6)
            for start in blocks:
                crc32 = {name: writer.write(start, values)}
                project.extracted_layers.record_block(start, start + 45, crc32, {}, {})
            writer.close()
    with qtbot.waitSignal(window.session.analysis_changed, timeout=20_000):
        window.projects.open(project_path)
    qtbot.waitUntil(lambda: any(box.isVisible() for box in window.findChildren(QMessageBox)), timeout=20_000)
    for box in window.findChildren(QMessageBox):
        box.reject()
    return window


def choose(qtbot, window, layer):
    """Choose a layer by the keyboard, as in the list that drops down."""
    box = window.neuron_panel.layer_box
    box.showPopup()
    view = box.view()
    index = view.model().index(box.findData(layer), 0)
    view.setCurrentIndex(index)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(index).center())


def test_unfinished_layers_are_listed_beside_complete_ones(unfinished):
    box = unfinished.neuron_panel.layer_box
    assert [box.itemText(position) for position in range(box.count())] == [
        LAYER,
        DEEP_LAYER,
        "half — 50 % extracted",
        "begun — not extracted",
    ]
    enabled = [box.model().item(position).isEnabled() for position in range(box.count())]
    assert enabled == [True, True, True, False]
    assert unfinished.session.layer.name == LAYER


def test_the_way_to_continue_is_beside_them(qtbot, unfinished):
    button = unfinished.neuron_panel.continue_button
    assert button.isVisible()
    assert "half — 50 % extracted" in button.toolTip()
    asked = []
    unfinished.permission.request = lambda source, then: asked.append(source)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert asked == [unfinished.session.project.model_source]


def test_half_a_layer_is_shown_and_says_so_and_a_layer_only_begun_is_not(qtbot, unfinished):
    session = unfinished.session
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        choose(qtbot, unfinished, "half")
    assert (session.layer.name, session.layer.n_rows) == ("half", 45)
    assert unfinished.notices.partial.text() == "Partial: 45 of 90 images."
    assert unfinished.notices.partial.keys() == ("continue",)
    assert not unfinished.neuron_panel.continue_button.isVisible(), "the banner offers it"
    session.show_layer("begun")
    choose(qtbot, unfinished, "begun")
    assert unfinished.neuron_panel.layer_box.currentData() != "begun"


def test_the_counts_of_a_part_rest_on_its_images(qtbot, unfinished):
    session = unfinished.session
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        choose(qtbot, unfinished, "half")
    assert session.layer.index.statistics.n_images == 45
    assert max(session.split.top.images) < 45
    with qtbot.waitSignal(session.analysis_changed, timeout=20_000):
        choose(qtbot, unfinished, LAYER)
    assert not unfinished.notices.partial.isVisible()
    assert session.layer.index.statistics.n_images == 90
