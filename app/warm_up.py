"""What is prepared once the window is on screen: neither the start nor the first click waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer, Signal, Slot

from app.jobs.analysis_jobs import import_analysis, import_panels

if TYPE_CHECKING:
    from app.main_window import MainWindow


class FirstPaint(QObject):
    """Tells when a window has been painted for the first time.

    Signals
    -------
    painted()
        The picture is on screen, as far as the program can know.
    """

    painted = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Wait for the paint event; it is flushed to the screen before the event loop goes on."""
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            QTimer.singleShot(0, self.painted.emit)
        return False


class WarmUp(QObject):
    """Imports in a worker what the panels and analyses need, and makes the panels one at a time in between.

    Whoever comes first does not wait for it: opening a project makes what is missing of the panels, and an
    analysis imports what it needs.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._make_panel)
        self._first_paint = FirstPaint(window)
        self._first_paint.painted.connect(self._import_panels)

    @Slot()
    def _import_panels(self) -> None:
        job = self._window.threads.aside.submit("Importing panels", import_panels, quiet=True)
        job.ended.connect(self._next.start)

    @Slot()
    def _make_panel(self) -> None:
        if self._window.panels.make_next():
            self._next.start()
        else:
            self._window.threads.aside.submit("Importing scikit-learn", import_analysis, quiet=True)
