"""The peak memory of an extraction above the loaded network, whatever the number of images.

    python -m tests.benchmarks.extraction_memory

Takes about four minutes. For 10,000 and 100,000 images: a tiny network, whose layer has the published one's
2048 neurons, on small JPEG files, which are links to a few. Then Inception V3 up to Mixed_7b at 299 × 299 on
ordinary photographs: there the memory has to stay where it is after the first block. A process of its own for
each count opens the project, extracts, and opens the project again, as the window does after an extraction.
Memory is the resident size that the system counts, its highest value above that with the network loaded; the
limit is 1.5 GiB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from backend.activations.extraction import ExtractionProgress, extract
from backend.images import find_images
from backend.models import load_model
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.weights_file import weights_sha256
from backend.project import Project
from backend.task import SilentTask
from tests.benchmarks.machine import load, machine
from tests.benchmarks.peak_memory import PeakMemory, resident_mebibytes
from tests.benchmarks.photographs import PHOTOGRAPH, draw_photographs

LIMIT_MIB = 1536
TINY_COUNTS = (10_000, 100_000)
TINY_SIDE = 32
N_DRAWN = 50
N_CLASSES = 1000

ROW = "{:10s} {:>8s} {:>9s} {:>7s} {:>6s}   {:^19s} {:>10s}   {}"

Result = dict[str, Any]


def tiny_network() -> tuple[LoadedModel, str]:
    """Return a network that costs nothing and has 2048 neurons, and its layer."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=4), nn.ReLU(), nn.Conv2d(16, 2048, 3, stride=4), nn.ReLU()
    )
    module.eval().requires_grad_(False)
    preprocessing = Preprocessing(TINY_SIDE, TINY_SIDE)
    return LoadedModel(module, preprocessing, weights_sha256(module), ModelSource("tiny.py:network")), "3"


def inception() -> tuple[LoadedModel, str]:
    """Return the published network, with random weights, and its published layer."""
    torch.manual_seed(0)
    return load_model(ModelSource("inception_v3"), download=False), "Mixed_7b"


NETWORKS = {"tiny": tiny_network, "inception": inception}


class MemoryWatch(SilentTask):
    """Notes the resident size as images are done."""

    def __init__(self) -> None:
        self.noted: list[tuple[int, float]] = []

    def partial(self, result: object) -> None:
        """Note it."""
        if isinstance(result, ExtractionProgress):
            self.noted.append((result.n_done, resident_mebibytes()))

    def quarters(self) -> list[float]:
        """Return the highest size noted in each quarter of the images."""
        n_images = self.noted[-1][0]
        places = [min(3, 4 * (done - 1) // n_images) for done, _ in self.noted]
        return [
            max(
                (size for place, (_, size) in zip(places, self.noted, strict=True) if place == quarter),
                default=0.0,
            )
            for quarter in range(4)
        ]


def measure(network: str, path: Path) -> Result:
    """Open a project, extract it, open it again: the peak of each, above what is there before."""
    loaded, layer = NETWORKS[network]()
    before = resident_mebibytes()
    memory, watch = PeakMemory(), MemoryWatch()
    with Project.open(path) as project:
        started = time.perf_counter()
        result = extract(project, loaded, [layer], task=watch)
        seconds = time.perf_counter() - started
    extracting = memory.mebibytes()
    memory = PeakMemory()
    with Project.open(path) as project:
        index = project.neuron_index(layer)
        assert len(project.image_paths) == len(project.image_labels) == result.n_images
        assert index.n_neurons == project.activations(layer).shape[1]
        changed = project.changed_images()
    assert changed == ()
    return {
        "n_images": result.n_images,
        "images/s": result.n_images / seconds,
        "peak": extracting,
        "quarters": [size - before for size in watch.quarters()],
        "opening": memory.mebibytes(),
        "loaded": before,
    }


def link_images(folder: Path, drawn: Sequence[Path], count: int) -> None:
    """Make many files of a few, in a thousand classes."""
    for row in range(count):
        path = folder / f"class {row % N_CLASSES:04d}" / f"{row:07d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        source = drawn[row % len(drawn)]
        try:
            os.link(source, path)
        except OSError:  # a file system without links, or with few to a file
            path.write_bytes(source.read_bytes())


def _in_a_process(network: str, path: Path) -> Result:
    command = [sys.executable, "-m", "tests.benchmarks.extraction_memory", "--measure", network, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def run(network: str, drawn: Sequence[Path], count: int, folder: Path) -> float:
    """Measure one network on one number of images; print its line and return the peak in MiB."""
    images = folder / f"{network} {count}"
    link_images(images, drawn, count)
    path = folder / f"{network} {count}.prism"
    Project.create(path, ModelSource("inception_v3"), find_images(images)).close()
    found = _in_a_process(network, path)
    quarters = " ".join(f"{size:4.0f}" for size in found["quarters"])
    peak = max(found["peak"], found["opening"])
    verdict = f"{'within' if peak <= LIMIT_MIB else 'ABOVE'} {LIMIT_MIB}"
    rate, loaded, extracting, opening = (found[key] for key in ("images/s", "loaded", "peak", "opening"))
    print(
        ROW.format(
            network,
            f"{count:,}",
            f"{rate:.1f}",
            _mib(loaded),
            _mib(extracting),
            quarters,
            _mib(opening),
            verdict,
        )
    )
    sys.stdout.flush()
    return peak


def _mib(size: float) -> str:
    return f"{size:.0f}"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--counts", type=int, nargs="*", default=TINY_COUNTS, help="for the tiny network")
    parser.add_argument("--inception", type=int, nargs="*", default=(128, 768), help="for Inception V3")
    parser.add_argument("--folder", type=Path, help="where to write; default: the temporary folder")
    parser.add_argument("--measure", nargs=2, metavar=("NETWORK", "PROJECT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        network, path = arguments.measure
        print(json.dumps(measure(network, Path(path))))
        return 0
    print(machine(), load(), sep="\n")
    print("MiB; from “peak” on above the loaded network")
    print(
        ROW.format("network", "images", "images/s", "loaded", "peak", "in each quarter", "reopening", "limit")
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        draw_photographs(folder / "small", N_DRAWN, (TINY_SIDE, TINY_SIDE))
        draw_photographs(folder / "photographs", N_DRAWN, PHOTOGRAPH)
        small, photographs = (sorted((folder / name).iterdir()) for name in ("small", "photographs"))
        peaks = [run("tiny", small, count, folder) for count in arguments.counts]
        peaks += [run("inception", photographs, count, folder) for count in arguments.inception]
    print(load())
    return 0 if max(peaks) <= LIMIT_MIB else 1


if __name__ == "__main__":
    sys.exit(main())
