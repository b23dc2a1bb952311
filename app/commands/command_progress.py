"""Progress of a command: bars on standard error, and Ctrl-C that stops at the next safe point."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from tqdm import tqdm

from backend.task import Cancelled

_SECONDS_BETWEEN_LINES = 10.0
_STANDARD_ERROR = 2
_STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CommandTask:
    """A task whose progress is a bar on standard error, one for each kind of work.

    Use it within :meth:`interruptible`: the first Ctrl-C (or SIGTERM, by which launchers and schedulers stop
    a process) then lets the work end where nothing is half done, the second stops it at once.

    Parameters
    ----------
    quiet
        Whether to show no bars.
    silent
        Whether to say nothing at all, not even that the work is about to stop.
    """

    def __init__(self, *, quiet: bool = False, silent: bool = False) -> None:
        self._quiet = quiet or silent
        self._silent = silent
        self._cancelled = threading.Event()
        self._bar: tqdm[None] | None = None
        self._title = ""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Move the bar, or begin a new one where the kind of work or its size changes."""
        if self._quiet:
            return
        title = message.partition(":")[0]
        if self._bar is None or title != self._title or (total or None) != self._bar.total:
            self._begin_bar(title, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def partial(self, result: object) -> None:
        """Show how many images were skipped, where a result says so."""
        n_skipped = getattr(result, "n_skipped", 0)
        if self._bar is not None and n_skipped:
            self._bar.set_postfix_str(f"{n_skipped} skipped", refresh=False)

    def check_cancelled(self) -> None:
        """Raise :class:`~backend.task.Cancelled` after Ctrl-C."""
        if self._cancelled.is_set():
            raise Cancelled

    def close(self) -> None:
        """End the bar and leave it as it stands."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @contextmanager
    def interruptible(self) -> Iterator[CommandTask]:
        """Take Ctrl-C and SIGTERM for this task as long as the context lasts."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        before = {number: signal.signal(number, self._interrupt) for number in _STOPPING_SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self.close()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._cancelled.is_set():
            raise KeyboardInterrupt
        self._cancelled.set()
        if self._silent:
            return
        # Not print: the signal may have come in the middle of writing to the same stream.
        with suppress(OSError):
            os.write(
                _STANDARD_ERROR, "\nStopping at the next safe point (Ctrl-C again: at once) …\n".encode()
            )

    def _begin_bar(self, title: str, total: int) -> None:
        self.close()
        self._title = title
        on_terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total or None,
            desc=title,
            unit="",
            file=sys.stderr,
            leave=bool(total),
            bar_format=None if total else "{desc} … {n_fmt} [{elapsed}]",
            dynamic_ncols=on_terminal,
            ncols=None if on_terminal else 80,
            mininterval=0.1 if on_terminal else _SECONDS_BETWEEN_LINES,
        )
