"""Numbers as people read them: durations, sizes on disk, counts, activations."""

from __future__ import annotations

import math

_MINUTE = 60
_HOUR = 3600


def duration_text(seconds: float) -> str:
    """Return a duration with a sensible precision: "8 s", "2 min 10 s", "1 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < 10 * _MINUTE:
        minutes, rest = divmod(5 * round(whole / 5), _MINUTE)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    minutes = round(whole / _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min"
    hours, rest = divmod(minutes, _MINUTE)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def bytes_text(n_bytes: int) -> str:
    """Return a size on disk in decimal units: "640 kB", "133 MB", "1.3 GB"."""
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def count_text(count: int, singular: str, plural: str | None = None) -> str:
    """Return a count and its noun: "1 image", "26,000 images", "2 classes"."""
    noun = singular if count == 1 else (plural or singular + "s")
    return f"{count:,} {noun}"


def activation_text(value: float) -> str:
    """Return an activation with three significant digits and never more than needed: "12.3", "0.0041"."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{value:.0f}"
    if magnitude < 0.0001:
        return f"{value:.1e}"
    decimals = 2 - math.floor(math.log10(magnitude))
    return f"{value:.{decimals}f}"


def share_text(share: float) -> str:
    """Return a share of 1 in per cent: "3.1 %", "42 %", "< 0.1 %"."""
    if math.isnan(share):
        return "–"
    percent = 100 * share
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if percent < 10 and percent != round(percent):
        return f"{percent:.1f} %"
    if 99.5 <= percent < 100:
        return "> 99 %"
    return f"{percent:.0f} %"
