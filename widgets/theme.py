"""How the window looks: light and dark palettes, spacing, and icons drawn in the palette's own colours."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Literal

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QFont, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QStyleFactory

from widgets.palette import blend

Scheme = Literal["system", "light", "dark"]

SPACING = 8
"""Pixels between two controls; half of it within a group, twice between groups."""

MARGIN = 12
"""Pixels between the edge of a panel and what it holds."""

ICON_SIZES = (16, 20, 24, 32, 40, 48, 72)
"""Sizes in device pixels that an icon is drawn at: 16 to 24 at one to three times the scale."""

APPLICATION_ICON_SIZES = (16, 24, 32, 48, 64, 128, 256)
"""Sizes in device pixels of the application's own icon."""

_Role = QPalette.ColorRole
_LIGHT: dict[QPalette.ColorRole, str] = {
    _Role.Window: "#f3f4f7",
    _Role.WindowText: "#1b1e26",
    _Role.Base: "#ffffff",
    _Role.AlternateBase: "#f7f8fa",
    _Role.Text: "#1b1e26",
    _Role.PlaceholderText: "#646b7a",
    _Role.Button: "#fbfbfd",
    _Role.ButtonText: "#1b1e26",
    _Role.BrightText: "#b3261e",
    _Role.Light: "#ffffff",
    _Role.Midlight: "#e4e6ec",
    _Role.Mid: "#c3c7d1",
    _Role.Dark: "#9097a6",
    _Role.Shadow: "#4b5160",
    _Role.Highlight: "#3559c7",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#3559c7",
    _Role.Link: "#2b4db8",
    _Role.LinkVisited: "#6b3fa0",
    _Role.ToolTipBase: "#ffffff",
    _Role.ToolTipText: "#1b1e26",
}
_DARK: dict[QPalette.ColorRole, str] = {
    _Role.Window: "#24272f",
    _Role.WindowText: "#e7e9ef",
    _Role.Base: "#181a20",
    _Role.AlternateBase: "#1e2128",
    _Role.Text: "#e7e9ef",
    _Role.PlaceholderText: "#989fb0",
    _Role.Button: "#343843",
    _Role.ButtonText: "#e7e9ef",
    _Role.BrightText: "#ff8a80",
    _Role.Light: "#454a58",
    _Role.Midlight: "#343843",
    _Role.Mid: "#474c5a",
    _Role.Dark: "#5f6575",
    _Role.Shadow: "#0b0c0f",
    _Role.Highlight: "#456bdd",
    _Role.HighlightedText: "#ffffff",
    _Role.Accent: "#7d9bff",
    _Role.Link: "#8fabff",
    _Role.LinkVisited: "#c3a2f2",
    _Role.ToolTipBase: "#343843",
    _Role.ToolTipText: "#e7e9ef",
}
_DISABLED = {"light": "#9aa0ad", "dark": "#666c7b"}
# Fusion derives a control's outline from the window's colour: darker, which in the dark nobody sees. These
# controls do not paint their window's colour, so that a lighter one changes nothing but their outline.
_OUTLINED = (
    "QCheckBox",
    "QRadioButton",
    "QLineEdit",
    "QPlainTextEdit",
    "QAbstractSpinBox",
    "QComboBox",
    "QAbstractItemView",
    "QProgressBar",
)
_DARK_OUTLINE_SOURCE = "#7e869d"
_TEXT_ROLES = (_Role.WindowText, _Role.Text, _Role.ButtonText, _Role.PlaceholderText)


def light_palette() -> QPalette:
    """Return the light palette.

    ``PlaceholderText`` also serves for secondary text, and ``BrightText`` for errors.
    """
    return _palette(_LIGHT, _DISABLED["light"])


def dark_palette() -> QPalette:
    """Return the dark palette, with the same meaning of each role as :func:`light_palette`."""
    return _palette(_DARK, _DISABLED["dark"])


def _palette(colors: dict[QPalette.ColorRole, str], disabled: str) -> QPalette:
    palette = QPalette()
    for role, color in colors.items():
        palette.setColor(role, QColor(color))
    for role in _TEXT_ROLES:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, _Role.Highlight, QColor(colors[_Role.Mid]))
    palette.setColor(QPalette.ColorGroup.Disabled, _Role.Accent, QColor(colors[_Role.Mid]))
    # An unfocused list keeps its choice visible, in a calmer colour.
    calm = blend(QColor(colors[_Role.Highlight]), QColor(colors[_Role.Base]), 0.32)
    palette.setColor(QPalette.ColorGroup.Inactive, _Role.Highlight, calm)
    palette.setColor(QPalette.ColorGroup.Inactive, _Role.HighlightedText, QColor(colors[_Role.Text]))
    return palette


class Appearance(QObject):
    """The application's light or dark dress. One of it exists: :func:`appearance`.

    Signals
    -------
    changed()
        The palette is another one.
    """

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._scheme: Scheme = "system"
        self._applying = False
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)

    @property
    def scheme(self) -> Scheme:
        """What was asked for: "system", "light" or "dark"."""
        return self._scheme

    def apply(self, scheme: Scheme) -> None:
        """Dress the application; "system" follows the desktop from now on, light where that is not known."""
        self._scheme = scheme
        hints = QGuiApplication.styleHints()
        self._applying = True
        try:
            # The hint dresses what is not ours: title bars and the system's own dialogs.
            if scheme == "system":
                hints.unsetColorScheme()
            else:
                hints.setColorScheme(Qt.ColorScheme.Dark if scheme == "dark" else Qt.ColorScheme.Light)
        finally:
            self._applying = False
        self._dress()

    @Slot()
    def _follow_system(self) -> None:
        if self._scheme == "system" and not self._applying:
            self._dress()

    def _dress(self) -> None:
        system_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = self._scheme == "dark" or (self._scheme == "system" and system_dark)
        palette = dark_palette() if dark else light_palette()
        QApplication.setPalette(palette)
        if dark:
            palette.setColor(_Role.Window, QColor(_DARK_OUTLINE_SOURCE))
        for class_name in _OUTLINED:
            # PySide declares bytes here, and takes nothing but str.
            QApplication.setPalette(palette, class_name)  # type: ignore[arg-type]
        self.changed.emit()


def appearance() -> Appearance:
    """Return the application's :class:`Appearance`; needs a QApplication."""
    application = QApplication.instance()
    if application is None:
        raise RuntimeError("The appearance needs a QApplication.")
    found = application.findChild(Appearance)
    return found if isinstance(found, Appearance) else Appearance(application)


def apply_scheme(application: QApplication, scheme: Scheme = "system") -> None:
    """Dress the application in the light or the dark palette, following the system if asked to.

    The Fusion style is set with it: the only one that takes every colour from the palette on every platform.
    """
    if application.style().objectName().lower() != "fusion":
        application.setStyle(QStyleFactory.create("Fusion"))
    appearance().apply(scheme)


# --- icons ----------------------------------------------------------------------------------------


def themed_icon(name: str, palette: QPalette | None = None) -> QIcon:
    """Return ``resources/icons/NAME.svg`` in the palette's text colours (normal, disabled, selected).

    A QIcon cannot follow the palette by itself: use :func:`set_icon` where the icon stays on the screen.

    Raises
    ------
    FileNotFoundError
        If there is no such icon.
    """
    palette = palette or QGuiApplication.palette()
    group = QPalette.ColorGroup
    return _drawn_icon(
        name,
        palette.color(group.Active, _Role.ButtonText).name(),
        palette.color(group.Disabled, _Role.ButtonText).name(),
        palette.color(group.Active, _Role.HighlightedText).name(),
    )


def application_icon() -> QIcon:
    """Return the application's own icon, in full colour."""
    icon = QIcon()
    for size in APPLICATION_ICON_SIZES:
        icon.addPixmap(_drawn("app", "", size))
    return icon


def icon_pixmap(name: str, color: QColor, size: int, device_pixel_ratio: float = 1.0) -> QPixmap:
    """Return one icon of ``size`` logical pixels in one colour."""
    pixmap = QPixmap(_drawn(name, color.name(), round(size * device_pixel_ratio)))
    pixmap.setDevicePixelRatio(device_pixel_ratio)
    return pixmap


def set_icon(target: QAbstractButton | QAction, name: str) -> None:
    """Give a button or an action an icon that follows the palette from now on."""
    keeper = target.findChild(_IconKeeper)
    if isinstance(keeper, _IconKeeper):
        keeper.show_icon(name)
    else:
        _IconKeeper(target, name)


class _IconKeeper(QObject):
    """Draws its parent's icon again when the palette changes."""

    def __init__(self, target: QAbstractButton | QAction, name: str) -> None:
        super().__init__(target)
        self._target = target
        self.show_icon(name)
        appearance().changed.connect(self._refresh)

    def show_icon(self, name: str) -> None:
        self._name = name
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        # The application's palette: a widget that was never shown has not taken it over yet.
        self._target.setIcon(themed_icon(self._name))


@lru_cache(maxsize=256)
def _drawn_icon(name: str, normal: str, disabled: str, selected: str) -> QIcon:
    icon = QIcon()
    renderer = _renderer(name, normal)
    for size in ICON_SIZES:
        shape = _rendered(renderer, size)
        icon.addPixmap(shape, QIcon.Mode.Normal)
        icon.addPixmap(_tinted(shape, disabled), QIcon.Mode.Disabled)
        icon.addPixmap(_tinted(shape, selected), QIcon.Mode.Selected)
    return icon


@lru_cache(maxsize=512)
def _drawn(name: str, color: str, size: int) -> QPixmap:
    return _rendered(_renderer(name, color), size)


def _renderer(name: str, color: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_svg(name).replace("currentColor", color).encode()))


def _rendered(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(QSize(size, size))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap


def _tinted(shape: QPixmap, color: str) -> QPixmap:
    """Return an icon of one colour in another: much cheaper than rendering it again."""
    pixmap = QPixmap(shape)
    painter = QPainter(pixmap)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(pixmap.rect(), QColor(color))
    painter.end()
    return pixmap


@lru_cache(maxsize=128)
def _svg(name: str) -> str:
    return (resources.files("resources") / "icons" / f"{name}.svg").read_text(encoding="utf-8")


# --- type -----------------------------------------------------------------------------------------


def scaled_font(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """Return ``font`` at ``factor`` times its size: 1.6 for a page's title, 1.15 for a section's."""
    scaled = QFont(font)
    if font.pointSizeF() > 0:
        scaled.setPointSizeF(font.pointSizeF() * factor)
    else:
        scaled.setPixelSize(round(font.pixelSize() * factor))
    if bold:
        scaled.setWeight(QFont.Weight.DemiBold)
    return scaled
