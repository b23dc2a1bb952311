"""The status bar's account of what runs now: progress, speed, time left, Cancel."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class JobStatusBar(QWidget):
    """The current job and how many wait behind it. Put it into a QStatusBar with ``addPermanentWidget(bar, 1)``.

    Signals
    -------
    cancel_requested()
        The user pressed Cancel for the current job.
    """

    cancel_requested = Signal()

    def start_job(self, title: str, *, unit: str = "", cancellable: bool = True) -> None:
        """Show a new job. ``unit`` names what is counted ("images"), for "52 images/s"."""

    def set_progress(self, done: int, total: int, message: str = "") -> None:
        """Follow the job. ``total`` 0: how much there is to do is not known yet."""

    def set_cancelling(self) -> None:
        """Say that Cancel was heard, until :meth:`finish_job`."""

    def finish_job(self, text: str = "") -> None:
        """Return to the idle state, saying ``text`` for a while."""

    def set_queue(self, titles: Sequence[str]) -> None: ...
    def set_idle_text(self, text: str) -> None: ...
