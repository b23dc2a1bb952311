"""Outlines of the demo's pictures: float64 arrays (n, 2) of points, x to the right and y down."""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, hypot, pi, sin
from random import Random

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
PointsLike = Points | Sequence[tuple[float, float]]


@lru_cache(maxsize=512)
def _unit_arc(start: float, stop: float, n: int) -> Points:
    angles = np.linspace(start * 2 * pi, stop * 2 * pi, n)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points.setflags(write=False)
    return points


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, n: int = 24) -> Points:
    """Return an open arc of an ellipse; angles in turns, 0 to the right, 1/4 down, 1/2 to the left."""
    if n < 2:
        raise ValueError("an arc needs at least two points")
    return _unit_arc(start, stop, n) * (rx, ry) + (x, y)


def ellipse(x: float, y: float, rx: float, ry: float | None = None, n: int = 36) -> Points:
    """Return an ellipse, or a circle where only one radius is given."""
    return _unit_arc(0.0, 1.0 - 1.0 / n, n) * (rx, rx if ry is None else ry) + (x, y)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Points:
    """Return a rectangle between two corners."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def rounded(x0: float, y0: float, x1: float, y1: float, radius: float) -> Points:
    """Return a rectangle with round corners."""
    return np.concatenate(
        [
            arc(x0 + radius, y0 + radius, radius, radius, 0.5, 0.75, 6),
            arc(x1 - radius, y0 + radius, radius, radius, 0.75, 1.0, 6),
            arc(x1 - radius, y1 - radius, radius, radius, 0.0, 0.25, 6),
            arc(x0 + radius, y1 - radius, radius, radius, 0.25, 0.5, 6),
        ]
    )


def star(x: float, y: float, outer: float, inner: float, n: int, turn: float = -0.25) -> Points:
    """Return a star of ``n`` points; the first one at ``turn``, which is up by default."""
    points = _unit_arc(turn, turn + 1.0 - 0.5 / n, 2 * n).copy()
    points[0::2] *= outer
    points[1::2] *= inner
    return shifted(points, x, y)


def polygon(x: float, y: float, radius: float, n: int, turn: float = -0.25) -> Points:
    """Return a regular polygon of ``n`` corners; the first one at ``turn``, which is up by default."""
    return _unit_arc(turn, turn + 1.0 - 1.0 / n, n) * radius + (x, y)


@lru_cache(maxsize=16)
def _catmull_rom(n: int) -> Points:
    t = np.arange(n) / n
    return 0.5 * np.stack(
        [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], axis=1
    )


def smooth(points: PointsLike, n: int = 7, *, closed: bool = True) -> Points:
    """Return a smooth curve through the points (Catmull-Rom), ``n`` points a piece."""
    knots = np.asarray(points, dtype=np.float64)
    if closed:
        before, after, second = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
        pieces = np.stack([before, knots, after, second], axis=1)
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
        pieces = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], axis=1)
    curve = (_catmull_rom(n) @ pieces).reshape(-1, 2)
    return curve if closed else np.concatenate([curve, knots[-1:]])


def ribbon(points: PointsLike, width: float | Sequence[float]) -> Points:
    """Return the outline of a line along the points; several widths run evenly from start to end."""
    line = np.asarray(points, dtype=np.float64)
    along = np.empty_like(line)
    along[1:-1] = line[2:] - line[:-2]
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along /= np.maximum(np.hypot(along[:, :1], along[:, 1:]), 1e-9)
    half: float | Points
    if isinstance(width, int | float):
        half = width / 2
    elif len(width) == 1:
        half = width[0] / 2
    else:
        knots = np.arange(len(line)) * ((len(width) - 1) / (len(line) - 1))
        half = np.interp(knots, np.arange(len(width)), width)[:, None] / 2
    side = along[:, ::-1] * (-1.0, 1.0) * half
    return np.concatenate([line + side, (line - side)[::-1]])


def taper(points: Points, start: float, stop: float) -> list[float]:
    """Return the outline of one straight line as x, y, x, y …: a fast :func:`ribbon` for two points."""
    (x0, y0), (x1, y1) = points.tolist()
    dx, dy = x1 - x0, y1 - y0
    length = max(hypot(dx, dy), 1e-9)
    nx, ny, a, b = -dy / length, dx / length, start / 2, stop / 2
    return [
        x0 + nx * a,
        y0 + ny * a,
        x1 + nx * b,
        y1 + ny * b,
        x1 - nx * b,
        y1 - ny * b,
        x0 - nx * a,
        y0 - ny * a,
    ]


def blob(rng: Random, x: float, y: float, radius: float, wobble: float = 0.15, n: int = 9) -> Points:
    """Return an uneven round shape: a circle whose radius wavers by up to the share ``wobble``."""
    angles = [2 * pi * (i + rng.uniform(-0.2, 0.2)) / n for i in range(n)]
    radii = [radius * (1 + rng.uniform(-wobble, wobble)) for _ in range(n)]
    return smooth([(x + r * cos(a), y + r * sin(a)) for r, a in zip(radii, angles, strict=True)], 5)


def mirrored(points: PointsLike) -> Points:
    """Complete the right half of a symmetric outline, given from top to bottom, by its mirror image."""
    right = np.asarray(points, dtype=np.float64)
    return np.concatenate([right, right[::-1] * (-1, 1)])


def turned(points: PointsLike, turn: float, x: float = 0.0, y: float = 0.0) -> Points:
    """Return the points rotated clockwise by a turn about (x, y)."""
    c, s = cos(2 * pi * turn), sin(2 * pi * turn)
    return shifted(shifted(points, -x, -y) @ np.array([[c, s], [-s, c]]), x, y)


def shifted(points: PointsLike, x: float, y: float) -> Points:
    """Return the points moved by (x, y)."""
    moved: Points = np.asarray(points, dtype=np.float64) + np.array([x, y])
    return moved
