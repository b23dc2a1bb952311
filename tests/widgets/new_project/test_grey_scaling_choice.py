"""The rule for deep grey values: which images it applies to, in words, and whose choice it is."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from backend.image_files.grey_depth import GreyDepth
from backend.image_files.grey_scaling import GREY_SCALING_RULES
from widgets.new_project.grey_scaling_choice import GreyScalingChoice

DEEP_PNG = GreyDepth("PNG", 900, 64, 40, "lung/003.png")
SHALLOW_TIFF = GreyDepth("TIFF", 7, 7, 0, "")
DEEP_TIFF = GreyDepth("TIFF", 2, 2, 1, "stack.tif")
DICOM = GreyDepth("DICOM", 1200, 1200, 1200, "scan.dcm")


@pytest.fixture
def choice(qtbot: QtBot) -> GreyScalingChoice:
    choice = GreyScalingChoice()
    qtbot.addWidget(choice)
    return choice


@pytest.mark.parametrize(
    ("depths", "says"),
    [
        ((DEEP_PNG,), "More than eight bits: 40 of the 64 PNG files looked at, such as lung/003.png."),
        ((DEEP_TIFF, SHALLOW_TIFF), "More than eight bits: 1 of the 2 TIFF files, such as stack.tif."),
        (
            (DICOM, DEEP_PNG),
            "More than eight bits: 1,200 DICOM files (where they say no window); 40 of the 64 PNG files "
            "looked at, such as lung/003.png.",
        ),
    ],
)
def test_it_says_which_images_the_rule_applies_to(choice: GreyScalingChoice, depths, says) -> None:
    choice.show_depths(depths)
    assert choice.isVisible()
    assert choice.found_label.text() == says
    assert choice.rule_label.text() == GREY_SCALING_RULES["full_range"]
    assert not choice.rule_label.isHidden()


def test_where_a_format_could_hold_such_values_and_does_not(choice: GreyScalingChoice) -> None:
    choice.show_depths((SHALLOW_TIFF,))
    assert choice.isVisible()
    assert "Of the 7 TIFF files looked at none has" in choice.found_label.text()
    assert choice.rule_label.isHidden()


def test_without_such_formats_there_is_nothing_to_choose(choice: GreyScalingChoice) -> None:
    assert choice.isHidden()
    choice.show_depths((DEEP_PNG,))
    choice.show_depths(())
    assert choice.isHidden()


def test_each_rule_is_stated_as_it_is_chosen(choice: GreyScalingChoice, qtbot: QtBot) -> None:
    choice.show_depths((DEEP_PNG,))
    assert choice.grey_scaling() is None
    for rule in ("twelve_bit", "min_max"):
        with qtbot.waitSignal(choice.grey_scaling_changed):
            QTest.keyClick(choice.box, Qt.Key.Key_Down)
        assert choice.grey_scaling() == rule
        assert choice.rule_label.text() == GREY_SCALING_RULES[rule]


def test_the_networks_own_rule_is_taken_until_another_is_chosen(choice: GreyScalingChoice) -> None:
    choice.show_depths((DEEP_PNG,))
    choice.set_own_grey_scaling("min_max")
    assert choice.box.choice() == "min_max"
    assert choice.grey_scaling() is None
    QTest.keyClick(choice.box, Qt.Key.Key_Up)
    assert choice.grey_scaling() == "twelve_bit"
    choice.set_own_grey_scaling("full_range")
    assert choice.grey_scaling() == "twelve_bit"
    choice.set_own_grey_scaling("twelve_bit")
    assert choice.grey_scaling() is None
