import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering, KMeans

from backend.errors import ParameterError
from backend.method.disentangle import disentangle
from backend.method.parameters import Parameters
from backend.method.suggestion import suggest
from backend.task import Cancelled, SilentTask
from tests.backend.realistic_activations import realistic_activations


def test_threshold_and_radius_follow_their_definitions() -> None:
    activations = realistic_activations(600, 12)
    suggestion = suggest(activations, parameters=Parameters(top_n=50), n_neurons=12)
    tops = [activations[np.argsort(-activations[:, n], kind="stable")[:50]] for n in range(12)]
    d_max = 2.0 * np.median([pdist(vectors).mean() for vectors in tops])
    assert suggestion.distance_threshold == pytest.approx(d_max, rel=1e-6)
    squared = []
    for vectors in tops:
        tree = AgglomerativeClustering(n_clusters=None, distance_threshold=d_max).fit(vectors)
        start = np.stack([vectors[tree.labels_ == c].mean(axis=0) for c in range(tree.n_clusters_)])
        kmeans = KMeans(tree.n_clusters_, init=start, n_init=1).fit(vectors)
        distances = ((vectors - kmeans.cluster_centers_[kmeans.labels_]) ** 2).sum(axis=1)
        squared.append(distances[np.bincount(kmeans.labels_)[kmeans.labels_] >= 5])
    expected = np.percentile(np.concatenate(squared), 95)
    assert suggestion.outlier_radius_squared == pytest.approx(expected, rel=1e-5)
    assert suggestion.top_n == 50
    assert suggestion.n_neurons == 12


def test_suggestion_scales_with_the_activations() -> None:
    activations = realistic_activations(500, 20)
    one, ten = suggest(activations), suggest(10 * activations)
    assert ten.distance_threshold == pytest.approx(10 * one.distance_threshold, rel=1e-5)
    assert ten.outlier_radius_squared == pytest.approx(100 * one.outlier_radius_squared, rel=1e-5)


def test_silent_neurons_are_passed_over() -> None:
    activations = realistic_activations(300, 8)
    activations[:, ::2] = 0
    assert suggest(activations).n_neurons == 4


def test_a_silent_layer_is_refused() -> None:
    with pytest.raises(ParameterError, match="No neuron of this layer"):
        suggest(np.zeros((10, 4), dtype=np.float32))


def test_the_metric_cosine_is_measured_in_cosine_distance() -> None:
    activations = realistic_activations(300, 16)
    suggestion = suggest(activations, parameters=Parameters(linkage="average", metric="cosine"))
    tops = [activations[np.argsort(-activations[:, n], kind="stable")[:100]] for n in range(16)]
    expected = 2.0 * np.median([pdist(vectors, "cosine").mean() for vectors in tops])
    assert suggestion.distance_threshold == pytest.approx(expected, rel=1e-6)


def test_it_can_be_cancelled() -> None:
    class Stopped(SilentTask):
        def check_cancelled(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        suggest(realistic_activations(50, 8), task=Stopped())


def test_images_that_are_all_the_same_give_no_suggestion() -> None:
    with pytest.raises(ParameterError, match="are the same"):
        suggest(np.ones((50, 8), dtype=np.float32))


def test_groups_of_equal_images_stay_inside_their_radius() -> None:
    activations = np.repeat(5 * np.eye(4, dtype=np.float32), 30, axis=0) + 1
    suggestion = suggest(activations, parameters=Parameters(top_n=60))
    result = disentangle(activations, 0, suggestion.parameters())
    assert suggestion.distance_threshold > 0
    assert not (result.labels < 0).any()
