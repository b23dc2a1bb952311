"""The neuron index against a full sort, its statistics against NumPy in float64."""

import dataclasses
import itertools

import numpy as np
import pytest

from backend.activations import row_stream
from backend.activations.row_stream import n_stream_workers
from backend.errors import ProjectError
from backend.neuron_index_builder import NeuronIndexBuilder, build_neuron_index
from backend.neurons import (
    NeuronIndex,
    load_neuron_index,
    save_neuron_index,
)


def full_sort(activations, k):
    """Return the top rows by a complete sort (activation down, row up), NaN rows left out."""
    valid = np.flatnonzero(np.isfinite(activations).all(axis=1))
    rows = np.stack([valid[np.lexsort((valid, -activations[valid, n]))] for n in range(activations.shape[1])])
    return rows[:, : min(k, len(valid))]


def build(activations, k, splits, order=None):
    builder = NeuronIndexBuilder(activations.shape[1], k)
    bounds = [0, *splits, len(activations)]
    blocks = list(itertools.pairwise(bounds))
    for place in range(len(blocks)) if order is None else order:
        start, stop = blocks[place]
        builder.update(start, activations[start:stop])
    return builder.finish()


def assert_is_index_of(index: NeuronIndex, activations, k):
    rows = full_sort(activations, k)
    np.testing.assert_array_equal(index.top_images, rows)
    np.testing.assert_array_equal(
        index.top_activations, activations[rows, np.arange(activations.shape[1])[:, None]]
    )
    valid = activations[np.isfinite(activations).all(axis=1)].astype(np.float64)
    statistics = index.statistics
    assert statistics.n_images == len(valid)
    assert index.n_invalid == len(activations) - len(valid)
    np.testing.assert_array_equal(statistics.maximum, valid.max(axis=0).astype(np.float32))
    np.testing.assert_allclose(statistics.mean, valid.mean(axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(statistics.standard_deviation, valid.std(axis=0), rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(statistics.active_fraction, (valid > 0).mean(axis=0).astype(np.float32))


def relu_normal(n, d, seed=0):
    return np.maximum(np.random.default_rng(seed).normal(size=(n, d)), 0).astype(np.float32)


@pytest.mark.parametrize("k", [1, 7, 100])
@pytest.mark.parametrize("splits", [[], [1, 2, 3], [256, 512], [999, 1000, 2000]])
def test_equals_a_full_sort_whatever_the_blocks(k, splits):
    activations = relu_normal(2600, 6)
    assert_is_index_of(build(activations, k, splits), activations, k)


def test_ties_go_to_the_smaller_row():
    activations = np.random.default_rng(1).integers(0, 4, (3000, 5)).astype(np.float32)
    assert_is_index_of(build(activations, 50, [10, 700, 2048]), activations, 50)


def test_ties_go_to_the_smaller_row_also_when_blocks_come_in_any_order():
    rng = np.random.default_rng(2)
    activations = rng.integers(0, 3, (3000, 5)).astype(np.float32)
    splits = sorted(rng.choice(np.arange(1, 3000), 19, replace=False).tolist())
    index = build(activations, 40, splits, order=rng.permutation(20))
    assert_is_index_of(index, activations, 40)


def test_ascending_activations_where_every_image_beats_all_before():
    activations = np.arange(4000, dtype=np.float32).reshape(-1, 1) * np.ones((1, 3), np.float32)
    assert_is_index_of(build(activations, 30, [1000]), activations, 30)


def test_dead_constant_and_negative_neurons():
    activations = relu_normal(1500, 4)
    activations[:, 0] = 0
    activations[:, 1] = 2.5
    activations[:, 2] = -1 - activations[:, 2]
    index = build(activations, 20, [300, 600])
    assert_is_index_of(index, activations, 20)
    assert index.statistics.active_fraction.tolist()[:3] == [0, 1, 0]
    assert index.top_images[0].tolist() == list(range(20))


def test_both_zeros_are_equal():
    activations = np.zeros((600, 1), np.float32)
    activations[::2] = -0.0
    assert build(activations, 5, []).top_images.tolist() == [[0, 1, 2, 3, 4]]


def test_rows_with_nan_or_infinity_are_left_out_and_counted():
    activations = relu_normal(1200, 4)
    activations[[0, 5, 700]] = np.nan
    activations[900, 2] = np.inf
    activations[901, 1] = np.nan
    index = build(activations, 1000, [512])
    assert_is_index_of(index, activations, 1000)
    assert index.n_invalid == 5


def test_fewer_images_than_asked_for():
    activations = relu_normal(12, 3)
    activations[4] = np.nan
    index = build(activations, 1000, [5])
    assert index.top_images.shape == (3, 11)
    assert_is_index_of(index, activations, 1000)


@pytest.mark.parametrize("n_cores", [1, 2, 3])
def test_several_workers_give_the_index_of_one(monkeypatch, n_cores):
    monkeypatch.setattr(row_stream, "available_cores", lambda: n_cores)
    monkeypatch.setattr(row_stream, "_CHUNK_BYTES", 200 * 5 * 4)
    rng = np.random.default_rng(3)
    activations = rng.integers(0, 300, (2950, 5)).astype(np.float32)
    activations[:, 4] = 0.0
    activations[rng.choice(2950, 30, replace=False)] = np.nan
    assert n_stream_workers(activations) == n_cores
    for k in (1, 40, 1000, 2920):
        assert_is_index_of(build_neuron_index(activations, k), activations, k)


def test_builders_that_saw_no_row_or_few_can_be_merged():
    activations = relu_normal(300, 4)
    for bounds in ([0, 0, 300], [0, 300, 300], [0, 7, 300], [0, 0, 0]):
        builders = [NeuronIndexBuilder(4, 20) for _ in range(2)]
        for builder, (start, stop) in zip(builders, itertools.pairwise(bounds), strict=True):
            builder.update(start, activations[start:stop])
        builders[0].merge(builders[1])
        index = builders[0].finish()
        if bounds[-1]:
            assert_is_index_of(index, activations, 20)
        assert index.statistics.n_images == bounds[-1]


@pytest.mark.parametrize("n_first", [0, 50, 400])
def test_a_merged_builder_goes_on(n_first):
    activations = np.random.default_rng(4).integers(0, 200, (1200, 4)).astype(np.float32)
    first, second = NeuronIndexBuilder(4, 30), NeuronIndexBuilder(4, 30)
    second.update(0, activations[: 800 - n_first])
    first.update(800 - n_first, activations[800 - n_first : 800])
    first.merge(second)
    first.update(800, activations[800:1000])
    assert_is_index_of(first.finish(), activations[:1000], 30)
    first.update(1000, activations[1000:])
    assert_is_index_of(first.finish(), activations, 30)


def test_no_valid_image_at_all():
    index = build(np.full((20, 3), np.nan, np.float32), 10, [])
    assert index.top_images.shape == (3, 0)
    assert index.n_invalid == 20
    assert np.isnan(index.statistics.mean).all()


def test_statistics_survive_a_large_offset():
    activations = (10_000 + np.random.default_rng(3).normal(size=(5000, 2))).astype(np.float32)
    index = build(activations, 3, list(range(100, 5000, 100)))
    np.testing.assert_allclose(
        index.statistics.standard_deviation, activations.astype(np.float64).std(axis=0), rtol=1e-6
    )


def test_a_whole_layer_in_one_call_gives_the_same_bits_as_its_blocks():
    activations = relu_normal(3000, 4)
    whole, blocks = build_neuron_index(activations, 25), build(activations, 25, [512, 1024, 2560])
    for field in ("maximum", "mean", "standard_deviation", "active_fraction"):
        assert getattr(whole.statistics, field).tobytes() == getattr(blocks.statistics, field).tobytes()


def test_a_builder_goes_on_after_it_finished_once():
    activations = relu_normal(1000, 3)
    builder = NeuronIndexBuilder(3, 10)
    builder.update(0, activations[:400])
    assert_is_index_of(builder.finish(), activations[:400], 10)
    builder.update(400, activations[400:])
    assert_is_index_of(builder.finish(), activations, 10)


def test_top_images_of_a_neuron():
    activations = relu_normal(500, 3)
    activations[7] = np.nan
    top = build(activations, 100, []).top(2, 30)
    assert top.images.tolist() == full_sort(activations, 30)[2].tolist()
    assert top.images.dtype == np.int64
    assert top.n_active == np.count_nonzero(activations[:, 2] > 0)
    assert top.n_invalid == 1


def test_top_gives_all_images_of_a_small_data_set_and_refuses_more_than_it_knows():
    small = build(relu_normal(20, 2), 100, [])
    assert len(small.top(0, 100)) == 20
    large = build(relu_normal(200, 2), 50, [])
    with pytest.raises(ProjectError, match="50 strongest"):
        large.top(0, 51)
    with pytest.raises(ProjectError, match="no neuron 2"):
        large.top(2, 5)
    with pytest.raises(ProjectError):
        large.top(0, 0)


@pytest.mark.parametrize("block", [np.zeros(3, np.float32), np.zeros((2, 4), np.float32)])
def test_a_block_of_another_shape_is_refused(block):
    with pytest.raises(ProjectError, match="shape"):
        NeuronIndexBuilder(3, 5).update(0, block)


def test_arrays_cannot_be_changed():
    index = build(relu_normal(50, 2), 5, [])
    with pytest.raises(ValueError, match="read-only"):
        index.top_images[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        index.statistics.mean[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        index.n_invalid = 3


def test_saved_and_loaded_it_is_the_same(tmp_path):
    activations = relu_normal(300, 4)
    activations[3] = np.nan
    save_neuron_index(tmp_path / "layer.index.npz", build(activations, 20, []))
    assert_is_index_of(load_neuron_index(tmp_path / "layer.index.npz"), activations, 20)
    assert [path.name for path in tmp_path.iterdir()] == ["layer.index.npz"]


@pytest.mark.parametrize("length", [0, 10, 500])
def test_a_truncated_file_is_said_to_be_damaged(tmp_path, length):
    path = tmp_path / "layer.index.npz"
    save_neuron_index(path, build(relu_normal(300, 4), 20, []))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ProjectError, match="damaged"):
        load_neuron_index(path)


def test_a_missing_or_newer_file_is_refused(tmp_path):
    with pytest.raises(ProjectError, match="no neuron index"):
        load_neuron_index(tmp_path / "missing.npz")
    np.savez(tmp_path / "newer.npz", format=np.int64(99))
    with pytest.raises(ProjectError, match="newer"):
        load_neuron_index(tmp_path / "newer.npz")


def test_a_full_disk_leaves_the_former_file(tmp_path, monkeypatch):
    path = tmp_path / "layer.index.npz"
    save_neuron_index(path, build(relu_normal(300, 4), 20, []))
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.neurons.os.fsync", full)
    with pytest.raises(ProjectError, match="No space left"):
        save_neuron_index(path, build(relu_normal(300, 4, seed=9), 20, []))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
