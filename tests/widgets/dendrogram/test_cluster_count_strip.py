"""The strip of cluster counts: plateaus, suggestion, and words that are clear of all else or not there."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot
from scipy.cluster.hierarchy import linkage

from backend.method.hierarchy import Hierarchy
from widgets.dendrogram.cluster_count_strip import ClusterCountStrip
from widgets.dendrogram.dendrogram_view import DendrogramView


@pytest.fixture
def view(qtbot: QtBot) -> DendrogramView:
    points = np.random.default_rng(2).normal(size=(60, 5))
    view = DendrogramView(None)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.set_hierarchy(Hierarchy(linkage(points, "ward"), 60))
    with qtbot.waitExposed(view):
        view.show()
    return view


@pytest.mark.parametrize("share", [0.05, 0.4, 0.7, 0.85, 0.95, 1.0])
def test_the_caption_keeps_clear_of_threshold_and_staircase(view: DendrogramView, share: float) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    plot = strip.plot_rect()
    threshold = strip.threshold_at(plot.left() + share * plot.width())
    view.set_threshold(threshold)
    caption = strip.caption_rect()
    if caption is None:
        return
    handle = strip.x_of(threshold)
    assert not caption.left() - 7 < handle < caption.right() + 7
    counts = [count for _, end, count in strip.plateaus() if strip.x_of(end) >= caption.left()]
    assert float(strip._y_of(float(max(counts)))) > caption.bottom()


def test_there_is_a_caption_while_the_threshold_is_elsewhere(view: DendrogramView) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    plot = strip.plot_rect()
    view.set_threshold(strip.threshold_at(plot.left() + 0.2 * plot.width()))
    assert strip.caption_rect() is not None


def test_a_narrow_strip_has_no_caption(view: DendrogramView) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    strip.resize(120, strip.height())
    assert strip.caption_rect() is None


def test_the_plateau_of_the_threshold_reaches_from_merge_to_merge(view: DendrogramView) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    heights = np.sort(linkage(np.random.default_rng(2).normal(size=(60, 5)), "ward")[:, 2])
    view.set_threshold(float(heights[-3]) + 1e-6)
    assert strip.current_plateau() == (heights[-3], heights[-2])
    view.set_threshold(float(heights[-2]))  # joined only strictly above
    assert strip.current_plateau() == (heights[-3], heights[-2])
    view.set_threshold(0.0)
    assert strip.current_plateau() == (0.0, heights[0])
    view.set_threshold(1e6)
    assert strip.current_plateau()[0] == heights[-1]


def test_the_plateau_is_painted_in_the_accent_and_no_other(view: DendrogramView) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    heights = np.sort(linkage(np.random.default_rng(2).normal(size=(60, 5)), "ward")[:, 2])
    accent = strip.palette().color(strip.palette().ColorRole.Accent)
    for merge, count in ((-2, 2), (-1, 1)):
        view.set_threshold(float(heights[merge]) * 1.001)
        picture = strip.grab().toImage()
        for low, high, steps in strip.plateaus()[:2]:
            x = round((strip.x_of(low) + 3 * strip.x_of(high)) / 4)
            y = round(float(strip._y_of(float(steps))))
            column = {picture.pixelColor(x, y + dy).rgb() for dy in (-1, 0, 1)}
            assert (accent.rgb() in column) == (steps == count)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_suggestion_is_named_where_there_is_room(view: DendrogramView, share: float) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    plot = strip.plot_rect()
    assert strip.suggestion_rect() is None
    suggestion = strip.threshold_at(plot.left() + share * plot.width())
    view.set_suggestion(suggestion)
    for threshold in (0.2, 0.5, 0.55, 0.95):
        view.set_threshold(strip.threshold_at(plot.left() + threshold * plot.width()))
        word, caption = strip.suggestion_rect(), strip.caption_rect()
        handle = strip.x_of(view.threshold())
        if word is not None:
            assert plot.left() <= word.left() and word.right() <= plot.right()
            assert not word.left() - 7 < handle < word.right() + 7
            tops = [
                float(strip._y_of(float(c)))
                for s, e, c in strip.plateaus()
                if strip.x_of(e) >= word.left() and strip.x_of(s) <= word.right()
            ]
            assert min(tops) > word.bottom()
        if caption is not None:
            assert word is None or not caption.intersects(word)
            assert not caption.left() - 4 < strip.x_of(suggestion) < caption.right() + 4
    view.set_threshold(strip.threshold_at(plot.left() + 0.2 * plot.width()))
    assert (strip.suggestion_rect() is not None) == (share == 0.5 or share == 0.9)


def test_pointing_tells_count_plateau_and_suggestion(view: DendrogramView) -> None:
    (strip,) = view.findChildren(ClusterCountStrip)
    heights = np.sort(linkage(np.random.default_rng(2).normal(size=(60, 5)), "ward")[:, 2])
    suggestion = float(heights[-4:-2].mean())
    view.set_suggestion(suggestion)
    middle = round(strip.x_of(float(heights[-2:].mean())))
    QTest.mouseMove(strip, QPoint(middle, strip.height() // 2))
    assert QToolTip.text() == (
        f"2 clusters for d_max from {heights[-2]:.4g} to {heights[-1]:.4g}\n"
        f"Suggested: d_max {suggestion:.4g}, 4 clusters"
    )
    assert strip.cursor().shape() == Qt.CursorShape.SizeHorCursor
