"""The pictures of the demo's world."""

import itertools

import numpy as np
import pytest

from backend.demo.concepts import (
    CONCEPTS,
    DEMO_STREAM,
    TEST_STREAM,
    TRAINING_STREAM,
    draw_concept,
    is_net_on_pitch,
)
from backend.demo.drawing.canvas import PICTURE_SIZE
from backend.errors import ParameterError


def test_there_are_enough_concepts_and_those_of_the_paper() -> None:
    assert len(CONCEPTS) >= 36
    assert list(CONCEPTS) == sorted(set(CONCEPTS))
    assert {"apple", "pitch", "net", "coral", "diver"} <= set(CONCEPTS)


@pytest.mark.parametrize("name", CONCEPTS)
def test_a_picture_follows_from_concept_stream_and_number(name: str) -> None:
    first = draw_concept(name, 3)
    assert first.mode == "RGB"
    assert first.size == (PICTURE_SIZE, PICTURE_SIZE)
    assert first.tobytes() == draw_concept(name, 3).tobytes()
    others = [
        draw_concept(name, n, stream=s) for n, s in ((4, DEMO_STREAM), (3, TRAINING_STREAM), (3, TEST_STREAM))
    ]
    for a, b in itertools.combinations([first, *others], 2):
        # Another picture, not the same one with other grain.
        assert np.abs(np.asarray(a, dtype=int) - np.asarray(b, dtype=int)).mean() > 8


def test_concepts_look_different() -> None:
    """A nearest-mean classifier on coarse colours, which knows nothing of shapes, is far above chance."""

    def coarse(name: str, number: int) -> np.ndarray:
        return np.asarray(draw_concept(name, number, stream=9).resize((6, 6)), dtype=float).ravel()

    means = np.array([np.mean([coarse(name, n) for n in range(5)], axis=0) for name in CONCEPTS])
    right = [
        np.linalg.norm(means - coarse(name, n), axis=1).argmin() == i
        for i, name in enumerate(CONCEPTS)
        for n in range(5, 7)
    ]
    assert np.mean(right) > 10 / len(CONCEPTS)


def test_few_nets_of_the_demo_hang_on_a_pitch() -> None:
    on_pitch = [n for n in range(120) if is_net_on_pitch(n)]
    assert 1 <= len(on_pitch) < 5

    def greenness(number: int) -> float:
        red, green, blue = np.asarray(draw_concept("net", number), dtype=float).reshape(-1, 3).mean(axis=0)
        return float(green - (red + blue) / 2)

    others = [greenness(n) for n in range(20)]
    assert min(greenness(n) for n in on_pitch) > np.mean(others) + np.std(others)


def test_an_unknown_concept_is_named() -> None:
    with pytest.raises(ParameterError, match="no concept “unicorn”"):
        draw_concept("unicorn", 0)
