"""What a tooltip says about a subtree: its images, merge height, cluster and purity by class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html import escape

from backend.method.dendrogram_layout import ABOVE
from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.palette import concept_marker


def describe_node(state: DendrogramState, node: int) -> str:
    """Return the tooltip of a node, one fact a line.

    Raises
    ------
    ValueError
        If there is no tree.
    """
    if state.layout is None:
        raise ValueError("there is no tree to describe")
    layout = state.layout
    if node < layout.n_leaves:
        return _describe_leaf(state, node)
    size, height = int(layout.size[node]), float(layout.height[node])
    lines = [f"{size:,} images merged at height {_height_text(state, height)}"]
    number = int(layout.node_numbers(state.threshold)[node])
    if number == ABOVE:
        lines.append(f"{_clusters_inside(state, node)} clusters at the threshold")
    else:
        whole = float(layout.parent_height[node]) >= state.threshold
        lines.append(f"Cluster {concept_marker(number)}" if whole else f"In cluster {concept_marker(number)}")
    class_line = purity_text(state, node)
    return "\n".join([*lines, class_line] if class_line else lines)


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows a text as it is, even if a file or class is called like a piece of HTML."""
    if "<" not in text:
        return text
    return f'<p style="white-space:pre">{escape(text)}</p>'


@dataclass(frozen=True)
class Purity:
    """The most frequent class of a subtree.

    Attributes
    ----------
    name
        The class; of several that are as frequent, the first by name.
    count, size
        Its images, and all images of the subtree, those of no known class too.
    """

    name: str
    count: int
    size: int

    @property
    def percent(self) -> str:
        """The share of the class, as "83 %"; 100 only if it is all of them."""
        return f"{min(100 * self.count / self.size, 99 if self.count < self.size else 100):.0f} %"


def purity(state: DendrogramState, node: int) -> Purity | None:
    """Return the most frequent class of a subtree, or None where no class is known."""
    if state.layout is None or state.classes is None:
        return None
    known = [state.classes[leaf] for leaf in state.layout.leaves(node)]
    counts = Counter(name for name in known if name is not None)
    if not counts:
        return None
    name, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return Purity(name, count, len(known))


def purity_text(state: DendrogramState, node: int) -> str:
    """Return "Mostly class n01443537: 10 of 12 images (83 %)"; empty where no class is known."""
    pure = purity(state, node)
    if pure is None:
        return ""
    if pure.count == pure.size:
        return f"All of class {pure.name}"
    most = "Mostly class" if 2 * pure.count > pure.size else "Most often class"
    return f"{most} {pure.name}: {pure.count} of {pure.size} images ({pure.percent})"


def _describe_leaf(state: DendrogramState, leaf: int) -> str:
    assert state.layout is not None
    lines = [state.tooltips[leaf] if state.tooltips is not None else f"Image {leaf + 1}"]
    parent = int(state.layout.parent[leaf])
    if parent >= 0:
        lines.append(f"Merged at height {_height_text(state, float(state.layout.height[parent]))}")
    lines.append(f"{final_label_text(state, leaf)}")
    return "\n".join(line for line in lines if line)


def final_label_text(state: DendrogramState, leaf: int) -> str:
    """Return "Concept B", "Outlier" or "In a dropped cluster"; empty while that is not known."""
    if state.labels is None:
        return ""
    label = int(state.labels[leaf])
    if label == -1:
        return "Outlier of its cluster"
    if label == -2:
        return "In a dropped cluster"
    if label == -3:
        return "Left out by hand"
    number = label if state.label_numbers is None else int(state.label_numbers[label])
    return f"Concept {concept_marker(number)}"


def _height_text(state: DendrogramState, height: float) -> str:
    return f"{height:.4g} ({state.height_unit})" if state.height_unit else f"{height:.4g}"


def _clusters_inside(state: DendrogramState, node: int) -> int:
    assert state.layout is not None
    layout = state.layout
    roots = layout.first[layout.clusters(state.threshold)]
    end = layout.first[node] + layout.size[node]
    return int(((roots >= layout.first[node]) & (roots < end)).sum())
