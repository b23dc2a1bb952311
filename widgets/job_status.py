"""The status bar's account of what runs now: progress, speed, time left, Pause, Cancel."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSizePolicy, QToolButton, QWidget

from widgets import theme
from widgets.labels import ElidedLabel, secondary_label
from widgets.quantity_text import count_text, duration_text

_SPEED_WINDOW = 15.0  # seconds: long enough to be calm, short enough to follow a change
_LEAST_TIME_FOR_SPEED = 1.0  # seconds
_FINISHED_SHOWN = 8000  # milliseconds
_PROGRESS_STEPS = 1000


class ProgressSpeed:
    """How fast a job goes, from the reports of the last seconds.

    Parameters
    ----------
    clock
        Seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._reports: deque[tuple[float, int]] = deque()

    def report(self, done: int) -> None:
        """Note that ``done`` units are finished now. Fewer than before: a new phase of the work has begun."""
        if self._reports and done < self._reports[-1][1]:
            self._reports.clear()
        now = self._clock()
        self._reports.append((now, done))
        while len(self._reports) > 2 and now - self._reports[1][0] >= _SPEED_WINDOW:
            self._reports.popleft()

    def per_second(self) -> float | None:
        """Return units per second, or None while it is too early to say."""
        if len(self._reports) < 2:
            return None
        (first_time, first_done), (last_time, last_done) = self._reports[0], self._reports[-1]
        if last_time - first_time < _LEAST_TIME_FOR_SPEED or last_done == first_done:
            return None
        return (last_done - first_done) / (last_time - first_time)

    def seconds_left(self, total: int) -> float | None:
        """Return the time left at the present speed, or None while it is too early to say."""
        speed = self.per_second()
        return None if speed is None else max(0, total - self._reports[-1][1]) / speed


class JobStatusBar(QWidget):
    """The current job and how many wait behind it.

    Put it into a QStatusBar with ``addPermanentWidget(bar, 1)``.

    Signals
    -------
    cancel_requested()
        The user pressed Cancel for the current job.
    pause_requested(), continue_requested()
        The user pressed the button beside it, which pauses the job or lets it go on.

    Parameters
    ----------
    clock
        Seconds that only rise, for the speed.
    """

    cancel_requested = Signal()
    pause_requested = Signal()
    continue_requested = Signal()

    def __init__(self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self._clock = clock
        self._title = ""
        self._unit = ""
        self._idle_text = "Ready"
        self._running = False
        self._paused = False
        self._last: tuple[int, int, str] | None = None
        self._speed = ProgressSpeed(clock)

        self.text_label = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self.text_label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.progress_bar = QProgressBar()
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setFixedSize(180, 10)
        self.progress_bar.setAccessibleName("Progress of the current job")
        self.queue_label = secondary_label(factor=1.0)
        self.queue_label.setWordWrap(False)
        self.pause_button = _button("Pause", "pause")
        self.pause_button.clicked.connect(self._pause_or_continue)
        self.cancel_button = _button("Cancel", "stop")
        self.cancel_button.setToolTip("Stop the current job. What is finished so far is kept.")
        self.cancel_button.clicked.connect(self._cancel)

        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self.text_label, 1)
        layout.addWidget(self.queue_label)
        layout.addWidget(self.progress_bar)
        layout.addWidget(self.pause_button)
        layout.addWidget(self.cancel_button)

        self._forget = QTimer(self, singleShot=True, interval=_FINISHED_SHOWN)
        self._forget.timeout.connect(self._show_idle)
        self._show_running(False)
        self._show_idle()
        self.set_queue(())

    def is_running(self) -> bool:
        """Return whether a job is on show."""
        return self._running

    def start_job(
        self, title: str, *, unit: str = "", cancellable: bool = True, pausable: bool = False
    ) -> None:
        """Show a new job. ``unit`` names what is counted, in the singular ("image"), for "52 images/s"."""
        self._title, self._unit = title, unit
        self._last = None
        self._show_paused(False)
        self._speed = ProgressSpeed(self._clock)
        self._forget.stop()
        self._show_running(True)
        self.cancel_button.setVisible(cancellable)
        self.cancel_button.setEnabled(True)
        self.pause_button.setVisible(pausable)
        self.pause_button.setEnabled(True)
        self.progress_bar.setRange(0, 0)
        self.text_label.setText(title)

    def set_progress(self, done: int, total: int, message: str = "") -> None:
        """Follow the job. ``total`` 0: how much there is to do is not known yet."""
        if not self._running:
            return
        self._last = (done, total, message)
        if total > 0:
            self.progress_bar.setRange(0, _PROGRESS_STEPS)
            self.progress_bar.setValue(round(_PROGRESS_STEPS * min(done, total) / total))
        elif not self._paused:
            self.progress_bar.setRange(0, 0)
        if self._paused:
            return
        self._speed.report(done)
        if self.cancel_button.isEnabled():
            self.text_label.setText(" · ".join(self._parts(done, total, message)))

    def _parts(self, done: int, total: int, message: str) -> list[str]:
        parts = [self._title]
        if message and message != self._title:
            parts.append(message)
        if total <= 0:
            return parts
        parts += self._counted()
        if self._unit:
            speed = self._speed.per_second()
            if speed is not None:
                parts.append(
                    f"{speed:,.0f} {self._unit}s/s" if speed >= 10 else f"{speed:.1f} {self._unit}s/s"
                )
        left = self._speed.seconds_left(total)
        if left is not None and done < total:
            parts.append(f"{duration_text(left)} left")
        return parts

    def set_paused(self, paused: bool, *, waiting: bool = True) -> None:
        """Show that the job is paused, or that it goes on.

        Parameters
        ----------
        waiting
            Whether it has stopped already; else it is said to be pausing.
        """
        if not self._running or not self.cancel_button.isEnabled():
            return
        if paused:
            self._show_paused(True)
            parts = [self._title, *self._counted(), "paused" if waiting else "pausing…"]
            self.text_label.setText(" · ".join(parts))
        elif self._paused:
            self._show_paused(False)
            # The time of the pause is none of the work's.
            self._speed = ProgressSpeed(self._clock)
            if self._last is not None:
                self.set_progress(*self._last)

    def is_paused(self) -> bool:
        """Return whether the job on show is paused."""
        return self._paused

    def _show_paused(self, paused: bool) -> None:
        """Let the button do what is possible now; a bar of unknown length stands still."""
        self._paused = paused
        self.pause_button.setText("Continue" if paused else "Pause")
        theme.set_icon(self.pause_button, "start" if paused else "pause")
        self.pause_button.setToolTip(
            "Go on with the current job." if paused else "Let the current job wait. Nothing of it is lost."
        )
        if paused and not self.progress_bar.maximum():
            self.progress_bar.setRange(0, _PROGRESS_STEPS)
            self.progress_bar.setValue(0)

    def _counted(self) -> list[str]:
        """Return "5 of 10 images" where that is known."""
        done, total, _ = self._last or (0, 0, "")
        if total <= 0 or not self._unit:
            return []
        return [f"{done:,} of {count_text(total, self._unit)}"]

    def set_cancelling(self) -> None:
        """Say that Cancel was heard, until :meth:`finish_job`."""
        if self._running:
            self.cancel_button.setEnabled(False)
            self.pause_button.setEnabled(False)
            self.progress_bar.setRange(0, 0)
            self.text_label.setText(f"{self._title} · stopping…")

    def finish_job(self, text: str = "") -> None:
        """Return to the idle state, saying ``text`` for a while."""
        self._show_running(False)
        if text:
            self.text_label.setText(text)
            self._forget.start()
        else:
            self._show_idle()

    def set_queue(self, titles: Sequence[str]) -> None:
        """Show how many jobs wait behind the current one; the tooltip lists them."""
        self.queue_label.setText(f"{len(titles)} waiting" if titles else "")
        self.queue_label.setToolTip("Next: " + ", then ".join(titles) if titles else "")
        self.queue_label.setVisible(bool(titles))

    def set_idle_text(self, text: str) -> None:
        """Say this while nothing runs."""
        self._idle_text = text
        if not self._running and not self._forget.isActive():
            self._show_idle()

    @Slot()
    def _cancel(self) -> None:
        self.set_cancelling()
        self.cancel_requested.emit()

    @Slot()
    def _pause_or_continue(self) -> None:
        if self._paused:
            self.continue_requested.emit()
        else:
            self.pause_requested.emit()

    @Slot()
    def _show_idle(self) -> None:
        if not self._running:
            self._forget.stop()
            self.text_label.setText(self._idle_text)

    def _show_running(self, running: bool) -> None:
        self._running = running
        self.progress_bar.setVisible(running)
        self.cancel_button.setVisible(running)
        if not running:
            self.pause_button.hide()
        role = QPalette.ColorRole.WindowText if running else QPalette.ColorRole.PlaceholderText
        self.text_label.setForegroundRole(role)


def _button(text: str, icon: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setAutoRaise(True)
    theme.set_icon(button, icon)
    return button
