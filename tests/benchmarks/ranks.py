"""Extraction by one process beside that by several of torchrun's, on one machine.

    python -m tests.benchmarks.ranks --model mobilenet_v2 --layer features.18 --images 512 --processes 2

Each extracts a project of JPEG files of ordinary photograph size by the command line, in turns. Told are the
seconds of the extraction, from the loaded network to the index, those of the whole command, and the processor
time of the whole command, which other work on the machine changes less. One process keeps all cores of a
machine busy already, so that without a GPU several of them on one machine gain nothing: what is measured is
what sharing costs.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from backend.models import load_model
from backend.networks.model_source import ModelSource
from tests.benchmarks.machine import load, machine
from tests.benchmarks.photographs import PHOTOGRAPH, draw_photographs

_SAID = re.compile(r"(\d[\d,]*) of [\d,]+ images computed now in ([\d.]+) s")


def run_command(launcher: list[str], project: Path, options: list[str]) -> tuple[float, float, float]:
    """Extract a new project; return the seconds of the extraction, of the command, and of the processor."""
    words = [sys.executable, "-m", *launcher, "extract", str(project), "--quiet", *options]
    start, processor = time.perf_counter(), _processor_seconds()
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ)
    seconds = time.perf_counter() - start
    said = _SAID.search(done.stdout)
    assert said is not None, done.stdout + done.stderr
    return float(said[2]), seconds, _processor_seconds() - processor


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="mobilenet_v2", help="a torchvision classification model")
    parser.add_argument("--layer", default="features.18")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    print(machine(), load(), sep="\n")
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_photographs(folder / "images", arguments.images)
        network = load_model(ModelSource(arguments.model), download=False)
        torch.save(network.module.state_dict(), folder / "weights.pth")
        options = ["--images", str(folder / "images"), "--model", arguments.model]
        options += ["--weights", str(folder / "weights.pth"), "--layers", arguments.layer]
        torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(arguments.processes)]
        launchers = {"one process": ["app"], f"{arguments.processes} processes": [*torchrun, "-m", "app"]}
        seconds: dict[str, list[tuple[float, float, float]]] = {title: [] for title in launchers}
        arrays = []
        for turn in range(arguments.turns):
            for number, (title, launcher) in enumerate(launchers.items()):
                project = folder / f"{turn} {number}.prism"
                seconds[title].append(run_command(launcher, project, options))
                arrays.append(np.load(project / "activations" / f"{arguments.layer}.npy"))
    print(
        f"{arguments.model} up to {arguments.layer}, {arguments.turns} turns of {arguments.images} JPEGs of "
        f"{PHOTOGRAPH[0]} × {PHOTOGRAPH[1]}"
    )
    for title, turns in seconds.items():
        extraction, command, processor = (statistics.median(times) for times in zip(*turns, strict=True))
        print(
            f"{title:12s} {arguments.images / extraction:7.1f} images/s ({extraction:.1f} s); the whole "
            f"command {command:.1f} s, {processor:.1f} s of processor time"
        )
    same = all(array.tobytes() == arrays[0].tobytes() for array in arrays)
    print(f"activations byte for byte the same in all turns: {'yes' if same else 'NO'}")
    print(load())
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
