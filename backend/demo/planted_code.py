"""The answer that is planted in the demo: which neurons are to respond to which concepts.

There are fewer neurons than concepts, so most concepts are written with two neurons and most neurons stand
for several unrelated concepts: superposition by construction (Elhage et al., "Toy models of superposition",
2022). The network is pulled towards this code while it learns to classify (:mod:`backend.demo.training`).
"""

from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from backend.demo.concepts import CONCEPTS

_CONCEPTS_OF_NEURON: tuple[str, ...] = (
    "balloon butterfly house tree watermelon",  # 0
    "coral diver",  # 1: as the paper's neuron 1
    "fish mountain mushroom skyline",  # 2
    "candle car mug tree",  # 3
    "cactus chessboard guitar house sailboat",  # 4
    "apple pitch",  # 5: as the paper's neuron 35, with the few nets that hang on a pitch
    "butterfly candle jellyfish pitch",  # 6
    "balloon doughnut ladybird stripes",  # 7
    "moon",  # 8
    "chessboard clock jellyfish rocket windmill",  # 9
    "lighthouse mountain net pizza snail",  # 10
    "doughnut flower net penguin windmill",  # 11
    "rainbow",  # 12
    "flower owl sailboat watermelon",  # 13
    "penguin pizza skyline umbrella",  # 14
    "leaf mug rainbow web",  # 15
    "clock",  # 16: monosemantic, as the paper's neuron 16
    "cat ice-cream",  # 17
    "banana car lighthouse mushroom stripes",  # 18
    "guitar honeycomb ice-cream ladybird rocket",  # 19
    "apple bricks cactus owl",  # 20
    "honeycomb",  # 21
    "moon snail umbrella web",  # 22
    "banana bricks cat fish leaf",  # 23
)

N_NEURONS = len(_CONCEPTS_OF_NEURON)

LAYER = "mixed"
"""Name of the network's layer that is written in this code: the one to analyse."""

_FACETS = MappingProxyType({("coral", 3): 0.45, ("diver", 15): 0.45})
"""Coral and divers share neuron 1 and differ by these alone: close, so that they merge early."""

APPLE_AND_PITCH_NEURON = 5
CORAL_AND_DIVER_NEURON = 1
CLOCK_NEURON = 16
MONOSEMANTIC_NEURONS = tuple(n for n, names in enumerate(_CONCEPTS_OF_NEURON) if " " not in names)

_NET_ON_PITCH_ACTIVATION = 1.5
"""Above the 1 of apples and pitches, so that these few nets are among the neuron's strongest images."""


def planted_code() -> NDArray[np.float32]:
    """Return the pooled activation that each concept is pulled to.

    Returns
    -------
    ndarray of float32, shape (concepts, neurons)
        Rows in the order of :data:`backend.demo.concepts.CONCEPTS`; 1 where a neuron stands for a concept.
    """
    code = np.zeros((len(CONCEPTS), N_NEURONS), dtype=np.float32)
    for neuron, names in enumerate(_CONCEPTS_OF_NEURON):
        for name in names.split():
            code[CONCEPTS.index(name), neuron] = 1.0
    for (name, neuron), share in _FACETS.items():
        code[CONCEPTS.index(name), neuron] = share
    return code


def net_on_pitch_code() -> NDArray[np.float32]:
    """Return the code of a net before a pitch: a net's, and strongly the neuron of apples and pitches.

    Returns
    -------
    ndarray of float32, shape (neurons,)
    """
    code: NDArray[np.float32] = planted_code()[CONCEPTS.index("net")]
    code[APPLE_AND_PITCH_NEURON] = _NET_ON_PITCH_ACTIVATION
    return code
