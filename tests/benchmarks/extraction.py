"""Extraction beside a plain rendering of the published loop, and beside the network's bare forward pass.

    python -m tests.benchmarks.extraction
    python -m tests.benchmarks.extraction --model mobilenet_v2 --layer features.18 --images 512 \
        --with-layers features.7 features.11 features.14

Each takes three to four minutes; the machine should have nothing else to do. All are timed in one run, in
turns, on the same JPEG files of ordinary photograph size, drawn for the occasion; reported are medians of the
turns. The network has random weights, its batch norms the statistics of those photographs.

- The published loop: eager float32, all of the network, with gradients (see published_loop.py).
- The bare forward pass: the network as extraction prepares it (batch norm fused, channels last, weights laid
  out, truncated) on a batch in memory, again and again. Two arrangements, each with the batch that is fastest
  in a trial: all processors work on one batch, or each runs a copy on batches of its own.
- Extraction: a whole project, from the first image to the end of the index. To prepare the network, which
  takes seconds whatever the number of images, is not in it, and given apart.
- Extraction of several layers in one pass, up to the same deepest one.

Beside images per second stand the processor time of an image, which other work on the machine changes less,
and the largest share of the processors that other work had in a turn (Linux): from a few per cent on, turns
are not to be compared by the clock.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backend.activations.extraction import extract
from backend.images import find_images, preprocess_image
from backend.models import load_model, normalise, prepare_for_inference
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.weights_file import weights_sha256
from backend.project import Project
from backend.task import SilentTask
from tests.benchmarks.bare_forward import BareForward
from tests.benchmarks.machine import OtherWork, load, machine
from tests.benchmarks.photographs import PHOTOGRAPH, draw_photographs
from tests.benchmarks.published_loop import published_loop

BATCHES = {"shared": (4, 8, 16, 32), "copies": (1, 2, 4, 8)}
TRIALS = 2
N_CLASSES = 1000
N_EXACT = 4  # images whose rounding is looked at


@dataclass
class Turns:
    """Images per second of each turn, milliseconds of processor time an image, and what others did."""

    rates: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def time(self, work: Callable[[], int]) -> None:
        """Take a turn; ``work`` returns its number of images."""
        others, start, processor = OtherWork(), time.perf_counter(), time.process_time()
        n_images = work()
        self.add(n_images, time.perf_counter() - start, time.process_time() - processor, others.percent())

    def add(self, n_images: int, seconds: float, processor_seconds: float, others: float) -> None:
        """Take in a turn that was timed already."""
        self.others.append(others)
        self.rates.append(n_images / seconds)
        self.processor.append(1000 * processor_seconds / n_images)

    def ratio(self, other: Turns) -> float:
        """How many times faster than another, in the median of turns that were taken together."""
        return statistics.median(mine / its for mine, its in zip(self.rates, other.rates, strict=True))

    def processor_ratio(self, other: Turns) -> float:
        """How many times less processor time an image takes than with another, in the median."""
        return statistics.median(other.processor) / statistics.median(self.processor)

    def line(self, name: str) -> str:
        """Describe it in a line of the table."""
        return (
            f"{name:58s} {statistics.median(self.rates):7.2f}  ({min(self.rates):.2f} to "
            f"{max(self.rates):.2f})  {statistics.median(self.processor):6.1f}  {max(self.others):5.0f} %"
        )


class StartWatch(SilentTask):
    """Notes when an extraction's first image begins."""

    def __init__(self) -> None:
        self.began = 0.0
        self.processor = 0.0
        self.others = OtherWork()

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Note the first message that tells of images."""
        if not self.began and message.startswith("Extracting"):
            self.began, self.processor = time.perf_counter(), time.process_time()
            self.others = OtherWork()


class Extraction:
    """Extraction of photographs into a new project in every turn."""

    def __init__(self, folder: Path, images: Path, loaded: LoadedModel, layers: Sequence[str]) -> None:
        self.turns = Turns()
        self.preparing: list[float] = []
        self.activations: NDArray[np.float32] | None = None
        self._folder = folder
        self._images = find_images(images)
        self._loaded = loaded
        self._layers = layers

    def take_turn(self) -> None:
        """Extract all photographs."""
        path = self._folder / f"{time.monotonic_ns()}.prism"
        watch = StartWatch()
        with Project.create(path, self._loaded.source, self._images, layers=self._layers) as project:
            start = time.perf_counter()
            result = extract(project, self._loaded, self._layers, task=watch)
            end, processor, others = time.perf_counter(), time.process_time(), watch.others.percent()
            self.activations = np.array(project.activations(self._layers[-1]))
        self.preparing.append(watch.began - start)
        self.turns.add(result.n_computed, end - watch.began, processor - watch.processor, others)


@dataclass
class Comparison:
    """The turns of all."""

    published: Turns
    shared: Turns
    copies: Turns
    one: Extraction
    several: Extraction | None
    names: dict[str, str]
    difference: str
    rounding: str

    @property
    def best_bare(self) -> Turns:
        """The faster arrangement."""
        return max(self.shared, self.copies, key=lambda turns: statistics.median(turns.rates))

    def table(self) -> str:
        """Describe all in lines."""
        lines = [
            f"{'':58s} images/s (least to most)  processor ms/image, others at most",
            self.published.line("published loop"),
            self.shared.line(f"bare forward, {self.names['shared']}"),
            self.copies.line(f"bare forward, {self.names['copies']}"),
            self.one.turns.line("extraction"),
        ]
        if self.several is not None:
            lines.append(self.several.turns.line(f"extraction, {self.names['several']}"))
        lines += [
            f"extraction / published loop: {self.one.turns.ratio(self.published):.2f} "
            f"(by processor time {self.one.turns.processor_ratio(self.published):.2f})",
            f"extraction / best bare forward: {self.one.turns.ratio(self.best_bare):.1%} "
            f"(by processor time {self.one.turns.processor_ratio(self.best_bare):.1%})",
        ]
        if self.several is not None:
            several = self.several.turns
            lines.append(
                f"several layers / one: {several.ratio(self.one.turns):.1%} "
                f"(by processor time {several.processor_ratio(self.one.turns):.1%})"
            )
        return "\n".join(
            [
                *lines,
                f"to prepare the network: {statistics.median(self.one.preparing):.1f} s",
                f"largest difference of extraction from eager: {self.difference}",
                f"of eager from float64, for comparison: {self.rounding}",
            ]
        )


def compare(
    loaded: LoadedModel, layers: Sequence[str], n_images: int, n_turns: int, folder: Path
) -> Comparison:
    """Time all in turns; the last of the layers is the deepest, and the one that is compared."""
    images = folder / "images"
    draw_photographs(images, n_images)
    paths = sorted(images.iterdir())
    _calibrate(loaded.module, loaded, paths[:32])
    loaded = replace(loaded, weights_sha256=weights_sha256(loaded.module))
    deepest = layers[-1]
    shared, copies = best_arrangements(loaded, deepest, paths)
    one = Extraction(folder, images, loaded, [deepest])
    several = Extraction(folder, images, loaded, layers) if len(layers) > 1 else None
    published, turns = Turns(), {bare: Turns() for bare in (shared, copies)}
    # As a network comes when it is built: its weights ask for gradients.
    part = paths[: max(32, n_images // 8)]
    eager = load_model(loaded.source, download=False).module
    eager.load_state_dict(loaded.module.state_dict())
    eager.requires_grad_(True)

    # Not timed: its first gigabytes come from the system.
    expected = published_loop(eager, deepest, part, loaded.preprocessing, N_CLASSES)

    def run_published() -> int:
        published_loop(eager, deepest, part, loaded.preprocessing, N_CLASSES)
        return len(part)

    for _ in range(n_turns):
        published.time(run_published)
        for bare, its_turns in turns.items():
            its_turns.time(partial(bare.run, n_images))
        one.take_turn()
        if several is not None:
            several.take_turn()
    assert one.activations is not None
    return Comparison(
        published,
        turns[shared],
        turns[copies],
        one,
        several,
        {"shared": shared.name, "copies": copies.name, "several": f"{len(layers)} layers in one pass"},
        _differences(one.activations[: len(part)], expected),
        _differences(expected[:N_EXACT], exact_values(eager, deepest, paths[:N_EXACT], loaded.preprocessing)),
    )


def _differences(values: NDArray[np.floating], expected: NDArray[np.float64]) -> str:
    differences = values - expected
    of_row = np.linalg.norm(differences, axis=1) / np.linalg.norm(expected, axis=1)
    of_largest = np.abs(differences).max() / np.abs(expected).max()
    return f"{of_largest:.1e} of the largest activation, {of_row.max():.1e} of an image's norm"


def exact_values(
    network: nn.Module, layer: str, paths: Sequence[Path], preprocessing: Preprocessing
) -> NDArray[np.float64]:
    """Return a layer's pooled activations as float64 arithmetic gives them."""
    pixels = np.stack([preprocess_image(path, preprocessing) for path in paths])
    exact = copy.deepcopy(network).double()
    maps: list[torch.Tensor] = []
    exact.get_submodule(layer).register_forward_hook(lambda _m, _i, output: maps.append(output))
    with torch.no_grad():
        exact(normalise(pixels, preprocessing).double())
    return maps[0].mean(dim=(2, 3)).numpy()


def best_arrangements(
    loaded: LoadedModel, layer: str, paths: Sequence[Path]
) -> tuple[BareForward, BareForward]:
    """Try batch sizes for both arrangements of the bare forward pass, and return the fastest of each."""
    n_copies = torch.get_num_threads()
    prepared = prepare_for_inference(loaded, [layer])
    largest = max(max(sizes) for sizes in BATCHES.values())
    pixels = np.stack([preprocess_image(path, loaded.preprocessing) for path in paths[:largest]])
    best = []
    for arrangement, sizes in BATCHES.items():
        copies = n_copies if arrangement == "copies" else 1
        tried = [BareForward(prepared, [layer], pixels, loaded.preprocessing, size, copies) for size in sizes]
        rates = dict.fromkeys(tried, 0.0)
        for _ in range(TRIALS):
            for bare in tried:
                start = time.perf_counter()
                ran = bare.run(largest)
                rates[bare] = max(rates[bare], ran / (time.perf_counter() - start))
        for bare, rate in rates.items():
            print(f"trial: bare forward, {bare.name:50s} {rate:6.1f} images/s", flush=True)
        best.append(max(rates, key=lambda bare: rates[bare]))
        for bare in tried:
            if bare is not best[-1]:
                bare.close()
    return best[0], best[1]


def _calibrate(network: nn.Module, loaded: LoadedModel, paths: Sequence[Path]) -> None:
    """Give batch norms the statistics of photographs, so that activations stay in range at every depth."""
    pixels = np.stack([preprocess_image(path, loaded.preprocessing) for path in paths])
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    with torch.no_grad():
        for norm in norms:
            norm.train()
        network(normalise(pixels, loaded.preprocessing))
    network.eval()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="inception_v3", help="a torchvision classification model")
    parser.add_argument("--layer", default="Mixed_7b", help="the deepest layer")
    parser.add_argument(
        "--with-layers",
        nargs="*",
        default=["Mixed_5d", "Mixed_6c", "Mixed_7a"],
        help="layers above it, for the pass with several",
    )
    parser.add_argument("--images", type=int, default=128, help="in each turn")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    print(machine(), load(), sep="\n", flush=True)
    loaded = load_model(ModelSource(arguments.model), download=False)
    print(
        f"{arguments.model} up to {arguments.layer} at {loaded.preprocessing.input_size} × "
        f"{loaded.preprocessing.input_size}, {arguments.turns} turns of {arguments.images} JPEGs of "
        f"{PHOTOGRAPH[0]} × {PHOTOGRAPH[1]}",
        flush=True,
    )
    layers = [*arguments.with_layers, arguments.layer]
    with tempfile.TemporaryDirectory() as folder:
        print(compare(loaded, layers, arguments.images, arguments.turns, Path(folder)).table())
    print(load())
    return 0


if __name__ == "__main__":
    sys.exit(main())
