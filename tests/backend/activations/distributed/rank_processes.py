"""Extract projects by several processes, as a launcher starts them; some may kill themselves on the way.

Run as ``python -m tests.backend.activations.distributed.rank_processes``. Each line of its input is a launch
in JSON, with the fields of :class:`Launch`; it answers with a line that holds what each rank has told.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backend.activations import inference
from backend.activations.distributed import leader, other_ranks, rank_journal, rank_signs, shared_pass
from backend.activations.distributed.rank_work import work_for_rank_0
from backend.activations.distributed.ranks import Rank
from backend.activations.extraction import extract
from backend.activations.store import ActivationWriter
from backend.errors import NeuronPrismError
from backend.networks.loaded_model import LoadedModel
from backend.project import Project
from backend.task import Cancelled
from tests.backend.small_projects import network

LAYERS = ["early", "late"]


class StoppedBySignal:
    """A task that a launcher's signal cancels."""

    def __init__(self) -> None:
        self.stopped = False
        self.last: tuple[int, int] = (0, 0)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, *_: object) -> None:
        self.stopped = True

    def progress(self, done: int, total: int, message: str = "") -> None:
        if message.startswith("Extracting"):
            self.last = (done, total)

    def partial(self, result: object) -> None:
        pass

    def check_cancelled(self) -> None:
        if self.stopped:
            raise Cancelled


def die_at(step: int) -> None:
    """Let this process kill itself at its ``step``-th write of a half block, or around a record of one."""
    steps_left = step

    def count_down() -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    write, append = ActivationWriter._write, rank_journal.JournalWriter.append

    def torn_write(writer: ActivationWriter, offset: int, data: bytes) -> None:
        for half in (data[: len(data) // 2], data[len(data) // 2 :]):
            write(writer, offset, half)
            count_down()
            offset += len(half)

    def append_and_count(journal: rank_journal.JournalWriter, record: rank_journal.JournalRecord) -> None:
        count_down()
        append(journal, record)
        count_down()

    ActivationWriter._write = torn_write  # type: ignore[method-assign]
    rank_journal.JournalWriter.append = append_and_count  # type: ignore[method-assign]


def lie() -> None:
    """Let this process's journal tell another checksum of its first block than its rows have."""
    append = rank_journal.JournalWriter.append
    lied = False

    def append_a_lie(journal: rank_journal.JournalWriter, record: rank_journal.JournalRecord) -> None:
        nonlocal lied
        if not lied:
            record = replace(record, crc32={**record.crc32, "late": record.crc32["late"] ^ 1})
        lied = True
        append(journal, record)

    rank_journal.JournalWriter.append = append_a_lie  # type: ignore[method-assign]


@dataclass(frozen=True)
class Launch:
    """What to launch.

    Attributes
    ----------
    path, count
        The project, and the number of ranks.
    deaths
        Rank → the step at which it kills itself.
    stop
        Whether the others are asked to stop then, as torchrun does.
    liar, stranger
        Rank whose journal tells a wrong checksum; rank that has another network.
    """

    path: str
    count: int
    deaths: dict[str, int] = field(default_factory=dict)
    stop: bool = False
    liar: int = -1
    stranger: int = -1

    def run_rank(self, number: int, loaded: LoadedModel) -> dict[str, Any]:
        """Do what a rank does, and return what there is to tell of it."""
        rank = Rank(number, self.count, number, self.count, launch=f"test {os.getppid()}")
        if str(number) in self.deaths:
            die_at(self.deaths[str(number)])
        if number == self.liar:
            lie()
        if number == self.stranger:
            loaded = network(seed=1)
        read: list[str] = []
        decode = inference.preprocess_image

        def telling(image: Path, preprocessing: Any) -> Any:
            read.append(str(image))
            return decode(image, preprocessing)

        inference.preprocess_image = telling
        task = StoppedBySignal()
        said = ""
        n_computed = 0
        try:
            if number:
                work_for_rank_0(Path(self.path), rank, lambda _source: loaded, task=task)
            else:
                with Project.open(self.path) as project:
                    n_computed = extract(project, loaded, LAYERS, task=task, rank=rank).n_computed
        except (NeuronPrismError, Cancelled) as error:
            said = f"{type(error).__name__}: {error}"
        return {"said": said, "read": read, "n_computed": n_computed, "last": task.last}

    def start_rank(self, number: int, loaded: LoadedModel) -> tuple[int, int]:
        """Start a rank; return its process and where to read what it tells."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write_end, json.dumps(self.run_rank(number, loaded)).encode())
            os._exit(0)
        os.close(write_end)
        return child, read_end

    def run(self, loaded: LoadedModel) -> list[dict[str, Any]]:
        """Start the ranks, reap them, and return what each has told, or the signal that killed it."""
        started = [self.start_rank(number, loaded) for number in range(self.count)]
        numbers = {child: number for number, (child, _) in enumerate(started)}
        signals: dict[int, int] = {}
        while numbers:
            child, status = os.wait()
            number = numbers.pop(child)
            if os.WIFSIGNALED(status):
                signals[number] = os.WTERMSIG(status)
                for other in numbers if self.stop else ():
                    os.kill(other, signal.SIGTERM)
        told = []
        for number, (_, read_end) in enumerate(started):
            with os.fdopen(read_end) as pipe:
                told.append(json.loads(pipe.read() or "{}") | {"signal": signals.get(number, 0)})
        return told


def main() -> None:
    """Run launches until there are no more; torch is loaded once for all of them."""
    loaded = network()
    inference.Inference(loaded, LAYERS)
    # Any processor can imitate bfloat16, slowly.
    inference.require_precision = lambda *_: None
    shared_pass._SECONDS_BETWEEN_COLLECTIONS = 0.0  # type: ignore[misc]
    shared_pass._SECONDS_TO_BE_SEEN = 0.5  # type: ignore[misc]
    rank_signs._SECONDS_BETWEEN_BEATS = 0.05  # type: ignore[misc]
    other_ranks._SECONDS_BETWEEN_LOOKS = leader._SECONDS_BETWEEN_LOOKS = 0.02  # type: ignore[misc]
    for line in sys.stdin:
        print(json.dumps(Launch(**json.loads(line)).run(loaded)), flush=True)


if __name__ == "__main__":
    main()
