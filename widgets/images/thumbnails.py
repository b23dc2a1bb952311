"""Small pictures, decoded off the GUI thread: what is visible first, within a bounded cache."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap

from widgets.images.decode_queue import DecodeQueue, PictureRequest

Decode = Callable[[Path, int], NDArray[np.uint8]]

MEBIBYTE = 1024**2
_MAX_FAILURES = 20_000
_JOIN_SECONDS = 5.0


class ThumbnailLoader(QObject):
    """Decodes pictures in threads of its own and keeps the latest ones.

    Everything here is called in the GUI thread; only ``decode`` runs elsewhere. Views ask for what they show
    (:meth:`request`), drop what they no longer show (:meth:`keep_requests`), and paint what is here
    (:meth:`cached`) whenever ``ready`` tells that something came.

    Parameters
    ----------
    decode
        Called in a worker thread with a file and the longest side wanted in pixels; returns uint8 (height,
        width, 3), of that size or any other, or raises an exception whose text is the reason shown.
    maximum_bytes
        Bound of the cache.
    n_threads
        Threads that decode; by default as many as there are processors, at most 4.

    Signals
    -------
    ready(str)
        The picture of this file is here, or its failure is known.
    """

    ready = Signal(str)

    def __init__(
        self,
        decode: Decode,
        parent: QObject | None = None,
        *,
        maximum_bytes: int = 192 * MEBIBYTE,
        n_threads: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._maximum_bytes = maximum_bytes
        self._bytes = 0
        self._pixmaps: OrderedDict[PictureRequest, QPixmap] = OrderedDict()
        self._sizes_here: dict[str, list[PictureRequest]] = {}
        self._failures: OrderedDict[str, str] = OrderedDict()
        self._closed = False
        self._decoder = _Decoder(decode)
        # The threads know this object's child and not this object, and never touch the child after close:
        # both go with their parent, in the GUI thread, even if nobody called shutdown.
        courier = _Courier(self)
        courier.decoded.connect(self._receive)
        self._queue = DecodeQueue(
            self._decoder.decode, courier.decoded.emit, n_threads or min(4, os.cpu_count() or 1)
        )
        self.destroyed.connect(self._queue.close)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.shutdown)

    @property
    def used_bytes(self) -> int:
        """Size of the pictures in the cache."""
        return self._bytes

    @property
    def n_waiting(self) -> int:
        """Number of requests not begun yet."""
        return len(self._queue)

    def cached(
        self, path: Path, size: int, device_pixel_ratio: float = 1.0, *, enlarge: bool = True
    ) -> QPixmap | None:
        """Return the picture, or the same one at another size until this size is here, or None."""
        request = PictureRequest(str(path), size, device_pixel_ratio, enlarge)
        if request not in self._pixmaps:
            others = self._sizes_here.get(request.path)
            if not others:
                return None
            request = max(others, key=lambda other: other.pixels)
        self._pixmaps.move_to_end(request)
        return self._pixmaps[request]

    def cached_exactly(
        self, path: Path, size: int, device_pixel_ratio: float = 1.0, *, enlarge: bool = True
    ) -> QPixmap | None:
        """Return the picture at this very size, or None."""
        return self._pixmaps.get(PictureRequest(str(path), size, device_pixel_ratio, enlarge))

    def request(
        self,
        path: Path,
        size: int,
        device_pixel_ratio: float = 1.0,
        *,
        client: QObject | None = None,
        enlarge: bool = True,
    ) -> None:
        """Ask for a picture ahead of everything asked before, unless it is here or known to be unreadable.

        Parameters
        ----------
        path
            The file.
        size
            Longest side in device-independent pixels.
        device_pixel_ratio
            Of the screen that it is for.
        client
            Who asks, for :meth:`keep_requests`.
        enlarge
            Scale small pictures up to this size.
        """
        request = PictureRequest(str(path), size, device_pixel_ratio, enlarge)
        if self._closed or request in self._pixmaps or request.path in self._failures:
            return
        self._queue.push(request, id(client))

    def pixmap(
        self,
        path: Path,
        size: int,
        device_pixel_ratio: float = 1.0,
        *,
        client: QObject | None = None,
        enlarge: bool = True,
    ) -> QPixmap | None:
        """Return what :meth:`cached` has, and request the picture if it is not here at this size."""
        self.request(path, size, device_pixel_ratio, client=client, enlarge=enlarge)
        return self.cached(path, size, device_pixel_ratio, enlarge=enlarge)

    def failure(self, path: Path) -> str | None:
        """Return why a picture could not be decoded, or None."""
        return self._failures.get(str(path))

    def keep_requests(self, client: QObject, paths: Collection[Path]) -> None:
        """Drop what a client requested and no longer shows: everything but these files."""
        self._queue.keep(id(client), {str(path) for path in paths})

    def clear(self) -> None:
        """Forget every picture and failure: another project, or images that moved."""
        self._queue.clear()
        self._decoder.generation += 1
        self._pixmaps.clear()
        self._sizes_here.clear()
        self._failures.clear()
        self._bytes = 0

    @Slot()
    def shutdown(self) -> None:
        """Stop and join the threads; nothing is decoded or announced afterwards."""
        self._closed = True
        self._queue.close()
        self._queue.join(_JOIN_SECONDS)

    @Slot(object)
    def _receive(self, decoded: _Decoded) -> None:
        request, image = decoded.request, decoded.image
        if self._closed or decoded.generation != self._decoder.generation:
            return
        self._queue.done(request)
        if image is None:
            self._failures[request.path] = decoded.reason
            if len(self._failures) > _MAX_FAILURES:
                self._failures.popitem(last=False)
        else:
            self._store(request, image)
        self.ready.emit(request.path)

    def _store(self, request: PictureRequest, image: QImage) -> None:
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(request.device_pixel_ratio)
        if request not in self._pixmaps:
            self._bytes += _n_bytes(pixmap)
            self._sizes_here.setdefault(request.path, []).append(request)
        self._pixmaps[request] = pixmap
        while self._bytes > self._maximum_bytes and len(self._pixmaps) > 1:
            oldest, removed = self._pixmaps.popitem(last=False)
            self._bytes -= _n_bytes(removed)
            sizes = self._sizes_here[oldest.path]
            sizes.remove(oldest)
            if not sizes:
                del self._sizes_here[oldest.path]


class _Decoded(NamedTuple):
    """What became of a request: an image, or the reason why there is none."""

    request: PictureRequest
    image: QImage | None
    reason: str
    generation: int


class _Decoder:
    """What runs in the threads."""

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self.generation = 0

    def decode(self, request: PictureRequest) -> _Decoded:
        """Decode one picture, in whatever thread this is."""
        generation = self.generation
        image, reason = None, ""
        try:
            image = fitted_image(self._decode(Path(request.path), request.pixels), request)
        except Exception as error:  # noqa: BLE001 – whatever the decoder raises is this picture's reason
            reason = str(error) or type(error).__name__
        return _Decoded(request, image, reason, generation)


class _Courier(QObject):
    """Brings what was decoded to the GUI thread."""

    decoded = Signal(object)


def fitted_image(pixels: NDArray[np.uint8], request: PictureRequest) -> QImage:
    """Return an image that owns its memory, scaled to the size requested.

    Parameters
    ----------
    pixels
        uint8 (height, width, 3).
    request
        What it is for.

    Raises
    ------
    ValueError
        If the array is no picture.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
        raise ValueError(f"The decoder gave an array of {pixels.dtype} {pixels.shape}, which is no picture.")
    contiguous = np.ascontiguousarray(pixels)
    height, width = contiguous.shape[:2]
    borrowed = QImage(contiguous.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    # Converting to the screen's own format copies: the result does not point into the array.
    owned = borrowed.convertToFormat(QImage.Format.Format_RGB32)
    longest = max(width, height)
    if longest > request.pixels or (request.enlarge and longest < request.pixels):
        owned = owned.scaled(
            request.pixels,
            request.pixels,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
    return owned


def _n_bytes(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * max(pixmap.depth(), 8) // 8
