"""The neuron browser's filter: numbers, names and conditions, all of which must hold."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.neurons import NeuronStatistics

HELP = (
    "Show only neurons that fit all of this:\n"
    "35            the neurons whose number begins with 35, or whose name has it\n"
    "#35   10-20   exactly this neuron; these neurons\n"
    'apple         “apple” in the name; quote what has spaces: "red apple"\n'
    "concepts>1   max>=2.5   mean<0.1   active<5%\n"
    "              conditions with <  <=  >  >=  =  !=\n"
    "dead   named   neurons that are never active; that have a name\n"
    "!             in front of anything turns it round: !dead"
)

_COMPARE: dict[str, Callable[[NDArray[np.float64], float], NDArray[np.bool_]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
}
_COLUMNS = {
    "neuron": "neuron",
    "n": "neuron",
    "maximum": "maximum",
    "max": "maximum",
    "mean": "mean",
    "active": "active",
    "concepts": "concepts",
    "c": "concepts",
}
_TOKEN = re.compile(r'(!?)(?:"([^"]*)"?|(\S+))')
_CONDITION = re.compile(r"([A-Za-z]+)\s*(<=|>=|!=|<|>|==|=)\s*(.*)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_SPACES_AROUND_OPERATOR = re.compile(r"\s*(<=|>=|!=|==|<|>|=)\s*")


class NeuronFilterError(ValueError):
    """The filter cannot be understood; the text says why and how it would be."""


@dataclass(frozen=True)
class NeuronColumns:
    """The columns of d neurons that a filter looks at.

    Attributes
    ----------
    numbers
        float64 (d,) for each of "neuron", "maximum", "mean", "active" (share of 1) and "concepts"
        (NaN where not known).
    names
        What the user called some of the neurons.
    """

    numbers: Mapping[str, NDArray[np.float64]]
    names: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, statistics: NeuronStatistics, n_concepts: NDArray[np.int64], names: Mapping[int, str]
    ) -> NeuronColumns:
        """Collect the columns of a layer; ``n_concepts`` is -1 where not known."""
        concepts = n_concepts.astype(np.float64)
        numbers = {
            "neuron": np.arange(len(concepts), dtype=np.float64),
            "maximum": statistics.maximum.astype(np.float64),
            "mean": statistics.mean.astype(np.float64),
            "active": statistics.active_fraction.astype(np.float64),
            "concepts": np.where(concepts < 0, np.nan, concepts),
        }
        return cls(numbers, names)

    @property
    def n_neurons(self) -> int:
        """Number of neurons d."""
        return len(self.numbers["neuron"])

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Bool (d,): neurons that no image activates."""
        return dead_neurons(self.numbers["maximum"])


def dead_neurons(maximum: NDArray[Any]) -> NDArray[np.bool_]:
    """Return bool (d,): neurons whose largest activation is not above zero."""
    return ~(maximum > 0)


def matching_neurons(text: str, columns: NeuronColumns) -> NDArray[np.bool_]:
    """Return bool (d,): the neurons for which everything in ``text`` holds; all of them for an empty text.

    Raises
    ------
    NeuronFilterError
        If a condition is unfinished or names no column.
    """
    mask = np.ones(columns.n_neurons, dtype=np.bool_)
    for negated, quoted, word in _TOKEN.findall(_SPACES_AROUND_OPERATOR.sub(r"\1", text)):
        if not quoted and not word:
            continue
        found = _named_like(quoted, columns) if quoted else _matching_word(word, columns)
        mask &= ~found if negated else found
    return mask


def exact_neuron(text: str) -> int | None:
    """Return the neuron that a text means if it is nothing but a number ("35" or "#35")."""
    number = text.strip().removeprefix("#")
    return int(number) if number.isdecimal() else None


def _matching_word(word: str, columns: NeuronColumns) -> NDArray[np.bool_]:
    if word.lower() == "dead":
        return columns.dead | _named_like(word, columns)
    if word.lower() == "named":
        return _mask_of([n for n, name in columns.names.items() if name], columns)
    neuron = columns.numbers["neuron"]
    if word.startswith("#") and word[1:].isdecimal():
        return np.asarray(neuron == int(word[1:]))
    if word.isdecimal():
        return _number_begins_with(word, columns.n_neurons) | _named_like(word, columns)
    limits = _RANGE.fullmatch(word)
    if limits:
        return (neuron >= int(limits[1])) & (neuron <= int(limits[2]))
    condition = _CONDITION.fullmatch(word)
    if condition:
        return _holds(condition[1], condition[2], condition[3], columns)
    if any(sign in word for sign in "<>="):
        raise NeuronFilterError(f"“{word}” is not a condition; write it like concepts>1 or max>=2.5.")
    named = _named_like(word, columns)
    if not named.any() and any(column.startswith(word.lower()) for column in _COLUMNS):
        # The beginning of a condition that is being typed leaves nothing out yet.
        return ~named
    return named


def _holds(column: str, sign: str, number: str, columns: NeuronColumns) -> NDArray[np.bool_]:
    name = _COLUMNS.get(column.lower())
    if name is None:
        close = difflib.get_close_matches(column.lower(), _COLUMNS, n=1)
        hint = f"did you mean {close[0]}?" if close else "there are neuron, max, mean, active and concepts."
        raise NeuronFilterError(f"There is no column “{column}”: {hint}")
    try:
        limit = float(number.removesuffix("%").replace(",", "."))
    except ValueError:
        example = "5%" if name == "active" else "1"
        raise NeuronFilterError(f"“{column}{sign}” needs a number, as in {column}{sign}{example}.") from None
    if number.endswith("%"):
        limit /= 100
    values = columns.numbers[name]
    # What is not known fits no condition, not even "other than".
    fits: NDArray[np.bool_] = _COMPARE["=" if sign == "==" else sign](values, limit) & ~np.isnan(values)
    return fits


def _named_like(text: str, columns: NeuronColumns) -> NDArray[np.bool_]:
    wanted = text.casefold()
    return _mask_of([n for n, name in columns.names.items() if wanted in name.casefold()], columns)


def _mask_of(neurons: list[int], columns: NeuronColumns) -> NDArray[np.bool_]:
    mask = np.zeros(columns.n_neurons, dtype=np.bool_)
    mask[[n for n in neurons if 0 <= n < columns.n_neurons]] = True
    return mask


def _number_begins_with(digits: str, n_neurons: int) -> NDArray[np.bool_]:
    """Find the numbers d, d0 … d9, d00 … d99 and so on, which are runs of an array."""
    mask = np.zeros(n_neurons, dtype=np.bool_)
    if digits != "0" and digits.startswith("0"):
        return mask
    first, width = int(digits), 1
    while first < n_neurons:
        mask[first : first + width] = True
        if first == 0:
            break
        first, width = first * 10, width * 10
    return mask
