"""Concepts adjusted by hand, on planted vectors whose answer is computed here by NumPy."""

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.concept_colors import OWN_NUMBER
from backend.errors import ParameterError
from backend.method.adjustments import LEFT_OUT, NOT_MOVED, UNADJUSTED, Adjustments
from backend.method.disentangle import disentangle
from backend.method.parameters import Parameters
from backend.method.results import DROPPED, OUTLIER

NEURON = 0
TWO_GROUPS = Parameters(top_n=20, distance_threshold=20.0, outlier_radius_squared=4.0, min_cluster_size=5)


@pytest.fixture(scope="module")
def planted() -> NDArray[np.float32]:
    """Rows 0 to 9 and 10 to 19: two groups far apart; row 7 far from its group; the others hardly active."""
    rng = np.random.default_rng(3)
    activations = np.zeros((40, 6), dtype=np.float32)
    activations[:20, NEURON] = 10 - 0.1 * np.arange(20)
    activations[:10, 2] = 9
    activations[10:20, 3] = 9
    activations[7, 4] = 4
    activations[20:, NEURON] = 0.1
    return activations + rng.uniform(0, 0.02, activations.shape).astype(np.float32)


def _mean_direction(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    mean = vectors.astype(np.float64).mean(axis=0)
    return mean / np.sqrt((mean**2).sum())


def test_the_planted_neuron_has_two_concepts_and_an_outlier(planted: NDArray[np.float32]) -> None:
    result = disentangle(planted, NEURON, TWO_GROUPS)
    assert result.n_clusters == 2
    assert result.labels.tolist() == [0] * 7 + [OUTLIER] + [0] * 2 + [1] * 10
    assert not result.adjusted_by_hand


def test_an_own_concept_is_the_normalised_mean_of_exactly_its_images(planted: NDArray[np.float32]) -> None:
    # The outlier, one image of each group, and one that is not among the top images.
    own = (7, 2, 15, 33)
    result = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments((own,)))
    assert result.adjusted_by_hand
    expected = np.array([0, 0, 2, 0, 0, 0, 0, 2, 0, 0] + [1] * 5 + [2] + [1] * 4)
    np.testing.assert_array_equal(result.labels, expected)
    assert [concept.cluster for concept in result.concepts] == [0, 1, 2]
    for concept in result.concepts:
        rows = np.flatnonzero(expected == concept.cluster)
        np.testing.assert_array_equal(result.member_rows(concept), rows)
        np.testing.assert_allclose(concept.vector, _mean_direction(planted[rows]), atol=1e-6)
    assert [result.hand_mark(cluster) for cluster in range(3)] == ["adjusted neuron"] * 2 + ["own concept"]
    members = planted[[2, 7, 15]].astype(np.float64)
    distances = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
    np.testing.assert_allclose(result.squared_distances[[2, 7, 15]], distances, rtol=1e-5)


def test_an_own_concept_needs_no_radius_and_no_minimum_size(planted: NDArray[np.float32]) -> None:
    strict = Parameters(top_n=20, distance_threshold=20.0, outlier_radius_squared=0.0, min_cluster_size=5)
    result = disentangle(planted, NEURON, strict, adjustments=Adjustments(((3,),)))
    (concept,) = result.concepts
    assert result.member_rows(concept).tolist() == [3]
    np.testing.assert_allclose(concept.vector, _mean_direction(planted[[3]]), atol=1e-6)


def test_images_left_out_are_members_of_nothing(planted: NDArray[np.float32]) -> None:
    result = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments(left_out=(0, 7, 12)))
    assert np.flatnonzero(result.labels == LEFT_OUT).tolist() == [0, 7, 12]
    remaining = [np.setdiff1d(np.arange(10), [0, 7]), np.setdiff1d(np.arange(10, 20), [12])]
    for concept, rows in zip(result.concepts, remaining, strict=True):
        np.testing.assert_array_equal(result.member_rows(concept), rows)
        np.testing.assert_allclose(concept.vector, _mean_direction(planted[rows]), atol=1e-6)


def test_a_cluster_left_too_small_by_hand_is_dropped_and_an_emptied_one_is_not(
    planted: NDArray[np.float32],
) -> None:
    few = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments((tuple(range(10, 17)),)))
    assert few.labels[17:].tolist() == [DROPPED] * 3
    assert few.dropped == (1,)
    none = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments((tuple(range(10, 20)),)))
    assert none.dropped == ()
    assert none.labels[10:].tolist() == [2] * 10
    np.testing.assert_allclose(none.concepts[-1].vector, _mean_direction(planted[10:20]), atol=1e-6)


def test_tree_and_kmeans_know_nothing_of_the_hand(planted: NDArray[np.float32]) -> None:
    plain = disentangle(planted, NEURON, TWO_GROUPS)
    adjusted = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments(((1, 2),), (11,)))
    np.testing.assert_array_equal(adjusted.hierarchy.linkage, plain.hierarchy.linkage)
    np.testing.assert_array_equal(adjusted.kmeans_labels, plain.kmeans_labels)


def test_own_concepts_keep_their_number_at_every_threshold(planted: NDArray[np.float32]) -> None:
    adjustments = Adjustments(((0, 1), (12, 13)))
    for threshold in (0.01, 5.0, 20.0, 1000.0):
        parameters = Parameters(top_n=20, distance_threshold=threshold)
        result = disentangle(planted, NEURON, parameters, adjustments=adjustments)
        plain = disentangle(planted, NEURON, parameters)
        own = [concept for concept in result.concepts if result.is_own(concept.cluster)]
        assert [result.member_rows(one).tolist() for one in own] == [[0, 1], [12, 13]]
        assert [int(result.concept_numbers[one.cluster]) for one in own] == [OWN_NUMBER, OWN_NUMBER + 1]
        np.testing.assert_array_equal(result.concept_numbers[:-2], plain.concept_numbers)


def test_without_adjustments_every_bit_is_as_before(planted: NDArray[np.float32]) -> None:
    plain = disentangle(planted, NEURON, TWO_GROUPS)
    # Rows that are not among the top images have no effect.
    waiting = disentangle(planted, NEURON, TWO_GROUPS, adjustments=Adjustments(((25, 30),), (39,)))
    assert not waiting.adjusted_by_hand
    assert waiting.labels.tobytes() == plain.labels.tobytes()
    assert waiting.squared_distances.tobytes() == plain.squared_distances.tobytes()
    assert [one.vector.tobytes() for one in waiting.concepts] == [
        one.vector.tobytes() for one in plain.concepts
    ]


def test_under_the_metric_cosine_vectors_are_means_of_the_layers_own_activations(
    planted: NDArray[np.float32],
) -> None:
    parameters = Parameters(top_n=20, distance_threshold=0.2, linkage="average", metric="cosine")
    result = disentangle(planted, NEURON, parameters, adjustments=Adjustments(((4, 16),)))
    np.testing.assert_allclose(result.concepts[-1].vector, _mean_direction(planted[[4, 16]]), atol=1e-6)


def test_a_dead_neuron_keeps_its_adjustments(planted: NDArray[np.float32]) -> None:
    dead = planted.copy()
    dead[:, 5] = 0
    result = disentangle(dead, 5, TWO_GROUPS, adjustments=Adjustments(((1,),), (2,)))
    assert result.status == "dead"
    assert result.adjustments == Adjustments(((1,),), (2,))
    assert not result.adjusted_by_hand


def test_of_overlapping_concepts_the_newest_has_the_image() -> None:
    assert Adjustments(((5, 1, 2), (2, 3), (1, 2))).own_concepts == ((5,), (3,), (1, 2))
    grown = UNADJUSTED.with_own_concept([1, 2, 3]).with_own_concept([3, 4])
    assert grown.own_concepts == ((1, 2), (3, 4))
    swallowed = grown.with_own_concept([0, 1, 2])
    assert swallowed.own_concepts == ((3, 4), (0, 1, 2)), "a concept without an image is gone"


def test_an_image_is_in_one_place_at_most() -> None:
    adjustments = UNADJUSTED.with_left_out([1, 2]).with_own_concept([2, 3])
    assert adjustments == Adjustments(((2, 3),), (1,))
    assert adjustments.with_left_out([3]) == Adjustments(((2,),), (1, 3))
    assert adjustments.without([2, 1]) == Adjustments(((3,),))
    assert not adjustments.without([1, 2, 3])
    assert adjustments.rows == {1, 2, 3}
    places = adjustments.by_hand(np.array([9, 3, 1, 2]))
    assert places.tolist() == [NOT_MOVED, 0, LEFT_OUT, 0]


def test_adjustments_survive_json() -> None:
    adjustments = Adjustments(((4, 2), (9,)), (1,))
    assert adjustments.to_dict() == {"own_concepts": [[2, 4], [9]], "left_out": [1]}
    assert Adjustments.from_dict(adjustments.to_dict()) == adjustments
    assert Adjustments.from_dict({}) == UNADJUSTED


@pytest.mark.parametrize("row", [-1, 1.5, "3", True, None])
def test_what_is_no_row_is_refused(row: object) -> None:
    with pytest.raises(ParameterError, match="not the row of an image"):
        Adjustments(((row,),))  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="not the row of an image"):
        UNADJUSTED.with_left_out([row])  # type: ignore[list-item]


@pytest.mark.parametrize("values", [{"own_concepts": "12"}, {"own_concepts": [1]}, {"left_out": 3}])
def test_another_form_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="lists of image rows"):
        Adjustments.from_dict(values)
