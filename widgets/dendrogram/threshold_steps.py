"""Where a distance threshold goes next: to the next merge, to a number of clusters, to a number one can read.

Merge heights are float64 (N − 1,), ascending. A merge is joined if it lies strictly below the threshold.
"""

import math

import numpy as np
from numpy.typing import NDArray

_JUST_PAST = 0.02
"""A jump lands at most this share of the tree's height beyond the merge."""

_MIDDLE = 0.25
"""A threshold for a number of clusters keeps this share of the plateau free on both sides."""


def next_merge_up(merge_heights: NDArray[np.float64], threshold: float) -> float:
    """Return a threshold just above the next merge, which it joins; the same one if there is none."""
    index = int(np.searchsorted(merge_heights, threshold, side="left"))
    if index == len(merge_heights):
        return threshold
    low = float(merge_heights[index])
    after = int(np.searchsorted(merge_heights, low, side="right"))
    high = float(merge_heights[after]) if after < len(merge_heights) else math.inf
    return shortest_above(low, min(high, low + _reach(merge_heights)))


def next_merge_down(merge_heights: NDArray[np.float64], threshold: float) -> float:
    """Return a threshold just below the next merge, which it opens; the same one if there is none."""
    index = int(np.searchsorted(merge_heights, threshold, side="left")) - 1
    if index < 0:
        return threshold
    high = float(merge_heights[index])
    before = int(np.searchsorted(merge_heights, high, side="left")) - 1
    low = float(merge_heights[before]) if before >= 0 else -math.inf
    return shortest_at_most(max(low, high - _reach(merge_heights)), high)


def threshold_for_clusters(
    merge_heights: NDArray[np.float64], n_clusters: int, *, or_fewer: bool = False
) -> float:
    """Return a threshold in the middle of the plateau with ``n_clusters``.

    Parameters
    ----------
    merge_heights
        float64 (N − 1,), ascending.
    n_clusters
        Wanted number; brought into 1 … N.
    or_fewer
        Equal heights skip counts: take the next smaller count then, instead of the next larger one.
    """
    n_merges = len(merge_heights)
    joined = n_merges + 1 - min(max(n_clusters, 1), n_merges + 1)
    if n_merges == 0:
        return 0.0
    # Among equal heights all are joined or none.
    if 0 < joined < n_merges and merge_heights[joined - 1] == merge_heights[joined]:
        joined = int(np.searchsorted(merge_heights, merge_heights[joined], "right" if or_fewer else "left"))
    low = float(merge_heights[joined - 1]) if joined > 0 else 0.0
    high = float(merge_heights[joined]) if joined < n_merges else low + 2 * _reach(merge_heights)
    if low >= high:
        return high
    margin = _MIDDLE * (high - low)
    return shortest_above(low + margin, high - margin)


def shortest_above(low: float, high: float) -> float:
    """Return the number in (low, high] with the fewest decimals, the smallest of those."""
    for exponent in range(_leading_exponent(low, high), -17, -1):
        value = _multiple(math.floor(_in_steps(low, exponent)) + 1, exponent)
        if low < value <= high:
            return value
    return high


def shortest_at_most(low: float, high: float) -> float:
    """Return the number in (low, high] with the fewest decimals, the largest of those."""
    for exponent in range(_leading_exponent(low, high), -17, -1):
        value = _multiple(math.floor(_in_steps(high, exponent)), exponent)
        if low < value <= high:
            return value
    return high


def round_to_resolution(value: float, resolution: float) -> float:
    """Round to the decimals that a step of ``resolution`` (one pixel) can tell apart."""
    if not resolution > 0:
        return value
    return round(value, max(0, -math.floor(math.log10(resolution))))


def arrow_step(merge_heights: NDArray[np.float64]) -> float:
    """Return the step of an arrow key: 1, 2 or 5 times a power of ten, about 1/200 of the tree's height."""
    top = float(merge_heights[-1]) if len(merge_heights) else 0.0
    if top <= 0:
        return 0.1
    raw = top / 200
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw)


def _reach(merge_heights: NDArray[np.float64]) -> float:
    top = float(merge_heights[-1])
    return _JUST_PAST * top if top > 0 else 1.0


def _leading_exponent(low: float, high: float) -> int:
    largest = max(abs(bound) for bound in (low, high) if math.isfinite(bound))
    return math.ceil(math.log10(largest)) if largest > 0 else 0


def _in_steps(value: float, exponent: int) -> float:
    return value / 10.0**exponent if exponent >= 0 else value * 10.0**-exponent


def _multiple(count: int, exponent: int) -> float:
    # Dividing by a power of ten gives the float nearest to the decimal number; multiplying would not.
    return count * 10.0**exponent if exponent >= 0 else count / 10.0**-exponent
