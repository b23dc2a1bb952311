"""A project with one large layer that no network computed: activations of ReLU-like chance, for timing."""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path

import numpy as np

from backend.activations.store import DTYPE, ActivationWriter, activation_bytes
from backend.images import ImageSet
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project import Project
from backend.project_folder.layer_binding import LayerBinding

LAYER = "Mixed_7b"
N_CLASSES = 1000

_BINDING = LayerBinding("ab" * 32, Preprocessing(299, 342), "mean")
_POOL_ROWS = 4096


def make_project(folder: Path, n_images: int) -> Path:
    """Make a project with the image list of a large dataset, none of whose files is there."""
    paths = tuple(f"n{row % N_CLASSES:08d}/n{row % N_CLASSES:08d}_{row:07d}.JPEG" for row in range(n_images))
    images = ImageSet(folder / "images", tuple(sorted(paths)), tuple(sorted(path[:9] for path in paths)))
    with Project.create(
        folder / "large.prism", ModelSource("inception_v3"), images, layers=[LAYER]
    ) as project:
        return project.path


def write_layer(path: Path, n_neurons: int, seed: int = 0) -> float:
    """Write a layer's activations, no two rows alike, and put its blocks on record; return the seconds."""
    rng = np.random.default_rng(seed)
    pool = np.maximum(rng.standard_normal((_POOL_ROWS, n_neurons), dtype=np.float32), 0)
    with Project.open(path) as project:
        project.bind_model(_BINDING.weights_sha256, _BINDING.preprocessing)
        record = project.extracted_layers.add(LAYER, n_neurons, _BINDING)
        ActivationWriter(record.file, project.n_images, n_neurons).close()
        header = activation_bytes(project.n_images, n_neurons) - project.n_images * n_neurons * DTYPE.itemsize
        started = time.perf_counter()
        with record.file.open("r+b", 0) as file:
            file.seek(header)
            for start in range(0, project.n_images, _POOL_ROWS):
                rows = min(_POOL_ROWS, project.n_images - start)
                shifted = np.roll(pool, int(rng.integers(n_neurons)), axis=1) * np.float32(
                    rng.uniform(0.9, 1.1)
                )
                file.write(shifted[:rows].data)
            os.fsync(file.fileno())
        seconds = time.perf_counter() - started
        _record_blocks(project, record.file, header, n_neurons)
    return seconds


def _record_blocks(project: Project, path: Path, header: int, n_neurons: int) -> None:
    """Put all blocks on record in one transaction; an extraction takes one for each."""
    rows = project.block_rows
    blocks = []
    with path.open("rb", 0) as file:
        file.seek(header)
        for start in range(0, project.n_images, rows):
            stop = min(start + rows, project.n_images)
            blocks.append((start, stop, zlib.crc32(file.read((stop - start) * n_neurons * DTYPE.itemsize))))
    with project._database.transaction() as connection:
        connection.executemany("INSERT INTO blocks (layer, start, stop, crc32) VALUES (1, ?, ?, ?)", blocks)


def forget_pages(path: Path) -> bool:
    """Have the system forget what it holds of a file in memory; return whether it can."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with path.open("r+b") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True
