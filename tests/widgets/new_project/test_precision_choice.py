"""The precision in the form for a new project: measured before it is taken, and for these images alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from backend.activations.precision_check_result import LayerOverlap, PrecisionCheck
from backend.networks.model_source import LayerInfo
from widgets.new_project.new_project_form import NewProjectForm, NewProjectRequest

LAYERS = (
    LayerInfo("early", "Conv2d", (16, 112, 112), 16, True, poolings=("mean", "max")),
    LayerInfo("late", "Conv2d", (1280, 7, 7), 1280, True, poolings=("mean", "max")),
)
CHECK = PrecisionCheck(
    n_images=384,
    top_n=24,
    layers=(
        LayerOverlap("early", 16, 12, 0.99999, 3, 23 / 24),
        LayerOverlap("late", 1280, 1280, 0.8498, 564, 0.625),
    ),
    float32_images_per_second=64.55,
    fast_images_per_second=129.1,
    decoding_images_per_second=129.1,
)
Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def form(qtbot: QtBot, tmp_path: Path) -> NewProjectForm:
    """A form in which all is chosen but the precision."""
    form = NewProjectForm()
    qtbot.addWidget(form)
    form.resize(1100, 900)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    form.set_torchvision_names(("mobilenet_v2",))
    form.set_destination_folder(tmp_path)
    form.model_section.name_box.setEditText("mobilenet_v2")
    form.model_section._report()
    form.set_layers(LAYERS)
    form.layer_tree.set_checked_layers(["early", "late"])
    form.set_images_folder(tmp_path / "flowers")
    form.set_image_summary(26_000, 1000, 26_000)
    return form


@pytest.fixture
def checks(form: NewProjectForm) -> list[NewProjectRequest | None]:
    checks: list[NewProjectRequest | None] = []
    form.precision_check_requested.connect(checks.append)
    return checks


@pytest.fixture
def estimates(form: NewProjectForm) -> list[NewProjectRequest]:
    estimates: list[NewProjectRequest] = []
    form.estimate_requested.connect(estimates.append)
    return estimates


@pytest.fixture
def wait(qtbot: QtBot) -> Wait:
    return lambda condition: qtbot.waitUntil(condition, timeout=3000)


def _choose_fast(form: NewProjectForm) -> None:
    form.precision_section.box.setFocus()
    QTest.keyClick(form.precision_section.box, Qt.Key.Key_Down)


def _choose_float32(form: NewProjectForm) -> None:
    QTest.keyClick(form.precision_section.box, Qt.Key.Key_Up)


def _figures(form: NewProjectForm) -> list[str]:
    grid = form.precision_section._figures_grid
    items = [grid.itemAt(place) for place in range(grid.count())]
    widgets = [item.widget() for item in items if item is not None]
    return [widget.text() for widget in widgets if isinstance(widget, QLabel)]


def test_float32_is_the_default_and_needs_no_measurement(
    form: NewProjectForm,
    checks: list[NewProjectRequest | None],
    estimates: list[NewProjectRequest],
    wait: Wait,
) -> None:
    wait(lambda: bool(estimates))
    assert form.create_button.isEnabled()
    request = form.request()
    assert request is not None
    assert request.precision == "float32"
    assert request.precision_check is None
    assert checks == []


def test_fast_is_measured_before_the_project_can_be_made(
    form: NewProjectForm,
    checks: list[NewProjectRequest | None],
    estimates: list[NewProjectRequest],
    wait: Wait,
) -> None:
    _choose_fast(form)
    assert not form.create_button.isEnabled()
    assert "is being measured" in form.missing_label.text()
    wait(lambda: len(checks) == 1)
    assert checks[0] is not None
    assert checks[0].precision == "fast"
    assert checks[0].layers == ("early", "late")
    assert estimates[-1].precision == "fast"
    form.set_busy("precision", True)
    form.set_progress("precision", 120, 384, "Comparing precisions")
    assert form.precision_section.sentence_label.text() == "Comparing precisions: 120 of 384 images"
    assert not form.precision_section.measure_button.isEnabled()
    form.set_precision_check(CHECK)
    assert form.create_button.isEnabled()
    request = form.request()
    assert request is not None
    assert request.precision == "fast"
    assert request.precision_check == CHECK


def test_what_was_measured_is_shown_in_a_sentence_and_figures(form: NewProjectForm) -> None:
    form.set_precision_check(CHECK)
    section = form.precision_section
    assert section.sentence_label.text() == (
        "On 384 of these images, this much of each neuron's top 24 stays the same with the fast precision:"
    )
    # Never rounded up to all.
    assert _figures(form)[4:7] == ["99.9 %", "neuron 3:  95.8 %", "12 of 16"]
    assert _figures(form)[7:] == ["84.9 %", "neuron 564:  62.5 %", "1,280"]
    # Half of the time goes into decoding: (1 + 2) / (1 + 1) times as fast in all.
    assert section.speed_label.text() == (
        "The network runs 2.0 times as fast (64.5 → 129 images/s), the whole extraction 1.5 times."
    )
    form.set_precision_check(replace(CHECK, n_images=12, top_n=1))
    assert "On 12 of these images, too few to say much, " in section.sentence_label.text()
    silent = LayerOverlap("early", 16, 0, None, None, None)
    form.set_precision_check(replace(CHECK, layers=(silent,)))
    assert _figures(form)[4:] == ["–", "–", "0 of 16"]


def test_the_button_measures_while_float32_is_chosen(
    form: NewProjectForm, checks: list[NewProjectRequest | None]
) -> None:
    QTest.mouseClick(form.precision_section.measure_button, Qt.MouseButton.LeftButton)
    assert len(checks) == 1
    form.set_precision_check(CHECK)
    assert form.precision_section.figures.isVisible()
    request = form.request()
    assert request is not None
    assert request.precision_check is None


def test_a_measurement_is_used_again_where_it_holds(
    form: NewProjectForm,
    checks: list[NewProjectRequest | None],
    estimates: list[NewProjectRequest],
    wait: Wait,
) -> None:
    QTest.mouseClick(form.precision_section.measure_button, Qt.MouseButton.LeftButton)
    form.set_precision_check(CHECK)
    form.destination_section.name_edit.setFocus()
    QTest.keyClicks(form.destination_section.name_edit, "2?")
    QTest.keyClick(form.destination_section.name_edit, Qt.Key.Key_Backspace)
    _choose_fast(form)
    wait(lambda: bool(estimates) and estimates[-1].precision == "fast")
    assert form.create_button.isEnabled()
    assert len(checks) == 1


def test_of_other_layers_images_or_poolings_it_is_forgotten_and_made_again(
    form: NewProjectForm, checks: list[NewProjectRequest | None], wait: Wait, tmp_path: Path
) -> None:
    _choose_fast(form)
    wait(lambda: len(checks) == 1)

    def other_pooling() -> None:
        box = form.layer_tree.pooling_box("late")
        assert box is not None
        QTest.keyClick(box, Qt.Key.Key_Down)

    def other_layers() -> None:
        form.layer_tree.set_checked_layers(["late"])
        form.layer_tree.selection_changed.emit(("late",))

    def other_images() -> None:
        form.set_images_folder(tmp_path / "birds")
        form.set_image_summary(13_000, 10, 13_000)

    for change in (other_pooling, other_layers, other_images):
        form.set_precision_check(CHECK)
        assert form.create_button.isEnabled()
        del checks[:]
        change()
        assert checks == [None]
        assert not form.create_button.isEnabled()
        assert not form.precision_section.figures.isVisible()
        wait(lambda: len(checks) == 2)
        assert checks[1] is not None
    assert checks[1].images.folder == tmp_path / "birds"


def test_a_measurement_that_fails_stands_in_the_way_of_fast_alone(
    form: NewProjectForm, checks: list[NewProjectRequest | None], wait: Wait
) -> None:
    _choose_fast(form)
    wait(lambda: len(checks) == 1)
    form.set_error("precision", "None of the images could be read.")
    assert not form.create_button.isEnabled()
    assert form.precision_section.message.isVisible()
    _choose_float32(form)
    assert form.create_button.isEnabled()
    assert not form.precision_section.message.isVisible()
    _choose_fast(form)
    wait(lambda: len(checks) == 2)
    form.set_error("precision", "None of the images could be read.")
    QTest.mouseClick(form.precision_section.measure_button, Qt.MouseButton.LeftButton)
    assert len(checks) == 3
    assert form.precision_section.error() == ""


def test_where_there_is_no_fast_precision_the_reason_is_said(form: NewProjectForm) -> None:
    form.set_fast_unavailable("This processor does not compute in bfloat16.")
    section = form.precision_section
    assert not section.box.isEnabled()
    assert not section.measure_button.isEnabled()
    assert section.message.text() == "This processor does not compute in bfloat16."
    assert section.message.isVisible()
    assert section.box.toolTip() == "This processor does not compute in bfloat16."
    assert form.create_button.isEnabled()


def test_poolings_and_the_rule_for_grey_values_belong_to_the_request(
    form: NewProjectForm, estimates: list[NewProjectRequest], wait: Wait
) -> None:
    wait(lambda: len(estimates) == 1)
    form.set_estimate(133_120_000, 190.0, 140.0)
    box = form.layer_tree.pooling_box("late")
    assert box is not None
    QTest.keyClick(box, Qt.Key.Key_Down)
    QTest.keyClick(form.images_section.grey_scaling.box, Qt.Key.Key_Down)
    request = form.request()
    assert request is not None
    assert request.poolings == {"early": "mean", "late": "max"}
    assert request.model.source.grey_scaling == "twelve_bit"
    # Neither changes how long it takes.
    assert "images/s" in form.estimate_label.text()
    assert len(estimates) == 1
