"""Concept colours read on both backgrounds and stay apart for colour-blind eyes."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette

from backend.concept_colors import OWN_NUMBER
from widgets import palette, theme

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
COLOUR_BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "normal": np.eye(3),
}
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear_rgb(color: QColor) -> np.ndarray:
    c = np.array([color.red(), color.green(), color.blue()]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def wcag_contrast(a: QColor, b: QColor) -> float:
    la, lb = (float(linear_rgb(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)


def seen(color: QColor, blindness: str) -> np.ndarray:
    rgb = np.clip(np.array(COLOUR_BLINDNESS[blindness]) @ linear_rgb(color), 0, 1)
    return TO_OKLAB @ np.cbrt(TO_LMS @ rgb)


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_has_a_contrast_of_three_to_its_backgrounds(dark):
    backgrounds = palette.DARK_BACKGROUNDS if dark else palette.LIGHT_BACKGROUNDS
    for cluster in range(-2, palette.N_CONCEPT_COLORS):
        for background in backgrounds:
            assert wcag_contrast(palette.concept_color(cluster, dark), background) >= 3.0, cluster


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("blindness", COLOUR_BLINDNESS)
def test_colours_stay_apart(dark, blindness):
    colors = [seen(palette.concept_color(i, dark), blindness) for i in range(palette.N_CONCEPT_COLORS)]
    for (i, a), (j, b) in combinations(enumerate(colors), 2):
        apart = 0.085 if max(i, j) < 6 else 0.045
        assert np.linalg.norm(a - b) > apart, (i, j)


def test_contrast_ratio_agrees_with_the_standard():
    assert palette.contrast_ratio(QColor("white"), QColor("black")) == pytest.approx(21)
    for a, b in (("#1646ad", "#ffffff"), ("#777777", "#2a2a2d")):
        assert palette.contrast_ratio(QColor(a), QColor(b)) == pytest.approx(
            wcag_contrast(QColor(a), QColor(b)), rel=1e-3
        )


def test_letters_never_repeat_and_follow_the_alphabet():
    markers = [palette.concept_marker(i) for i in range(1000)]
    assert markers[:3] == ["A", "B", "C"]
    assert (markers[25], markers[26], markers[51], markers[52], markers[701], markers[702]) == (
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    )
    assert len(set(markers)) == 1000


def test_repeated_colours_differ_in_pattern():
    for cluster in range(palette.N_CONCEPT_COLORS):
        again = cluster + palette.N_CONCEPT_COLORS
        assert palette.concept_color(again, False) == palette.concept_color(cluster, False)
        assert palette.concept_brush(again, False).style() != palette.concept_brush(cluster, False).style()
    assert palette.concept_pattern(0) == Qt.BrushStyle.SolidPattern


def test_outliers_and_dropped_have_signs_of_their_own():
    assert len({palette.concept_marker(number) for number in (-3, -2, -1, 0)}) == 4
    for wrong in (-4, -10):
        with pytest.raises(ValueError):
            palette.concept_color(wrong, False)
        with pytest.raises(ValueError):
            palette.concept_marker(wrong)


@pytest.mark.parametrize("dark", [False, True])
def test_text_on_a_colour_is_readable(dark):
    for cluster in range(-3, palette.N_CONCEPT_COLORS):
        color = palette.concept_color(cluster, dark)
        assert wcag_contrast(palette.text_color_on(color), color) >= 4.5, cluster


def test_darkness_is_read_from_the_palette(qapp):
    light, dark = QPalette(), QPalette()
    light.setColor(QPalette.ColorRole.Base, QColor("white"))
    light.setColor(QPalette.ColorRole.Text, QColor("black"))
    dark.setColor(QPalette.ColorRole.Base, QColor("#1e1e1e"))
    dark.setColor(QPalette.ColorRole.Text, QColor("#eeeeee"))
    assert not palette.is_dark(light)
    assert palette.is_dark(dark)


def test_blend_is_between_its_colours():
    mixed = palette.blend(QColor(200, 0, 100), QColor(0, 100, 100), 0.25)
    assert (mixed.red(), mixed.green(), mixed.blue()) == (50, 75, 100)


def test_the_windows_own_backgrounds_are_those_the_colours_are_tuned_for(qapp):
    roles = QPalette.ColorRole.Base, QPalette.ColorRole.Window
    for dressed, backgrounds in (
        (theme.light_palette(), palette.LIGHT_BACKGROUNDS),
        (theme.dark_palette(), palette.DARK_BACKGROUNDS),
    ):
        assert tuple(dressed.color(role) for role in roles) == backgrounds


def test_concepts_made_by_hand_have_numbers_for_letters_and_colours_from_the_last_one_on():
    markers = [palette.concept_marker(OWN_NUMBER + place) for place in range(12)]
    assert markers == [str(place + 1) for place in range(12)]
    for dark in (False, True):
        own = [palette.concept_color(OWN_NUMBER + place, dark).name() for place in range(10)]
        assert own == [palette.concept_color(number, dark).name() for number in range(9, -1, -1)]
    assert palette.concept_pattern(OWN_NUMBER) == palette.concept_pattern(0)
    assert palette.concept_pattern(OWN_NUMBER + 10) != palette.concept_pattern(OWN_NUMBER)


@pytest.mark.parametrize("dark", [False, True])
def test_the_colour_of_images_left_out_stands_out(dark):
    for background in palette.DARK_BACKGROUNDS if dark else palette.LIGHT_BACKGROUNDS:
        assert wcag_contrast(palette.left_out_color(dark), background) >= 3.0
