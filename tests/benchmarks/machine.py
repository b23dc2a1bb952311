"""The machine that a benchmark runs on, in a few lines for the head of its table."""

from __future__ import annotations

import math
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch

from backend.processor_cores import available_cores

# What decides how fast a network computes and a store is read.
_FLAGS = ("sse4_2", "f16c", "fma", "avx", "avx2", "avx_vnni", "neon", "asimd", "bf16", "sve")
_FLAG_FAMILIES = ("avx512", "amx")


def machine() -> str:
    """Return processor, flags, cores, memory and versions, in three lines."""
    name, flags = _processor()
    memory = _memory_bytes() / 2**30
    return (
        f"{name}, {available_cores()} hardware threads, {memory:.0f} GiB, {platform.system()} "
        f"{platform.machine()}\n"
        f"flags: {' '.join(flags) or 'unknown'}\n"
        f"Python {platform.python_version()}, torch {torch.__version__} "
        f"({torch.backends.cpu.get_cpu_capability()}), NumPy {np.__version__}"
    )


def load() -> str:
    """Return how busy the machine is with other work: what disturbs a measurement."""
    if not hasattr(os, "getloadavg"):
        return "load unknown"
    return f"load average {os.getloadavg()[0]:.1f} on {available_cores()} hardware threads"


class OtherWork:
    """Measures, from now on, what other processes do on the processors meanwhile (Linux)."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._own = time.process_time()
        self._all = _busy_seconds()

    def percent(self) -> float:
        """Return the share of the processors' time that others had; NaN where the system does not tell."""
        seconds = time.perf_counter() - self._started
        others = _busy_seconds() - self._all - (time.process_time() - self._own)
        return max(0.0, 100 * others / (seconds * available_cores()))


def _busy_seconds() -> float:
    statistics = Path("/proc/stat")
    if not statistics.exists():
        return math.nan
    ticks = [int(field) for field in statistics.read_text().splitlines()[0].split()[1:]]
    idle, waiting_for_disk = ticks[3:5]
    return (sum(ticks) - idle - waiting_for_disk) / os.sysconf("SC_CLK_TCK")


def _processor() -> tuple[str, list[str]]:
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or "unknown processor", []
    fields: dict[str, str] = {}
    for line in information.read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", fields.get("Features", "")).split()
    known = [flag for flag in flags if flag in _FLAGS or flag.startswith(_FLAG_FAMILIES)]
    return fields.get("model name", platform.processor() or "unknown processor"), known


def _memory_bytes() -> int:
    if not hasattr(os, "sysconf"):
        return 0
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
