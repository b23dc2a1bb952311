"""Reading images on every core: in order, bounded, one thread a worker, and ending when asked to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from backend.activations import inference
from backend.activations.inference import BatchOfImages, Inference
from backend.errors import ImageError, ModelError
from backend.images import find_images
from backend.processor_cores import available_cores
from tests.backend.small_projects import network, write_images


@pytest.fixture
def images(tmp_path):
    found = find_images(write_images(tmp_path / "images", per_class=20))
    return [found.root / path for path in found.paths]


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def batches(n, size=4):
    return [BatchOfImages(range(first, min(first + size, n)), ("late",)) for first in range(0, n, size)]


def test_results_come_in_order_whatever_finishes_first(images, monkeypatch):
    first_may_go = threading.Event()
    read = inference.preprocess_image

    def slow_first(path, preprocessing):
        if path == images[0]:
            assert first_may_go.wait(10)
        if path == images[11]:
            first_may_go.set()
        return read(path, preprocessing)

    monkeypatch.setattr(inference, "preprocess_image", slow_first)
    results = list(Inference(network(), ["late"], n_workers=3).read(batches(60), images.__getitem__))
    assert [row for result in results for row in result.batch.rows] == list(range(60))
    alone = list(Inference(network(), ["late"], n_workers=1).read(batches(60), images.__getitem__))
    for result, other in zip(results, alone, strict=True):
        assert result.activations["late"].tobytes() == other.activations["late"].tobytes()


def test_few_batches_are_read_ahead(images):
    asked = []

    def path(row):
        asked.append(row)
        return images[row % 60]

    endless = (BatchOfImages(range(i, i + 1), ("late",)) for i in range(100_000))
    results = Inference(network(), ["late"], n_workers=2).read(endless, path)
    for _ in range(5):
        next(results)
    results.close()
    assert len(asked) <= 5 + 2 + 2


def test_closing_ends_the_workers(images):
    results = Inference(network(), ["late"], n_workers=2).read(batches(60), images.__getitem__)
    next(results)
    assert any(thread.name.startswith("inference") for thread in threading.enumerate())
    results.close()
    assert not any(thread.name.startswith("inference") for thread in threading.enumerate())


@pytest.mark.usefixtures("two_threads")
def test_each_worker_computes_on_one_core_and_nobody_else_does(images):
    loaded = network()
    seen = []
    loaded.module.early.register_forward_hook(
        lambda *_: seen.append((threading.current_thread().name, torch.get_num_threads()))
    )
    torch.set_num_threads(2)
    list(Inference(loaded, ["late"], n_workers=2).read(batches(60), images.__getitem__))
    in_workers = {n for name, n in seen if name.startswith("inference")}
    assert in_workers == {1}
    assert torch.get_num_threads() == 2
    with ThreadPoolExecutor(1) as new_thread:
        assert new_thread.submit(torch.get_num_threads).result() == 2


def test_copies_share_their_weights(images):
    loaded = network()
    copies = inference._copies(loaded.module, 3)
    pointers = [[tensor.data_ptr() for tensor in copy.state_dict().values()] for copy in copies]
    assert pointers[0] == pointers[1] == pointers[2]
    assert len({id(copy) for copy in copies}) == 3


def test_batches_shrink_so_that_the_largest_tensor_stays_small():
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import ModelSource

    loaded = network()
    assert Inference(loaded, ["late"], n_workers=1).batch_size == 32
    large = LoadedModel(loaded.module, loaded.preprocessing.with_input_size(512), "00", ModelSource("x"))
    # 6 maps of 510 × 510 float32 values are 6.2 MB: four of them fit into 24 MiB.
    assert Inference(large, ["late"], n_workers=1).batch_size == 4


def test_rows_passed_over_are_not_looked_at(images):
    results = list(
        Inference(network(), ["late"], n_workers=2).read(
            [BatchOfImages(range(4), ("late",))], {0: images[0], 2: images[2]}.__getitem__, passed_over={1, 3}
        )
    )
    assert set(results[0].states) == {0, 2}
    assert results[0].failures == {}
    np.testing.assert_array_equal(results[0].activations["late"][1], results[0].activations["late"][3])


def test_failures_are_told_by_row(images):
    images[2].write_bytes(b"")
    images[3].unlink()
    (result,) = Inference(network(), ["late"], n_workers=2).read(
        [BatchOfImages(range(5), ("late",))], images.__getitem__
    )
    assert sorted(result.failures) == [2, 3]
    assert all(isinstance(error, ImageError) for error in result.failures.values())
    assert sorted(result.states) == [0, 1, 2, 4]


def test_a_model_that_fails_ends_the_reading_with_its_reason(images):
    loaded = network()
    running = Inference(loaded, ["late"], n_workers=2)

    def failing(*_):
        raise RuntimeError("out of order")

    for _ in range(2):
        readers = running._readers.get()
        readers._module.early.register_forward_hook(failing)
        running._readers.put(readers)
    with pytest.raises(ModelError, match="out of order"):
        list(running.read(batches(60), images.__getitem__))
    assert not any(thread.name.startswith("inference") for thread in threading.enumerate())


def test_there_is_a_core():
    assert available_cores() >= 1
