"""From the start of a fresh process to the first painted window, and how that answers right after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Slot
from PySide6.QtWidgets import QApplication, QWidget

STARTED = "WINDOW_STARTED_AT"
WATCHED_MS = 3000
BEAT_MS = 4
LATER = ("torch", "sklearn", "scipy", "pyqtgraph")
"""Modules that take long to import and that the first painted window does without."""


@dataclass(frozen=True)
class Start:
    """One start.

    Attributes
    ----------
    painted : float
        Seconds from the start of the process to the end of the first paint.
    imported : tuple of str
        Which of the modules that take long were imported by then.
    longest_block : float
        ms that the window's thread was held up at most in the seconds after that.
    panels : float
        Seconds from the start of the process until every panel was there.
    """

    painted: float
    imported: tuple[str, ...]
    longest_block: float
    panels: float


def measure_starts(n_starts: int) -> list[Start]:
    """Start the application in fresh processes; the first start, which reads from disk, is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        return [_start(Path(folder)) for _ in range(n_starts + 1)][1:]


def _start(folder: Path) -> Start:
    environment = os.environ | {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        STARTED: repr(time.perf_counter()),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.window_start"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(ran.stdout.splitlines()[-1])
    return Start(found["painted"], tuple(found["imported"]), found["longest_block"], found["panels"])


def report_starts(starts: list[Start], allowed: float) -> None:
    """Print median and least."""
    painted = [start.painted for start in starts]
    imported = sorted({name for start in starts for name in start.imported})
    print(
        f"{'start → first painted window':46s} {np.median(painted):6.2f} s (median of {len(starts)}; least "
        f"{min(painted):.2f} s; at most {allowed:g} s), imported by then: {', '.join(imported) or 'none of'} "
        f"{'' if imported else ', '.join(LATER)}"
    )
    print(
        f"{'    until every panel is there':46s} {np.median([start.panels for start in starts]):6.2f} s; "
        f"longest block in the {WATCHED_MS / 1000:.0f} s after the first paint "
        f"{np.median([start.longest_block for start in starts]):.0f} ms (median)"
    )


class _Watch(QObject):
    """In the process that is started: waits for the first paint, then watches, then closes the window."""

    def __init__(self, application: QApplication, started: float) -> None:
        super().__init__(application)
        self._started = started
        self._last = self._longest = self._panels = 0.0
        self._painted = 0.0
        self._imported: list[str] = []
        self._window: QWidget | None = None
        self._beat = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._on_beat)
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget) and watched.isVisible():
            QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]
            self._window = watched.window()
            QTimer.singleShot(0, self._on_painted)  # once all of the window is painted and flushed
        return False

    @Slot()
    def _on_painted(self) -> None:
        self._painted = self._last = time.perf_counter()
        self._imported = [name for name in LATER if name in sys.modules]
        self._beat.start()
        QTimer.singleShot(WATCHED_MS, self._finish)

    @Slot()
    def _on_beat(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, 1000 * (now - self._last) - BEAT_MS)
        self._last = now
        if not self._panels and "visualization" in vars(self._window.panels):  # type: ignore[union-attr]
            self._panels = now

    @Slot()
    def _finish(self) -> None:
        found = {
            "painted": self._painted - self._started,
            "imported": self._imported,
            "longest_block": self._longest,
            "panels": self._panels - self._started,
        }
        print(json.dumps(found), flush=True)
        QApplication.closeAllWindows()


def main() -> int:
    """Be the process that is started: run the application as its entry point does."""
    from app.__main__ import main as run_application

    application = QApplication(sys.argv[:1])
    _Watch(application, float(os.environ[STARTED]))
    return run_application([])


if __name__ == "__main__":
    sys.exit(main())
