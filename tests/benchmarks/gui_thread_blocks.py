"""How long the window's thread is held up at a time, and by whom: a heartbeat, and a watcher that looks."""

from __future__ import annotations

import faulthandler
import re
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Slot

BEAT_MS = 4
FRAME_MS = 16.0
LOOK_SECONDS = 0.006
SCHEDULER = Path("/proc/thread-self/schedstat")
ROOT = Path(__file__).parents[2]
OURS = tuple(str(ROOT / package) for package in ("app", "widgets", "backend"))
NO_FRAME = "Qt alone"
WAITING = ("wait", "_take", "join", "_recv_bytes", "select")

_THREAD = re.compile(r"(?:Current t|T)hread 0x([0-9a-f]+)")
_FRAME = re.compile(r'  File "(.+)", line \d+ in (.+)')


@dataclass(frozen=True)
class Block:
    """A time in which the window's thread did not come back to its event loop.

    Attributes
    ----------
    at : float
        Seconds since the heart began to beat.
    milliseconds : float
        How much later than due the next beat came.
    own : float
        Processor time in ms that the thread itself had meanwhile.
    queued : float
        Time in ms that it was ready to run and had no processor, because others did (Linux alone tells; else
        0). What remains it waited for Python's lock, or for a disk.
    handler, inside : str
        The project's function that the event loop had called, and the innermost one, most often seen.
    others : str
        What another thread was doing, most often seen.
    """

    at: float
    milliseconds: float
    own: float
    queued: float
    handler: str
    inside: str
    others: str


@dataclass
class _Seen:
    """What the watcher saw during one block."""

    handlers: Counter[str] = field(default_factory=Counter)
    inside: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)


class Heartbeat(QObject):
    """Beats every few milliseconds in the thread that it is made in, from :meth:`start` to :meth:`stop`.

    Attributes
    ----------
    late, served : list of float
        How much later than due each beat came, in ms; and the same without the time that the thread was
        queued for a processor, which tells of the program where other programs keep the machine busy.
    blocks : list of Block
        Those that took a frame or longer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.late: list[float] = []
        self.served: list[float] = []
        self.blocks: list[Block] = []
        self._timer = QTimer(self, interval=BEAT_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._thread = threading.get_ident()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._over = threading.Event()
        self._began = self._last = self._last_own = self._last_queued = 0.0
        self._seen: dict[float, _Seen] = defaultdict(_Seen)

    def start(self) -> None:
        """Begin to beat, once the watcher looks."""
        self._last = time.perf_counter()
        self._watcher.start()
        self._began = self._last = time.perf_counter()
        self._last_own, self._last_queued = time.thread_time(), queued_seconds()
        self._timer.start()

    def stop(self) -> None:
        """Beat no more."""
        self._timer.stop()
        self._over.set()
        self._watcher.join()

    @Slot()
    def _beat(self) -> None:
        now, own, queued = time.perf_counter(), time.thread_time(), queued_seconds()
        late = max(0.0, 1000 * (now - self._last) - BEAT_MS)
        self.late.append(late)
        self.served.append(max(0.0, late - 1000 * (queued - self._last_queued)))
        if late >= FRAME_MS:
            seen = self._seen.pop(self._last, _Seen())
            self.blocks.append(
                Block(
                    self._last - self._began,
                    late,
                    1000 * (own - self._last_own),
                    1000 * (queued - self._last_queued),
                    _most_common(seen.handlers),
                    _most_common(seen.inside),
                    _most_common(seen.others, ""),
                )
            )
        self._last, self._last_own, self._last_queued = now, own, queued

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            beat = self._last
            if 1000 * (time.perf_counter() - beat) - BEAT_MS < LOOK_SECONDS * 1000:
                continue
            stacks = stacks_of_threads()
            own = _ours(stacks.pop(self._thread, []))
            stacks.pop(threading.get_ident(), None)
            seen = self._seen[beat]
            seen.handlers[own[-1] if own else NO_FRAME] += 1
            seen.inside[own[0] if own else NO_FRAME] += 1
            for stack in stacks.values():
                # The innermost function of an idle job thread is the one that serves its event loop.
                idle = not stack or stack[0][1] in WAITING or stack[0][0].endswith("job_threads.py")
                if not idle:
                    seen.others[_place(stack)] += 1

    # --- results -----------------------------------------------------------------------------------

    def share_of_time_blocked(self) -> float:
        """Return the share of the time that was spent in blocks of a frame or longer."""
        return sum(block.milliseconds for block in self.blocks) / (1000 * (self._last - self._began))

    def report(self, n_longest: int = 12) -> None:
        """Print how the thread kept time, the longest blocks, and which handlers were found in blocks."""
        for what, late in (("wall clock", self.late), ("without queueing for a processor", self.served)):
            print(
                f"{'  longest block, ' + what:50s} {max(late):6.1f} ms (at most 100 ms); "
                f"{100 * np.mean(np.array(late) < FRAME_MS):.2f} % of beats on time (at least 99 %)"
            )
        print(f"  {100 * self.share_of_time_blocked():.1f} % of the time in blocks of a frame or longer")
        print(f"  blocks of {FRAME_MS:.0f} ms and more: {len(self.blocks)}; the longest:")
        for block in sorted(self.blocks, key=lambda block: -block.milliseconds)[:n_longest]:
            others = f"; beside it {block.others}" if block.others else ""
            print(
                f"  {block.milliseconds:6.0f} ms ({block.own:4.0f} own, {block.queued:4.0f} queued) "
                f"at {block.at:6.1f} s: "
                f"{block.handler} → {block.inside}{others}"
            )
        by_handler: dict[str, list[Block]] = defaultdict(list)
        for block in self.blocks:
            by_handler[block.handler].append(block)
        print("  by the function that the event loop had called:")
        totals = sorted(by_handler.items(), key=lambda item: -sum(block.milliseconds for block in item[1]))
        for handler, blocks in totals[:n_longest]:
            total, longest = sum(b.milliseconds for b in blocks), max(b.milliseconds for b in blocks)
            own, queued = sum(b.own for b in blocks), sum(b.queued for b in blocks)
            print(
                f"  {len(blocks):4d} ×, {total:6.0f} ms in all ({own:5.0f} own, {queued:5.0f} queued), "
                f"longest {longest:4.0f}: {handler}"
            )


def queued_seconds() -> float:
    """Return how long this thread has been ready to run without a processor to run on; 0 where unknown."""
    try:
        return int(SCHEDULER.read_text(encoding="ascii").split()[1]) / 1e9
    except OSError:
        return 0.0


def stacks_of_threads() -> dict[int, list[tuple[str, str]]]:
    """Return file and function of every frame of every thread, innermost first.

    Frames are written down from outside: a reference to one would keep its local variables alive, and a
    painter that outlives its paint event takes the process with it.
    """
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        lines = file.read().splitlines()
    stacks: dict[int, list[tuple[str, str]]] = {}
    stack: list[tuple[str, str]] = []
    for line in lines:
        if thread := _THREAD.match(line):
            stack = stacks[int(thread[1], 16)] = []
        elif frame := _FRAME.match(line):
            stack.append((frame[1], frame[2]))
    return stacks


def _place(stack: list[tuple[str, str]]) -> str:
    """Return the innermost of the project's functions, and of all functions if that is another."""
    path, name = stack[0]
    ours, innermost = _ours(stack), f"{'/'.join(Path(path).parts[-2:])}:{name}"
    return innermost if not ours else ours[0] if path.startswith(OURS) else f"{ours[0]} in {innermost}"


def _ours(stack: list[tuple[str, str]]) -> list[str]:
    """Return the project's functions on a stack, innermost first."""
    return [f"{Path(path).relative_to(ROOT)}:{name}" for path, name in stack if path.startswith(OURS)]


def _most_common(counter: Counter[str], default: str = NO_FRAME) -> str:
    return counter.most_common(1)[0][0] if counter else default
