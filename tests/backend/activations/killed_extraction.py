"""Extract a project in child processes that kill themselves, each at another step, until one gets through.

Run as ``python -m tests.backend.activations.killed_extraction PROJECT``. Prints one JSON line a child: the
rows on record before it, and the images that it read.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from backend.activations import extraction, inference, layer_extraction, store
from backend.networks.loaded_model import LoadedModel
from backend.project import Project
from tests.backend.small_projects import network

LAYERS = ["early", "late"]

# Of a block of two layers: two halves of each written, and the block recorded, are six.
STEPS = 9


def run_until_killed(path: str, loaded: LoadedModel, step: int, said: int) -> None:
    """Extract, and die at the ``step``-th time that something is about to be, or has been, written."""
    steps_left = step

    def die_around(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            count_down()
            result = function(*arguments, **options)
            count_down()
            return result

        return wrapped

    def count_down() -> None:
        nonlocal steps_left
        steps_left -= 1
        if steps_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def torn_write(writer: store.ActivationWriter, offset: int, data: bytes) -> None:
        for half in (data[: len(data) // 2], data[len(data) // 2 :]):
            write(writer, offset, half)
            count_down()
            offset += len(half)

    read = inference.preprocess_image

    def telling(path: Any, preprocessing: Any) -> Any:
        os.write(said, f"{path.name}\n".encode())
        return read(path, preprocessing)

    write = store.ActivationWriter._write
    store.ActivationWriter._write = torn_write  # type: ignore[method-assign]
    inference.preprocess_image = telling
    with Project.open(path) as project:
        table = project.extracted_layers
        table.record_block = die_around(table.record_block)  # type: ignore[method-assign]
        table.add = die_around(table.add)  # type: ignore[method-assign]
        project.save_neuron_index = die_around(project.save_neuron_index)  # type: ignore[method-assign]
        extraction.extract(project, loaded, LAYERS, n_workers=2)


def main(path: str) -> None:
    """Kill child after child, at all steps between two blocks and around them."""
    assert layer_extraction.ActivationWriter is store.ActivationWriter
    # Whatever torch loads at its first use is loaded once, before the children part.
    loaded = network()
    inference.Inference(loaded, LAYERS)
    step, status = 0, None
    while status != 0:
        with Project.open(path, read_only=True) as project:
            recorded = {record.name: record.n_done for record in project.layers}
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            run_until_killed(path, loaded, step % STEPS, write_end)
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            read = pipe.read().splitlines()
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), f"the child ended with {status}"
        print(json.dumps({"recorded": recorded, "read": read, "killed": status != 0}), flush=True)
        step += 1


if __name__ == "__main__":
    main(sys.argv[1])
