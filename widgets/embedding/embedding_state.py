"""What an embedding shows: the points, what they stand for, what is chosen. No painting, no events."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from widgets.images.image_grid_model import ImageItem

_SAMPLE = 256

Points = NDArray[np.float64]


@dataclass(frozen=True)
class PointGroup:
    """Images that share a colour and a sign: a concept's members, the outliers, the dropped clusters.

    Attributes
    ----------
    key
        What the group is, in signals: a cluster's number, −1 for outliers, −2 for dropped clusters.
    title
        Name of the concept.
    number
        The concept's number, which decides the shape of its points; −1 and −2 as ``key``.
    color, marker
        Its colour, and the letter that makes colour not the only cue.
    items
        The pictures; those that have no place in the plane are not shown.
    """

    key: int
    title: str
    number: int
    color: QColor
    marker: str
    items: tuple[ImageItem, ...]

    @property
    def is_kept(self) -> bool:
        """Whether these are a concept's members."""
        return self.key >= 0


class EmbeddingState:
    """Shared by the parts of an embedding view; the plot changes it, the canvas paints it.

    Attributes
    ----------
    groups
        As given, those without a point too.
    items, group_of
        Of each of the N points: its picture, and int64 (N,) the index of its group.
    positions
        float64 (N, 2).
    spacing
        Median distance of a point to its nearest neighbour, in units of the plane.
    chosen
        bool (N,): the selected points.
    hovered, current
        The point under the pointer and the one that the keyboard is at; −1 for none.
    """

    def __init__(self) -> None:
        self.groups: tuple[PointGroup, ...] = ()
        self.items: tuple[ImageItem, ...] = ()
        self.group_of: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self.positions: Points = np.empty((0, 2))
        self.spacing = 0.0
        self.chosen: NDArray[np.bool_] = np.zeros(0, dtype=np.bool_)
        self.hovered = -1
        self.current = -1

    def __len__(self) -> int:
        return len(self.items)

    @property
    def rows(self) -> tuple[int, ...]:
        """Dataset rows of the points."""
        return tuple(item.row for item in self.items)

    @property
    def chosen_rows(self) -> tuple[int, ...]:
        """Dataset rows of the selected points."""
        return tuple(self.items[point].row for point in np.flatnonzero(self.chosen))

    def group(self, point: int) -> PointGroup:
        """Return the group of a point."""
        return self.groups[int(self.group_of[point])]

    def set_points(
        self, groups: Sequence[PointGroup], rows: Sequence[int], positions: NDArray[np.floating]
    ) -> None:
        """Show other points; what is chosen, hovered and current stays so where it is still there.

        Parameters
        ----------
        groups
            Every image with its picture.
        rows
            Dataset rows of the images that have a place; those in no group are left out.
        positions
            float (N, 2): their places, parallel to ``rows``.
        """
        chosen = set(self.chosen_rows)
        hovered, current = self._row(self.hovered), self._row(self.current)
        found = {item.row: (item, number) for number, group in enumerate(groups) for item in group.items}
        shown = [index for index, row in enumerate(rows) if row in found]
        self.groups = tuple(groups)
        self.items = tuple(found[rows[index]][0] for index in shown)
        self.group_of = np.array([found[rows[index]][1] for index in shown], dtype=np.int64)
        places = np.asarray(positions, dtype=np.float64).reshape(-1, 2)[shown]
        if not np.array_equal(places, self.positions):
            self.positions = places
            self.spacing = nearest_distance(places)
        self.choose_rows(chosen)
        self.hovered, self.current = self._point(hovered), self._point(current)

    def choose_rows(self, rows: Collection[int]) -> None:
        """Select the points of these images and no others."""
        wanted = frozenset(rows)
        self.chosen = np.array([item.row in wanted for item in self.items], dtype=np.bool_)

    def choose(self, points: NDArray[np.int64], *, toggle: bool = False, add: bool = False) -> None:
        """Select points: alone, or besides what is chosen, or out again where they were chosen."""
        if toggle:
            self.chosen[points] = ~self.chosen[points]
        elif add:
            self.chosen[points] = True
        else:
            self.chosen[:] = False
            self.chosen[points] = True

    def _row(self, point: int) -> int | None:
        return self.items[point].row if 0 <= point < len(self.items) else None

    def _point(self, row: int | None) -> int:
        return next((point for point, item in enumerate(self.items) if item.row == row), -1)


def nearest_distance(positions: Points) -> float:
    """Return the median distance of points, float64 (N, 2), to their nearest neighbours; 0 for fewer than 2.

    Points on one spot are looked at once; of many points a sample is asked.
    """
    places = np.unique(positions, axis=0)
    if len(places) < 2:
        return 0.0
    asked = places[:: -(-len(places) // _SAMPLE)]
    squared = ((asked[:, np.newaxis] - places[np.newaxis]) ** 2).sum(axis=2)
    squared[squared == 0] = np.inf
    return float(np.median(np.sqrt(squared.min(axis=1))))


def next_point(pixels: Points, current: int, direction: tuple[int, int]) -> int:
    """Return the point to go to from another in a direction: near, and rather ahead than aside.

    Parameters
    ----------
    pixels
        float64 (N, 2): x to the right and y down.
    current
        Where to start; −1 begins with the first point.
    direction
        (1, 0) right, (−1, 0) left, (0, 1) down, (0, −1) up.

    Returns
    -------
    int
        The point, or ``current`` if there is none that way; −1 without points.
    """
    if not len(pixels):
        return -1
    if current < 0:
        return 0
    away = pixels - pixels[current]
    ahead = away @ np.array(direction, dtype=np.float64)
    aside = np.abs(away @ np.array(direction[::-1], dtype=np.float64))
    cost = np.where(ahead > 0, ahead + 2 * aside, np.inf)
    cost[current] = np.inf
    best = int(cost.argmin())
    return best if np.isfinite(cost[best]) else current
