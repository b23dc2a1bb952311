"""Style sheet rules that colour concepts in the report as the window does."""

from __future__ import annotations

from backend.concept_colors import (
    DARK_CONCEPTS,
    DARK_DROPPED,
    DARK_LEFT_OUT,
    DARK_OUTLIERS,
    LIGHT_CONCEPTS,
    LIGHT_DROPPED,
    LIGHT_LEFT_OUT,
    LIGHT_OUTLIERS,
    color_index,
)


def color_class(number: int) -> str:
    """Return the CSS class that sets ``--c`` to a concept's colour, or a sign's (−1 to −3)."""
    if number < 0:
        return {-1: "outlier", -2: "dropped"}.get(number, "left-out")
    return f"c{color_index(number)}"


def color_rules() -> str:
    """Return the style rules that give every class its colour, light and dark."""
    light = _rules(LIGHT_CONCEPTS, LIGHT_OUTLIERS, LIGHT_DROPPED, LIGHT_LEFT_OUT)
    dark = _rules(DARK_CONCEPTS, DARK_OUTLIERS, DARK_DROPPED, DARK_LEFT_OUT)
    return f"{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _rules(concepts: tuple[str, ...], outliers: str, dropped: str, left_out: str) -> str:
    rules = [f".c{number} {{ --c: {color}; }}" for number, color in enumerate(concepts)]
    signs = {"outlier": outliers, "dropped": dropped, "left-out": left_out}
    return "\n".join([*rules, *(f".{name} {{ --c: {color}; }}" for name, color in signs.items())])
