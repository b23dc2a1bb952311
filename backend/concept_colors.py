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

LIGHT_LEFT_OUT, DARK_LEFT_OUT = "#5d7488", "#8fa9bf"

N_COLORS = len(LIGHT_CONCEPTS)

OUTLIER_MARKER = "○"
DROPPED_MARKER = "✕"
LEFT_OUT_MARKER = "−"

OWN_NUMBER = 1000
"""The first number of concepts made by hand: no tree has so many clusters."""


def color_index(number: int) -> int:
    """Return which of the colours a concept has, by its number.

    Concepts made by hand take them from the last one on, so that they rarely share one with a cluster.
    """
    if number >= OWN_NUMBER:
        return (N_COLORS - 1 - (number - OWN_NUMBER)) % N_COLORS
    return number % N_COLORS


def letters(number: int) -> str:
    """Return a concept's letters, A to Z, then AA, AB, …; of one made by hand its number, from 1.

    Outliers (−1), dropped clusters (−2) and images left out by hand (−3) have a sign.
    """
    if number < 0:
        return {-1: OUTLIER_MARKER, -2: DROPPED_MARKER}.get(number, LEFT_OUT_MARKER)
    if number >= OWN_NUMBER:
        return str(number - OWN_NUMBER + 1)
    text, rest = "", number + 1
    while rest:
        rest, digit = divmod(rest - 1, len(ascii_uppercase))
        text = ascii_uppercase[digit] + text
    return text
