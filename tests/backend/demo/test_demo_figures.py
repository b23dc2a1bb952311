"""The figures on activations whose answer is worked out by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.demo.concepts import CONCEPTS
from backend.demo.demo_figures import NeuronFigures, demo_figures, targets
from backend.demo.planted_code import MONOSEMANTIC_NEURONS, N_NEURONS, net_on_pitch_code, planted_code
from backend.method.parameters import Parameters

PER_CONCEPT = 120


def perfect_world() -> tuple[NDArray[np.float32], list[str]]:
    """The planted code itself with a little noise, three nets of it on a pitch."""
    labels = np.repeat(np.arange(len(CONCEPTS)), PER_CONCEPT)
    activations = planted_code()[labels]
    net = CONCEPTS.index("net") * PER_CONCEPT
    activations[net : net + 3] = net_on_pitch_code()
    activations += np.random.default_rng(0).normal(0, 0.03, activations.shape)
    return np.maximum(activations, 0).astype(np.float32), [CONCEPTS[i] for i in labels]


def test_a_perfect_code_reaches_every_target() -> None:
    activations, labels = perfect_world()
    figures = demo_figures(activations, labels, labels, Parameters(distance_threshold=1.5))
    assert figures.accuracy == 1.0
    assert len(figures.neurons) == N_NEURONS
    assert [n.neuron for n in figures.monosemantic_in_one_cluster] == list(MONOSEMANTIC_NEURONS)
    assert figures.adjusted_rand.min() > 0.98  # a concept with one image alone may join another
    assert figures.precision.min() == 1.0
    assert figures.paper.n_nets == figures.paper.n_nets_dropped == 3
    assert [target.name for target in targets(figures) if not target.reached] == []


def test_a_world_without_structure_misses_them() -> None:
    activations, labels = perfect_world()
    shuffled = np.random.default_rng(1).permutation(labels).tolist()
    figures = demo_figures(activations, shuffled, labels, Parameters(distance_threshold=1.5))
    assert figures.accuracy < 0.1
    assert len(figures.polysemantic) == 0
    assert not any(target.reached for target in targets(figures))


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_a_threshold_that_splits_too_finely_is_noticed() -> None:
    activations, labels = perfect_world()
    figures = demo_figures(activations, labels, labels, Parameters(distance_threshold=0.1))
    assert figures.adjusted_rand.mean() < 0.95
    assert figures.monosemantic_in_one_cluster == ()


def test_wrong_predictions_are_counted() -> None:
    activations, labels = perfect_world()
    predicted = ["web"] * len(labels)
    figures = demo_figures(activations, labels, predicted, Parameters(distance_threshold=1.5))
    assert figures.accuracy == pytest.approx(1 / len(CONCEPTS))


@pytest.mark.parametrize(
    ("planted", "polysemantic", "monosemantic"),
    [
        ((("a", 85), ("b", 15)), True, False),
        ((("a", 86), ("b", 14)), False, False),
        ((("a", 95), ("b", 5)), False, True),
        ((("a", 94), ("b", 6)), False, False),
    ],
)
def test_shares_of_the_top_images_decide(
    planted: tuple[tuple[str, int], ...], polysemantic: bool, monosemantic: bool
) -> None:
    figures = NeuronFigures(0, planted, 1, (), 1.0, ())
    assert figures.is_polysemantic is polysemantic
    assert figures.is_monosemantic is monosemantic
