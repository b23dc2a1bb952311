"""Where every merge of a dendrogram lies, and which concept it belongs to at a threshold: NumPy alone.

Nodes are numbered as in SciPy's linkage matrix: 0 … N − 1 are the leaves, N + i is merge i.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from backend.method.hierarchy import Hierarchy

ABOVE = -1
"""Number of what lies at or above the threshold, and so belongs to no cluster."""


@dataclass(frozen=True)
class DendrogramLayout:
    """A tree with its leaves in drawing order: the child that holds the stronger image stands left.

    Attributes
    ----------
    n_leaves
        Number of images N, at least 1.
    order
        int64 (N,): the leaf at each slot, from left to right.
    slot
        int64 (N,): the slot of each leaf.
    left, right
        int64 (N − 1,): the children of each merge, in drawing order.
    parent
        int64 (2N − 1,): the merge that each node goes into; −1 for the root.
    height, x
        float64 (2N − 1,): merge height (0 for leaves) and horizontal place in slots.
    first, size
        int64 (2N − 1,): the first slot that a node covers, and how many.
    number
        int64 (2N − 1,): the concept number that a node has while it is a cluster. The root is 0; the larger
        child keeps its parent's number and the other takes the next free one, from the highest merge down,
        so that C clusters are always numbered 0 … C − 1 and no cluster is renumbered when another splits.
    """

    n_leaves: int
    order: NDArray[np.int64]
    slot: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    parent: NDArray[np.int64]
    height: NDArray[np.float64]
    x: NDArray[np.float64]
    first: NDArray[np.int64]
    size: NDArray[np.int64]
    number: NDArray[np.int64]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def merge_heights(self) -> NDArray[np.float64]:
        """float64 (N − 1,): heights of the merges, ascending."""
        return self.height[self.n_leaves :]

    @property
    def parent_height(self) -> NDArray[np.float64]:
        """float64 (2N − 1,): height of the merge that each node goes into; infinite for the root."""
        heights = np.append(self.height, np.inf)
        return heights[self.parent]

    def leaves(self, node: int) -> NDArray[np.int64]:
        """Return the leaves under a node, ascending (strongest image first)."""
        return np.sort(self.order[self.first[node] : self.first[node] + self.size[node]])

    def is_joined(self, threshold: float) -> NDArray[np.bool_]:
        """Return bool (2N − 1,): leaves, and merges strictly below the threshold."""
        joined: NDArray[np.bool_] = self.height < threshold
        joined[: self.n_leaves] = True
        return joined

    def clusters(self, threshold: float) -> NDArray[np.int64]:
        """Return the topmost node of each cluster, int64 (C,), from left to right."""
        roots = np.flatnonzero(self.is_joined(threshold) & (self.parent_height >= threshold))
        return roots[np.argsort(self.first[roots])]

    def slot_numbers(self, threshold: float) -> NDArray[np.int64]:
        """Return the concept number at each slot, int64 (N,)."""
        roots = self.clusters(threshold)
        return np.repeat(self.number[roots], self.size[roots])

    def leaf_numbers(self, threshold: float) -> NDArray[np.int64]:
        """Return the concept number of each leaf, int64 (N,)."""
        return self.slot_numbers(threshold)[self.slot]

    def node_numbers(self, threshold: float) -> NDArray[np.int64]:
        """Return the concept number that each node belongs to, int64 (2N − 1,); ``ABOVE`` for open merges."""
        numbers = self.slot_numbers(threshold)[self.first]
        numbers[~self.is_joined(threshold)] = ABOVE
        return numbers

    def covered(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return bool (2N − 1,): nodes all of whose leaves are chosen (bool (N,), by leaf)."""
        before = np.concatenate([[0], np.cumsum(chosen[self.order])])
        inside: NDArray[np.int64] = before[self.first + self.size] - before[self.first]
        full: NDArray[np.bool_] = inside == self.size
        return full


def layout_dendrogram(linkage: NDArray[np.float64], n_leaves: int) -> DendrogramLayout:
    """Lay out a linkage matrix.

    Parameters
    ----------
    linkage
        float64 (N − 1, 4): SciPy's linkage matrix, merges in ascending order of height.
    n_leaves
        Number of images N.

    Raises
    ------
    ValueError
        If there is no leaf, or the matrix does not join that many leaves.
    """
    if n_leaves < 1 or len(linkage) != n_leaves - 1:
        raise ValueError(f"{len(linkage)} merges do not join {n_leaves} leaves into one tree")
    left, right, size = _order_children(linkage, n_leaves)
    first, number, parent = _descend(left, right, size, n_leaves)
    slot = np.array(first[:n_leaves], dtype=np.int64)
    order = np.empty(n_leaves, dtype=np.int64)
    order[slot] = np.arange(n_leaves)
    x = [float(value) for value in slot]
    for a, b in zip(left, right, strict=True):
        x.append((x[a] + x[b]) / 2)
    return DendrogramLayout(
        n_leaves=n_leaves,
        order=order,
        slot=slot,
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        parent=np.array(parent, dtype=np.int64),
        height=np.concatenate([np.zeros(n_leaves), linkage[:, 2]]),
        x=np.array(x),
        first=np.array(first, dtype=np.int64),
        size=np.array(size, dtype=np.int64),
        number=np.array(number, dtype=np.int64),
    )


def _order_children(linkage: NDArray[np.float64], n_leaves: int) -> tuple[list[int], list[int], list[int]]:
    """Return the children of each merge, that with the strongest image first, and the size of each node."""
    strongest = list(range(n_leaves))
    size = [1] * n_leaves
    left, right = [], []
    for a, b in linkage[:, :2].astype(np.int64).tolist():
        if strongest[b] < strongest[a]:
            a, b = b, a
        left.append(a)
        right.append(b)
        strongest.append(strongest[a])
        size.append(size[a] + size[b])
    return left, right, size


def _descend(
    left: list[int], right: list[int], size: list[int], n_leaves: int
) -> tuple[list[int], list[int], list[int]]:
    """Return first slot, concept number and parent of each node, from the root down."""
    first, number, parent = [0] * len(size), [0] * len(size), [-1] * len(size)
    for split, i in enumerate(range(len(left) - 1, -1, -1)):
        node, a, b = n_leaves + i, left[i], right[i]
        parent[a] = parent[b] = node
        first[a], first[b] = first[node], first[node] + size[a]
        keeps, starts = (a, b) if size[a] >= size[b] else (b, a)
        number[keeps], number[starts] = number[node], split + 1
    return first, number, parent


@dataclass(frozen=True)
class Segments:
    """The lines of a tree: from (x0, y0) to (x1, y1), x in slots, y in merge height.

    Attributes
    ----------
    x0, y0, x1, y1
        float64 (S,).
    number
        int64 (S,): concept number, or ``ABOVE``.
    node
        int64 (S,): the node that a line belongs to: a merge's bar, or the stem from a node to its parent.
    """

    x0: NDArray[np.float64]
    y0: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]
    number: NDArray[np.int64]
    node: NDArray[np.int64]


def tree_segments(layout: DendrogramLayout, threshold: float) -> Segments:
    """Return the tree's lines; a stem that crosses the threshold is parted there, its lower part coloured."""
    numbers = layout.node_numbers(threshold)
    merges = np.arange(layout.n_leaves, len(layout.height))
    stems = np.flatnonzero(layout.parent >= 0)
    top, bottom = layout.height[layout.parent[stems]], layout.height[stems]
    # A stem takes its node's number as far as the threshold, and its parent's above.
    crossing = (numbers[stems] != ABOVE) & (top >= threshold)
    lower_top = np.where(crossing, np.maximum(threshold, bottom), top)
    cut = stems[crossing]
    return Segments(
        x0=np.concatenate([layout.x[layout.left], layout.x[stems], layout.x[cut]]),
        y0=np.concatenate([layout.height[merges], bottom, lower_top[crossing]]),
        x1=np.concatenate([layout.x[layout.right], layout.x[stems], layout.x[cut]]),
        y1=np.concatenate([layout.height[merges], lower_top, top[crossing]]),
        number=np.concatenate([numbers[merges], numbers[stems], np.full(len(cut), ABOVE)]),
        node=np.concatenate([merges, stems, cut]),
    )


def concept_numbers(hierarchy: Hierarchy, threshold: float, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number (colour and letter) of each final cluster, stable while the threshold moves.

    Each cluster takes the number of the tree's cluster that it shares most images with, one to one.

    Parameters
    ----------
    hierarchy, threshold
        The tree and the distance threshold d_max that the clusters come from.
    labels
        int64 (N,): the cluster of each image, as ``Disentanglement.kmeans_labels``; negative ones (outliers)
        do not count.

    Returns
    -------
    numbers
        int64 (C,): ``numbers[j]`` goes to ``concept_color`` and ``concept_marker`` for cluster j, and the
        whole array to ``DendrogramView.set_leaf_labels``, so that every panel shows the same colours.
    """
    if hierarchy.n_leaves == 0:
        return np.empty(0, dtype=np.int64)
    tree_numbers = hierarchy.layout.leaf_numbers(threshold)
    n = max(hierarchy.n_clusters(threshold), int(labels.max(initial=-1)) + 1)
    kept = labels >= 0
    pairs, shared = np.unique(np.stack([labels[kept], tree_numbers[kept]]), axis=1, return_counts=True)
    numbers = np.full(n, -1, dtype=np.int64)
    free = set(range(n))
    for pair in np.lexsort((pairs[1], pairs[0], -shared)).tolist():
        label, number = int(pairs[0, pair]), int(pairs[1, pair])
        if numbers[label] < 0 and number in free:
            numbers[label] = number
            free.remove(number)
    numbers[numbers < 0] = sorted(free)
    return numbers
