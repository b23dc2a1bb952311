"""Style sheet rules that colour concepts in the report as the window does."""

from __future__ import annotations

from backend.concept_colors import (
    DARK_CONCEPTS,
    DARK_DROPPED,
    DARK_OUTLIERS,
    LIGHT_CONCEPTS,
    LIGHT_DROPPED,
    LIGHT_OUTLIERS,
    N_COLORS,
)


def color_class(number: int) -> str:
    """Return the CSS class that sets ``--c`` to a concept's colour; −1 and −2 are outliers and dropped."""
    if number == -1:
        return "outlier"
    if number == -2:
        return "dropped"
    return f"c{number % N_COLORS}"


def color_rules() -> str:
    """Return the style rules that give every class its colour, light and dark."""
    light = _rules(LIGHT_CONCEPTS, LIGHT_OUTLIERS, LIGHT_DROPPED)
    dark = _rules(DARK_CONCEPTS, DARK_OUTLIERS, DARK_DROPPED)
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _rules(concepts: tuple[str, ...], outliers: str, dropped: str) -> str:
    rules = [f".c{number} {{ --c: {color}; }}" for number, color in enumerate(concepts)]
    return "\n".join([*rules, f".outlier {{ --c: {outliers}; }}", f".dropped {{ --c: {dropped}; }}"])
