"""A process of its own for embeddings that take long, so that the window neither stutters nor waits for them.

UMAP is compiled when it is first used. That holds Python's global lock for up to a third of a second at a
time, imports what another thread may be importing, starts threads, and cannot be cancelled. In another
process none of it is felt, and the process can be ended at any time.
"""

from __future__ import annotations

import logging
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.errors import EmbeddingError, NeuronPrismError
from backend.evaluation.embedding import embed
from backend.evaluation.embedding_result import Embedding, EmbeddingMethod, EmbeddingSettings
from backend.task import Task

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

logger = logging.getLogger(__name__)

Embed = Callable[[NDArray[np.float32], EmbeddingMethod, int, EmbeddingSettings], Embedding]

IDLE_SECONDS = 600.0
"""A process that nobody asks anything for so long ends, and gives its memory back."""

_POLL_SECONDS = 0.03
_JOIN_SECONDS = 5.0
_FAREWELL_SECONDS = 1.0


@dataclass(frozen=True)
class _Request:
    vectors: NDArray[np.float32]
    method: EmbeddingMethod
    seed: int
    settings: EmbeddingSettings


@dataclass(frozen=True)
class _Answer:
    embedding: Embedding | None = None
    error: NeuronPrismError | None = None
    details: str = ""


def serve(connection: Connection, function: Embed, idle_seconds: float) -> None:
    """Answer requests until the other end is closed, or is silent for too long: what the process runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the terminal is for the application
    try:
        while connection.poll(idle_seconds):
            request: _Request = connection.recv()
            connection.send(_answer(request, function))
    except (EOFError, OSError):
        return  # the application has gone


def _answer(request: _Request, function: Embed) -> _Answer:
    try:
        return _Answer(function(request.vectors, request.method, request.seed, request.settings))
    except NeuronPrismError as error:
        return _Answer(error=error)
    except Exception:  # noqa: BLE001 - it is raised anew where it was asked for
        return _Answer(details=traceback.format_exc())


class EmbeddingProcess:
    """Started with the first request; used by one thread at a time.

    A cancelled request is not waited for. The next one waits until the process is done with it, but no longer
    than a new process would take to start; then it gets a new one.

    Parameters
    ----------
    function
        What the process computes; a function that can be imported by name.
    idle_seconds
        A process that is not asked for so long ends.
    """

    def __init__(self, function: Embed = embed, idle_seconds: float = IDLE_SECONDS) -> None:
        self._function = function
        self._idle_seconds = idle_seconds
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._started = 0.0
        self._start_seconds: float | None = None
        self._busy_since: float | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a process now."""
        return self._process is not None and self._process.is_alive()

    def embed(
        self,
        vectors: NDArray[np.float32],
        method: EmbeddingMethod,
        seed: int,
        settings: EmbeddingSettings,
        task: Task,
    ) -> Embedding:
        """Return what the function returns; where no process can be started, it is called here.

        Raises
        ------
        Cancelled
            Within a few hundredths of a second of being asked to.
        EmbeddingError
            If the process ended without an answer.
        NeuronPrismError
            As the function does.
        """
        request = _Request(np.ascontiguousarray(vectors), method, seed, settings)
        self._leave_earlier_request(task)
        if not self._send(request):
            return self._function(request.vectors, method, seed, settings)
        return self._receive(task)

    def close(self) -> None:
        """End the process: at once if it is at work, else as soon as it has put everything away."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        busy, self._busy_since = self._busy_since is not None, None
        if connection is not None:
            connection.close()
        if process is not None:
            if not busy:
                process.join(_FAREWELL_SECONDS)
            process.kill()
            process.join(_JOIN_SECONDS)

    def _start(self) -> bool:
        import multiprocessing

        # Spawned, not forked: the application has threads, which a fork would copy half-way.
        context = multiprocessing.get_context("spawn")
        try:
            here, there = context.Pipe()
            process = context.Process(
                target=serve, args=(there, self._function, self._idle_seconds), name="embedding", daemon=True
            )
            process.start()
        except (OSError, NotImplementedError):
            logger.warning("No process for embeddings can be started; they are computed here", exc_info=True)
            return False
        there.close()
        self._process, self._connection = process, here
        self._started, self._start_seconds = time.monotonic(), None
        return True

    def _send(self, request: _Request) -> bool:
        """Hand a request over, to a new process if the old one has ended; False if there is none."""
        if self._connection is not None:
            try:
                if not self._connection.poll(0):  # what would come now is the end of the pipe
                    self._connection.send(request)
                    self._busy_since = time.monotonic()
                    return True
            except OSError:
                logger.info("The process for embeddings has ended; another is started")
            self.close()
        if not self._start():
            return False
        assert self._connection is not None
        self._busy_since = time.monotonic()
        try:
            self._connection.send(request)
        except OSError as error:
            raise self._ended() from error
        return True

    def _receive(self, task: Task) -> Embedding:
        assert self._connection is not None
        while not self._connection.poll(_POLL_SECONDS):
            task.check_cancelled()
        answer = self._take_answer()
        if answer.error is not None:
            raise answer.error
        if answer.embedding is None:
            raise RuntimeError(f"an embedding failed in its process:\n{answer.details}")
        return answer.embedding

    def _take_answer(self) -> _Answer:
        assert self._connection is not None
        try:
            answer: _Answer = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._ended() from error
        self._busy_since = None
        if self._start_seconds is None:
            self._start_seconds = time.monotonic() - self._started
        return answer

    def _ended(self) -> EmbeddingError:
        process = self._process
        if process is not None:
            process.join(_JOIN_SECONDS)
        code = process.exitcode if process is not None else None
        self.close()
        return EmbeddingError(
            f"The process that puts the images into a plane ended unexpectedly (exit code {code}), perhaps "
            "for want of memory: try again, with fewer images, or choose PCA."
        )

    def _leave_earlier_request(self, task: Task) -> None:
        """Wait for what was cancelled, or give the process up if a new one is ready sooner."""
        while self._busy_since is not None and self._connection is not None:
            if self._connection.poll(_POLL_SECONDS):
                try:
                    self._take_answer()
                except EmbeddingError:
                    logger.info("The process for embeddings ended while nobody waited for it")
                return
            waited = time.monotonic() - self._busy_since
            if self._start_seconds is not None and waited > self._start_seconds:
                self.close()
            task.check_cancelled()
