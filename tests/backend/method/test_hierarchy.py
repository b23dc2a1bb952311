import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from backend.errors import ParameterError
from backend.method.hierarchy import build_hierarchy, number_by_first_appearance
from backend.method.parameters import LinkageMethod, Metric
from tests.backend.realistic_activations import realistic_activations

PAIRS: list[tuple[LinkageMethod, Metric]] = [
    ("ward", "euclidean"),
    ("average", "euclidean"),
    ("complete", "euclidean"),
    ("single", "euclidean"),
    ("average", "cosine"),
    ("complete", "cosine"),
    ("single", "cosine"),
]


def _tied_vectors() -> np.ndarray:
    """Points on a grid: many merges of exactly the same height, and some points twice."""
    grid = np.array([[x, y, 1.0] for x in range(5) for y in range(4)], dtype=np.float32)
    return np.concatenate([grid, grid[:5]])


def _assert_same_partition(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_array_equal(ours[:, None] == ours, theirs[:, None] == theirs)


@pytest.mark.parametrize(("method", "metric"), PAIRS)
@pytest.mark.parametrize("kind", ["realistic", "tied"])
def test_every_threshold_gives_scikit_learns_clusters(
    method: LinkageMethod, metric: Metric, kind: str
) -> None:
    vectors = realistic_activations(60, 128, 5) if kind == "realistic" else _tied_vectors()
    hierarchy = build_hierarchy(vectors, method, metric)
    reference = AgglomerativeClustering(
        n_clusters=None, distance_threshold=0, linkage=method, metric=metric, compute_distances=True
    ).fit(vectors)
    for height in np.unique(reference.distances_):
        for threshold in (np.nextafter(height, -np.inf), height, np.nextafter(height, np.inf)):
            if threshold < 0:
                continue
            # Where heights tie the two may merge in another order, so scikit-learn cuts its own tree.
            model = AgglomerativeClustering(
                n_clusters=None, distance_threshold=float(threshold), linkage=method, metric=metric
            ).fit(vectors)
            assert hierarchy.n_clusters(float(threshold)) == model.n_clusters_
            if kind == "realistic":
                _assert_same_partition(hierarchy.labels(float(threshold)), model.labels_)


def test_labels_agree_with_the_count_at_every_merge_height() -> None:
    hierarchy = build_hierarchy(_tied_vectors())
    for height in hierarchy.merge_heights:
        for threshold in (height - 1e-9, height, height + 1e-9):
            assert len(set(hierarchy.labels(threshold))) == hierarchy.n_clusters(threshold)


def test_a_merge_exactly_at_the_threshold_is_not_joined() -> None:
    points = np.array([[0.0], [3.0], [10.0]])
    hierarchy = build_hierarchy(points, "single")
    assert hierarchy.merge_heights.tolist() == [3.0, 7.0]
    assert [hierarchy.n_clusters(d) for d in (2.9, 3.0, 3.1, 7.0, 7.1)] == [3, 3, 2, 2, 1]
    assert hierarchy.labels(3.0).tolist() == [0, 1, 2]
    assert hierarchy.labels(7.0).tolist() == [0, 0, 1]


def test_clusters_are_numbered_by_first_appearance() -> None:
    assert number_by_first_appearance(np.array([7, 2, 7, 5, 2])).tolist() == [0, 1, 0, 2, 1]
    points = np.array([[9.0], [0.0], [9.1], [0.1]])
    assert build_hierarchy(points).labels(1.0).tolist() == [0, 1, 0, 1]


def test_threshold_range_brackets_each_count() -> None:
    hierarchy = build_hierarchy(np.array([[0.0], [3.0], [10.0], [13.0]]), "single")
    assert hierarchy.merge_heights.tolist() == [3.0, 3.0, 7.0]
    assert hierarchy.threshold_range(4) == (0.0, 3.0)
    assert hierarchy.threshold_range(3) is None  # both merges happen at once
    assert hierarchy.threshold_range(2) == (3.0, 7.0)
    assert hierarchy.threshold_range(1) == (7.0, float("inf"))
    assert hierarchy.threshold_range(0) is None
    assert hierarchy.threshold_range(5) is None
    for n in (1, 2, 4):
        low, high = hierarchy.threshold_range(n) or (np.nan, np.nan)
        assert hierarchy.n_clusters(min(high, low + 1)) == n


def test_identical_points_merge_at_zero() -> None:
    hierarchy = build_hierarchy(np.ones((8, 3)))
    assert hierarchy.n_clusters(0.0) == 8
    assert hierarchy.n_clusters(1e-12) == 1


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_images_have_no_merges(n: int) -> None:
    hierarchy = build_hierarchy(np.ones((n, 4)))
    assert hierarchy.linkage.shape == (0, 4)
    assert hierarchy.n_clusters(1.0) == n
    assert len(hierarchy.labels(1.0)) == n


def test_cosine_without_a_direction_is_refused() -> None:
    with pytest.raises(ParameterError, match="no activation at all"):
        build_hierarchy(np.array([[1.0, 0.0], [0.0, 0.0]]), "average", "cosine")


def test_ward_on_cosine_distances_is_refused() -> None:
    with pytest.raises(ParameterError, match="Ward"):
        build_hierarchy(np.eye(3), "ward", "cosine")
