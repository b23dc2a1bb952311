import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from backend.evaluation.similarity import concept_similarity
from tests.backend.realistic_activations import realistic_activations


def test_members_are_compared_with_their_mean_raw_and_centred() -> None:
    activations = realistic_activations(400, 24)
    members = np.argsort(-activations[:, 3])[:30]
    layer_mean = activations.mean(axis=0)
    found = concept_similarity(activations, members, 3, layer_mean)
    inside = activations[members].astype(np.float64)
    mean = inside.mean(axis=0, keepdims=True)
    assert found.mean_cosine == pytest.approx(cosine_similarity(inside, mean).mean(), rel=1e-9)
    centred = cosine_similarity(inside - layer_mean, mean - layer_mean).mean()
    assert found.centred_cosine == pytest.approx(centred, rel=1e-6)
    axis = np.eye(24)[3:4]
    assert found.neuron_mean_cosine == pytest.approx(cosine_similarity(inside, axis).mean(), rel=1e-9)


def test_the_null_uses_all_other_images_when_they_are_few() -> None:
    activations = realistic_activations(100, 24)
    members = np.arange(20)
    found = concept_similarity(activations, members, 0, activations.mean(axis=0))
    mean = activations[:20].mean(axis=0, keepdims=True)
    expected = cosine_similarity(activations[20:], mean).mean()
    assert found.mean_cosine_null == pytest.approx(expected, rel=1e-6)
    expected = cosine_similarity(activations[20:], np.eye(24)[:1]).mean()
    assert found.neuron_mean_cosine_null == pytest.approx(expected, rel=1e-6)


def test_structureless_data_is_not_flattered() -> None:
    """Raw cosines of unrelated non-negative vectors are high; so is their null; the centred form is not."""
    activations = np.abs(np.random.default_rng(0).normal(size=(2000, 64))).astype(np.float32)
    found = concept_similarity(activations, np.arange(500, 600), 0, activations.mean(axis=0))
    assert found.mean_cosine > 0.7
    assert found.mean_cosine - found.mean_cosine_null < 0.02
    assert abs(found.centred_cosine_null) < 0.02


def test_the_null_is_seeded_and_passes_broken_rows_over() -> None:
    activations = realistic_activations(3000, 8)
    activations[1500:1600] = np.nan
    mean = np.nanmean(activations, axis=0)
    first = concept_similarity(activations, np.arange(10), 1, mean, seed=3)
    assert first == concept_similarity(activations, np.arange(10), 1, mean, seed=3)
    assert first != concept_similarity(activations, np.arange(10), 1, mean, seed=4)
    assert np.isfinite(first.mean_cosine_null)


def test_without_other_images_there_is_no_null() -> None:
    found = concept_similarity(np.ones((4, 3), dtype=np.float32), np.arange(4), 0, np.zeros(3))
    assert found.mean_cosine == pytest.approx(1.0)
    assert np.isnan(found.mean_cosine_null)
