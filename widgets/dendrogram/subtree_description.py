"""What a tooltip says about a subtree: its images, merge height, cluster and purity by class."""

from __future__ import annotations

from collections import Counter

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
    lines = [f"{size} images merged at height {height:.4g}"]
    number = int(layout.node_numbers(state.threshold)[node])
    if number == ABOVE:
        lines.append(f"{_clusters_inside(state, node)} clusters at the threshold")
    else:
        whole = float(layout.parent_height[node]) >= state.threshold
        lines.append(f"Cluster {concept_marker(number)}" if whole else f"In cluster {concept_marker(number)}")
    purity = purity_text(state, node)
    return "\n".join([*lines, purity] if purity else lines)


def purity_text(state: DendrogramState, node: int) -> str:
    """Return "Mostly n01443537: 10 of 12 images (83 %)"; empty where no class is known."""
    if state.layout is None or state.classes is None:
        return ""
    known = [state.classes[leaf] for leaf in state.layout.leaves(node)]
    counts = Counter(name for name in known if name is not None)
    if not counts:
        return ""
    name, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    if count == len(known):
        return f"All of class {name}"
    most = "Mostly class" if 2 * count > len(known) else "Most often class"
    return f"{most} {name}: {count} of {len(known)} images ({100 * count / len(known):.0f} %)"


def _describe_leaf(state: DendrogramState, leaf: int) -> str:
    assert state.layout is not None
    lines = [state.tooltips[leaf] if state.tooltips is not None else f"Image {leaf + 1}"]
    parent = int(state.layout.parent[leaf])
    if parent >= 0:
        lines.append(f"Merged at height {float(state.layout.height[parent]):.4g}")
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


def _clusters_inside(state: DendrogramState, node: int) -> int:
    assert state.layout is not None
    layout = state.layout
    roots = layout.first[layout.clusters(state.threshold)]
    end = layout.first[node] + layout.size[node]
    return int(((roots >= layout.first[node]) & (roots < end)).sum())
