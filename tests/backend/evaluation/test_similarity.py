import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from backend.evaluation.similarity import ConceptSimilarity, concept_similarities
from tests.backend.realistic_activations import realistic_activations


def _one(
    activations: np.ndarray, members: np.ndarray, neuron: int, layer_mean: np.ndarray, seed: int = 0
) -> ConceptSimilarity:
    (similarity,) = concept_similarities(activations, [members], neuron, layer_mean, seed=seed)
    return similarity


def test_members_are_compared_with_their_mean_raw_and_centred() -> None:
    activations = realistic_activations(400, 24)
    members = np.argsort(-activations[:, 3])[:30]
    layer_mean = activations.mean(axis=0)
    found = _one(activations, members, 3, layer_mean)
    inside = activations[members].astype(np.float64)
    mean = inside.mean(axis=0, keepdims=True)
    assert found.mean_cosine == pytest.approx(cosine_similarity(inside, mean).mean(), rel=1e-5)
    centred = cosine_similarity(inside - layer_mean, mean - layer_mean).mean()
    assert found.centred_cosine == pytest.approx(centred, rel=1e-5)
    axis = np.eye(24)[3:4]
    assert found.neuron_mean_cosine == pytest.approx(cosine_similarity(inside, axis).mean(), rel=1e-5)


def test_the_null_is_that_of_as_many_other_images_with_their_own_mean() -> None:
    activations = realistic_activations(40, 24)
    layer_mean = activations.mean(axis=0)
    # Exactly as many others as members: every draw is all of them.
    found = _one(activations, np.arange(20), 0, layer_mean)
    others = activations[20:].astype(np.float64)
    mean = others.mean(axis=0, keepdims=True)
    assert found.mean_cosine_null == pytest.approx(cosine_similarity(others, mean).mean(), rel=1e-5)
    centred = cosine_similarity(others - layer_mean, mean - layer_mean).mean()
    assert found.centred_cosine_null == pytest.approx(centred, rel=1e-4)
    channel = cosine_similarity(others, np.eye(24)[:1]).mean()
    assert found.neuron_mean_cosine_null == pytest.approx(channel, rel=1e-5)


@pytest.mark.parametrize("size", [5, 20, 60])
def test_structureless_data_is_not_flattered_whatever_the_size(size: int) -> None:
    """Raw cosines of unrelated images are high, and centred ones of small groups: so are their nulls."""
    noise = np.abs(np.random.default_rng(0).normal(size=(2000, 256))).astype(np.float32)
    members = np.arange(500, 500 + size)
    found = _one(noise, members, 0, noise.mean(axis=0))
    assert found.mean_cosine > 0.6
    assert found.mean_cosine_null == pytest.approx(found.mean_cosine, abs=0.02)
    assert found.centred_cosine_null == pytest.approx(found.centred_cosine, abs=0.05)


def test_the_null_is_seeded_and_passes_broken_rows_over() -> None:
    activations = realistic_activations(3000, 8)
    activations[1500:1600] = np.nan
    mean = np.nanmean(activations, axis=0)
    first = _one(activations, np.arange(10), 1, mean, seed=3)
    assert first == _one(activations, np.arange(10), 1, mean, seed=3)
    assert first != _one(activations, np.arange(10), 1, mean, seed=4)
    assert np.isfinite(first.mean_cosine_null)


def test_concepts_of_a_neuron_share_a_null_that_holds_none_of_their_members() -> None:
    activations = np.eye(4, dtype=np.float32)[[0] * 5 + [1] * 5 + [2] * 5]
    first, second = concept_similarities(activations, [np.arange(5), np.arange(5, 10)], 0, np.zeros(4))
    # The five others are alike among themselves, and have nothing of the neuron.
    assert (first.mean_cosine, first.mean_cosine_null) == (1.0, 1.0)
    assert (first.neuron_mean_cosine, first.neuron_mean_cosine_null) == (1.0, 0.0)
    assert (second.mean_cosine, second.neuron_mean_cosine) == (1.0, 0.0)
    assert concept_similarities(activations, [], 0, np.zeros(4)) == ()


def test_without_other_images_there_is_no_null() -> None:
    found = _one(np.ones((4, 3), dtype=np.float32), np.arange(4), 0, np.zeros(3))
    assert found.mean_cosine == pytest.approx(1.0)
    assert np.isnan(found.mean_cosine_null)
