"""How the window looks: light and dark palettes, spacing, icons drawn in the palette's own colours."""

from typing import Literal

from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import QApplication

Scheme = Literal["system", "light", "dark"]

SPACING = 8
"""Pixels between two controls; half of it within a group, twice between groups."""


def apply_scheme(application: QApplication, scheme: Scheme = "system") -> None:
    """Dress the application in the light or the dark palette, following the system if asked to."""
    raise NotImplementedError


def themed_icon(name: str, palette: QPalette | None = None) -> QIcon:
    """Return ``resources/icons/NAME.svg`` in the palette's text colour, for each mode (normal, disabled)."""
    raise NotImplementedError


def application_icon() -> QIcon:
    """Return the application's own icon, in full colour."""
    raise NotImplementedError
