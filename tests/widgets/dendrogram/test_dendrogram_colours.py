"""Colours and letters of clusters while the threshold is dragged down and up again."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from scipy.cluster.hierarchy import fcluster, linkage

from backend.method.hierarchy import Hierarchy
from widgets.dendrogram.dendrogram_view import DendrogramView

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
N = 40
STEPS = 25


@pytest.fixture
def tree():
    return linkage(np.random.default_rng(5).normal(size=(N, 6)), "ward")


@pytest.fixture
def view(qtbot, tree):
    view = DendrogramView()
    qtbot.addWidget(view)
    view.resize(900, 520)
    view.set_hierarchy(Hierarchy(tree.copy(), N))
    view.set_threshold(float(tree[-1, 2]) * 1.05)
    with qtbot.waitExposed(view):
        view.show()
    return view


def foot(view, leaf: int) -> QPoint:
    """Return a pixel of a leaf's stem, just above the ground."""
    plot = view._plot
    slot = int(view._state.layout.slot[leaf])
    place = plot._view.mapFromView(QPointF(slot, 0.0)) - QPointF(0, 4)
    return plot.mapFromScene(plot._view.mapToScene(place))


def painted_colours(view) -> list[int]:
    """Return the colour of each leaf's stem on the screen: the one that is not the ground's."""
    picture, ground = view._plot.viewport().grab().toImage(), QApplication.palette().base().color().rgb()
    colours = []
    for leaf in range(N):
        row = [picture.pixelColor(foot(view, leaf) + QPoint(dx, 0)).rgb() for dx in range(-2, 3)]
        (colour,) = set(row) - {ground}
        colours.append(colour)
    return colours


def letters(view) -> list[int]:
    return view._state.layout.leaf_numbers(view.threshold()).tolist()


def drag(view, places: list[int]) -> list[tuple[float, list[int], list[int]]]:
    """Press on the axis and drag through vertical places; return threshold, colours and letters at each."""
    port, x = view._plot.viewport(), 20
    QTest.mousePress(port, LEFT, NONE, QPoint(x, places[0]))
    seen = []
    for y in places:
        QTest.mouseMove(port, QPoint(x, y))
        seen.append((view.threshold(), painted_colours(view), letters(view)))
    QTest.mouseRelease(port, LEFT, NONE, QPoint(x, places[-1]))
    return seen


def parts(tree, threshold: float) -> list[set[int]]:
    """Return SciPy's clusters: those of merges strictly below the threshold."""
    labels = fcluster(tree, np.nextafter(threshold, 0), "distance")
    return [set(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]


def test_dragging_down_and_up_again_finds_the_same_colours_and_letters(view, tree):
    port = view._plot.viewport()
    down = np.linspace(30, port.height() - 60, STEPS).astype(int).tolist()
    first = drag(view, down)
    second = drag(view, down[::-1])[::-1]
    third = drag(view, down)
    assert len({threshold for threshold, _, _ in first}) == STEPS
    assert first == second == third


def test_the_largest_part_keeps_colour_and_letter_and_nobody_else_changes(view, tree):
    down = np.linspace(30, view._plot.viewport().height() - 60, STEPS).astype(int).tolist()
    seen = drag(view, down)
    splits = 0
    for (before, old_colours, old_letters), (after, colours, new_letters) in pairwise(seen):
        for cluster in parts(tree, before):
            children = [part for part in parts(tree, after) if part <= cluster]
            sizes = sorted(len(part) for part in children)
            # Of several splits at once, the largest child of the last need not be the largest of all.
            if len(children) > 2 or (len(children) == 2 and sizes[0] == sizes[1]):
                continue
            splits += len(children) - 1
            for leaf in max(children, key=len):
                assert colours[leaf] == old_colours[leaf]
                assert new_letters[leaf] == old_letters[leaf]
        for part in parts(tree, after):
            assert len({new_letters[leaf] for leaf in part}) == 1
            assert len({colours[leaf] for leaf in part}) == 1
        assert len(set(new_letters)) == len(parts(tree, after)), "no letter twice"
    assert splits >= 5


def test_keys_through_every_merge_and_back_find_the_same_letters(view):
    plot, seen = view._plot, {view.n_clusters(): letters(view)}
    plot.setFocus()
    for _ in range(N - 1):
        QTest.keyClick(plot, Qt.Key.Key_PageDown)
        seen[view.n_clusters()] = letters(view)
    assert sorted(seen) == list(range(1, N + 1))
    for _ in range(N - 1):
        QTest.keyClick(plot, Qt.Key.Key_PageUp)
        assert letters(view) == seen[view.n_clusters()]
    assert view.n_clusters() == 1
