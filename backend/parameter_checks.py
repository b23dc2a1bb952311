"""Checks of single parameter values, with the sentence that a wrong one gets."""

from __future__ import annotations

import math

from backend.errors import ParameterError


def require_whole(name: str, value: object, lowest: int, highest: int) -> None:
    """Raise a ParameterError unless a value is a whole number within bounds, both allowed."""
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ParameterError(f"{name} must be a whole number from {lowest} to {highest}, not {value!r}.")


def require_not_negative(name: str, value: object) -> None:
    """Raise a ParameterError unless a value is a number that is 0 or more; infinity is one."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value) or value < 0:
        raise ParameterError(f"{name} must be a number that is 0 or more, not {value!r}.")


def require_finite(name: str, value: object) -> None:
    """Raise a ParameterError unless a value is a finite number that is 0 or more."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ParameterError(f"{name} must be a finite number that is 0 or more, not {value!r}.")


def require_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise a ParameterError unless a value is one of those allowed."""
    if value not in allowed:
        raise ParameterError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
