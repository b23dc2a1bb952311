"""Small image folders, projects and a small network, made on the spot for tests of project and extraction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from backend.images import find_images
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project import Project
from backend.project_folder.layer_binding import LayerBinding

PREPROCESSING = Preprocessing(input_size=16, resize_size=16)
BINDING = LayerBinding(weights_sha256="ab" * 32, preprocessing=PREPROCESSING, pooling="mean")


def write_images(root: Path, n_classes: int = 3, per_class: int = 4, seed: int = 0) -> Path:
    """Write coloured noise as PNG, one folder a class (flat if there are no classes)."""
    rng = np.random.default_rng(seed)
    for number in range(max(n_classes, 1)):
        folder = root / f"class {number} ü" if n_classes else root
        folder.mkdir(parents=True, exist_ok=True)
        for place in range(per_class):
            pixels = rng.integers(0, 256, (16, 16, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"画像 {place:03d}.png")
    return root


def make_project(folder: Path, *, n_classes: int = 3, per_class: int = 4, **options) -> Project:
    """Make images and a project of them, below ``folder``."""
    images = find_images(write_images(folder / "images", n_classes, per_class))
    return Project.create(folder / "Prüfung.prism", ModelSource("mobilenet_v2"), images, **options)


def add_layer(project: Project, activations: np.ndarray, name: str = "features.18") -> None:
    """Put activations into a project as an extraction would, in the project's blocks."""
    from backend.activations.store import ActivationWriter

    project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)
    record = project.extracted_layers.add(name, activations.shape[1], BINDING)
    writer = ActivationWriter(record.file, project.n_images, activations.shape[1])
    for start in range(0, len(activations), project.block_rows):
        block = activations[start : start + project.block_rows]
        crc32 = {name: writer.write(start, block)}
        project.extracted_layers.record_block(start, start + len(block), crc32, {}, {})
    writer.close()


def network(seed: int = 0):
    """Return a small convolutional network as a loaded model: layers ``early`` (6 neurons), ``late`` (10)."""
    import torch
    from torch import nn

    from backend.networks.loaded_model import LoadedModel
    from backend.networks.weights_file import weights_sha256

    # Threads that wait for each other cost more than they gain on networks this small.
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    module = nn.Sequential()
    module.add_module("early", nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU()))
    module.add_module("late", nn.Sequential(nn.Conv2d(6, 10, 3, stride=2), nn.ReLU()))
    module.add_module("head", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(10, 4)))
    module = module.eval().requires_grad_(False)
    return LoadedModel(
        module, PREPROCESSING, weights_sha256(module), ModelSource("small.py:network"), ("a", "b", "c", "d")
    )
