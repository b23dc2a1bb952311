"""How threads share the processor: how idle ones wait, and which of them gives way."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Result = TypeVar("_Result")

_NICENESS = 5

TURN_SECONDS = 0.001

_log = logging.getLogger(__name__)


def wait_without_spinning() -> None:
    """Let idle threads of OpenMP sleep. Call it before torch or scikit-learn is imported.

    By default they spin, and where anything else wants the processor (a decoding thread, another program) all
    wait for one that is not running: on two busy cores a step of feature visualisation took 2.4 s spinning
    and 0.26 s sleeping. A user's own setting is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def take_turns_quickly() -> None:
    """Let a thread that wants Python's lock have it after a millisecond, not after five.

    The window's thread gives the lock up with every call into Qt and wants it back at once: while a worker
    computed, painting a neuron took twice as long. Call it where there is a window to keep fluent.
    """
    sys.setswitchinterval(TURN_SECONDS)


def run_at_low_priority(function: Callable[[], _Result]) -> _Result:
    """Run work that others are not to wait for, and return what it returns or raise what it raises.

    On Linux it runs in a thread of its own, which gives way to the window and to analyses, and so do the
    threads that it starts: they inherit its priority. (A thread could not take its own priority back.)
    Elsewhere threads inherit nothing, and the work is run as it is.
    """
    if sys.platform != "linux":
        return function()
    outcome: Future[_Result] = Future()

    def run() -> None:
        _lower_priority()
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            outcome.set_exception(error)

    thread = threading.Thread(target=run, name="low priority")
    thread.start()
    thread.join()
    return outcome.result()


def _lower_priority() -> None:
    """Make this thread nicer; on Linux niceness belongs to a thread."""
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _NICENESS)
    except OSError as error:
        _log.info("The priority of a thread cannot be lowered: %s", error)
