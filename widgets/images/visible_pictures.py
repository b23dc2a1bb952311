"""Keeps a view's wishes at the thumbnail loader to what is in sight, and tells when one came true."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from widgets.images.thumbnails import ThumbnailLoader

_REPAINT_MILLISECONDS = 25


class VisiblePictures(QObject):
    """What one view wants from the loader.

    Signals
    -------
    arrived()
        Some of the wanted pictures are here; sent at most forty times a second.
    """

    arrived = Signal()

    def __init__(self, thumbnails: ThumbnailLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._wanted: frozenset[str] = frozenset()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REPAINT_MILLISECONDS)
        self._timer.timeout.connect(self.arrived)
        thumbnails.ready.connect(self._on_ready)

    def want(
        self, visible: Sequence[Path], size: int, device_pixel_ratio: float, ahead: Sequence[Path] = ()
    ) -> None:
        """Ask for these pictures, the visible ones first and in order, and drop every other request."""
        self._wanted = frozenset(str(path) for path in visible)
        self._thumbnails.keep_requests(self, {*visible, *ahead})
        # The loader serves the newest request first: ask for the most wanted last.
        for path in (*reversed(ahead), *reversed(visible)):
            self._thumbnails.request(path, size, device_pixel_ratio, client=self)

    def want_nothing(self) -> None:
        """Drop all requests: the view is out of sight."""
        self._wanted = frozenset()
        self._thumbnails.keep_requests(self, ())

    @Slot(str)
    def _on_ready(self, path: str) -> None:
        if path in self._wanted and not self._timer.isActive():
            self._timer.start()
