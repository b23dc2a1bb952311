"""The shipped network on pictures that it was never trained on: every figure reaches its target."""

import pytest

from backend.demo.concept_network import load_network
from backend.demo.concepts import TEST_STREAM
from backend.demo.demo_figures import DemoFigures, targets
from backend.demo.training import measure


@pytest.fixture(scope="module")
def figures() -> DemoFigures:
    return measure(load_network(), stream=TEST_STREAM, per_concept=120)


def test_the_network_knows_its_world(figures: DemoFigures) -> None:
    assert figures.accuracy >= 0.97


def test_most_neurons_are_polysemantic(figures: DemoFigures) -> None:
    assert len(figures.polysemantic) >= 0.75 * len(figures.neurons)


def test_clusters_are_the_planted_concepts(figures: DemoFigures) -> None:
    assert figures.adjusted_rand.mean() >= 0.95


def test_projections_show_the_concept(figures: DemoFigures) -> None:
    assert figures.precision.mean() >= 0.9


def test_monosemantic_neurons_stay_one_cluster(figures: DemoFigures) -> None:
    assert len(figures.monosemantic_in_one_cluster) >= 3


def test_apples_pitches_and_dropped_nets(figures: DemoFigures) -> None:
    assert sorted(figures.paper.apples_and_pitches) == ["apple", "pitch"]
    assert 1 <= figures.paper.n_nets < 5
    assert figures.paper.n_nets_dropped == figures.paper.n_nets


def test_coral_and_divers_merge_before_apples_and_pitches(figures: DemoFigures) -> None:
    assert sorted(figures.paper.corals_and_divers) == ["coral", "diver"]
    assert figures.paper.merge_factor > 1
    assert figures.paper.others_still_split


def test_no_target_is_missed(figures: DemoFigures) -> None:
    assert [target for target in targets(figures) if not target.reached] == []
