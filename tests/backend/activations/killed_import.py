"""Import activations in child processes that kill themselves, each at another step, until one gets through.

Run as ``python -m tests.backend.activations.killed_import PROJECT ACTIVATIONS LIST``. Prints one JSON line a
child: the rows on record before it, and the rows that it read.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backend.activations import activation_rows, store
from backend.activations.activation_import import import_activations
from backend.activations.import_plan import ImportRequest, plan_import
from backend.project import Project

LAYER = "late"

# Of a block: two halves written, and the block recorded, are four.
STEPS = 7


def run_until_killed(path: str, request: ImportRequest, step: int, said: int) -> None:
    """Import, and die at the ``step``-th time that something is about to be, or has been, written."""
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

    def telling(rows: activation_rows.ActivationRows, start: int, stop: int) -> Any:
        os.write(said, f"{start} {stop}\n".encode())
        return read(rows, start, stop)

    write, read = store.ActivationWriter._write, activation_rows.ActivationRows.read
    store.ActivationWriter._write = torn_write  # type: ignore[method-assign]
    activation_rows.ActivationRows.read = telling  # type: ignore[method-assign]
    with Project.open(path) as project:
        table = project.extracted_layers
        table.record_block = die_around(table.record_block)  # type: ignore[method-assign]
        table.add = die_around(table.add)  # type: ignore[method-assign]
        table.save_origin = die_around(table.save_origin)  # type: ignore[method-assign]
        project.save_neuron_index = die_around(project.save_neuron_index)  # type: ignore[method-assign]
        import_activations(project, plan_import(request, project))


def main(path: str, activations: str, image_list: str) -> None:
    """Kill child after child, at all steps between two blocks and around them."""
    request = ImportRequest(Path(activations), Path(image_list), None, LAYER)
    step, status = 0, None
    while status != 0:
        with Project.open(path, read_only=True) as project:
            recorded = sum(record.n_done for record in project.layers)
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            run_until_killed(path, request, step % STEPS, write_end)
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            spans = [line.split() for line in pipe.read().splitlines()]
        _, status = os.waitpid(child, 0)
        assert status in (0, signal.SIGKILL), f"the child ended with {status}"
        n_read = sum(int(stop) - int(start) for start, stop in spans)
        print(json.dumps({"recorded": recorded, "read": n_read, "killed": status != 0}), flush=True)
        step += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
