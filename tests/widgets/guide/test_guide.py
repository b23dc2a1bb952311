"""The guide's figure: in the palette's colours, as sharp as the screen, as wide as there is room."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QFont, QImage, QPalette

from widgets import theme
from widgets.guide.guide_browser import FIGURE, LARGEST_SCALE, GuideBrowser
from widgets.guide.method_figure import SIZE, method_figure
from widgets.palette import concept_color, contrast_ratio


def colors_of(image):
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine() // 4, 4)
    return {tuple(color) for color in pixels[..., :3][pixels[..., 3] == 255].tolist()}


def rgb(color):
    return color.getRgb()[:3]


@pytest.fixture(params=["light", "dark"])
def scheme(request, qapp):
    theme.apply_scheme(qapp, request.param)
    yield request.param
    theme.apply_scheme(qapp, "light")


def test_the_figure_shows_two_concepts_in_their_colours_and_the_threshold_in_the_accent(qapp, scheme):
    palette = qapp.palette()
    colors = colors_of(method_figure(palette, QFont()))
    dark = scheme == "dark"
    assert {rgb(concept_color(0, dark)), rgb(concept_color(1, dark))} <= colors
    assert rgb(palette.color(QPalette.ColorRole.Accent)) in colors


def test_its_text_can_be_read_on_its_ground(qapp, scheme):
    colors = [QColor(*color) for color in colors_of(method_figure(qapp.palette(), QFont(), 2.0))]
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.PlaceholderText):
        text = qapp.palette().color(role)
        assert rgb(text) in {rgb(color) for color in colors}
        ground = method_figure(qapp.palette(), QFont()).pixelColor(SIZE.width() // 2, 80)
        assert contrast_ratio(text, ground) >= 4.5


def test_on_a_dense_screen_it_has_more_pixels_and_the_same_size(qapp):
    image = method_figure(qapp.palette(), QFont(), device_pixel_ratio=3.0)
    assert (image.width(), image.height()) == (3 * SIZE.width(), 3 * SIZE.height())
    assert image.deviceIndependentSize().toSize() == SIZE


@pytest.fixture
def browser(qtbot):
    guide = GuideBrowser("<h3>What you see</h3><p>Text.</p>")
    qtbot.addWidget(guide)
    guide.resize(800, 600)
    with qtbot.waitExposed(guide):
        guide.show()
    return guide


def test_the_page_holds_the_figure_and_the_text(browser):
    assert FIGURE.toString() in browser.toHtml()
    assert "What you see" in browser.toPlainText()
    assert "concept vectors" in browser.accessibleDescription()


def test_the_figure_fits_the_width_without_scrolling_sideways(browser):
    for width in (560, 800, 1600):
        browser.resize(width, 600)
        assert browser.figure_width() <= LARGEST_SCALE * SIZE.width()
        assert browser.horizontalScrollBar().maximum() == 0


def test_another_palette_draws_it_anew(qapp, browser):
    light = colors_of(browser.grab().toImage())
    theme.apply_scheme(qapp, "dark")
    qapp.processEvents()
    dark = colors_of(browser.grab().toImage())
    theme.apply_scheme(qapp, "light")
    assert rgb(concept_color(0, False)) in light
    assert rgb(concept_color(0, True)) in dark
    assert rgb(concept_color(0, False)) not in dark
