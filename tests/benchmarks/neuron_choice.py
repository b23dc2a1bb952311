"""From the click on a neuron to its dendrogram and members on screen, and what neurons leave in memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.main_window import MainWindow
from tests.benchmarks.opened_window import click_neuron, run_until, settle, show_row

LIMIT_MS = 20_000
PAUSE_MS = 200
"""Between two neurons, so that the evaluation of one over the whole dataset is not in the way of the next."""


@dataclass
class Choices:
    """Milliseconds from the press of the mouse button, one a neuron.

    Attributes
    ----------
    arrived
        Until the clusters arrive in the window's thread.
    drawn
        Until dendrogram and member bands are painted, with the pictures that are in the cache.
    complete
        Until every picture in sight among the members is painted too.
    """

    arrived: list[float] = field(default_factory=list)
    drawn: list[float] = field(default_factory=list)
    complete: list[float] = field(default_factory=list)

    def report(self, allowed: float) -> None:
        """Print the 95th percentiles and medians."""
        for what, times, limit in (
            ("click on a neuron → dendrogram and members", self.drawn, f"at most {allowed:g} ms"),
            ("    of which until the clusters arrive", self.arrived, ""),
            ("click on a neuron → every picture in sight", self.complete, ""),
        ):
            p95, median = np.percentile(times, 95), np.median(times)
            rest = f"; {limit}" if limit else ""
            print(f"{what:46s} {p95:6.1f} ms wall (p95 of {len(times)}; median {median:.1f} ms{rest})")


class _Painted(QObject):
    """Notes when each of some widgets is painted after the clusters have arrived."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._widgets: tuple[QWidget, ...] = (
            window.workspace.dendrogram._plot.viewport(),
            window.workspace.members._view.viewport(),
        )
        self._missing: set[QWidget] = set()
        self._loop = QEventLoop()
        self._limit = QTimer(self, singleShot=True, interval=LIMIT_MS)
        self._limit.timeout.connect(self._loop.quit)
        self.arrived = self.drawn = 0.0
        for widget in self._widgets:
            widget.installEventFilter(self)
        window.session.split_changed.connect(self._on_split)

    def wait(self) -> None:
        self.arrived = self.drawn = 0.0
        self._missing = set()
        self._limit.start()
        self._loop.exec()
        self._limit.stop()

    def _on_split(self, _split: object) -> None:
        # Connected last: the panels have taken the clusters, and paint them from now on.
        self.arrived = time.perf_counter()
        self._missing = set(self._widgets)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched in self._missing:
            self._missing.discard(watched)  # type: ignore[arg-type]
            if not self._missing:
                QTimer.singleShot(0, self._on_drawn)
        return False

    def _on_drawn(self) -> None:
        self.drawn = time.perf_counter()
        self._loop.quit()


def choose_neurons(window: MainWindow, neurons: Sequence[int]) -> Choices:
    """Click each of the neurons in turn, and wait each time until everything is painted."""
    choices = Choices()
    painted = _Painted(window)
    members = window.workspace.members
    for neuron in neurons:
        show_row(window, neuron)
        settle(PAUSE_MS)
        start = time.perf_counter()
        click_neuron(window, neuron)
        painted.wait()
        if not painted.drawn or window.session.neuron != neuron:
            raise TimeoutError(f"Neuron {neuron} was not drawn within {LIMIT_MS / 1000:.0f} s.")
        run_until(lambda: not window.thumbnails.n_waiting and not _without_picture(window), LIMIT_MS)
        members._view.viewport().repaint()
        choices.arrived.append(1000 * (painted.arrived - start))
        choices.drawn.append(1000 * (painted.drawn - start))
        choices.complete.append(1000 * (time.perf_counter() - start))
    return choices


def _without_picture(window: MainWindow) -> bool:
    """Whether a picture in sight among the members is not here yet."""
    view = window.workspace.members._view
    size, ratio = view.thumbnail_size(), view.devicePixelRatioF()
    model = window.workspace.members._model
    return any(
        window.thumbnails.cached(model.item(index).path, size, ratio) is None
        and window.thumbnails.failure(model.item(index).path) is None
        for index in view.visible_items()
    )


def resident_mebibytes() -> float:
    """Return the memory of this process that is not shared with files, in MiB."""
    fields = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    )
    # Activations are mapped from their file, and leave whenever another program needs the room.
    return float(fields["RssAnon"].split()[0]) / 1024


def memory_growth(
    window: MainWindow, filling: Sequence[int], counted: Sequence[int], step: int
) -> tuple[float, list[float]]:
    """Return the memory in MiB once the caches are filled, and what has come every ``step`` neurons more."""
    _visit(window, filling)
    before = _settled_memory()
    growth = []
    for start in range(0, len(counted), step):
        _visit(window, counted[start : start + step])
        growth.append(_settled_memory() - before)
    return before, growth


def _visit(window: MainWindow, neurons: Sequence[int]) -> None:
    for neuron in neurons:
        analysed = []
        session = window.session
        session.analysis_changed.connect(analysed.append)
        session.show_neuron(neuron)
        run_until(lambda done=analysed: bool(done), LIMIT_MS)  # type: ignore[misc]
        run_until(lambda: not window.thumbnails.n_waiting, LIMIT_MS)
        session.analysis_changed.disconnect(analysed.append)


def _settled_memory() -> float:
    settle(1500)
    gc.collect()
    settle(100)
    return resident_mebibytes()
