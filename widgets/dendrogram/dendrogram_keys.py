"""What keys do to the threshold of a dendrogram."""

from PySide6.QtCore import Qt

from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.dendrogram.threshold_steps import (
    arrow_step,
    next_merge_down,
    next_merge_up,
    shortest_above,
    shortest_at_most,
)

_KEYS = (
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
)
_COARSE = 10


def is_threshold_key(key: Qt.Key) -> bool:
    """Tell whether a key moves the threshold."""
    return key in _KEYS


def threshold_after_key(state: DendrogramState, key: Qt.Key, *, coarse: bool = False) -> float:
    """Return the threshold that a key leads to.

    Up and Down step (ten times as far if ``coarse``), Page Up and Page Down jump to just past the next merge,
    Home takes every image apart, End joins all of them.
    """
    heights, threshold = state.merge_heights, state.threshold
    if not len(heights):
        return threshold
    if key == Qt.Key.Key_PageUp:
        return next_merge_up(heights, threshold)
    if key == Qt.Key.Key_PageDown:
        return next_merge_down(heights, threshold)
    if key == Qt.Key.Key_Home:
        return shortest_at_most(0.0, float(heights[0])) if heights[0] > 0 else 0.0
    top = float(heights[-1])
    if key == Qt.Key.Key_End:
        return shortest_above(top, top * 1.05 + 1e-12)
    return _stepped(state, 1 if key == Qt.Key.Key_Up else -1, _COARSE if coarse else 1)


def _stepped(state: DendrogramState, direction: int, factor: int) -> float:
    heights, threshold = state.merge_heights, state.threshold
    highest = float(heights[-1]) * 1.1
    if state.log_height:
        # Equal ratios are equal distances on a logarithmic axis.
        threshold = max(threshold, state.lowest_shown) * 1.01 ** (direction * factor)
        moved = float(f"{threshold:.4g}")
        return min(max(moved, min(state.lowest_shown, state.threshold)), max(highest, state.threshold))
    step = arrow_step(heights)
    # Stepping goes from one multiple of the step to the next, so that the numbers stay round.
    steps = threshold / step
    nearest = round(steps)
    count = (
        nearest + direction * factor if abs(steps - nearest) < 1e-6 else _next_whole(steps, direction, factor)
    )
    moved = float(f"{count * step:.12g}")
    return min(max(moved, 0.0), max(highest, state.threshold))


def _next_whole(steps: float, direction: int, factor: int) -> int:
    whole = int(steps // 1)
    return whole + factor if direction > 0 else whole + 1 - factor
