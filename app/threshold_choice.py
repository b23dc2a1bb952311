"""Which distance threshold gives a number of clusters."""

import math

from backend.method.hierarchy import Hierarchy


def threshold_for(hierarchy: Hierarchy, n_clusters: int) -> float | None:
    """Return a d_max that gives ``n_clusters``, or the nearest number that the tree has.

    The middle of the range of heights; above the last merge, 5 % beyond it. None for a tree without leaves.
    """
    counts = sorted(range(1, hierarchy.n_leaves + 1), key=lambda count: abs(count - n_clusters))
    for count in counts:
        bounds = hierarchy.threshold_range(count)
        if bounds is not None:
            low, high = bounds
            return (low + high) / 2 if math.isfinite(high) else low * 1.05 or 1.0
    return None
