"""The report's style sheet."""

from __future__ import annotations

from functools import cache
from importlib import resources

from backend.exchange.report_colors import color_rules


@cache
def style_sheet() -> str:
    """Return the whole style sheet: colours of the concepts, then the rules of ``resources/report.css``."""
    rules = resources.files("resources").joinpath("report.css").read_text(encoding="utf-8")
    return f"{color_rules()}\n{rules}"
