"""Colours and letters of concepts in the report: those of the window, in its light and its dark scheme."""

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


def color_class(number: int) -> str:
    """Return the CSS class that sets ``--c`` to a concept's colour; −1 and −2 are outliers and dropped."""
    if number == -1:
        return "outlier"
    if number == -2:
        return "dropped"
    return f"c{number % N_COLORS}"


def letters(number: int) -> str:
    """Return a concept's letters, A to Z, then AA, AB, …; a sign for outliers (−1) and dropped ones (−2)."""
    if number < 0:
        return OUTLIER_MARKER if number == -1 else DROPPED_MARKER
    text, rest = "", number + 1
    while rest:
        rest, digit = divmod(rest - 1, len(ascii_uppercase))
        text = ascii_uppercase[digit] + text
    return text


def color_rules() -> str:
    """Return the style rules that give every class its colour, light and dark."""
    light = _rules(LIGHT_CONCEPTS, LIGHT_OUTLIERS, LIGHT_DROPPED)
    dark = _rules(DARK_CONCEPTS, DARK_OUTLIERS, DARK_DROPPED)
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _rules(concepts: tuple[str, ...], outliers: str, dropped: str) -> str:
    rules = [f".c{number} {{ --c: {color}; }}" for number, color in enumerate(concepts)]
    return "\n".join([*rules, f".outlier {{ --c: {outliers}; }}", f".dropped {{ --c: {dropped}; }}"])
