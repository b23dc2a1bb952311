"""The filter's small language, checked neuron by neuron against plain Python."""

import numpy as np
import pytest

from backend.neurons import NeuronStatistics
from widgets.neurons.neuron_filter import NeuronColumns, NeuronFilterError, exact_neuron, matching_neurons

N = 1280
RNG = np.random.default_rng(5)
MAXIMUM = np.where(RNG.random(N) < 0.05, 0, RNG.gamma(2.0, 1.5, N)).astype(np.float32)
ACTIVE = np.where(MAXIMUM > 0, RNG.random(N), 0).astype(np.float32)
STATISTICS = NeuronStatistics(MAXIMUM, MAXIMUM / 9, MAXIMUM / 4, ACTIVE, 500)
CONCEPTS = RNG.integers(-1, 6, N)
NAMES = {3: "apples and pitches", 40: "Coral", 41: "red apple", 900: "35 mm film", 5: ""}
COLUMNS = NeuronColumns.of(STATISTICS, CONCEPTS, NAMES)


def _found(text: str) -> list[int]:
    return [int(n) for n in np.flatnonzero(matching_neurons(text, COLUMNS))]


def test_nothing_asked_is_everything_found() -> None:
    assert _found("") == _found("   ") == list(range(N))


@pytest.mark.parametrize("digits", ["0", "1", "12", "127", "99", "1279", "1280", "05"])
def test_a_number_finds_what_begins_with_it(digits: str) -> None:
    assert _found(digits) == [n for n in range(N) if str(n).startswith(digits)]


def test_a_number_in_a_name_is_found_too() -> None:
    assert 900 in _found("35")
    assert _found("#35") == [35]


def test_a_range_of_numbers() -> None:
    assert _found("10-20") == list(range(10, 21))


def test_names_are_found_in_any_case() -> None:
    assert _found("APPLE") == [3, 41]
    assert _found('"red apple"') == [41]
    assert _found("red apple") == [41]
    assert _found("nothing-is-called-this") == []
    assert _found("named") == [3, 40, 41, 900]


def test_the_beginning_of_a_condition_leaves_nothing_out_yet() -> None:
    assert _found("conc") == _found("mean") == list(range(N))
    assert _found("co") == [40]


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">=", "=", "==", "!="])
def test_conditions_compare_as_python_does(sign: str) -> None:
    python = {"=": "=="}.get(sign, sign)
    expected = [n for n in range(N) if CONCEPTS[n] >= 0 and eval(f"{CONCEPTS[n]} {python} 2")]
    assert _found(f"concepts{sign}2") == expected
    assert _found(f"c {sign} 2") == expected


def test_conditions_on_activations() -> None:
    assert _found("max>2.5") == [n for n in range(N) if MAXIMUM[n] > 2.5]
    assert _found("max>2,5") == _found("Maximum > 2.5")
    assert _found("mean<0.1") == [n for n in range(N) if MAXIMUM[n] / np.float32(9) < 0.1]
    assert _found("active<5%") == [n for n in range(N) if ACTIVE[n] < 0.05]
    assert _found("neuron>=1270") == list(range(1270, N))


def test_everything_must_hold() -> None:
    assert _found("concepts>1 max>2") == sorted(set(_found("concepts>1")) & set(_found("max>2")))
    assert _found("apple max>=0 neuron<10") == [3]


def test_an_exclamation_mark_turns_round() -> None:
    assert _found("!dead") == [n for n in range(N) if MAXIMUM[n] > 0]
    assert _found("dead") == [n for n in range(N) if not MAXIMUM[n] > 0]
    assert _found('!"red apple"') == [n for n in range(N) if n != 41]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("concepts>", "needs a number, as in concepts>1"),
        ("active<", "as in active<5%"),
        ("max>two", "needs a number"),
        ("foo>3", "There is no column “foo”"),
        ("concept>3", "did you mean concepts"),
        (">3", "is not a condition"),
        ("max>=<3", "needs a number"),
    ],
)
def test_what_cannot_be_understood_is_explained(text: str, said: str) -> None:
    with pytest.raises(NeuronFilterError, match=said.replace("?", r"\?")):
        matching_neurons(text, COLUMNS)


def test_the_exact_neuron_of_a_text() -> None:
    assert exact_neuron(" 35 ") == 35
    assert exact_neuron("#7") == 7
    assert exact_neuron("3 5") is None
    assert exact_neuron("") is None


def test_a_layer_without_neurons() -> None:
    nothing = np.zeros(0, dtype=np.float32)
    columns = NeuronColumns.of(
        NeuronStatistics(nothing, nothing, nothing, nothing, 0), np.zeros(0, dtype=np.int64), {2: "gone"}
    )
    assert len(matching_neurons("0 gone max>1", columns)) == 0
