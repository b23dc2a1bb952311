"""A session at the window, scripted with real mouse and key events, while an extraction runs behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEventLoop, QObject, QPoint, QPointF, Qt, QTimer, Slot
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from app.main_window import MainWindow
from tests.benchmarks.gui_thread_blocks import Heartbeat
from tests.benchmarks.opened_window import click_neuron, close_dialogs, show_row

NEURONS_A_MINUTE = 20
DRAGS_A_MINUTE = 50
MOVES_A_DRAG = 14
STEP_MS = 16
LOOKING_MS = 350
"""What a user at least looks at a neuron before the next action."""


@dataclass(frozen=True)
class Session:
    """What was done, and how long the extraction ran meanwhile.

    Attributes
    ----------
    heartbeat : Heartbeat
    seconds : float
    neurons, drags : int
    seconds_extracting : float
    images_extracted : int
    """

    heartbeat: Heartbeat
    seconds: float
    neurons: int
    drags: int
    seconds_extracting: float
    images_extracted: int


class _Player(QObject):
    """Takes the steps of a script, each in its own event after the pause that the last one asked for."""

    def __init__(self, script: Iterator[int]) -> None:
        super().__init__()
        self._script = script
        self._loop = QEventLoop()
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._step)
        self.error: BaseException | None = None

    def play(self) -> None:
        self._timer.start(0)
        self._loop.exec()
        if self.error is not None:
            raise self.error

    @Slot()
    def _step(self) -> None:
        try:
            self._timer.start(next(self._script))
        except StopIteration:
            self._loop.quit()
        except Exception as error:  # noqa: BLE001 - it is raised where the script is played
            self.error = error
            self._loop.quit()


def work(window: MainWindow, minutes: float, *, seed: int = 0) -> Session:
    """Work with the open project for some minutes: neurons, drags, scrolling, tabs, filter, resizing.

    The extraction of what the project lacks is begun first, if it lacks anything.
    """
    script = _Script(window, minutes, seed)
    heartbeat = Heartbeat()
    heartbeat.start()
    if window.projects.extraction.can_continue():
        window.menus.actions["continue"].trigger()
    _Player(script.steps()).play()
    heartbeat.stop()
    return Session(
        heartbeat,
        time.perf_counter() - script.began,
        script.neurons,
        script.drags,
        script.seconds_extracting,
        script.images_extracted(),
    )


class _Script:
    """Yields after each action how many milliseconds the user waits."""

    def __init__(self, window: MainWindow, minutes: float, seed: int) -> None:
        self._window = window
        self._minutes = minutes
        self._random = np.random.default_rng(seed)
        layer = window.session.layer
        assert layer is not None
        self._order = self._random.permutation(layer.n_neurons)
        self._first_rows = _rows_done(window)
        self.began = time.perf_counter()
        self.neurons = self.drags = 0
        self.seconds_extracting = 0.0

    def images_extracted(self) -> int:
        """Return how many images the extraction has done since the session began."""
        return _rows_done(self._window) - self._first_rows

    def steps(self) -> Iterator[int]:
        seconds = 60 * self._minutes
        n_neurons = max(1, round(NEURONS_A_MINUTE * self._minutes))
        n_drags = max(1, round(DRAGS_A_MINUTE * self._minutes))
        self.began = time.perf_counter()
        extracting_since = self.began if self._window.projects.extraction.is_running else None
        for number in range(n_neurons):
            yield from self._choose(number)
            while self.drags < n_drags * (number + 1) / n_neurons:
                yield from self._drag()
            yield from self._scroll(self._window.workspace.members._view, 6)
            yield from self._now_and_then(number)
            close_dialogs(self._window)
            now = time.perf_counter()
            if extracting_since is not None and self._window.projects.extraction.is_running:
                self.seconds_extracting = now - extracting_since
            due = self.began + seconds * (number + 1) / n_neurons
            yield max(0, round(1000 * (due - now)))

    # --- actions -----------------------------------------------------------------------------------

    def _choose(self, number: int) -> Iterator[int]:
        """Click a neuron somewhere in the list, or go on to the next one by key."""
        window, view = self._window, self._window.neuron_panel.browser.table_view
        if number % 3 == 2:
            view.setFocus()
            QTest.keyClick(view, Qt.Key.Key_Down)
        else:
            neuron = int(self._order[number])
            show_row(window, neuron)
            yield STEP_MS
            click_neuron(window, neuron)
        self.neurons += 1
        yield LOOKING_MS

    def _drag(self) -> Iterator[int]:
        """Take the threshold's line and move it up and down."""
        plot = self._window.workspace.dendrogram._plot
        self.drags += 1
        if self._window.session.split is None or not plot.isVisible():
            yield STEP_MS
            return
        port = plot.viewport()
        x = 0.3 * port.width()
        start = plot.mapFromScene(plot._view.mapToScene(QPointF(x, plot._line.line_y())))
        end = int(self._random.uniform(0.15, 0.75) * plot.height())
        _press(port, start)
        for y in np.linspace(start.y(), end, MOVES_A_DRAG):
            yield STEP_MS
            QTest.mouseMove(port, QPoint(start.x(), int(y)))
        yield STEP_MS
        _release(port, QPoint(start.x(), end))
        yield LOOKING_MS

    def _scroll(self, view: QWidget, steps: int) -> Iterator[int]:
        """Turn the wheel down and up again."""
        bar = view.verticalScrollBar()  # type: ignore[attr-defined]
        for direction in (1, -1):
            for _ in range(steps):
                bar.setValue(bar.value() + direction * 60)
                yield STEP_MS

    def _now_and_then(self, number: int) -> Iterator[int]:
        workspace, window = self._window.workspace, self._window
        if number % 4 == 1:
            workspace.tabs.setCurrentWidget(workspace.max_projecting)
            yield LOOKING_MS
            yield from self._scroll(workspace.max_projecting._grid._view, 8)
            workspace.tabs.setCurrentWidget(workspace.members)
            yield LOOKING_MS
        if number % 10 == 4:
            for width in (1300, 1360, 1420, 1440):
                window.resize(width, 860 + width % 40)
                yield STEP_MS * 2
        if number % 10 == 7:
            QTest.keyClicks(window.neuron_panel.browser.filter_edit, "max>0.5")
            yield LOOKING_MS
            window.neuron_panel.browser.filter_edit.clear()
            yield LOOKING_MS
        if number % 5 == 3:
            yield from self._scroll(window.neuron_panel.browser.table_view, 12)
        if number % 9 == 8:
            window.menus.actions["back"].trigger()
            yield LOOKING_MS
            window.menus.actions["undo"].trigger()
            yield LOOKING_MS


def _press(widget: QWidget, where: QPoint) -> None:
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)


def _release(widget: QWidget, where: QPoint) -> None:
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, where)


def _rows_done(window: MainWindow) -> int:
    project = window.session.project
    return sum(record.n_done for record in project.layers) if project is not None else 0
