"""Whether things may move on the screen: the desktop's own setting against motion."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

from PySide6.QtCore import QSettings, QStandardPaths
from PySide6.QtWidgets import QApplication, QStyle

_CLIENT_AREA_ANIMATION = 0x1042  # SPI_GETCLIENTAREAANIMATION


def prefers_reduced_motion() -> bool:
    """Tell whether the user asked the desktop for no, or less, animation; False where that is not known.

    Windows and macOS are asked themselves; elsewhere the files of KDE and GTK and GTK's environment variable.
    """
    style = QApplication.style()
    if style is not None and style.styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) == 0:
        return True
    if sys.platform == "win32":
        return not _windows_animates()
    if sys.platform == "darwin":
        access = QSettings("com.apple.universalaccess", "")
        return _is_yes(access.value("reduceMotion"))
    return _unix_says_no()


def _windows_animates() -> bool:
    animates = ctypes.c_int(1)
    windll = getattr(ctypes, "windll")  # noqa: B009 - it exists on Windows only
    windll.user32.SystemParametersInfoW(_CLIENT_AREA_ANIMATION, 0, ctypes.byref(animates), 0)
    return bool(animates.value)


def _unix_says_no() -> bool:
    if os.environ.get("GTK_ENABLE_ANIMATIONS", "1") == "0":
        return True
    folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation))
    kde = _ini(folder / "kdeglobals").value("KDE/AnimationDurationFactor")
    if kde is not None and _number(kde) == 0:
        return True
    gtk = [
        _ini(folder / f"gtk-{n}.0" / "settings.ini").value("Settings/gtk-enable-animations") for n in (3, 4)
    ]
    return any(value is not None and not _is_yes(value) for value in gtk)


def _ini(path: Path) -> QSettings:
    return QSettings(str(path), QSettings.Format.IniFormat)


def _is_yes(value: object) -> bool:
    return str(value).strip().lower() in ("1", "true", "yes")


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 1.0
