"""The memory of an extraction does not grow with the number of images, but for some hundred bytes of each."""

import gc
import os
import tracemalloc
import weakref

import numpy as np
import pytest
from PIL import Image
from torch import nn

from backend.activations import inference
from backend.activations.extraction import extract
from backend.images import find_images
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project import Project

SIDE = 24
N_NEURONS = 1024
BLOCK_ROWS = 32
N_WORKERS = 2

# Its path, its class, the state of its file, its rows in the database.
BYTES_OF_AN_IMAGE = 1000


@pytest.fixture(scope="module")
def loaded():
    module = nn.Sequential(nn.Conv2d(3, N_NEURONS, 8, stride=8)).eval().requires_grad_(False)
    return LoadedModel(module, Preprocessing(SIDE, SIDE), "00", ModelSource("wide.py:network"))


def project_of(folder, count):
    """A project of many files that are few."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:05d}.png"
        if number < 5:
            Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
        else:
            os.link(folder / f"{number % 5:05d}.png", path)
    path = folder.with_suffix(".prism")
    return Project.create(path, ModelSource("wide.py:network"), find_images(folder), block_rows=BLOCK_ROWS)


def peak_of_extraction(project, loaded):
    """Return the most bytes that Python and NumPy held at a time, above those before."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    extract(project, loaded, ["0"], n_workers=N_WORKERS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


def test_of_many_images_little_more_is_kept_than_of_few(tmp_path, loaded, monkeypatch):
    # What is made once is made before.
    with project_of(tmp_path / "first", 8) as project:
        extract(project, loaded, ["0"], n_workers=N_WORKERS)
    # A neuron index that is full in both cases.
    monkeypatch.setattr("backend.activations.layer_extraction.MAX_TOP_N", 50)
    few, many = 600, 1200
    peaks = []
    for count in (few, many):
        with project_of(tmp_path / f"{count} images", count) as project:
            peaks.append(peak_of_extraction(project, loaded))
            assert project.activations("0").shape == (count, N_NEURONS)
    grown = (peaks[1] - peaks[0]) / (many - few)
    assert grown < BYTES_OF_AN_IMAGE < min(SIDE * SIDE * 3, N_NEURONS * 4)


def test_few_batches_are_in_memory_at_a_time(tmp_path, loaded, monkeypatch):
    alive, most = weakref.WeakSet(), []

    class Counted(inference.BatchActivations):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            alive.add(self)
            most.append(len(alive))

    Counted.__hash__ = object.__hash__
    monkeypatch.setattr(inference, "BatchActivations", Counted)
    monkeypatch.setattr(inference, "_LARGEST_BATCH", 2)
    with project_of(tmp_path / "images", 300) as project:
        extract(project, loaded, ["0"], n_workers=N_WORKERS)
    assert len(most) == sum(-(-min(BLOCK_ROWS, 300 - start) // 2) for start in range(0, 300, BLOCK_ROWS))
    # Those that wait for their turn, and the one that is being taken in.
    assert max(most) <= N_WORKERS + inference._BATCHES_AHEAD + 1
