"""Colours and letters of concepts: colour-blind-safe, for light and dark, and never colour alone.

Ten hues, named alike in both schemes, tuned so that each keeps a WCAG contrast of at least 3 to its
background and stays apart from the others for protanopes, deuteranopes and tritanopes (the first six most
of all). The eleventh concept starts over with another pattern; letters never repeat.
"""

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QPalette

from backend.concept_colors import (
    DARK_CONCEPTS,
    DARK_DROPPED,
    DARK_LEFT_OUT,
    DARK_OUTLIERS,
    LIGHT_CONCEPTS,
    LIGHT_DROPPED,
    LIGHT_LEFT_OUT,
    LIGHT_OUTLIERS,
    OWN_NUMBER,
    color_index,
    letters,
)

LIGHT_BACKGROUNDS = QColor("#ffffff"), QColor("#f3f4f7")
"""Backgrounds that the light colours are tuned for: fields and windows."""

DARK_BACKGROUNDS = QColor("#181a20"), QColor("#24272f")
"""Backgrounds that the dark colours are tuned for: fields and windows."""

N_CONCEPT_COLORS = len(LIGHT_CONCEPTS)
"""Concepts that have a colour of their own; the next ones repeat them in another pattern."""

_PATTERNS = (
    Qt.BrushStyle.SolidPattern,
    Qt.BrushStyle.BDiagPattern,
    Qt.BrushStyle.Dense3Pattern,
    Qt.BrushStyle.FDiagPattern,
    Qt.BrushStyle.HorPattern,
    Qt.BrushStyle.DiagCrossPattern,
)


def is_dark(palette: QPalette | None = None) -> bool:
    """Tell whether a palette (the application's by default) shows light text on a dark ground."""
    palette = QGuiApplication.palette() if palette is None else palette
    return luminance(palette.color(QPalette.ColorRole.Base)) < luminance(
        palette.color(QPalette.ColorRole.Text)
    )


def concept_color(cluster: int, dark: bool | None = None) -> QColor:
    """Return the colour of a concept.

    Parameters
    ----------
    cluster
        The concept's number from 0, as :func:`backend.method.dendrogram_layout.concept_numbers` gives it; −1
        gives the colour of outliers, −2 that of dropped clusters, −3 that of images left out by hand.
    dark
        For a dark background; by default as the application's palette is.
    """
    dark = is_dark() if dark is None else dark
    if cluster == -1:
        return outlier_color(dark)
    if cluster == -2:
        return dropped_color(dark)
    if cluster == -3:
        return left_out_color(dark)
    if cluster < 0:
        raise ValueError(f"a concept's number is 0 or more, not {cluster}")
    return QColor((DARK_CONCEPTS if dark else LIGHT_CONCEPTS)[color_index(cluster)])


def concept_pattern(cluster: int) -> Qt.BrushStyle:
    """Return the fill pattern that tells concepts of one colour apart: solid for the first ten.

    The first ten made by hand are solid too.
    """
    cluster -= OWN_NUMBER if cluster >= OWN_NUMBER else 0
    return _PATTERNS[cluster // N_CONCEPT_COLORS % len(_PATTERNS)]


def concept_brush(cluster: int, dark: bool | None = None) -> QBrush:
    """Return the concept's colour in its pattern."""
    return QBrush(concept_color(cluster, dark), concept_pattern(max(cluster, 0)))


def concept_marker(cluster: int) -> str:
    """Return the concept's letters, A to Z, then AA, AB, …, or its number if it was made by hand.

    Outliers (−1), dropped clusters (−2) and images left out by hand (−3) have a sign.
    """
    if cluster < -3:
        raise ValueError(f"a concept's number is 0 or more, not {cluster}")
    return letters(cluster)


def outlier_color(dark: bool | None = None) -> QColor:
    """Return the grey of outliers."""
    dark = is_dark() if dark is None else dark
    return QColor(DARK_OUTLIERS if dark else LIGHT_OUTLIERS)


def dropped_color(dark: bool | None = None) -> QColor:
    """Return the warm grey of dropped clusters."""
    dark = is_dark() if dark is None else dark
    return QColor(DARK_DROPPED if dark else LIGHT_DROPPED)


def left_out_color(dark: bool | None = None) -> QColor:
    """Return the blue grey of images that were left out by hand."""
    dark = is_dark() if dark is None else dark
    return QColor(DARK_LEFT_OUT if dark else LIGHT_LEFT_OUT)


def text_color_on(background: QColor) -> QColor:
    """Return white where it has a contrast of at least 4.5 to a background, else black: it has more then."""
    white = QColor("#ffffff")
    return white if contrast_ratio(white, background) >= 4.5 else QColor("#000000")


def blend(color: QColor, background: QColor, share: float) -> QColor:
    """Mix ``share`` (0 to 1) of a colour into a background: a tint without transparency."""
    parts = [
        share * over + (1 - share) * under
        for over, under in (
            (color.redF(), background.redF()),
            (color.greenF(), background.greenF()),
            (color.blueF(), background.blueF()),
        )
    ]
    return QColor.fromRgbF(*parts)


def luminance(color: QColor) -> float:
    """Return the relative luminance of an sRGB colour, from 0 to 1 (WCAG 2.2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4)
        for part in (color.redF(), color.greenF(), color.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_ratio(a: QColor, b: QColor) -> float:
    """Return the contrast of two colours, from 1 to 21 (WCAG 2.2)."""
    brighter, darker = sorted((luminance(a), luminance(b)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)
