"""The first page: what the application is for, and three ways to begin."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class RecentProject:
    """A project opened before. ``missing`` is true if it is no longer where it was."""

    path: Path
    opened: datetime | None = None
    missing: bool = False


class WelcomePage(QWidget):
    """Name, purpose, three large actions and the recent projects; takes a dropped project folder too.

    Signals
    -------
    demo_requested(), new_requested(), open_requested()
        One of the three actions.
    recent_requested(str)
        A recent project, or a folder that was dropped: its path.
    recent_removed(str)
        The user took this entry off the list.
    images_dropped(str)
        A folder that is not a project was dropped: probably images for a new project.
    """

    demo_requested = Signal()
    new_requested = Signal()
    open_requested = Signal()
    recent_requested = Signal(str)
    recent_removed = Signal(str)
    images_dropped = Signal(str)

    def set_recent(self, projects: Sequence[RecentProject]) -> None: ...
    def set_busy(self, text: str | None) -> None: ...
