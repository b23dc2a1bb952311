"""Signs of life: a small file that every rank of a run renews each second, and what others see in it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from backend.activations.distributed.ranks import Rank

RANKS_FOLDER: Final = "ranks"
"""Folder in the project in which the ranks of a run meet."""

RUN_SETTING: Final = "distributed_run"
"""Setting of the project that names the run whose journals belong to it; None when there is no such run."""

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_BEATS: Final = 1.0

# Network file systems show a change to other machines a minute later at worst.
SECONDS_OF_SILENCE: Final = 180.0
"""A rank that gives no sign for this long is taken for dead."""

State = Literal["waiting", "working", "done", "failed", "left"]


@dataclass(frozen=True)
class Sign:
    """What a rank says of itself.

    Attributes
    ----------
    rank, count, launch
        As :class:`~backend.activations.distributed.ranks.Rank` has them.
    name
        Drawn by the process at its start: another process is never taken for it.
    host, pid, machine
        Where it runs; two processes of the same ``machine`` see each other's numbers.
    run
        The run that it works for, "" before it knows.
    round
        Number of the plan within the run that it works by, or has worked by, from 1; 0 before the first.
    state
        ``waiting`` for the first plan, ``working``, ``done`` with its blocks (rank 0: with the run),
        ``failed``, or ``left`` when the run is over.
    reason
        A sentence that says why it failed.
    n_images
        Images that it has run through the model.
    beat
        Counts its signs.
    """

    rank: int
    count: int
    launch: str
    name: str
    host: str
    pid: int
    machine: str
    run: str = ""
    round: int = 0
    state: State = "waiting"
    reason: str = ""
    n_images: int = 0
    beat: int = 0

    @property
    def title(self) -> str:
        """Who it is, for sentences."""
        return f"Rank {self.rank} of {self.count} (process {self.pid} on {self.host})"

    @property
    def has_ended(self) -> bool:
        """Whether rank 0 has said that the run is over, well or badly."""
        return self.rank == 0 and self.state in ("done", "failed")

    def write(self, path: Path) -> None:
        """Put it in the place of the last one, whole."""
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_text(json.dumps(asdict(self)), encoding="utf-8")
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> Sign | None:
        """Read a sign; None if there is none that can be read now."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**values)
        except (OSError, ValueError, TypeError):
            return None


def sign_file(folder: Path, rank: int, name: str) -> Path:
    """Return where a rank leaves its signs."""
    return folder / f"rank-{rank:05d}-{name}.json"


def rank_of_file(path: Path) -> int:
    """Return the rank that a sign is of; -1 if the file is none."""
    number = path.name.removeprefix("rank-").partition("-")[0]
    return int(number) if number.isdecimal() else -1


def journal_file(folder: Path, rank: int, name: str) -> Path:
    """Return where a rank keeps its journal."""
    return folder / f"rank-{rank:05d}-{name}.journal"


class Heartbeat:
    """Renews this process's sign each second, from a thread of its own, until it is ended.

    Signs are left as soon as, and as long as, the folder is there: rank 0 makes it.

    Parameters
    ----------
    folder : Path
        Where the ranks of the run meet.
    rank : Rank
        Of this process.
    """

    def __init__(self, folder: Path, rank: Rank) -> None:
        host = socket.gethostname()
        self._sign = Sign(
            rank.number, rank.count, rank.launch, secrets.token_hex(8), host, os.getpid(), _machine(host)
        )
        self._path = sign_file(folder, rank.number, self._sign.name)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    @property
    def name(self) -> str:
        """The name that this process drew."""
        return self._sign.name

    @property
    def title(self) -> str:
        """Who this process is, for sentences."""
        return self._sign.title

    def begin(self, run: str, number: int) -> None:
        """Say that this process works for a run now, by its plan of this number."""
        self._change("working", run=run, round=number)

    def finish(self) -> None:
        """Say that this process is done with its blocks of the present plan."""
        self._change("done")

    def count_images(self, n_images: int) -> None:
        """Count images that went through the model; others are told with the next beat."""
        with self._lock:
            self._sign = replace(self._sign, n_images=self._sign.n_images + n_images)

    def end(self, state: State, reason: str = "") -> None:
        """Leave a last sign. Ending twice changes nothing."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join()
        self._change(state, reason=reason)

    def _change(self, state: State, **values: Any) -> None:
        with self._lock:
            self._sign = replace(self._sign, state=state, **values)
            self._beat()

    def _run(self) -> None:
        while True:
            with self._lock:
                self._beat()
            if self._ending.wait(_SECONDS_BETWEEN_BEATS):
                return

    def _beat(self) -> None:
        self._sign = replace(self._sign, beat=self._sign.beat + 1)
        try:
            self._sign.write(self._path)
        except FileNotFoundError:
            # Rank 0 has not made the folder yet, or has removed it at the end.
            return
        except OSError as error:
            _log.warning("There is no sign of this rank for the others: %s", error)


class Watch:
    """Looks after another rank by its signs.

    Times are this process's own: clocks of machines differ.

    Parameters
    ----------
    path : Path
        Where the rank leaves its signs.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.sign: Sign | None = None
        self.n_changes = 0
        self._clock = clock
        self._last_change = clock()

    def look(self) -> None:
        """Take in the latest sign."""
        sign = Sign.read(self.path)
        if sign is not None and sign != self.sign:
            self.n_changes += self.sign is not None
            self.sign = sign
            self._last_change = self._clock()

    @property
    def is_there(self) -> bool:
        """Whether its sign has not been removed."""
        return self.path.exists()

    def is_done(self, number: int) -> bool:
        """Return whether it has said that it is done with its blocks of the plan of this number."""
        return self.sign is not None and (self.sign.state, self.sign.round) == ("done", number)

    @property
    def has_left(self) -> bool:
        """Whether nothing more is to come of it: it has said so, or is dead."""
        return (self.sign is not None and self.sign.state == "left") or bool(self.problem())

    def problem(self) -> str:
        """Say in a sentence why nothing more is to be expected of the rank; "" if there is no reason."""
        sign = self.sign
        if sign is None:
            return ""
        if sign.state == "failed":
            return f"{sign.title} failed: {sign.reason}"
        if _is_gone(sign):
            return f"{sign.title} died: the process is no longer there."
        if self._clock() - self._last_change > SECONDS_OF_SILENCE:
            return f"{sign.title} has given no sign of life for {SECONDS_OF_SILENCE:.0f} seconds."
        return ""


def _machine(host: str) -> str:
    """Name the space of process numbers that this process is in: containers have one of their own."""
    space = ""
    with contextlib.suppress(OSError):
        space = str(Path("/proc/self/ns/pid").readlink())
    return f"{host} {space}"


def _is_gone(sign: Sign) -> bool:
    if sys.platform == "win32" or sign.machine != _machine(socket.gethostname()):
        return False
    try:
        os.kill(sign.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def remove_ranks_folder(folder: Path) -> None:
    """Remove the files of a run, the plan first: whoever still works by it stops then."""
    if not folder.is_dir():
        return
    files = sorted(folder.iterdir(), key=lambda file: not file.name.startswith("plan"))
    for file in files:
        with contextlib.suppress(OSError):
            # What cannot be removed is of no run that the project knows of, and harms none.
            file.unlink()
    with contextlib.suppress(OSError):
        folder.rmdir()
