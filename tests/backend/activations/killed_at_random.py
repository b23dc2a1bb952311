"""Extract a project in child processes that are killed at random moments, each going on where it stopped.

Run as ``python -m tests.backend.activations.killed_at_random PROJECT UNDISTURBED KILLS SEED``. A copy of the
project is extracted undisturbed at UNDISTURBED; the project itself by KILLS children that are killed and one
that is not. A moment is a number of calls and returns, of Python and of C functions, in all threads of a
child: of those while the project is opened and the network prepared, or of those of the first block or so
that is then extracted. Prints a JSON line for each child: the rows on record before and after it, and the
rows of the images that it decoded.
"""

import itertools
import json
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from backend.activations import extraction, inference
from backend.networks.loaded_model import LoadedModel
from backend.project import Project
from backend.task import SilentTask
from tests.backend.small_projects import network

LAYERS = ["early", "late"]
N_WORKERS = 2
LARGEST_BATCH = 2

# Of the kills; of blocks: some kills come before the first block is on record, some after it.
PREPARING_SHARE = 0.25
BLOCKS = 3


class Calls:
    """Counts the calls and returns of all threads, and may kill the process at one of them."""

    def __init__(self) -> None:
        self.last: int | None = None
        self._numbers = itertools.count(1)

    def count(self) -> None:
        """Begin."""
        threading.setprofile(self._next)
        sys.setprofile(self._next)

    def stop(self) -> int:
        """End, and return how many there were."""
        sys.setprofile(None)
        threading.setprofile(None)
        return next(self._numbers)

    def _next(self, _frame: object, _event: str, _argument: object) -> None:
        if next(self._numbers) == self.last:
            os.kill(os.getpid(), signal.SIGKILL)


class Restart(SilentTask):
    """Calls a function when the first image begins."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._began = False

    def progress(self, done: int, total: int, message: str = "") -> None:
        if message.startswith("Extracting") and not self._began:
            self._began = True
            self._then()


def extract(
    path: Path, loaded: LoadedModel, say: Callable[[str], None], moment: tuple[str, int] | None
) -> None:
    """Extract a project, and die at a moment; say which images are decoded, or how many calls it took."""
    inference._LARGEST_BATCH = LARGEST_BATCH
    phase, number = moment or ("", 0)
    calls = Calls()
    n_preparing = 0
    read = inference.preprocess_image

    def telling(path: Path, preprocessing: Any) -> Any:
        say(f"{path.parent.name}/{path.name}")
        return read(path, preprocessing)

    def images_begin() -> None:
        nonlocal n_preparing
        n_preparing = calls.stop()
        if phase == "preparing":
            # Opening took fewer calls this time.
            os.kill(os.getpid(), signal.SIGKILL)
        calls.__init__()  # type: ignore[misc]
        calls.last = number if phase == "extracting" else None
        calls.count()

    inference.preprocess_image = telling
    calls.last = number if phase == "preparing" else None
    calls.count()
    with Project.open(path) as project:
        extraction.extract(project, loaded, LAYERS, n_workers=N_WORKERS, task=Restart(images_begin))
    say(json.dumps([n_preparing, calls.stop()]))


def in_a_child(path: Path, loaded: LoadedModel, moment: tuple[str, int] | None) -> tuple[list[str], bool]:
    """Extract in a child process; return what it said, and whether it was killed."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        extract(path, loaded, lambda text: os.write(write_end, f"{text}\n".encode()) and None, moment)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        said = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the child ended with {status}"
    return said, status != 0


def rows_on_record(path: Path, undisturbed: Path) -> dict[str, list[int]]:
    """Return the rows of the blocks on record, all of which must be those of an undisturbed extraction."""
    found = {}
    with Project.open(path, read_only=True) as project, Project.open(undisturbed, read_only=True) as other:
        for record in project.layers:
            blocks = project.extracted_layers.blocks(record.name)
            stored = np.load(record.file, mmap_mode="r") if blocks else None
            for block in blocks:
                expected = other.activations(record.name)[block.start : block.stop]
                assert stored is not None
                assert stored[block.start : block.stop].tobytes() == expected.tobytes()
            found[record.name] = [row for block in blocks for row in range(block.start, block.stop)]
    return found


def main(path: Path, undisturbed: Path, n_kills: int, seed: int) -> None:
    """Kill child after child, then let one get through."""
    # Whatever torch loads at its first use is loaded once, before the children part.
    loaded = network()
    inference.Inference(loaded, LAYERS)
    shutil.copytree(path, undisturbed)
    said, _ = in_a_child(undisturbed, loaded, None)
    n_preparing, n_extracting = json.loads(said[-1])
    with Project.open(path, read_only=True) as project:
        row_of = {image: row for row, image in enumerate(project.image_paths)}
        n_blocks = -(-project.n_images // project.block_rows)
    rng = random.Random(seed)
    for number in range(n_kills + 1):
        moment: tuple[str, int] | None = (
            "extracting",
            rng.randrange(1, int(BLOCKS * n_extracting / n_blocks)),
        )
        if rng.random() < PREPARING_SHARE:
            moment = ("preparing", rng.randrange(1, n_preparing))
        if number == n_kills:
            moment = None
        before = rows_on_record(path, undisturbed)
        said, killed = in_a_child(path, loaded, moment)
        after = rows_on_record(path, undisturbed)
        decoded = [row_of[text] for text in said if text in row_of]
        line = {"moment": moment, "killed": killed, "before": before, "after": after, "decoded": decoded}
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
