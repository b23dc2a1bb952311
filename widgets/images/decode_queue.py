"""The queue behind the thumbnails: its threads decode the newest request first and forget unwanted ones."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Generic, NamedTuple, TypeVar

Result = TypeVar("Result")


class PictureRequest(NamedTuple):
    """One picture at one size.

    Attributes
    ----------
    path
        The file.
    size
        Longest side in device-independent pixels.
    device_pixel_ratio
        Physical pixels to one of them.
    enlarge
        Whether a picture that is smaller is scaled up to that size.
    """

    path: str
    size: int
    device_pixel_ratio: float = 1.0
    enlarge: bool = True

    @property
    def pixels(self) -> int:
        """Longest side in physical pixels."""
        return max(1, round(self.size * self.device_pixel_ratio))


class DecodeQueue(Generic[Result]):
    """Requests, newest first, and the threads that serve them.

    Parameters
    ----------
    serve
        Called in one of the threads with each request; must not raise.
    deliver
        Called in the same thread with what ``serve`` returned, never after :meth:`close` has returned; must
        be quick.
    n_threads
        Threads, started when the first request comes.
    """

    def __init__(
        self,
        serve: Callable[[PictureRequest], Result],
        deliver: Callable[[Result], object],
        n_threads: int,
    ) -> None:
        self._serve = serve
        self._deliver = deliver
        self._n_threads = n_threads
        self._threads: list[threading.Thread] = []
        self._condition = threading.Condition()
        self._pending: OrderedDict[PictureRequest, set[int]] = OrderedDict()
        self._running: set[PictureRequest] = set()
        self._closed = False

    def __len__(self) -> int:
        with self._condition:
            return len(self._pending)

    def push(self, request: PictureRequest, client: int) -> None:
        """Ask for a picture before all others; asking again moves it to the front."""
        with self._condition:
            if self._closed or request in self._running:
                return
            self._pending.setdefault(request, set()).add(client)
            self._pending.move_to_end(request)
            self._start_threads()
            self._condition.notify()

    def keep(self, client: int, paths: Collection[str]) -> None:
        """Drop what a client asked for, except these files; another client's wishes stay."""
        with self._condition:
            for request, clients in list(self._pending.items()):
                if client in clients and request.path not in paths:
                    clients.discard(client)
                    if not clients:
                        del self._pending[request]

    def done(self, request: PictureRequest) -> None:
        """Say that a request that was served has arrived, so that it may be asked for again."""
        with self._condition:
            self._running.discard(request)

    def clear(self) -> None:
        """Drop everything that was not begun, and let everything be asked for anew."""
        with self._condition:
            self._pending.clear()
            self._running.clear()

    def close(self) -> None:
        """Drop everything and let the threads end; returns at once."""
        with self._condition:
            self._closed = True
            self._pending.clear()
            self._condition.notify_all()

    def join(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for each thread to end; tell whether all have."""
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def _start_threads(self) -> None:
        while len(self._threads) < min(self._n_threads, len(self._pending) + len(self._running)):
            name = f"thumbnails-{len(self._threads)}"
            # A daemon, so that a decoder that hangs on a dead network drive cannot keep the process alive.
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (request := self._take()) is not None:
            result = self._serve(request)
            with self._condition:
                if self._closed:
                    return
                self._deliver(result)

    def _take(self) -> PictureRequest | None:
        with self._condition:
            while not self._pending and not self._closed:
                self._condition.wait()
            if self._closed:
                return None
            request, _ = self._pending.popitem(last=True)
            self._running.add(request)
            return request
