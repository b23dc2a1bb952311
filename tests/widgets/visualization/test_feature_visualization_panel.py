"""Feature visualisation: pictures that own their memory, appear as they rise, and can be saved."""

import gc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from backend.visualization.visualization_result import FeatureVisualization, VisualizationSettings
from widgets.visualization.feature_visualization_panel import FeatureVisualizationPanel, VisualizationCard
from widgets.visualization.visualization_card import owned_image

NEURON = VisualizationCard("neuron", "Neuron 35")
APPLES = VisualizationCard("concept 0", "apples", QColor("#1646ad"), "A", "42 images")
NETS = VisualizationCard("concept 1", "nets/goals", QColor("#c42a0c"), "B")
RNG = np.random.default_rng(1)


def _pictures(k: int, height: int = 21, width: int = 33) -> NDArray[np.uint8]:
    return RNG.integers(0, 256, (k, height, width, 3), dtype=np.uint8)


def _result(
    images: NDArray[np.uint8], keys: tuple[str, ...], step: int = 40, *, finished: bool = False
) -> FeatureVisualization:
    objective = np.linspace(0, 5, step, dtype=np.float32)[None].repeat(len(keys), axis=0)
    projections = np.eye(len(keys), dtype=np.float32) * 3 + 1 if finished else None
    return FeatureVisualization(
        "features.18", keys, VisualizationSettings(steps=128), images, objective, step, 128, projections
    )


@pytest.fixture
def panel(qtbot: QtBot) -> FeatureVisualizationPanel:
    panel = FeatureVisualizationPanel()
    qtbot.addWidget(panel)
    panel.resize(700, 460)
    panel.set_cards([NEURON, APPLES, NETS])
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    return panel


@pytest.mark.parametrize("shape", [(1, 1), (21, 33), (64, 64), (7, 50)])
def test_an_image_has_the_pixels_of_the_array_and_owns_them(shape: tuple[int, int]) -> None:
    pixels = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = pixels.copy()
    image = owned_image(pixels)
    pixels[:] = 0
    del pixels
    gc.collect()
    assert (image.height(), image.width()) == shape
    for y, x in ((0, 0), (shape[0] - 1, shape[1] - 1), (shape[0] // 2, shape[1] // 3)):
        assert image.pixelColor(x, y) == QColor(*(int(v) for v in expected[y, x]))


def test_an_image_of_a_strided_array(panel: FeatureVisualizationPanel) -> None:
    pixels = _pictures(1, 20, 30)[0][::2, ::3]
    assert owned_image(pixels).pixelColor(2, 1) == QColor(*(int(v) for v in pixels[1, 2]))


@pytest.mark.parametrize(
    "pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(pixels: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="uint8"):
        owned_image(pixels)


def test_pictures_appear_on_their_cards(panel: FeatureVisualizationPanel) -> None:
    pictures = _pictures(2)
    panel.update_images(_result(pictures, ("concept 0", "neuron")))
    assert panel.image("concept 0") == owned_image(pictures[0])
    assert panel.image("neuron") == owned_image(pictures[1])
    assert panel.image("concept 1") is None
    assert panel.image("somebody else") is None
    assert panel.progress_bar.value() == 40
    card = panel.card("neuron")
    assert card is not None
    assert "step 40 of 128" in card.accessibleName()


def test_the_picture_is_painted(panel: FeatureVisualizationPanel) -> None:
    green = np.zeros((1, 30, 30, 3), dtype=np.uint8)
    green[..., 1] = 200
    card = panel.card("neuron")
    assert card is not None
    center = card.rect().center()
    assert card.grab().toImage().pixelColor(center) != QColor(0, 200, 0)
    panel.update_images(_result(green, ("neuron",)))
    assert card.grab().toImage().pixelColor(center) == QColor(0, 200, 0)


def test_keys_without_a_card_are_left_out(panel: FeatureVisualizationPanel) -> None:
    panel.update_images(_result(_pictures(1), ("somebody else",)))
    assert panel.image("neuron") is None


def test_a_finished_picture_says_how_it_fits(panel: FeatureVisualizationPanel) -> None:
    panel.update_images(_result(_pictures(2), ("neuron", "concept 0"), 128, finished=True))
    card = panel.card("concept 0")
    assert card is not None
    assert card.fit_text() == "own 4.00 · best other 1.00"
    assert "projects on its own direction" in card.toolTip()


def test_cards_that_stay_keep_their_pictures(panel: FeatureVisualizationPanel, qtbot: QtBot) -> None:
    panel.update_images(_result(_pictures(2), ("neuron", "concept 0")))
    kept = panel.image("concept 0")
    panel.set_cards([VisualizationCard("concept 0", "red apples", QColor("red"), "A"), NETS])
    assert panel.image("concept 0") == kept
    assert panel.card("neuron") is None
    card = panel.card("concept 0")
    assert card is not None
    assert "red apples" in card.accessibleName()
    panel.clear_images()
    assert panel.image("concept 0") is None
    panel.set_cards([])
    assert panel.empty_state.isVisible()
    assert not panel.start_button.isEnabled()


def test_start_sends_the_settings(panel: FeatureVisualizationPanel, qtbot: QtBot) -> None:
    form = panel.settings_form
    for box, text in ((form.steps_box, "64"), (form.size_box, "160"), (form.seed_box, "4000000000")):
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, text)
        QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.mouseClick(panel.more_button, Qt.MouseButton.LeftButton)
    assert form.isVisible()
    form.objective_box.setFocus()
    QTest.keyClick(form.objective_box, Qt.Key.Key_End)
    form.transforms_box.setFocus()
    QTest.keyClick(form.transforms_box, Qt.Key.Key_Space)
    with qtbot.waitSignal(panel.start_requested) as signal:
        QTest.mouseClick(panel.start_button, Qt.MouseButton.LeftButton)
    assert signal.args == [
        VisualizationSettings(
            steps=64, image_size=160, seed=4_000_000_000, objective="dot_cosine", transforms=False
        )
    ]


@pytest.mark.parametrize(
    "settings",
    [
        VisualizationSettings(),
        VisualizationSettings(16, 96, "dot", 1.5, "centre", "pixel", False, 0.1, 3),
        VisualizationSettings(objective="dot_cosine", position="every"),
    ],
)
def test_settings_come_back_as_they_were_shown(
    panel: FeatureVisualizationPanel, settings: VisualizationSettings
) -> None:
    panel.set_settings(settings)
    assert panel.settings() == settings
    assert panel.settings_form.power_box.isEnabled() == (settings.objective == "dot_cosine")


def test_cancel_while_it_runs(panel: FeatureVisualizationPanel, qtbot: QtBot) -> None:
    panel.set_running(True)
    assert not panel.start_button.isVisible()
    assert not panel.settings_form.first_row().isEnabled()
    with qtbot.waitSignal(panel.cancel_requested):
        QTest.mouseClick(panel.cancel_button, Qt.MouseButton.LeftButton)
    assert not panel.cancel_button.isEnabled()
    panel.set_running(False)
    assert panel.start_button.isEnabled()
    assert not panel.cancel_button.isVisible()


def test_without_a_network_there_is_no_start(panel: FeatureVisualizationPanel) -> None:
    panel.set_available(False, "The network's file is gone.")
    assert not panel.start_button.isEnabled()
    assert panel.start_button.toolTip() == "The network's file is gone."
    panel.set_available(True)
    assert panel.start_button.isEnabled()
    panel.set_message("The picture could not be rendered.")
    assert panel.message.isVisible()


def test_a_picture_is_saved_from_its_menu(
    panel: FeatureVisualizationPanel, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def choose(parent: object, title: str, name: str, kinds: str) -> tuple[str, str]:
        offered.append(name)
        return str(tmp_path / "mine"), kinds

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    card = panel.card("concept 1")
    assert card is not None
    save, copy = card.menu().actions()
    assert not save.isEnabled()
    panel.update_images(_result(_pictures(1), ("concept 1",)))
    save, copy = card.menu().actions()
    with qtbot.waitSignal(panel.save_requested) as signal:
        save.trigger()
    assert signal.args == ["concept 1", str(tmp_path / "mine.png")]
    assert offered == ["nets-goals.png"]
    copy.trigger()
    picture = panel.image("concept 1")
    assert picture is not None
    assert QGuiApplication.clipboard().image().size() == picture.size()


def test_saving_can_be_called_off(
    panel: FeatureVisualizationPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *arguments: ("", ""))
    panel.update_images(_result(_pictures(1), ("neuron",)))
    card = panel.card("neuron")
    assert card is not None
    with qtbot.assertNotEmitted(panel.save_requested):
        card.menu().actions()[0].trigger()


def test_cards_use_the_width(panel: FeatureVisualizationPanel, qtbot: QtBot) -> None:
    def tops() -> set[int]:
        cards = [panel.card(key) for key in ("neuron", "concept 0", "concept 1")]
        return {card.y() for card in cards if card is not None}

    qtbot.waitUntil(lambda: len(tops()) == 1, timeout=2000)
    panel.resize(420, 460)
    qtbot.waitUntil(lambda: len(tops()) == 2, timeout=2000)
