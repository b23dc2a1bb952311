"""The tree's geometry and its clusters, against SciPy and cases worked out by hand."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.cluster import AgglomerativeClustering

from backend.method.dendrogram_layout import ABOVE, concept_numbers, layout_dendrogram, tree_segments
from backend.method.hierarchy import Hierarchy

# Leaves 0 1 2 3 4; (1,3) at 1, (0,4) at 2, ((1,3),2) at 3, all at 5.
HAND = np.array([[1, 3, 1.0, 2], [0, 4, 2.0, 2], [5, 2, 3.0, 3], [6, 7, 5.0, 5]])


def random_tree(n: int, seed: int = 0, method: str = "ward") -> np.ndarray:
    return linkage(np.random.default_rng(seed).normal(size=(n, 6)), method)


def test_hand_worked_tree():
    layout = layout_dendrogram(HAND, 5)
    assert layout.order.tolist() == [0, 4, 1, 3, 2]
    assert layout.slot.tolist() == [0, 2, 4, 3, 1]
    assert layout.x.tolist() == [0, 2, 4, 3, 1, 2.5, 0.5, 3.25, 1.875]
    assert layout.first.tolist() == [0, 2, 4, 3, 1, 2, 0, 2, 0]
    assert layout.size.tolist() == [1, 1, 1, 1, 1, 2, 2, 3, 5]
    assert layout.parent.tolist() == [6, 5, 7, 5, 6, 7, 8, 8, -1]
    # The root is 0. Its larger child {1, 2, 3} keeps 0, {0, 4} becomes 1; then 2 leaves {1, 3} as number 2; …
    assert layout.number.tolist() == [1, 0, 2, 4, 3, 0, 1, 0, 0]
    assert layout.leaf_numbers(4.0).tolist() == [1, 0, 0, 0, 1]
    assert layout.leaf_numbers(3.0).tolist() == [1, 0, 2, 0, 1]
    assert layout.leaves(7).tolist() == [1, 2, 3]


@pytest.mark.parametrize("method", ["ward", "average", "complete", "single"])
@pytest.mark.parametrize("n", [2, 3, 17, 100])
def test_places_equal_scipys_up_to_the_order_of_children(n, method):
    tree = random_tree(n, n, method)
    layout = layout_dendrogram(tree, n)
    assert sorted(layout.order.tolist()) == list(range(n))
    for i, (a, b, height, size) in enumerate(tree):
        node, children = n + i, {int(a), int(b)}
        assert {int(layout.left[i]), int(layout.right[i])} == children
        assert layout.height[node] == height
        assert layout.size[node] == size
        assert layout.x[node] == pytest.approx(np.mean([layout.x[c] for c in children]))
        assert layout.x[layout.left[i]] < layout.x[layout.right[i]]
        covered = layout.order[layout.first[node] : layout.first[node] + layout.size[node]]
        assert set(covered) == set.union(*(set(layout.leaves(c)) for c in children))
    assert sorted(map(max, dendrogram(tree, no_plot=True)["dcoord"])) == pytest.approx(
        sorted(layout.merge_heights)
    )


@pytest.mark.parametrize("method", ["ward", "average", "complete", "single"])
def test_clusters_equal_scikit_learns_on_below_and_above_every_merge(method):
    points = np.random.default_rng(5).normal(size=(40, 6))
    layout = layout_dendrogram(linkage(points, method), 40)
    for height in layout.merge_heights:
        for d in (np.nextafter(height, 0), height, np.nextafter(height, np.inf)):
            model = AgglomerativeClustering(n_clusters=None, distance_threshold=d, linkage=method)
            truth = model.fit_predict(points)
            numbers = layout.leaf_numbers(d)
            assert len(layout.clusters(d)) == 1 + np.sum(layout.merge_heights >= d) == model.n_clusters_
            assert len(set(zip(truth, numbers, strict=True))) == model.n_clusters_ == len(set(numbers))


def test_numbers_are_the_first_c_and_only_the_smaller_part_of_a_split_changes():
    n = 150
    layout = layout_dendrogram(random_tree(n, 1), n)
    before = layout.leaf_numbers(layout.merge_heights[-1] + 1)
    assert set(before) == {0}
    for height in layout.merge_heights[::-1]:
        after = layout.leaf_numbers(height)
        n_clusters = after.max() + 1
        assert set(after) == set(range(n_clusters))
        changed = before != after
        assert set(after[changed]) == {n_clusters - 1}
        (split,) = set(before[changed])
        assert changed.sum() <= np.sum((before == split) & ~changed)
        before = after


def test_equal_heights_and_duplicates():
    points = np.zeros((6, 2))
    tree = linkage(points, "ward")
    layout = layout_dendrogram(tree, 6)
    assert len(layout.clusters(0.0)) == 6
    assert len(layout.clusters(1e-12)) == 1
    assert layout.leaf_numbers(0.0).tolist() != layout.leaf_numbers(1.0).tolist()


def test_one_leaf_and_impossible_trees():
    layout = layout_dendrogram(np.empty((0, 4)), 1)
    assert layout.clusters(3.0).tolist() == [0]
    assert layout.leaf_numbers(3.0).tolist() == [0]
    assert len(tree_segments(layout, 3.0).x0) == 0
    with pytest.raises(ValueError):
        layout_dendrogram(np.empty((0, 4)), 0)
    with pytest.raises(ValueError):
        layout_dendrogram(HAND, 6)


def test_segments_draw_the_tree_and_change_colour_at_the_threshold():
    layout = layout_dendrogram(HAND, 5)
    segments = tree_segments(layout, 4.0)
    lines = {
        (x0, y0, x1, y1): number
        for x0, y0, x1, y1, number in zip(
            segments.x0, segments.y0, segments.x1, segments.y1, segments.number, strict=True
        )
    }
    assert lines[(0.5, 5.0, 3.25, 5.0)] == ABOVE  # the root's bar
    assert lines[(2.5, 3.0, 4.0, 3.0)] == 0
    assert lines[(0.5, 2.0, 0.5, 4.0)] == 1 and lines[(0.5, 4.0, 0.5, 5.0)] == ABOVE  # a stem in two parts
    assert lines[(3.25, 3.0, 3.25, 4.0)] == 0 and lines[(3.25, 4.0, 3.25, 5.0)] == ABOVE
    assert lines[(0.0, 0.0, 0.0, 2.0)] == 1
    assert len(lines) == 4 + 8 + 2
    total = np.sum(np.abs(segments.y1 - segments.y0))
    assert total == pytest.approx(np.sum(layout.parent_height[:-1] - layout.height[:-1]))


def test_covered_nodes_are_those_with_every_leaf_chosen():
    layout = layout_dendrogram(HAND, 5)
    chosen = np.array([False, True, True, True, False])
    assert np.flatnonzero(layout.covered(chosen)).tolist() == [1, 2, 3, 5, 7]


def test_concept_numbers_follow_the_tree():
    tree = random_tree(80, 2)
    hierarchy = Hierarchy(tree, 80)
    layout = layout_dendrogram(tree, 80)
    d = float(hierarchy.merge_heights[-6])
    labels = hierarchy.labels(d)
    numbers = concept_numbers(hierarchy, d, labels)
    assert numbers[labels].tolist() == layout.leaf_numbers(d).tolist()
    shuffled = np.random.default_rng(0).permutation(7)
    again = concept_numbers(hierarchy, d, shuffled[labels])
    assert again[shuffled[labels]].tolist() == layout.leaf_numbers(d).tolist()


def test_concept_numbers_are_one_to_one_for_labels_of_another_clustering():
    tree = random_tree(60, 3)
    hierarchy = Hierarchy(tree, 60)
    d = float(hierarchy.merge_heights[-9])
    labels = np.random.default_rng(1).integers(0, 10, 60)
    labels[labels == 4] = -1
    numbers = concept_numbers(hierarchy, d, labels)
    assert sorted(numbers.tolist()) == list(range(10))
    assert concept_numbers(Hierarchy(np.empty((0, 4)), 0), d, np.empty(0, np.int64)).tolist() == []


def test_shares_most_images_wins():
    # Two clusters in the tree: {1, 2, 3} is number 0, {0, 4} number 1.
    hierarchy = Hierarchy(HAND.copy(), 5)
    assert concept_numbers(hierarchy, 4.0, np.array([0, 0, 1, 1, 0])).tolist() == [1, 0]


def test_arrays_are_read_only():
    layout = layout_dendrogram(HAND, 5)
    with pytest.raises(ValueError):
        layout.order[0] = 3
