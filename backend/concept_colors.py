"""Colours and letters of concepts, the same in the window and in the report.

Ten hues, named alike for light and dark backgrounds, tuned so that each keeps a contrast of at least 3 to
its background and stays apart from the others for protanopes, deuteranopes and tritanopes (the first six most
of all). Letters never repeat.
"""

from __future__ import annotations

from string import ascii_uppercase

# Blue, vermilion, green, magenta, sky, gold, wine, olive, violet, brown.
LIGHT_CONCEPTS = (
    "#1646ad",
    "#bd260a",
    "#0a7d66",
    "#e62e9f",
    "#2e8fd2",
    "#b0800c",
    "#83205f",
    "#42660f",
    "#7026e3",
    "#55230d",
)
DARK_CONCEPTS = (
    "#5584dc",
    "#ee4a22",
    "#3cb87e",
    "#ff8cc6",
    "#35ccff",
    "#e3c435",
    "#b96488",
    "#d4f25e",
    "#998ffd",
    "#f5823a",
)

LIGHT_OUTLIERS, LIGHT_DROPPED = "#74747c", "#80705f"
DARK_OUTLIERS, DARK_DROPPED = "#9c9ca3", "#b09a86"

N_COLORS = len(LIGHT_CONCEPTS)

OUTLIER_MARKER = "○"
DROPPED_MARKER = "✕"


def letters(number: int) -> str:
    """Return a concept's letters, A to Z, then AA, AB, …; a sign for outliers (−1) and dropped ones (−2)."""
    if number < 0:
        return OUTLIER_MARKER if number == -1 else DROPPED_MARKER
    text, rest = "", number + 1
    while rest:
        rest, digit = divmod(rest - 1, len(ascii_uppercase))
        text = ascii_uppercase[digit] + text
    return text
