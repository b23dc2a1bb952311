"""The most memory that a process holds during some work, as the operating system counts it."""

from __future__ import annotations

import sys
from pathlib import Path

MEBIBYTE = 1 << 20


class PeakMemory:
    """Counts from now on.

    On Linux the kernel's own mark of the highest resident size is set back first. Elsewhere the mark is that
    of the whole life of the process: use a new process for each measurement.
    """

    def __init__(self) -> None:
        reset = Path("/proc/self/clear_refs")
        if reset.exists():
            reset.write_text("5")
        self._before = _resident()

    def mebibytes(self) -> float:
        """Return the highest resident size since then, above what was resident then."""
        return (_highest() - self._before) / MEBIBYTE


def resident_mebibytes() -> float:
    """Return the present resident size."""
    return _resident() / MEBIBYTE


def _resident() -> int:
    return _status("VmRSS") or _highest()


def _highest() -> int:
    return _status("VmHWM") or _rusage()


def _status(field: str) -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    line = next(line for line in status.read_text().splitlines() if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def _rusage() -> int:
    import resource

    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024
