"""Every panel follows the scheme live, at any scale, and can be used without a mouse."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from backend.evaluation.embedding_result import Embedding, EmbeddingSettings
from backend.method.parameters import Suggestion
from backend.networks.model_source import LayerInfo
from backend.neurons import NeuronStatistics
from widgets import theme
from widgets.concepts.concept_list import ConceptEntry, ConceptList
from widgets.embedding.embedding_state import PointGroup
from widgets.embedding.embedding_view import EmbeddingView
from widgets.error_dialog import ErrorDialog
from widgets.images.image_grid_model import ImageItem
from widgets.images.thumbnails import ThumbnailLoader
from widgets.job_status import JobStatusBar
from widgets.neurons.neuron_browser import NeuronBrowser, NeuronTable
from widgets.new_project.new_project_form import NewProjectForm
from widgets.parameters.parameters_panel import ParametersPanel
from widgets.visualization.feature_visualization_panel import FeatureVisualizationPanel, VisualizationCard
from widgets.welcome.welcome_page import RecentProject, WelcomePage

BLUE = QColor("#1646ad")


def _browser() -> QWidget:
    browser = NeuronBrowser(ThumbnailLoader(lambda path, size: np.zeros((size, size, 3), np.uint8)))
    values = np.arange(20, dtype=np.float32)
    statistics = NeuronStatistics(values, values, values, values / 20, 10)
    browser.set_table(NeuronTable(statistics, np.full(20, -1), {3: "apples"}))
    return browser


def _concepts() -> QWidget:
    concepts = ConceptList()
    concepts.set_concepts([ConceptEntry(0, 42, "apples", "", BLUE, "A", "mean cosine 0.82")], 3, (2,))
    return concepts


def _parameters() -> QWidget:
    panel = ParametersPanel()
    panel.set_suggestion(Suggestion(30.0, 9.0, 100, 64, "Measured."))
    panel.set_n_clusters(3, 100)
    return panel


def _welcome() -> QWidget:
    page = WelcomePage()
    page.set_recent([RecentProject(Path("/data/apples.prism"), datetime(2026, 1, 2), missing=True)])
    return page


def _job() -> QWidget:
    bar = JobStatusBar(clock=lambda: 0.0)
    bar.start_job("Extracting", unit="image")
    bar.set_progress(10, 100)
    bar.set_queue(["Rendering"])
    return bar


def _form() -> QWidget:
    form = NewProjectForm()
    form.set_torchvision_names(["alexnet"])
    form.set_layers([LayerInfo("fc", "Linear", (3,), None, False, "No."), LayerInfo("c", "C", (3,), 3, True)])
    form.set_error("images", "The folder is empty.")
    return form


def _visualization() -> QWidget:
    panel = FeatureVisualizationPanel()
    panel.set_cards([VisualizationCard("neuron", "Neuron 3"), VisualizationCard("c", "apples", BLUE, "A")])
    return panel


def _embedding() -> QWidget:
    view = EmbeddingView(ThumbnailLoader(lambda path, size: np.zeros((size, size, 3), np.uint8)))
    items = tuple(ImageItem(row, Path(f"{row}.png"), "", f"{row}.png") for row in range(250))
    places = np.random.default_rng(0).normal(size=(250, 2)).astype(np.float32)
    group = PointGroup(0, "apples", 0, BLUE, "A", items)
    view.set_points([group], range(250), Embedding("umap", 0, EmbeddingSettings(), places))
    return view


PANELS: dict[str, Callable[[], QWidget]] = {
    "browser": _browser,
    "concepts": _concepts,
    "parameters": _parameters,
    "welcome": _welcome,
    "job": _job,
    "form": _form,
    "visualization": _visualization,
    "embedding": _embedding,
    "error": lambda: ErrorDialog("It is gone.", "Traceback"),
}


@pytest.fixture(autouse=True)
def light_again(qapp: QApplication) -> Iterator[None]:
    theme.apply_scheme(qapp, "light")
    yield
    theme.apply_scheme(qapp, "light")


def _shown(make: Callable[[], QWidget], qtbot: QtBot) -> QWidget:
    panel = make()
    qtbot.addWidget(panel)
    panel.resize(1000, 640)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def _shot(panel: QWidget) -> QImage:
    # What blinks or runs is left out of the comparison.
    QApplication.processEvents()
    focused = panel.focusWidget()
    if focused is not None:
        focused.clearFocus()
    QApplication.processEvents()
    pixmap: QPixmap = panel.grab()
    return pixmap.toImage()


def _share_of_different_pixels(a: QImage, b: QImage) -> float:
    def pixels(image: QImage) -> np.ndarray:  # type: ignore[type-arg]
        plain = image.convertToFormat(QImage.Format.Format_RGB32)
        return np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.width(), 4).copy()

    return float((pixels(a) != pixels(b)).any(axis=2).mean())


@pytest.mark.parametrize("name", PANELS)
def test_a_change_of_scheme_looks_like_a_fresh_start_in_it(
    name: str, qapp: QApplication, qtbot: QtBot
) -> None:
    panel = _shown(PANELS[name], qtbot)
    light = _shot(panel)
    theme.apply_scheme(qapp, "dark")
    changed = _shot(panel)
    fresh = _shot(_shown(PANELS[name], qtbot))
    assert _share_of_different_pixels(light, changed) > 0.5
    assert _share_of_different_pixels(changed, fresh) < 0.002
    theme.apply_scheme(qapp, "light")
    assert _share_of_different_pixels(_shot(panel), light) < 0.002


@pytest.mark.parametrize("name", PANELS)
def test_every_control_has_a_name_and_can_be_reached(name: str, qtbot: QtBot) -> None:
    panel = _shown(PANELS[name], qtbot)
    kinds = (QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QTextEdit)
    for control in panel.findChildren(QWidget):
        inner = isinstance(control.parent(), QAbstractSpinBox | QComboBox | QLineEdit)
        if not isinstance(control, kinds) or not control.isVisible() or inner:
            continue
        text = control.text() if isinstance(control, QAbstractButton) else ""
        assert control.accessibleName() or text, control
        if control.isEnabled() and not isinstance(control.parent(), QLineEdit):
            assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control


@pytest.mark.parametrize("name", PANELS)
def test_tab_comes_round(name: str, qtbot: QtBot) -> None:
    panel = _shown(PANELS[name], qtbot)
    with qtbot.waitActive(panel, timeout=2000):
        panel.activateWindow()
    visited: list[QWidget] = []
    for _ in range(60):
        QTest.keyClick(QApplication.focusWidget() or panel, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is None or focused in visited:
            break
        visited.append(focused)
    assert visited
    assert len(visited) < 60


@pytest.mark.parametrize("name", PANELS)
def test_large_type_is_drawn_without_complaint(name: str, qapp: QApplication, qtbot: QtBot) -> None:
    usual = qapp.font()
    large = QFont(usual)
    large.setPointSizeF(usual.pointSizeF() * 2)
    qapp.setFont(large)
    try:
        assert not _shown(PANELS[name], qtbot).grab().isNull()
    finally:
        qapp.setFont(usual)
