"""What a dendrogram shows: the tree, its threshold, what is chosen and pointed at. No painting, no events."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.method.dendrogram_layout import DendrogramLayout

HEADROOM = 0.12
"""Room above the highest merge, as a share of the axis."""

MAX_DECADES = 4
"""A logarithmic axis reaches at most this many powers of ten below the highest merge."""


@dataclass
class DendrogramState:
    """Shared by the parts of a dendrogram; the plot changes it, the items paint it.

    Attributes
    ----------
    layout
        The tree, or None.
    threshold
        Distance threshold d_max in units of merge height.
    suggestion
        Suggested threshold, or None.
    log_height
        Whether the axis is logarithmic.
    labels, label_numbers
        int64 (N,): final cluster of each leaf (−1 outlier, −2 dropped), and the concept number of each
        cluster; None until they are known.
    labels_threshold
        The threshold that the labels belong to: at another one they are old.
    chosen
        bool (N,): the selected leaves.
    hovered
        Node under the pointer, −1 for none.
    tooltips, classes, paths
        Of each leaf, or None.
    height_unit
        What merge heights are measured in, "" if that is not known.
    """

    layout: DendrogramLayout | None = None
    threshold: float = 0.0
    suggestion: float | None = None
    log_height: bool = False
    labels: NDArray[np.int64] | None = None
    label_numbers: NDArray[np.int64] | None = None
    labels_threshold: float = math.nan
    chosen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    hovered: int = -1
    tooltips: Sequence[str] | None = None
    classes: Sequence[str | None] | None = None
    paths: Sequence[Path] | None = None
    height_unit: str = ""

    def set_layout(self, layout: DendrogramLayout | None) -> None:
        """Show another tree; nothing is known or chosen of it yet."""
        self.layout = layout
        self.labels = self.label_numbers = None
        self.labels_threshold = math.nan
        self.chosen = np.zeros(0 if layout is None else layout.n_leaves, dtype=np.bool_)
        self.hovered = -1
        self.tooltips = self.classes = self.paths = None

    @property
    def merge_heights(self) -> NDArray[np.float64]:
        """float64 (N − 1,): heights of the merges, ascending; empty without a tree."""
        return np.empty(0) if self.layout is None else self.layout.merge_heights

    @property
    def n_clusters(self) -> int:
        """Number of clusters C at the threshold."""
        return self.n_clusters_at(self.threshold)

    def n_clusters_at(self, threshold: float) -> int:
        """Return C at a threshold d_max: 1 + the number of merges with height ≥ d_max; 0 without a tree."""
        if self.layout is None:
            return 0
        heights = self.merge_heights
        return 1 + len(heights) - int(np.searchsorted(heights, threshold, side="left"))

    @property
    def labels_are_current(self) -> bool:
        """Tell whether the final labels belong to the threshold on show."""
        return self.labels is not None and self.labels_threshold == self.threshold

    # --- the height axis --------------------------------------------------------------------------

    @property
    def highest_merge(self) -> float:
        """Height of the root; 1 for a tree without height."""
        heights = self.merge_heights
        return float(heights[-1]) if len(heights) and heights[-1] > 0 else 1.0

    @property
    def lowest_shown(self) -> float:
        """Height at the bottom of the axis: 0, or just below the lowest merge on a logarithmic axis."""
        if not self.log_height:
            return 0.0
        heights = self.merge_heights
        positive = heights[heights > 0]
        lowest = float(positive[0]) * 0.8 if len(positive) else self.highest_merge / 10
        return max(lowest, self.highest_merge * 10.0**-MAX_DECADES)

    def to_axis(self, heights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where heights lie on the axis: themselves, or their decimal logarithm."""
        if not self.log_height:
            return heights
        positions: NDArray[np.float64] = np.log10(np.maximum(heights, self.lowest_shown))
        return positions

    def height_to_axis(self, height: float) -> float:
        """Return where one height lies on the axis."""
        return math.log10(max(height, self.lowest_shown)) if self.log_height else height

    def from_axis(self, position: float) -> float:
        """Return the height at a place on the axis."""
        return float(10.0**position) if self.log_height else position

    @property
    def axis_range(self) -> tuple[float, float]:
        """Return both ends of the whole axis."""
        low, top = self.height_to_axis(self.lowest_shown), self.height_to_axis(self.highest_merge)
        span = top - low or 1.0
        return low, top + HEADROOM * span

    # --- what is chosen ---------------------------------------------------------------------------

    def choose_node(self, node: int, *, toggle: bool = False, add: bool = False) -> None:
        """Select a subtree: alone, or besides what is chosen, or out again if all of it was chosen."""
        if self.layout is None:
            return
        leaves = self.layout.leaves(node)
        if toggle:
            self.chosen[leaves] = not self.chosen[leaves].all()
        elif add:
            self.chosen[leaves] = True
        else:
            self.chosen[:] = False
            self.chosen[leaves] = True

    @property
    def under_pointer(self) -> NDArray[np.bool_]:
        """Whether each node is the one under the pointer or below it, bool (2N − 1,)."""
        layout = self.layout
        if layout is None:
            return np.zeros(0, dtype=np.bool_)
        if self.hovered < 0:
            return np.zeros(len(layout.height), dtype=np.bool_)
        first = layout.first[self.hovered]
        end = first + layout.size[self.hovered]
        inside: NDArray[np.bool_] = (layout.first >= first) & (layout.first + layout.size <= end)
        return inside

    @property
    def chosen_leaves(self) -> NDArray[np.int64]:
        """int64 (m,): the selected leaves, ascending."""
        return np.flatnonzero(self.chosen).astype(np.int64)
