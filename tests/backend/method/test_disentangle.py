"""The composed method against scikit-learn on the full-dimensional vectors."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering, KMeans

from backend.errors import ParameterError
from backend.method.disentangle import disentangle
from backend.method.parameters import PUBLISHED, Parameters
from tests.backend.realistic_activations import realistic_activations


@pytest.fixture(scope="module")
def activations() -> NDArray[np.float32]:
    return realistic_activations()


def _reference(activations: NDArray[np.float32], neuron: int, parameters: Parameters) -> dict[str, object]:
    """The published procedure written out with scikit-learn, on the vectors as they are."""
    order = np.argsort(-activations[:, neuron], kind="stable")[: parameters.top_n]
    vectors = activations[order]
    tree = AgglomerativeClustering(n_clusters=None, distance_threshold=parameters.distance_threshold)
    n_clusters = tree.fit(vectors).n_clusters_
    kmeans = KMeans(
        n_clusters, n_init=parameters.kmeans_restarts, max_iter=1000, random_state=parameters.seed
    ).fit(vectors)
    labels = kmeans.labels_.copy()
    concepts = {}
    for cluster in range(n_clusters):
        members = np.flatnonzero(kmeans.labels_ == cluster)
        distances = ((vectors[members] - kmeans.cluster_centers_[cluster]) ** 2).sum(axis=1)
        labels[members[distances >= parameters.outlier_radius_squared]] = -1
        kept = members[distances < parameters.outlier_radius_squared]
        if len(kept) < parameters.min_cluster_size:
            labels[kept] = -2
        else:
            mean = vectors[kept].astype(np.float64).mean(axis=0)
            concepts[cluster] = (kept, mean / np.sqrt((mean**2).sum()))
    return {
        "order": order,
        "n": n_clusters,
        "kmeans": kmeans.labels_,
        "labels": labels,
        "concepts": concepts,
    }


def test_published_equals_scikit_learn_on_sixty_neurons(activations: NDArray[np.float32]) -> None:
    counts = set()
    for neuron in range(60):
        parameters = replace(PUBLISHED, distance_threshold=20.0, outlier_radius_squared=40.0)
        result = disentangle(activations, neuron, parameters)
        expected = _reference(activations, neuron, parameters)
        np.testing.assert_array_equal(result.top.images, expected["order"])
        assert result.n_clusters == expected["n"]
        np.testing.assert_array_equal(result.kmeans_labels, expected["kmeans"])
        np.testing.assert_array_equal(result.labels, expected["labels"])
        concepts = expected["concepts"]
        assert isinstance(concepts, dict)
        assert [c.cluster for c in result.concepts] == sorted(concepts)
        for concept in result.concepts:
            members, vector = concepts[concept.cluster]
            np.testing.assert_array_equal(concept.members, members)
            np.testing.assert_allclose(concept.vector, vector, atol=1e-6)
        counts.add(result.n_clusters)
    assert len(counts) > 2, "the comparison should meet neurons with different numbers of clusters"


@pytest.mark.parametrize("distance_threshold", [5.0, 12.0, 35.0, 1000.0])
def test_published_labels_hold_at_other_thresholds(
    activations: NDArray[np.float32], distance_threshold: float
) -> None:
    parameters = replace(PUBLISHED, distance_threshold=distance_threshold)
    for neuron in range(60, 66):
        expected = _reference(activations, neuron, parameters)
        result = disentangle(activations, neuron, parameters)
        np.testing.assert_array_equal(result.kmeans_labels, expected["kmeans"])
        np.testing.assert_array_equal(result.labels, expected["labels"])


def test_a_start_from_the_tree_equals_scikit_learn_started_from_the_same_means(
    activations: NDArray[np.float32],
) -> None:
    parameters = Parameters(distance_threshold=20.0, outlier_radius_squared=40.0)
    for neuron in range(20):
        result = disentangle(activations, neuron, parameters)
        vectors = activations[result.top.images].astype(np.float64)
        start = np.stack([vectors[result.tree_labels == c].mean(axis=0) for c in range(result.n_clusters)])
        kmeans = KMeans(result.n_clusters, init=start, n_init=1, max_iter=1000).fit(vectors)
        np.testing.assert_array_equal(result.kmeans_labels, kmeans.labels_)
        distances = ((vectors - kmeans.cluster_centers_[kmeans.labels_]) ** 2).sum(axis=1)
        np.testing.assert_allclose(result.squared_distances, distances, rtol=1e-4, atol=1e-9)


def test_hand_computed_outliers_dropped_cluster_and_vectors() -> None:
    # Neuron 0 is strongest on a group along axis 1 (one of it far away), then on three images along axis 2.
    group = [[9, 10, 0], [9, 10.5, 0], [9, 9.5, 0], [9, 10, 0.5], [9, 10, -0.5]]
    far, few = [[9, 14, 0]], [[8, 0, 10], [8, 0, 10.2], [8, 0, 9.8]]
    activations = np.array(group + far + few + [[0, 50, 50]] * 4, dtype=np.float32)
    parameters = Parameters(top_n=9, distance_threshold=12, outlier_radius_squared=4, min_cluster_size=4)
    result = disentangle(activations, 0, parameters)
    assert result.n_clusters == 2
    assert result.labels.tolist() == [0, 0, 0, 0, 0, -1, -2, -2, -2]
    assert result.dropped == (1,)
    (concept,) = result.concepts
    assert concept.members.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_allclose(concept.vector, np.array([9, 10, 0]) / np.sqrt(181), atol=1e-12)


def test_a_member_exactly_on_the_outlier_radius_leaves() -> None:
    activations = np.array([[1, 3], [1, 1], [1, 2], [1, 2]], dtype=np.float32)
    base = Parameters(top_n=4, distance_threshold=100, min_cluster_size=1)
    at = disentangle(activations, 0, replace(base, outlier_radius_squared=1.0))
    above = disentangle(activations, 0, replace(base, outlier_radius_squared=1.0001))
    assert at.labels.tolist() == [-1, -1, 0, 0]
    assert above.labels.tolist() == [0, 0, 0, 0]


def test_more_images_asked_for_than_there_are(activations: NDArray[np.float32]) -> None:
    result = disentangle(activations[:30], 3, replace(PUBLISHED, top_n=500))
    assert len(result.top) == 30
    assert result.status in ("ok", "few_active")
    assert "30" in result.message


def test_a_dead_neuron_is_said_to_be_dead() -> None:
    activations = np.ones((40, 3), dtype=np.float32)
    activations[:, 1] = 0
    result = disentangle(activations, 1, Parameters())
    assert (result.status, result.concepts, result.n_clusters, len(result.top)) == ("dead", (), 0, 0)
    assert "Neuron 1 is dead" in result.message


def test_a_neuron_with_few_active_images_says_how_many(activations: NDArray[np.float32]) -> None:
    sparse = activations.copy()
    sparse[7:, 2] = 0
    sparse[:7, 2] = 5
    result = disentangle(sparse, 2, Parameters())
    assert result.status == "few_active"
    assert "Only 7 images activate neuron 2; the other 93" in result.message


def test_a_constant_neuron_is_split_in_the_order_of_rows(activations: NDArray[np.float32]) -> None:
    constant = activations.copy()
    constant[:, 4] = 2
    result = disentangle(constant, 4, Parameters(distance_threshold=20, outlier_radius_squared=40))
    assert result.status == "constant"
    assert result.top.images.tolist() == list(range(100))
    assert result.concepts


@pytest.mark.parametrize("start", ["tree", "random"])
@pytest.mark.parametrize("distance_threshold", [0.0, 1.0])
def test_identical_points_give_one_cluster_of_all(start: str, distance_threshold: float) -> None:
    activations = np.full((50, 64), 0.3, dtype=np.float32)
    values = {"kmeans_start": start, "distance_threshold": distance_threshold, "top_n": 40}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = disentangle(activations, 0, Parameters.from_dict(values))
    assert result.n_clusters == (40 if distance_threshold == 0 else 1)
    (concept,) = result.concepts
    assert len(concept.members) == 40
    np.testing.assert_allclose(concept.vector, np.full(64, 1 / 8), atol=1e-7)


def test_duplicated_images_keep_scikit_learns_labels(activations: NDArray[np.float32]) -> None:
    doubled = np.concatenate([activations[:400], activations[:400]])
    parameters = replace(PUBLISHED, distance_threshold=15.0)
    for neuron in range(10):
        expected = _reference(doubled, neuron, parameters)
        result = disentangle(doubled, neuron, parameters)
        np.testing.assert_array_equal(result.kmeans_labels, expected["kmeans"])


def test_nan_rows_change_nothing_but_the_count(activations: NDArray[np.float32]) -> None:
    parameters = Parameters(distance_threshold=20, outlier_radius_squared=40)
    clean = disentangle(activations, 5, parameters)
    broken = np.concatenate([activations, np.full((3, activations.shape[1]), np.nan, dtype=np.float32)])
    result = disentangle(broken, 5, parameters)
    assert result.top.n_invalid == 3
    np.testing.assert_array_equal(result.labels, clean.labels)
    for ours, theirs in zip(result.concepts, clean.concepts, strict=True):
        np.testing.assert_array_equal(ours.vector, theirs.vector)


@pytest.mark.parametrize("n_valid", [0, 1])
def test_fewer_than_two_readable_images(n_valid: int) -> None:
    activations = np.full((5, 4), np.nan, dtype=np.float32)
    activations[:n_valid] = 1
    result = disentangle(activations, 0, Parameters())
    assert result.status == "too_few_images"
    assert f"{n_valid} readable images" in result.message


@pytest.mark.parametrize("linkage", ["average", "complete", "single"])
def test_cosine_clusters_by_direction_not_by_length(linkage: str) -> None:
    rng = np.random.default_rng(1)
    directions = np.repeat([[1.0, 1.0, 0.0], [1.0, 0.0, 1.0]], 20, axis=0)
    activations = (directions * rng.uniform(0.1, 10, (40, 1)) + 1e-3 * rng.random((40, 3))).astype(np.float32)
    parameters = Parameters.from_dict(
        {"top_n": 40, "linkage": linkage, "metric": "cosine", "distance_threshold": 0.3}
    )
    result = disentangle(activations, 0, replace(parameters, outlier_radius_squared=0.2))
    assert result.n_clusters == 2
    by_image = result.kmeans_labels[np.argsort(result.top.images)]
    assert len(set(by_image[:20])) == len(set(by_image[20:])) == 1
    assert by_image[0] != by_image[20]


@pytest.mark.parametrize("neuron", [-1, 256])
def test_a_neuron_that_is_not_there_is_refused(activations: NDArray[np.float32], neuron: int) -> None:
    with pytest.raises(ParameterError, match="neurons 0 to 255"):
        disentangle(activations, neuron, Parameters())


def test_an_array_of_feature_maps_is_refused() -> None:
    with pytest.raises(ParameterError, match="images × neurons"):
        disentangle(np.zeros((4, 3, 7, 7), dtype=np.float32), 0, Parameters())


def test_a_given_tree_and_ranking_are_used_as_they_are(activations: NDArray[np.float32]) -> None:
    parameters = Parameters(distance_threshold=20, outlier_radius_squared=40)
    first = disentangle(activations, 9, parameters)
    again = disentangle(activations, 9, parameters, top=first.top, hierarchy=first.hierarchy)
    assert again.hierarchy is first.hierarchy
    np.testing.assert_array_equal(again.labels, first.labels)


def test_concepts_are_numbered_as_the_tree_is_drawn(activations: NDArray[np.float32]) -> None:
    parameters = Parameters()  # k-means starts from the tree's clusters and moves few images
    split = disentangle(activations, 3, parameters)
    assert split.n_clusters > 1
    assert sorted(split.concept_numbers.tolist()) == list(range(split.n_clusters))
    drawn = split.hierarchy.layout.leaf_numbers(parameters.distance_threshold)
    assert (split.concept_numbers[split.kmeans_labels] == drawn).mean() > 0.5
    assert not split.concept_numbers.flags.writeable
    nothing = disentangle(np.zeros((200, 4), dtype=np.float32), 0, parameters)
    assert nothing.concept_numbers.tolist() == []


def test_projections_are_those_on_the_own_concept_and_of_outliers_on_the_one_they_left(
    activations: NDArray[np.float32],
) -> None:
    parameters = replace(PUBLISHED, distance_threshold=20.0, outlier_radius_squared=40.0)
    kinds = set()
    for neuron in range(12):
        result = disentangle(activations, neuron, parameters)
        vectors = {concept.cluster: concept.vector for concept in result.concepts}
        for index, row in enumerate(result.top.images):
            vector = vectors.get(int(result.kmeans_labels[index]))
            kinds.add((int(np.sign(result.labels[index] + 0.5)), vector is None))
            if vector is None:
                assert np.isnan(result.projections[index])
            else:
                expected = sum(float(a) * float(b) for a, b in zip(activations[row], vector, strict=True))
                assert result.projections[index] == pytest.approx(expected, rel=1e-5)
    assert kinds >= {(1, False), (-1, False), (-1, True)}, "members, outliers, dropped clusters"
    assert not result.projections.flags.writeable
