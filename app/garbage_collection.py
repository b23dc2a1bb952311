"""Collect reference cycles in the GUI thread only.

Python collects cycles in whichever thread allocates, and a cycle may hold a QObject: destroyed in a worker
thread it takes its timers and children down there, which Qt forbids. So the automatic collector is off, and a
timer of the GUI thread does its work by the same thresholds.
"""

import gc
import sys

from PySide6.QtCore import QObject, QTimer, Slot

INTERVAL_MS = 1000
MANY_MODULES = 200


class GarbageCollector(QObject):
    """Replaces the automatic collector for as long as it is active.

    What large libraries leave behind when they are imported (scikit-learn, torch: half a million objects
    that live for ever) is taken out of the collector's sight, since looking through it would hold up the
    window for a tenth of a second each time.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._was_enabled = gc.isenabled()
        gc.disable()
        self._modules_seen = len(sys.modules)
        self._modules_frozen = len(sys.modules)
        self._timer = QTimer(self, interval=INTERVAL_MS)
        self._timer.timeout.connect(self.collect_due)
        self._timer.start()

    @Slot()
    def collect_due(self) -> None:
        """Collect the oldest generation that is due, unless modules are being imported now."""
        if self._modules_are_coming():
            return
        counts, thresholds = gc.get_count(), gc.get_threshold()
        for generation in (2, 1, 0):
            if counts[generation] > thresholds[generation]:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Hand back to the automatic collector, if it was on before."""
        self._timer.stop()
        if self._was_enabled:
            gc.enable()

    def _modules_are_coming(self) -> bool:
        """Return whether modules came since the last look; freeze what is there once many have come.

        An import makes a hundred thousand objects a second that live for ever: no use looking through them.
        """
        seen, self._modules_seen = self._modules_seen, len(sys.modules)
        if seen != self._modules_seen:
            return True
        if seen >= self._modules_frozen + MANY_MODULES:
            self._modules_frozen = seen
            gc.freeze()
        return False
