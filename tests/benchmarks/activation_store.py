"""A store of 1.28 million images × 2048 neurons: its index, projections, opening it, and the first clicks.

    python -m tests.benchmarks.activation_store                     # 10.5 GB, a few minutes, mostly writing
    python -m tests.benchmarks.activation_store --images 128000     # a tenth of it

Each measurement runs in a process of its own, so that its peak memory is its own. Beside the rates stand
those of the machine: copying memory, and reading the same file from first to last. "Cold" means that the
system was told to forget the file's pages (Linux); "warm" that as many of them are in memory as fit. The
store is written into a temporary folder (--folder says where) and deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.evaluation.neuron_analysis import evaluate
from backend.evaluation.projections import project as project_on
from backend.method.disentangle import disentangle
from backend.method.parameters import Parameters
from backend.method.suggestion import suggest
from backend.neuron_index_builder import build_neuron_index
from backend.neurons import NeuronIndex
from backend.project import Project
from tests.benchmarks.machine import load, machine
from tests.benchmarks.peak_memory import PeakMemory
from tests.benchmarks.stored_layer import LAYER, forget_pages, make_project, write_layer

N_CONCEPTS = 8
N_CLICKS = 6
COPIED_BYTES = 1 << 30
READ_BYTES = 8 << 20

Result = dict[str, Any]


def rates_of_machine(path: Path) -> Result:
    """Copy memory, and read the store's file."""
    source = np.ones(COPIED_BYTES // 4, np.float32)
    target = np.zeros_like(source)
    copying = min(_seconds(lambda: np.copyto(target, source)) for _ in range(5))
    summing = min(_seconds(source.sum) for _ in range(5))
    file = _activation_file(path)
    cold = forget_pages(file)
    first = _seconds(lambda: _read_through(file))
    return {
        "copy": COPIED_BYTES / copying,
        "sum": COPIED_BYTES / summing,
        "read cold": file.stat().st_size / first if cold else None,
        "read warm": file.stat().st_size / _seconds(lambda: _read_through(file)),
    }


def opening(path: Path) -> Result:
    """Open the project as the window does, with the list of images."""
    memory = PeakMemory()
    started = time.perf_counter()
    with Project.open(path) as project:
        opened = time.perf_counter() - started
        n_images = len(project.image_paths)
        listed = time.perf_counter() - started
        assert n_images == project.n_images == len(project.image_labels)
    return {"open": opened, "images": listed, "memory": memory.mebibytes()}


def indexing(path: Path) -> Result:
    """Build the neuron index, cold and warm, and keep it."""
    with Project.open(path) as project:
        file = _activation_file(path)
        memory = PeakMemory()
        cold = forget_pages(file)
        first = _seconds(lambda: build_neuron_index(project.activations(LAYER)))
        second = _seconds(lambda: build_neuron_index(project.activations(LAYER)))
        result = {
            "cold": file.stat().st_size / first if cold else None,
            "warm": file.stat().st_size / second,
            "seconds": second,
            "memory": memory.mebibytes(),
        }
        project.save_neuron_index(LAYER, build_neuron_index(project.activations(LAYER)))
    return result


def projecting(path: Path) -> Result:
    """Project all images on eight concept vectors, cold and warm."""
    with Project.open(path, read_only=True) as project:
        activations = project.activations(LAYER)
        vectors = np.random.default_rng(0).random((N_CONCEPTS, activations.shape[1]))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        project_on(activations[:1000], vectors)
        memory = PeakMemory()
        cold = forget_pages(_activation_file(path))
        first = _seconds(lambda: project_on(activations, vectors))
        warm = [_seconds(lambda: project_on(activations, vectors)) for _ in range(3)]
        return {
            "cold": activations.nbytes / first if cold else None,
            "warm": activations.nbytes / min(warm),
            "seconds": min(warm),
            "memory": memory.mebibytes(),
        }


def clicking(path: Path) -> Result:
    """Load the layer and click on neurons: the dendrogram and the members first, then the whole dataset."""
    file = _activation_file(path)
    cold = forget_pages(file)
    with Project.open(path) as project:
        memory = PeakMemory()
        started = time.perf_counter()
        activations, index = project.activations(LAYER), project.neuron_index(LAYER)
        loaded = time.perf_counter() - started
        suggestion = suggest(activations, index)
        suggested = time.perf_counter() - started - loaded
        parameters = _with_clusters(activations, index, suggestion.parameters())
        if cold:
            forget_pages(file)
        neurons = np.random.default_rng(1).choice(activations.shape[1], N_CLICKS, replace=False)
        shown, whole = [], []
        for neuron in map(int, neurons):
            started = time.perf_counter()
            split = disentangle(activations, neuron, parameters, top=index.top(neuron, parameters.top_n))
            shown.append(time.perf_counter() - started)
            evaluate(LAYER, activations, split, index=index)
            whole.append(time.perf_counter() - started)
        return {
            "load": loaded,
            "suggest": suggested,
            "first shown": shown[0],
            "first whole": whole[0],
            "shown": statistics.median(shown[1:]),
            "whole": statistics.median(whole[1:]),
            "n_concepts": len(split.concepts),
            "memory": memory.mebibytes(),
        }


def _with_clusters(
    activations: NDArray[np.float32], index: NeuronIndex, parameters: Parameters
) -> Parameters:
    """Return parameters by which chance, too, falls into eight concepts."""
    heights = np.sort(disentangle(activations, 0, parameters, top=index.top(0, 100)).hierarchy.merge_heights)
    threshold = float(heights[-N_CONCEPTS : -N_CONCEPTS + 2].mean())
    return replace(parameters, distance_threshold=threshold, outlier_radius_squared=1e9, min_cluster_size=1)


STEPS: dict[str, Callable[[Path], Result]] = {
    "machine": rates_of_machine,
    "open": opening,
    "index": indexing,
    "project": projecting,
    "click": clicking,
}


def _activation_file(path: Path) -> Path:
    return path / "activations" / f"{LAYER}.npy"


def _read_through(file: Path) -> None:
    buffer = bytearray(READ_BYTES)
    with file.open("rb", 0) as opened:
        while opened.readinto(buffer):
            pass


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _in_a_process(step: str, path: Path) -> Result:
    command = [sys.executable, "-m", "tests.benchmarks.activation_store", "--step", step, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def _rate(value: float | None) -> str:
    return "      –" if value is None else f"{value / 1e9:6.2f} GB/s"


def report(path: Path) -> None:
    """Measure each step and print its line."""
    found = _in_a_process("machine", path)
    _line("copying memory (np.copyto)", _rate(found["copy"]))
    _line("reading memory (np.sum, one thread)", _rate(found["sum"]))
    _line("reading the file", f"cold {_rate(found['read cold'])}, warm {_rate(found['read warm'])}")
    for step, name in (
        ("index", "neuron index, one pass"),
        ("project", f"projection of {N_CONCEPTS} concepts"),
    ):
        found = _in_a_process(step, path)
        rates = f"cold {_rate(found['cold'])}, warm {_rate(found['warm'])} ({found['seconds']:.1f} s)"
        _line(name, f"{rates}, peak memory {found['memory']:.0f} MiB")
    found = _in_a_process("open", path)
    _line("opening the project", f"{found['open']:.2f} s, peak memory {found['memory']:.0f} MiB")
    _line("  with all paths and classes", f"{found['images']:.2f} s")
    found = _in_a_process("click", path)
    _line("loading the layer and its index", f"{found['load']:.2f} s")
    _line("suggesting a threshold, once a layer", f"{found['suggest']:.2f} s")
    for name, shown, whole in (
        ("first click, cold", "first shown", "first whole"),
        ("next clicks", "shown", "whole"),
    ):
        _line(
            f"{name}: dendrogram and members", f"{found[shown]:.2f} s, the whole dataset {found[whole]:.1f} s"
        )
    _line("  their concepts, peak memory", f"{found['n_concepts']}, {found['memory']:.0f} MiB")


def _line(name: str, text: str) -> None:
    print(f"{name:42s} {text}", flush=True)


def main() -> int:
    """Write the store, measure, delete it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=1_280_000)
    parser.add_argument("--neurons", type=int, default=2048)
    parser.add_argument("--folder", type=Path, help="where to write the store; default: the temporary folder")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "PROJECT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step, path = arguments.step
        print(json.dumps(STEPS[step](Path(path))))
        return 0
    print(machine(), load(), sep="\n", flush=True)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        started = time.perf_counter()
        path = make_project(Path(folder), arguments.images)
        made = time.perf_counter() - started
        seconds = write_layer(path, arguments.neurons)
        size = _activation_file(path).stat().st_size
        print(f"{arguments.images:,} images × {arguments.neurons} neurons, {size / 1e9:.1f} GB")
        _line("recording the image list", f"{made:.1f} s")
        _line("writing the activations", _rate(size / seconds))
        report(path)
    print(load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
