"""What a person changed in a neuron's concepts: images made a concept of their own, and images left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.errors import ParameterError

LEFT_OUT = -3
"""Label of a top image that a person left out of every concept of its neuron."""

NOT_MOVED = -4
"""In :meth:`Adjustments.by_hand`: an image that nobody touched, whose cluster decides."""


@dataclass(frozen=True)
class Adjustments:
    """How one neuron's concepts were adjusted by hand. The paper has no such step.

    Each image is in one place at most: left out, or in one concept of its own. Where a row is given twice,
    the newest concept has it, and being left out goes before all. Rows are kept whether they are among the
    neuron's top images at present or not: those that are not wait, without any effect.

    Attributes
    ----------
    own_concepts
        Image rows of each concept made by hand, oldest first; rows ascending, no concept without a row.
    left_out
        Image rows that belong to no concept of this neuron, ascending.

    Raises
    ------
    ParameterError
        If a row is not a whole number from 0.
    """

    own_concepts: tuple[tuple[int, ...], ...] = ()
    left_out: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        left_out = _row_set(self.left_out)
        taken, concepts = set(left_out), []
        for rows in reversed(self.own_concepts):
            own = _row_set(rows) - taken
            taken |= own
            if own:
                concepts.append(tuple(sorted(own)))
        object.__setattr__(self, "left_out", tuple(sorted(left_out)))
        object.__setattr__(self, "own_concepts", tuple(reversed(concepts)))

    def __bool__(self) -> bool:
        """Return whether anything was adjusted."""
        return bool(self.own_concepts or self.left_out)

    @property
    def rows(self) -> frozenset[int]:
        """Every image row that was moved by hand."""
        return frozenset(self.left_out).union(*self.own_concepts)

    def with_own_concept(self, rows: Iterable[int]) -> Adjustments:
        """Make these images a concept of their own: they leave whatever they were put into before."""
        own = _row_set(rows)
        return Adjustments((*self.own_concepts, tuple(own)), tuple(set(self.left_out) - own))

    def with_left_out(self, rows: Iterable[int]) -> Adjustments:
        """Leave these images out; a concept of its own that loses all its images is gone."""
        return Adjustments(self.own_concepts, (*self.left_out, *_row_set(rows)))

    def without(self, rows: Iterable[int]) -> Adjustments:
        """Give these images back to the clusters that they come from."""
        back = _row_set(rows)
        concepts = tuple(tuple(set(own) - back) for own in self.own_concepts)
        return Adjustments(concepts, tuple(set(self.left_out) - back))

    def by_hand(self, images: NDArray[np.integer]) -> NDArray[np.int64]:
        """Say where a person put each image.

        Parameters
        ----------
        images
            int (N,): rows of the neuron's top images.

        Returns
        -------
        places
            int64 (N,): the place of its concept in :attr:`own_concepts`, :data:`LEFT_OUT`, or
            :data:`NOT_MOVED`.
        """
        places = np.full(len(images), NOT_MOVED, dtype=np.int64)
        for place, rows in enumerate(self.own_concepts):
            places[np.isin(images, rows)] = place
        places[np.isin(images, self.left_out)] = LEFT_OUT
        return places

    def to_dict(self) -> dict[str, Any]:
        """Return the adjustments as plain JSON values."""
        return {"own_concepts": [list(rows) for rows in self.own_concepts], "left_out": list(self.left_out)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Adjustments:
        """Build adjustments from :meth:`to_dict`'s values.

        Raises
        ------
        ParameterError
            If they are of another form.
        """
        concepts, left_out = values.get("own_concepts", ()), values.get("left_out", ())
        if not _is_list(concepts) or not _is_list(left_out) or not all(map(_is_list, concepts)):
            raise ParameterError("Adjustments are lists of image rows: own_concepts, and left_out.")
        return cls(tuple(tuple(rows) for rows in concepts), tuple(left_out))


def _is_list(values: object) -> bool:
    return isinstance(values, Sequence) and not isinstance(values, str)


def _row_set(rows: Iterable[int]) -> set[int]:
    found = set()
    for row in rows:
        if isinstance(row, bool) or not isinstance(row, int | np.integer) or row < 0:
            raise ParameterError(f"{row!r} is not the row of an image: rows are whole numbers from 0.")
        found.add(int(row))
    return found


UNADJUSTED = Adjustments()
"""Nothing was changed by hand: the method's own result."""
