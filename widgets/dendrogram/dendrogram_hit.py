"""Which part of a tree a pointer is at."""

import numpy as np
from numpy.typing import NDArray

from backend.method.dendrogram_layout import DendrogramLayout


def nearest_node(
    layout: DendrogramLayout,
    axis_heights: NDArray[np.float64],
    x: float,
    y: float,
    slots_per_pixel: float,
    axis_per_pixel: float,
    reach: float,
) -> int:
    """Return the node whose line is nearest to a point, or else the smallest subtree that spans it.

    A merge's line is its bar; the stem above a node belongs to that node.

    Parameters
    ----------
    layout
        The tree.
    axis_heights
        float64 (2N − 1,): where each node lies on the height axis.
    x, y
        The point, in slots and on the axis.
    slots_per_pixel, axis_per_pixel
        Size of a pixel.
    reach
        A line counts within this many pixels.

    Returns
    -------
    node
        −1 above the root and beside the tree.
    """
    stems = np.arange(len(axis_heights))
    top = np.append(axis_heights, axis_heights[-1])[layout.parent]
    distances = np.concatenate(
        [
            np.hypot(
                (layout.x - x) / slots_per_pixel,
                _outside(y, axis_heights, top) / axis_per_pixel,
            ),
            np.hypot(
                _outside(x, layout.x[layout.left], layout.x[layout.right]) / slots_per_pixel,
                (axis_heights[layout.n_leaves :] - y) / axis_per_pixel,
            ),
        ]
    )
    nodes = np.concatenate([stems, np.arange(layout.n_leaves, len(axis_heights))])
    best = int(np.argmin(distances))
    if distances[best] <= reach:
        return int(nodes[best])
    spans = (layout.first - 0.5 <= x) & (x < layout.first + layout.size - 0.5) & (axis_heights >= y)
    candidates = np.flatnonzero(spans)
    return int(candidates[np.argmin(layout.size[candidates])]) if len(candidates) else -1


def _outside(value: float, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far a value lies outside intervals, 0 inside."""
    distance: NDArray[np.float64] = np.maximum(np.maximum(low - value, value - high), 0.0)
    return distance
