"""Small pictures, decoded off the GUI thread: what is visible first, within a bounded cache."""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QPixmap

Decode = Callable[[Path, int], NDArray[np.uint8]]


class ThumbnailLoader(QObject):
    """Decodes pictures in threads of its own and keeps the latest ones.

    Parameters
    ----------
    decode
        Called in a worker thread with a file and the longest side wanted in pixels; returns uint8 (height,
        width, 3) or raises an exception whose text is the reason shown to the user.
    """

    ready = Signal(str)

    def __init__(self, decode: Decode, parent: QObject | None = None) -> None: ...
    def pixmap(
        self,
        path: Path,
        size: int,
        device_pixel_ratio: float = 1.0,
        *,
        client: QObject | None = None,
        enlarge: bool = True,
    ) -> QPixmap | None:
        """Return the picture if it is here, else request it; ``ready`` tells when it came."""

    def failure(self, path: Path) -> str | None:
        """Return why a picture could not be decoded, or None."""

    def keep_requests(self, client: QObject, paths: Collection[Path]) -> None:
        """Drop what a client requested and no longer shows."""

    def clear(self) -> None:
        """Forget every picture and failure: another project, or images that moved."""

    def shutdown(self) -> None:
        """Stop and join the threads; nothing is decoded afterwards."""
