"""The choice of a network by name: torchvision's, and timm's when it is installed."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from backend.networks.model_source import ModelSource
from widgets.new_project.model_section import ModelSection
from widgets.new_project.new_project_request import ModelChoice

TORCHVISION = ("mobilenet_v2", "resnet50")
TIMM = ("timm:resnet10t", "timm:resnet50", "timm:vit_tiny_patch16_224")
Wait = Callable[[Callable[[], bool]], None]


@pytest.fixture
def section(qtbot: QtBot) -> ModelSection:
    section = ModelSection()
    qtbot.addWidget(section)
    section.set_torchvision_names(TORCHVISION)
    with qtbot.waitExposed(section):
        section.show()
    section.activateWindow()
    return section


@pytest.fixture
def choices(section: ModelSection) -> list[ModelChoice | None]:
    choices: list[ModelChoice | None] = []
    section.choice_changed.connect(choices.append)
    return choices


@pytest.fixture
def wait(qtbot: QtBot) -> Wait:
    return lambda condition: qtbot.waitUntil(condition, timeout=3000)


def _line(section: ModelSection) -> QLineEdit:
    line = section.name_box.lineEdit()
    assert line is not None
    return line


def _type(section: ModelSection, name: str) -> None:
    line = _line(section)
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, name)


def test_any_part_of_a_name_of_either_finds_it(section: ModelSection) -> None:
    section.set_timm_names(TIMM)
    _type(section, "resnet")
    completer = section.name_box.completer()
    assert completer is not None
    model = completer.completionModel()
    found = {model.index(row, 0).data() for row in range(model.rowCount())}
    assert found == {"resnet50", "timm:resnet10t", "timm:resnet50"}


def test_a_name_of_timms_with_and_without_a_set_of_weights(
    section: ModelSection, choices: list[ModelChoice | None], wait: Wait
) -> None:
    section.set_timm_names(TIMM)
    for name in ("timm:resnet10t", "timm:resnet50.a1_in1k"):
        _type(section, name)
        wait(lambda name=name: ModelChoice(ModelSource(name)) in choices)
        assert section.error() == ""


def test_what_neither_has_is_said(section: ModelSection, wait: Wait) -> None:
    section.set_timm_names(TIMM)
    _type(section, "timm:resnot")
    wait(lambda: section.error() != "")
    assert "Neither torchvision nor timm has a network “timm:resnot”" in section.error()
    QTest.keyClick(_line(section), Qt.Key.Key_Backspace)
    QTest.keyClick(_line(section), Qt.Key.Key_Backspace)
    wait(lambda: section.error() == "")


def test_a_name_that_is_typed_before_timms_are_known_counts_once_they_are(
    section: ModelSection, choices: list[ModelChoice | None], qtbot: QtBot
) -> None:
    _type(section, "timm:resnet10t")
    section._report()
    assert section.error() == ""
    assert section.missing() == "Listing timm's networks…"
    cursor = _line(section).cursorPosition()
    section.set_timm_names(TIMM)
    assert choices[-1] == ModelChoice(ModelSource("timm:resnet10t"))
    assert _line(section).text() == "timm:resnet10t"
    assert _line(section).cursorPosition() == cursor


def test_without_timm_it_is_said_how_to_get_it(section: ModelSection) -> None:
    assert not section.timm_hint.isVisible()
    section.set_timm_names(())
    assert section.timm_hint.isVisible()
    assert 'python -m pip install "neuron-prism[timm]"' in section.timm_hint.text()
    _type(section, "timm:resnet10t")
    section._report()
    assert "timm is not installed: python -m pip install" in section.error()
    assert section.choice() is None
    section.python_button.setChecked(True)
    assert not section.timm_hint.isVisible()


def test_a_timm_that_cannot_be_imported_is_named(section: ModelSection) -> None:
    section.set_timm_names((), "timm cannot be imported (broken); install it anew.")
    assert section.timm_hint.text() == "timm cannot be imported (broken); install it anew."


def test_with_timm_there_is_no_hint(section: ModelSection) -> None:
    section.set_timm_names(TIMM)
    assert not section.timm_hint.isVisible()
