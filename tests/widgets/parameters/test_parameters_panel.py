"""The parameters panel: one signal for a user's change, none for a setter, and nothing that cannot be."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from backend.method.parameters import PUBLISHED, Parameters, Suggestion
from widgets.number_boxes import ChoiceBox, PreciseNumberBox
from widgets.parameters.parameters_panel import ParametersPanel

SUGGESTION = Suggestion(34.23123456789, 12.12345, 100, 64, "Twice the median distance.")


@pytest.fixture
def panel(qtbot: QtBot) -> ParametersPanel:
    panel = ParametersPanel()
    qtbot.addWidget(panel)
    panel.resize(300, 640)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    return panel


@pytest.fixture
def sent(panel: ParametersPanel) -> list[Parameters]:
    sent: list[Parameters] = []
    panel.parameters_changed.connect(sent.append)
    return sent


def test_without_a_layer_every_field_is_blank_and_comes_back(
    panel: ParametersPanel, sent: list[Parameters]
) -> None:
    given = Parameters(distance_threshold=7.5)
    panel.set_suggestion(SUGGESTION)
    panel.set_parameters(given)
    panel.set_n_clusters(3, 100)
    panel.show_nothing()
    texts = [box.currentText() if isinstance(box, ChoiceBox) else box.text() for box in panel._boxes.values()]
    assert set(texts) == {""}
    panel.set_parameters(given)
    panel.set_n_clusters(3, 100)
    assert panel.threshold_box.text() == "7.5"
    assert panel.top_n_box.text() == "100"
    assert panel.n_clusters_box.text() == "3"
    assert panel.linkage_box.choice() == given.linkage
    assert sent == []


def _type(box: object, text: str) -> None:
    box.setFocus()  # type: ignore[attr-defined]
    box.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(box, text)  # type: ignore[call-overload]
    QTest.keyClick(box, Qt.Key.Key_Return)  # type: ignore[call-overload]


def _choose(box: ChoiceBox, value: str) -> None:
    """Choose in the open list, as a user does."""
    row = box.findData(value)
    box.showPopup()
    view = box.view()
    view.setCurrentIndex(box.model().index(row, 0))
    QTest.keyClick(view, Qt.Key.Key_Return)
    box.hidePopup()


def test_setters_send_nothing(panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot) -> None:
    asked: list[int] = []
    panel.n_clusters_requested.connect(asked.append)
    panel.set_suggestion(SUGGESTION)
    panel.set_parameters(SUGGESTION.parameters())
    panel.set_n_clusters(7, 100)
    panel.set_distance_threshold(3.25)
    panel.set_threshold_range(80.0)
    panel.set_suggestion(None)
    panel.flush()
    assert not panel._ask_later.isActive()
    assert sent == []
    assert asked == []


def test_typing_a_number_is_one_change(panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot) -> None:
    _type(panel.top_n_box, "250")
    qtbot.waitUntil(lambda: bool(sent), timeout=2000)
    panel.flush()
    assert sent == [Parameters(top_n=250)]


def test_spinning_is_one_change(panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot) -> None:
    panel.min_size_box.setFocus()
    for _ in range(8):
        QTest.keyClick(panel.min_size_box, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: bool(sent), timeout=2000)
    panel.flush()
    assert sent == [Parameters(min_cluster_size=13)]


def test_spinning_there_and_back_is_no_change(
    panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot
) -> None:
    panel.min_size_box.setFocus()
    QTest.keyClick(panel.min_size_box, Qt.Key.Key_Up)
    QTest.keyClick(panel.min_size_box, Qt.Key.Key_Down)
    panel.flush()
    assert sent == []


def test_the_threshold_keeps_every_digit_that_is_not_shown(
    panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot
) -> None:
    exact = 34.231234567891234
    panel.set_parameters(Parameters(distance_threshold=exact))
    assert panel.threshold_box.text() == "34.2312"
    panel.threshold_box.setFocus()
    QTest.keyClick(panel.threshold_box, Qt.Key.Key_Return)
    panel.top_n_box.setFocus()
    panel.flush()
    assert sent == []
    assert panel.parameters().distance_threshold == exact
    _type(panel.min_size_box, "6")
    panel.flush()
    assert sent[-1].distance_threshold == exact


@pytest.mark.parametrize(
    ("text", "value"),
    [("12.5", 12.5), ("12,5", 12.5), ("0", 0.0), ("1e-3", 0.001), ("123456789", 123456789.0)],
)
def test_thresholds_as_people_write_them(
    panel: ParametersPanel, sent: list[Parameters], text: str, value: float
) -> None:
    panel.set_parameters(Parameters(distance_threshold=77.0))
    _type(panel.threshold_box, text)
    panel.flush()
    assert sent[-1].distance_threshold == value


@pytest.mark.parametrize("text", ["-3", "abc", "--"])
def test_what_is_no_threshold_is_not_taken(panel: ParametersPanel, sent: list[Parameters], text: str) -> None:
    panel.set_parameters(Parameters(distance_threshold=77.0))
    _type(panel.threshold_box, text)
    panel.flush()
    assert all(p.distance_threshold >= 0 for p in sent)
    assert panel.parameters().distance_threshold in (77.0, 3.0)


def test_the_line_of_the_dendrogram_and_the_box_are_one_number(
    panel: ParametersPanel, sent: list[Parameters]
) -> None:
    panel.set_parameters(Parameters(linkage="average"))
    panel.set_distance_threshold(21.0625)
    assert panel.parameters() == Parameters(linkage="average", distance_threshold=21.0625)
    assert panel.threshold_box.value() == 21.0625
    panel.flush()
    assert sent == []


def test_the_number_of_clusters_is_asked_for(panel: ParametersPanel, qtbot: QtBot) -> None:
    panel.set_n_clusters(3, 20)
    asked: list[int] = []
    panel.n_clusters_requested.connect(asked.append)
    _type(panel.n_clusters_box, "5")
    qtbot.waitUntil(lambda: asked == [5], timeout=2000)
    panel.set_n_clusters(6)
    assert panel.n_clusters_box.value() == 6
    _type(panel.n_clusters_box, "500")
    qtbot.waitUntil(lambda: not panel._ask_later.isActive(), timeout=2000)
    assert all(n <= 20 for n in asked)
    panel.set_n_clusters(None)
    assert not panel.n_clusters_box.isEnabled()


def test_ward_excludes_cosine_with_the_reason(panel: ParametersPanel, sent: list[Parameters]) -> None:
    metric, linkage = panel.metric_box, panel.linkage_box
    assert not metric.is_allowed("cosine")
    reason = metric.itemData(metric.findData("cosine"), Qt.ItemDataRole.ToolTipRole)
    assert "Euclidean distances" in reason
    _choose(metric, "cosine")
    assert sent == []
    _choose(linkage, "average")
    assert sent == [Parameters(linkage="average")]
    assert metric.is_allowed("cosine")
    _choose(metric, "cosine")
    assert sent[-1] == Parameters(linkage="average", metric="cosine")
    assert not linkage.is_allowed("ward")
    metric.setFocus()
    QTest.keyClick(metric, Qt.Key.Key_Home)
    assert linkage.is_allowed("ward")


def test_ward_excludes_cosine_for_the_keyboard_too(panel: ParametersPanel, sent: list[Parameters]) -> None:
    panel.metric_box.setFocus()
    QTest.keyClick(panel.metric_box, Qt.Key.Key_Down)
    QTest.keyClick(panel.metric_box, Qt.Key.Key_End)
    assert panel.metric_box.choice() == "euclidean"
    assert sent == []


def test_restarts_and_seed_belong_to_random_starts(panel: ParametersPanel) -> None:
    assert not panel.restarts_box.isEnabled()
    assert "Only a random start" in panel.seed_box.toolTip()
    panel.set_parameters(PUBLISHED)
    assert panel.restarts_box.isEnabled()
    assert panel.seed_box.isEnabled()
    assert panel.restarts_box.value() == 5


def test_presets_are_recognised_and_set(panel: ParametersPanel, sent: list[Parameters]) -> None:
    assert panel.preset_box.choice() == "custom"
    assert not panel.preset_box.is_allowed("suggested")
    panel.set_suggestion(SUGGESTION)
    _choose(panel.preset_box, "suggested")
    assert sent == [SUGGESTION.parameters()]
    assert panel.preset_box.choice() == "suggested"
    _choose(panel.preset_box, "published")
    assert sent[-1] == PUBLISHED
    _type(panel.top_n_box, "99")
    assert panel.preset_box.choice() == "custom"
    panel.flush()
    assert sent[-1] == replace(PUBLISHED, top_n=99)
    _choose(panel.preset_box, "custom")
    assert sent[-1] == replace(PUBLISHED, top_n=99)


def test_reset_goes_back_to_the_suggestion(panel: ParametersPanel, sent: list[Parameters]) -> None:
    panel.set_parameters(PUBLISHED)
    QTest.mouseClick(panel.reset_button, Qt.MouseButton.LeftButton)
    assert sent == [Parameters()]
    panel.set_suggestion(SUGGESTION)
    assert "suggestion" in panel.reset_button.toolTip()
    QTest.mouseClick(panel.reset_button, Qt.MouseButton.LeftButton)
    assert sent[-1] == SUGGESTION.parameters()


def test_the_suggestion_gives_its_reason(panel: ParametersPanel) -> None:
    panel.set_suggestion(SUGGESTION)
    assert "34.2" in panel.suggestion_label.text()
    assert "12.1" in panel.suggestion_label.text()
    assert not panel.reason_label.isVisible()
    QTest.mouseClick(panel.why_button, Qt.MouseButton.LeftButton)
    assert panel.reason_label.isVisible()
    assert panel.reason_label.text() == panel.suggestion_label.toolTip() == "Twice the median distance."
    panel.set_suggestion(None)
    assert not panel.suggestion_label.isVisible()
    assert not panel.reason_label.isVisible()


def test_a_late_answer_does_not_undo_a_newer_change(
    panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot
) -> None:
    panel.set_parameters(PUBLISHED)
    _type(panel.top_n_box, "60")
    panel.set_parameters(PUBLISHED)
    qtbot.waitUntil(lambda: bool(sent), timeout=2000)
    assert sent == [replace(PUBLISHED, top_n=60)]


def test_other_parameters_from_outside_win(
    panel: ParametersPanel, sent: list[Parameters], qtbot: QtBot
) -> None:
    _type(panel.top_n_box, "60")
    panel.set_parameters(PUBLISHED)
    panel.flush()
    assert sent == []
    assert panel.parameters() == PUBLISHED
    assert panel.top_n_box.value() == 100


def test_a_large_seed_and_an_infinite_radius_are_kept(panel: ParametersPanel, sent: list[Parameters]) -> None:
    extreme = Parameters(seed=2**32 - 1, outlier_radius_squared=float("inf"), kmeans_start="random")
    panel.set_parameters(extreme)
    assert panel.seed_box.text() == "4294967295"
    assert panel.radius_box.text() == "∞"
    _type(panel.min_size_box, "1")
    panel.flush()
    assert sent == [replace(extreme, min_cluster_size=1)]


def test_the_step_fits_the_tree(panel: ParametersPanel) -> None:
    for highest, step in ((100.0, 1.0), (1.9, 0.02), (0.004, 0.00005), (7300.0, 50.0), (None, 1.0)):
        panel.set_threshold_range(highest)
        assert panel.threshold_box.singleStep() == pytest.approx(step)


def test_the_wheel_turns_only_what_has_the_focus(panel: ParametersPanel) -> None:
    def turn(box: PreciseNumberBox) -> None:
        place = QPointF(box.rect().center())
        event = QWheelEvent(
            place,
            box.mapToGlobal(place),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(box, event)

    panel.top_n_box.setFocus()
    turn(panel.threshold_box)
    assert panel.threshold_box.value() == 15.0
    panel.threshold_box.setFocus()
    turn(panel.threshold_box)
    assert panel.threshold_box.value() == 16.0


def test_every_box_says_what_it_is(panel: ParametersPanel) -> None:
    for box in panel._boxes.values():
        assert box.toolTip()
        assert box.accessibleName()
        assert "<" not in box.accessibleName()


def test_a_choice_that_is_not_there(panel: ParametersPanel) -> None:
    with pytest.raises(ValueError, match="median"):
        panel.linkage_box.forbid("median", "no")
