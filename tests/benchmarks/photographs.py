"""Image files for benchmarks: JPEGs with the size and the detail of ordinary photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PHOTOGRAPH = (500, 375)


def draw_photographs(folder: Path, count: int, size: tuple[int, int] = PHOTOGRAPH, seed: int = 0) -> None:
    """Write JPEGs of smooth shapes, finer and finer texture and a little noise: about 90 kB at 500 × 375."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    for number in range(count):
        picture = rng.normal(0, 0.15, (height, width, 3)).astype(np.float32)
        for cells in (4, 16, 64, 128):
            grid = rng.normal(0, 1 / cells**0.4, (cells, cells, 3)).astype(np.float32)
            planes = [
                np.asarray(Image.fromarray(grid[..., c]).resize(size, Image.Resampling.BICUBIC))
                for c in range(3)
            ]
            picture += np.stack(planes, axis=-1)
        pixels = np.clip(128 + 90 * picture, 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:05d}.jpg", quality=90)
