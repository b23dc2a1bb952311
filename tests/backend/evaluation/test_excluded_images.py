"""Images taken out of the analysis, against an analysis of the data set that never had them."""

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.evaluation.neuron_analysis import analyse_neuron
from backend.method.parameters import Parameters
from backend.neuron_index_builder import build_neuron_index
from tests.backend.realistic_activations import realistic_activations

PARAMETERS = Parameters(top_n=60, distance_threshold=25.0, outlier_radius_squared=60.0)


@pytest.fixture(scope="module")
def activations() -> NDArray[np.float32]:
    values = realistic_activations()[:1500, :40].copy()
    values[17] = np.nan
    return values


def _strongest(activations: NDArray[np.float32], neuron: int, n: int) -> list[int]:
    column = np.where(np.isfinite(activations).all(axis=1), activations[:, neuron], -np.inf)
    return np.argsort(-column, kind="stable")[:n].tolist()


@pytest.mark.parametrize("with_index", [True, False])
def test_everything_is_as_if_they_were_not_there(activations: NDArray[np.float32], with_index: bool) -> None:
    neuron = 3
    excluded = sorted([*_strongest(activations, neuron, 40)[::4], 17, 900])
    left = np.setdiff1d(np.arange(len(activations)), excluded)
    index = build_neuron_index(activations).without(excluded, activations) if with_index else None
    found = analyse_neuron(
        "layer",
        activations,
        neuron,
        PARAMETERS,
        index=index,
        excluded=None if with_index else excluded,
        n_max_projecting=50,
    )
    expected = analyse_neuron("layer", activations[left], neuron, PARAMETERS, n_max_projecting=50)
    assert found.excluded == tuple(excluded)
    split, truth = found.disentanglement, expected.disentanglement
    np.testing.assert_array_equal(split.top.images, left[truth.top.images])
    np.testing.assert_array_equal(split.labels, truth.labels)
    assert split.top.n_active == truth.top.n_active
    np.testing.assert_array_equal(found.neuron_max.images, left[expected.neuron_max.images])
    assert len(split.concepts) == len(truth.concepts) > 0
    for ours, theirs in zip(
        [*found.concept_max, *found.concept_max_held_out],
        [*expected.concept_max, *expected.concept_max_held_out],
        strict=True,
    ):
        np.testing.assert_array_equal(ours.images, left[theirs.images])
    for ours, theirs in zip(found.similarities, expected.similarities, strict=True):
        assert ours.mean_cosine == pytest.approx(theirs.mean_cosine, abs=1e-5)
        assert ours.centred_cosine == pytest.approx(theirs.centred_cosine, abs=1e-5)


def test_they_are_in_no_null(activations: NDArray[np.float32]) -> None:
    """All images but a few are excluded: what random images reach is what those few do, exactly known."""
    plain = activations[:80].copy()
    plain[17] = plain[18]
    split = analyse_neuron("layer", plain, 3, PARAMETERS).disentanglement
    outside = np.setdiff1d(np.arange(80), np.concatenate([split.member_rows(one) for one in split.concepts]))
    kept, excluded = outside[:1], outside[1:]
    excluded = np.setdiff1d(excluded, split.top.images)
    poisoned = plain.copy()
    poisoned[excluded] = 1e6
    clean = analyse_neuron("layer", plain, 3, PARAMETERS, excluded=excluded.tolist())
    dirty = analyse_neuron("layer", poisoned, 3, PARAMETERS, excluded=excluded.tolist())
    assert len(kept)
    assert len(excluded) > 3
    assert repr(clean.similarities) == repr(dirty.similarities)


def test_the_statistics_are_those_of_the_images_left(activations: NDArray[np.float32]) -> None:
    excluded = [0, 17, 5, 1499, *_strongest(activations, 7, 3)]
    index = build_neuron_index(activations).without(excluded, activations)
    left = np.delete(activations, excluded, axis=0)
    left = left[np.isfinite(left).all(axis=1)].astype(np.float64)
    statistics = index.statistics
    assert statistics.n_images == len(left)
    np.testing.assert_allclose(statistics.mean, left.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(statistics.standard_deviation, left.std(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(statistics.maximum, left.max(axis=0).astype(np.float32))
    np.testing.assert_allclose(statistics.active_fraction, (left > 0).mean(axis=0), rtol=1e-6)


def test_the_next_ones_come_after_as_many_as_the_index_holds(activations: NDArray[np.float32]) -> None:
    excluded = _strongest(activations, 3, 30)
    index = build_neuron_index(activations, 100).without(excluded, activations)
    for n in (70, 71, 100, 300):
        top = index.top(3, n)
        assert top.images.tolist() == _strongest(activations, 3, n + 30)[30:]
        np.testing.assert_array_equal(top.activations, activations[top.images, 3])


def test_rows_that_do_not_exist_yet_and_no_rows_change_nothing(activations: NDArray[np.float32]) -> None:
    index = build_neuron_index(activations)
    assert index.without((), activations) is index
    beyond = index.without([5000], activations)
    assert beyond.excluded == {5000}
    np.testing.assert_array_equal(beyond.top_images, index.top_images)
    assert beyond.statistics.n_images == index.statistics.n_images


def test_all_images_may_be_excluded(activations: NDArray[np.float32]) -> None:
    few = activations[20:26]
    index = build_neuron_index(few).without(range(6), few)
    analysis = analyse_neuron("layer", few, 0, PARAMETERS, index=index)
    assert analysis.disentanglement.status == "too_few_images"
    assert len(analysis.neuron_max.images) == 0
    assert index.statistics.n_images == 0


def test_where_a_neuron_loses_every_image_the_rest_is_read_in_parts() -> None:
    values = np.random.default_rng(0).random((30_000, 64), np.float32)
    values[100:1300, 0] += 5
    values[5, 3] = np.nan
    index = build_neuron_index(values)
    tracemalloc.start()
    try:
        less = index.without(range(100, 1300), values)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < values.nbytes / 2
    left = np.delete(values, [5, *range(100, 1300)], axis=0).astype(np.float64)
    np.testing.assert_allclose(less.statistics.mean, left.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(less.statistics.standard_deviation, left.std(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(less.statistics.maximum, left.max(axis=0).astype(np.float32))
    assert (less.statistics.n_images, less.n_invalid) == (28_799, 1)


def test_excluded_rows_are_passed_over_by_the_index(activations: NDArray[np.float32]) -> None:
    excluded = np.array([0, 1, 5, 700, 1499])
    index = build_neuron_index(activations, 100, excluded=excluded)
    rows = np.delete(np.arange(len(activations)), [*excluded, 17])
    expected = rows[np.argsort(-activations[rows], axis=0, kind="stable")[:100]].T
    np.testing.assert_array_equal(index.top_images, expected)
