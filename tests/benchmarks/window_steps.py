"""What one step of working with the window costs its thread: a drag, a scroll step, a keystroke.

Each step is handled and painted. Beside the wall clock stands the thread's own processor time, which other
work on the machine does not change.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from scipy.cluster.hierarchy import linkage

from backend.method.hierarchy import Hierarchy
from backend.neurons import NeuronStatistics
from widgets.dendrogram.dendrogram_view import DendrogramView
from widgets.images.image_grid import ImageBand, ImageGrid, ImageItem
from widgets.images.thumbnails import MEBIBYTE, ThumbnailLoader
from widgets.neurons.neuron_browser import NeuronBrowser, NeuronTable

DRAG_STEPS = 150
N_PICTURES = 30_000
SCROLL_STEPS = 200
N_NEURONS = 2048
CACHE_BYTES = 8 * MEBIBYTE


@dataclass
class Steps:
    """Milliseconds of each step, by the wall clock and by the thread's own processor time."""

    wall: list[float] = field(default_factory=list)
    thread: list[float] = field(default_factory=list)

    def time(self, step: Callable[[], object]) -> None:
        """Take one step."""
        wall, thread = time.perf_counter(), time.thread_time()
        step()
        self.wall.append(1000 * (time.perf_counter() - wall))
        self.thread.append(1000 * (time.thread_time() - thread))

    def report(self, what: str, allowed: float) -> None:
        """Print the 95th percentiles beside what the product allows itself."""
        wall, thread = np.percentile(self.wall, 95), np.percentile(self.thread, 95)
        print(f"{what:46s} {wall:6.1f} ms wall, {thread:6.1f} ms thread (p95; at most {allowed:g} ms)")


def tree(n_leaves: int) -> Hierarchy:
    """Cluster points of five groups, as a neuron's top images are."""
    random = np.random.default_rng(0)
    centres = random.gamma(0.6, 2.0, size=(5, 40))
    points = centres[random.integers(0, 5, n_leaves)] + random.normal(0, 0.9, size=(n_leaves, 40))
    return Hierarchy(linkage(points, "ward"), n_leaves)


def drag_threshold(n_leaves: int) -> Steps:
    """Drag the line of a dendrogram through its height."""
    view = DendrogramView()
    view.resize(900, 460)
    view.set_hierarchy(tree(n_leaves))
    view.set_threshold(float(view._state.merge_heights[-4]))
    view.set_leaf_labels(np.arange(n_leaves) % 7 - 2)
    _show(view)
    plot = view._plot
    port = plot.viewport()
    start = plot.mapFromScene(plot._view.mapToScene(QPointF(300, plot._line.line_y())))

    def step_to(y: int) -> None:
        QTest.mouseMove(port, QPoint(start.x(), y))
        port.repaint()
        view._counts.repaint()
        view._bar.repaint()

    QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    step_to(30)
    steps = Steps()
    for y in np.linspace(30, plot.height() - 40, DRAG_STEPS):
        steps.time(lambda y=int(y): step_to(y))
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    view.close()
    return steps


def scroll_pictures() -> Steps:
    """Scroll through a grid of two bands, in small steps and jumps."""
    loader = ThumbnailLoader(_picture, maximum_bytes=CACHE_BYTES)
    items = tuple(ImageItem(i, Path(f"{i}.jpg"), f"{i / 7:.2f}", "") for i in range(N_PICTURES))
    third = N_PICTURES // 3
    grid = ImageGrid(loader)
    grid.resize(900, 600)
    grid.set_bands(
        [
            ImageBand(0, "first", QColor("red"), "A", items[:third]),
            ImageBand(1, "second", QColor("blue"), "B", items[third:]),
        ]
    )
    _show(grid)
    port, bar = grid._view.viewport(), grid._view.verticalScrollBar()

    def scroll_to(value: int) -> None:
        bar.setValue(value)
        port.repaint()

    steps = Steps()
    for step in range(SCROLL_STEPS):
        QApplication.processEvents()
        value = bar.maximum() * step // (2 * SCROLL_STEPS) if step % 10 == 0 else bar.value() + 40
        steps.time(lambda value=value: scroll_to(value))
    grid.close()
    loader.shutdown()
    return steps


def type_filter() -> Steps:
    """Type a condition into the filter of a browser of many neurons."""
    loader = ThumbnailLoader(_picture)
    maximum = np.random.default_rng(0).gamma(2.0, 1.5, N_NEURONS).astype(np.float32)
    statistics = NeuronStatistics(maximum, maximum, maximum, np.minimum(maximum, 1), 26_000)
    browser = NeuronBrowser(loader)
    browser.set_table(
        NeuronTable(statistics, np.arange(N_NEURONS) % 4, {}, lambda n: (Path(f"{n}.png"),) * 3)
    )
    browser.resize(420, 700)
    _show(browser)
    steps = Steps()
    for key in "max>1.5":
        QApplication.processEvents()
        steps.time(lambda key=key: _type(browser, key))
    browser.close()
    loader.shutdown()
    return steps


def _type(browser: NeuronBrowser, key: str) -> None:
    QTest.keyClicks(browser.filter_edit, key)
    browser.table_view.viewport().repaint()


def _show(widget: QWidget) -> None:
    widget.show()
    QTest.qWaitForWindowExposed(widget)


def _picture(path: Path, size: int) -> NDArray[np.uint8]:
    return np.full((size, size, 3), hash(path.name) % 255, np.uint8)


def measure_steps() -> None:
    """Take all steps and print what they cost."""
    drag_threshold(100).report("a drag step of the threshold, N = 100", 8)
    drag_threshold(1000).report("a drag step of the threshold, N = 1,000", 30)
    scroll_pictures().report(f"a scroll step through {N_PICTURES:,} pictures", 16)
    type_filter().report(f"a keystroke in the filter of {N_NEURONS:,} neurons", 50)
