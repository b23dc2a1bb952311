"""The planted code keeps what the demo promises."""

import numpy as np

from backend.demo.concepts import CONCEPTS
from backend.demo.planted_code import (
    APPLE_AND_PITCH_NEURON,
    CORAL_AND_DIVER_NEURON,
    MONOSEMANTIC_NEURONS,
    N_NEURONS,
    net_on_pitch_code,
    planted_code,
)


def concepts_of(neuron: int) -> list[str]:
    """Concepts that a neuron stands for fully."""
    return [CONCEPTS[i] for i in np.flatnonzero(planted_code()[:, neuron] == 1)]


def test_fewer_neurons_than_concepts() -> None:
    assert planted_code().shape == (len(CONCEPTS), N_NEURONS)
    assert 16 <= N_NEURONS <= 24 < len(CONCEPTS)


def test_every_concept_has_neurons_and_its_own_code() -> None:
    code = planted_code()
    assert ((code > 0).sum(axis=1) == 2).all()
    distances = np.linalg.norm(code[:, None] - code[None], axis=2) + 9 * np.eye(len(CONCEPTS))
    closest = np.unravel_index(distances.argmin(), distances.shape)
    assert {CONCEPTS[i] for i in closest} == {"coral", "diver"}
    assert distances.min() > 0.6
    distances[CONCEPTS.index("coral"), CONCEPTS.index("diver")] = 9
    distances[CONCEPTS.index("diver"), CONCEPTS.index("coral")] = 9
    assert distances.min() > 1.0


def test_three_quarters_of_the_neurons_are_polysemantic() -> None:
    counts = [len(concepts_of(n)) for n in range(N_NEURONS)]
    assert sum(count >= 2 for count in counts) >= 0.75 * N_NEURONS
    assert [n for n, count in enumerate(counts) if count == 1] == list(MONOSEMANTIC_NEURONS)
    assert len(MONOSEMANTIC_NEURONS) >= 3


def test_the_papers_neurons() -> None:
    assert concepts_of(APPLE_AND_PITCH_NEURON) == ["apple", "pitch"]
    assert concepts_of(CORAL_AND_DIVER_NEURON) == ["coral", "diver"]
    assert planted_code()[CONCEPTS.index("net"), APPLE_AND_PITCH_NEURON] == 0
    assert net_on_pitch_code()[APPLE_AND_PITCH_NEURON] > 1
    others = np.arange(N_NEURONS) != APPLE_AND_PITCH_NEURON
    np.testing.assert_array_equal(net_on_pitch_code()[others], planted_code()[CONCEPTS.index("net")][others])
