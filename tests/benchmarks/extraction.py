"""Extraction beside a plain rendering of the published loop, and beside the model's bare forward pass.

All three are timed in one run on the same JPEG files of ordinary photograph size, drawn for the occasion:

    python -m tests.benchmarks.extraction --model inception_v3 --layer Mixed_7b --images 256
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from backend.activations.extraction import extract
from backend.images import find_images, preprocess_image
from backend.models import LayerReader, load_model, normalise, prepare_for_inference
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource
from backend.project import Project

PHOTOGRAPH = (500, 375)
PUBLISHED_BATCH = 32
BARE_BATCH = 32


@dataclass(frozen=True)
class Rates:
    """Images per second of the three, and the largest difference relative to the largest activation."""

    published: float
    ours: float
    bare: float
    difference: float


def draw_photographs(folder: Path, count: int, seed: int = 0) -> None:
    """Write JPEGs with the size and the detail of ordinary photographs (about 60 to 100 kB each)."""
    rng = np.random.default_rng(seed)
    width, height = PHOTOGRAPH
    for number in range(count):
        picture = np.zeros((height, width, 3))
        for cells in (4, 16, 64, 128):
            grid = rng.normal(0, 1 / cells**0.4, (cells, cells, 3)).astype(np.float32)
            planes = [
                np.asarray(Image.fromarray(grid[..., c]).resize(PHOTOGRAPH, Image.Resampling.BICUBIC))
                for c in range(3)
            ]
            picture += np.stack(planes, axis=-1)
        pixels = np.clip(128 + 90 * picture, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.jpg", quality=90)


def published_loop(
    module: nn.Module, layer: str, loaded: LoadedModel, paths: list[Path]
) -> tuple[NDArray[np.float64], float]:
    """Run the published experiment's loop, plainly: all of the model, with gradients, in the main thread.

    Returns
    -------
    pooled, seconds
        float64 (images, d), and how long it took.
    """
    maps: list[torch.Tensor] = []
    handle = module.get_submodule(layer).register_forward_hook(lambda _m, _i, output: maps.append(output))
    kept: list[NDArray[np.float64]] = []
    start = time.perf_counter()
    for batch in _batches(paths, PUBLISHED_BATCH):
        pixels = np.stack([preprocess_image(path, loaded.preprocessing) for path in batch])
        inputs = normalise(pixels, loaded.preprocessing).contiguous().requires_grad_(True)
        maps.clear()
        output = module(inputs)
        strongest = output.max(dim=1).values.sum()
        torch.autograd.grad(strongest, maps[0], retain_graph=True)
        torch.autograd.grad(output.sum(), maps[0])
        kept.append(maps[0].detach().numpy().astype(np.float64))
    pooled = np.concatenate(kept).mean(axis=(2, 3))
    seconds = time.perf_counter() - start
    handle.remove()
    return pooled, seconds


def bare_forward(loaded: LoadedModel, layer: str, paths: list[Path], count: int) -> float:
    """Return the seconds that the prepared model takes for ``count`` images that are in memory already."""
    reader = LayerReader(prepare_for_inference(loaded, [layer]), [layer])
    pixels = np.stack([preprocess_image(path, loaded.preprocessing) for path in paths[:BARE_BATCH]])
    batch = normalise(pixels, loaded.preprocessing)
    reader.read(batch)
    start = time.perf_counter()
    for rows in _batches(list(range(count)), BARE_BATCH):
        reader.read(batch[: len(rows)])
    return time.perf_counter() - start


def our_extraction(
    folder: Path, images: Path, source: ModelSource, loaded: LoadedModel, layer: str
) -> tuple[NDArray[np.float32], float]:
    """Extract into a project; return the activations and the seconds from the first image to the index."""
    with Project.create(folder / "benchmark.prism", source, find_images(images), layers=[layer]) as project:
        result = extract(project, loaded, [layer])
        return np.array(project.activations(layer)), result.seconds


def _batches(items: list, size: int) -> Iterator[list]:  # type: ignore[type-arg]
    for start in range(0, len(items), size):
        yield items[start : start + size]


def measure(source: ModelSource, layer: str, count: int, folder: Path) -> Rates:
    """Time the three, the bare forward pass before and after the extraction because machines drift."""
    images = folder / "images"
    images.mkdir()
    draw_photographs(images, count)
    paths = sorted(images.iterdir())
    loaded = load_model(source)
    plain = load_model(source).module.requires_grad_(True)
    plain.load_state_dict(loaded.module.state_dict())
    before = bare_forward(loaded, layer, paths, count)
    ours, seconds = our_extraction(folder, images, source, loaded, layer)
    after = bare_forward(loaded, layer, paths, count)
    # The plain loop is slow: a part of the images is enough for its rate.
    part = paths[: max(PUBLISHED_BATCH, count // 4)]
    expected, published_seconds = published_loop(plain, layer, loaded, part)
    difference = float(np.abs(ours[: len(part)] - expected).max() / np.abs(expected).max())
    return Rates(len(part) / published_seconds, count / seconds, 2 * count / (before + after), difference)


def main() -> int:
    """Print the rates and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="inception_v3", help="a torchvision classification model")
    parser.add_argument("--layer", default="Mixed_7b")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--weights", type=Path, help="weights file; default: random weights")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = arguments.weights or random_weights(arguments.model, folder)
        source = ModelSource(arguments.model, str(weights), None)
        rates = measure(source, arguments.layer, arguments.images, folder)
    capability = torch.backends.cpu.get_cpu_capability()
    print(f"{arguments.model} up to {arguments.layer}, {arguments.images} JPEGs of {PHOTOGRAPH}")
    print(f"{platform.machine()}, {capability}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"published loop  {rates.published:7.2f} images/s")
    print(f"extraction      {rates.ours:7.2f} images/s, {rates.ours / rates.published:.2f} × the loop")
    print(f"bare forward    {rates.bare:7.2f} images/s, extraction reaches {rates.ours / rates.bare:.0%}")
    print(f"largest difference from eager, relative to the largest activation: {rates.difference:.1e}")
    return 0


def random_weights(name: str, folder: Path) -> Path:
    """Write seeded random weights, with batch norm statistics that keep activations in range."""
    from backend.networks.torchvision_import import import_torchvision

    torchvision = import_torchvision()
    torch.manual_seed(0)
    module = torchvision.models.get_model(name, weights=None).train()
    with torch.no_grad():
        for _ in range(2):
            module(torch.randn(4, 3, 299, 299))
    path = folder / f"{name}.pth"
    torch.save(module.state_dict(), path)
    return path


if __name__ == "__main__":
    sys.exit(main())
