"""Palettes with enough contrast, and icons that follow them."""

from collections.abc import Iterator
from importlib import resources
from itertools import product

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QAction, QColor, QIcon, QPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from widgets import theme

Role = QPalette.ColorRole
ICON_NAMES = sorted(
    file.name.removesuffix(".svg")
    for file in (resources.files("resources") / "icons").iterdir()
    if file.name.endswith(".svg")
)


@pytest.fixture(autouse=True)
def light_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply_scheme(qapp, "light")


def _contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.1, written out once more so that it does not share a mistake with the application."""

    def luminance(color: QColor) -> float:
        parts = []
        for value in (color.red(), color.green(), color.blue()):
            share = value / 255
            parts.append(share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4)
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _darkest_or_lightest(icon: QIcon, mode: QIcon.Mode = QIcon.Mode.Normal) -> QColor:
    """The colour of the most opaque pixel."""
    image = icon.pixmap(QSize(32, 32), mode=mode).toImage()
    pixels = (image.pixelColor(x, y) for x, y in product(range(image.width()), range(image.height())))
    return max(pixels, key=lambda color: color.alpha())


@pytest.mark.parametrize("palette", [theme.light_palette(), theme.dark_palette()], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (Role.WindowText, Role.Window),
        (Role.Text, Role.Base),
        (Role.Text, Role.AlternateBase),
        (Role.ButtonText, Role.Button),
        (Role.PlaceholderText, Role.Base),
        (Role.PlaceholderText, Role.Window),
        (Role.HighlightedText, Role.Highlight),
        (Role.BrightText, Role.Window),
        (Role.BrightText, Role.Base),
        (Role.Link, Role.Window),
        (Role.ToolTipText, Role.ToolTipBase),
    ],
)
def test_text_can_be_read(palette: QPalette, text: QPalette.ColorRole, ground: QPalette.ColorRole) -> None:
    assert _contrast(palette.color(text), palette.color(ground)) >= 4.5


@pytest.mark.parametrize("palette", [theme.light_palette(), theme.dark_palette()], ids=["light", "dark"])
def test_focus_and_choice_stand_out(palette: QPalette) -> None:
    assert _contrast(palette.color(Role.Accent), palette.color(Role.Base)) >= 3
    assert _contrast(palette.color(Role.Highlight), palette.color(Role.Base)) >= 3
    inactive = QPalette.ColorGroup.Inactive
    assert (
        _contrast(palette.color(inactive, Role.HighlightedText), palette.color(inactive, Role.Highlight))
        >= 4.5
    )


@pytest.mark.parametrize("name", ICON_NAMES)
def test_every_icon_is_drawn(qapp: QApplication, name: str) -> None:
    assert QSvgRenderer(str(resources.files("resources") / "icons" / f"{name}.svg")).isValid()
    image = theme.themed_icon(name).pixmap(QSize(32, 32)).toImage()
    opaque = sum(image.pixelColor(x, y).alpha() > 0 for x, y in product(range(32), range(32)))
    assert 20 < opaque < 32 * 32


def test_an_icon_that_is_not_there_is_an_error(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        theme.themed_icon("no-such-icon")


def test_icons_take_the_colours_of_the_palette(qapp: QApplication) -> None:
    palette = theme.dark_palette()
    icon = theme.themed_icon("stop", palette)
    assert _darkest_or_lightest(icon) == palette.color(Role.ButtonText)
    assert _darkest_or_lightest(icon, QIcon.Mode.Disabled) == palette.color(
        QPalette.ColorGroup.Disabled, Role.ButtonText
    )


def test_the_application_follows_a_change_of_scheme(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply_scheme(qapp, "light")
    window = QWidget()
    button, action = QPushButton("Start", window), QAction("Start", window)
    qtbot.addWidget(window)
    theme.set_icon(button, "stop")
    theme.set_icon(action, "stop")
    light = _darkest_or_lightest(button.icon())
    with qtbot.waitSignal(theme.appearance().changed):
        theme.apply_scheme(qapp, "dark")
    assert qapp.palette().color(Role.Window) == theme.dark_palette().color(Role.Window)
    for icon in (button.icon(), action.icon()):
        assert _darkest_or_lightest(icon) == theme.dark_palette().color(Role.ButtonText)
    assert _contrast(light, _darkest_or_lightest(button.icon())) > 7


def test_a_button_that_is_gone_is_not_drawn_again(qapp: QApplication, qtbot: QtBot) -> None:
    button = QPushButton("Start")
    theme.set_icon(button, "stop")
    button.deleteLater()
    qtbot.waitSignal(button.destroyed, timeout=1000).wait()
    theme.apply_scheme(qapp, "dark")


def test_another_icon_replaces_the_first(qapp: QApplication, qtbot: QtBot) -> None:
    button = QPushButton()
    qtbot.addWidget(button)
    theme.set_icon(button, "expand")
    before = button.icon().pixmap(32, 32).toImage()
    theme.set_icon(button, "collapse")
    assert button.icon().pixmap(32, 32).toImage() != before
    assert len(button.children()) == 1


def test_the_scheme_can_be_asked(qapp: QApplication) -> None:
    theme.apply_scheme(qapp, "dark")
    assert theme.appearance().scheme == "dark"
    theme.apply_scheme(qapp, "system")
    assert theme.appearance().scheme == "system"
    assert qapp.style().objectName() == "fusion"


def test_fonts_scale() -> None:
    font = QApplication.font()
    assert theme.scaled_font(font, 2.0).pointSizeF() == pytest.approx(2 * font.pointSizeF())
    font.setPixelSize(10)
    assert theme.scaled_font(font, 1.5).pixelSize() == 15
