import pytest

from backend.errors import ParameterError
from backend.method.parameters import PRESETS, PUBLISHED, Parameters, Suggestion


def test_published_preset_is_the_papers_experiment() -> None:
    assert PUBLISHED.to_dict() == {
        "top_n": 100,
        "distance_threshold": 15.0,
        "outlier_radius_squared": 15.0,
        "min_cluster_size": 5,
        "linkage": "ward",
        "metric": "euclidean",
        "kmeans_start": "random",
        "kmeans_restarts": 5,
        "kmeans_max_iter": 1000,
        "seed": 0,
    }
    assert PRESETS["published"] is PUBLISHED


def test_parameters_survive_a_round_trip_through_json_values() -> None:
    parameters = Parameters(top_n=50, linkage="average", metric="cosine", distance_threshold=0.4)
    assert Parameters.from_dict(parameters.to_dict()) == parameters


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"top_n": 1}, "top_n"),
        ({"top_n": 1001}, "top_n"),
        ({"top_n": 10.5}, "whole number"),
        ({"top_n": True}, "whole number"),
        ({"distance_threshold": -0.1}, "distance_threshold"),
        ({"distance_threshold": float("nan")}, "distance_threshold"),
        ({"outlier_radius_squared": "15"}, "outlier_radius_squared"),
        ({"min_cluster_size": 0}, "min_cluster_size"),
        ({"linkage": "centroid"}, "linkage"),
        ({"metric": "cityblock"}, "metric"),
        ({"kmeans_start": "pca"}, "kmeans_start"),
        ({"kmeans_restarts": 0}, "kmeans_restarts"),
        ({"seed": -1}, "seed"),
        ({"d_max": 3.0}, "d_max"),
    ],
)
def test_values_out_of_range_are_refused_by_name(values: dict[str, object], words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        Parameters.from_dict(values)


def test_ward_with_cosine_is_refused_with_the_reason() -> None:
    with pytest.raises(ParameterError, match="variance, which is defined on Euclidean distances"):
        Parameters(linkage="ward", metric="cosine")


def test_a_suggestion_changes_threshold_radius_and_top_n_only() -> None:
    suggestion = Suggestion(31.5, 120.0, 60, 64, "because")
    parameters = suggestion.parameters(Parameters(seed=7, min_cluster_size=3))
    assert parameters == Parameters(
        top_n=60, distance_threshold=31.5, outlier_radius_squared=120.0, seed=7, min_cluster_size=3
    )
    assert Suggestion.from_dict(suggestion.to_dict()) == suggestion
