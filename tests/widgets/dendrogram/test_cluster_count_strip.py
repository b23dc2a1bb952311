"""The caption of the cluster counts: clear of staircase and threshold, or not there."""

import numpy as np
import pytest
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
