"""The canvas that the demo's pictures are drawn on: filled, shaded and glowing shapes, with Pillow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import cos, hypot, pi, sin
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from backend.demo.drawing.colors import Color, darken, lighten, mix
from backend.demo.drawing.shapes import Points, PointsLike, ellipse, ribbon, taper

PICTURE_SIZE = 128
"""Side of a finished picture in pixels."""

SUPERSAMPLING = 2
"""Shapes are drawn this many times larger and averaged down: Pillow's polygons have hard edges."""

_SIDE = PICTURE_SIZE * SUPERSAMPLING
_NOISE_SIDE = 512


@lru_cache(maxsize=1)
def _grain() -> NDArray[np.float32]:
    """Return a sheet of film grain, of which every picture cuts its piece: cheaper than new noise."""
    sheet = np.random.default_rng(20230420).normal(0.0, 1.0, (_NOISE_SIDE, _NOISE_SIDE, 3))
    luminance = np.random.default_rng(7).normal(0.0, 1.0, (_NOISE_SIDE, _NOISE_SIDE, 1))
    return (0.5 * sheet + luminance).astype(np.float32)


@lru_cache(maxsize=32)
def _spot_mask(level: int) -> Image.Image:
    """Return a round spot, ``level`` (at most 255) in its middle, falling smoothly to 0 at its edge."""
    steps = np.linspace(-1, 1, 48)
    distance = np.minimum(np.hypot(steps[:, None], steps[None, :]), 1)
    return Image.fromarray((level * (0.5 + 0.5 * np.cos(pi * distance))).astype(np.uint8))


def corner_gradient(size: tuple[int, int], corners: Sequence[Color]) -> Image.Image:
    """Return a picture that runs evenly between its corners: top left, right, bottom left, right."""
    tiny = Image.new("RGB", (2, 2))
    tiny.putdata(list(corners))
    coarse = (size[0] // 4 + 1, size[1] // 4 + 1)
    # Even steps of 2 finished pixels are too fine to see, and several times faster than a full interpolation.
    return tiny.resize(coarse, Image.Resampling.BILINEAR, box=(0.5, 0.5, 1.5, 1.5)).resize(
        size, Image.Resampling.NEAREST
    )


class Canvas:
    """A square picture being drawn.

    Shapes are given in units of the *frame*, which :meth:`place` moves, turns and scales: until then (and
    after :meth:`whole`) the picture spans -1 to 1 in x (to the right) and y (down).

    Parameters
    ----------
    rng : random.Random
        What every choice about this picture is drawn from.
    background : PIL.Image.Image
        RGB picture to start from, of any size.
    """

    def __init__(self, rng: Random, background: Image.Image) -> None:
        self.rng = rng
        finished = background.resize((PICTURE_SIZE, PICTURE_SIZE), Image.Resampling.BICUBIC)
        self.image = finished.resize((_SIDE, _SIDE), Image.Resampling.NEAREST)
        self._draw = ImageDraw.Draw(self.image)
        angle = rng.uniform(-0.75, -0.05)
        self.light = (0.9 * sin(angle * 2 - 0.2), -1.0)
        """Where the light comes from: a direction in the picture."""
        self.whole()

    def whole(self) -> None:
        """Make the frame the whole picture again."""
        self._matrix = np.array([[_SIDE / 2, 0.0], [0.0, _SIDE / 2]])
        self._origin = np.array([_SIDE / 2, _SIDE / 2])
        self._unit = _SIDE / 2

    def place(self, x: float, y: float, size: float, *, turn: float = 0.0, mirror: bool = False) -> None:
        """Set the frame: its origin at (x, y), its unit ``size``, turned clockwise by ``turn``."""
        c, s = cos(2 * pi * turn) * size * _SIDE / 2, sin(2 * pi * turn) * size * _SIDE / 2
        flip = -1.0 if mirror else 1.0
        self._matrix = np.array([[c * flip, s * flip], [-s, c]])
        self._origin = np.array([(x + 1) * _SIDE / 2, (y + 1) * _SIDE / 2])
        self._unit = size * _SIDE / 2

    def scatter(
        self,
        size: tuple[float, float],
        *,
        tilt: float = 0.03,
        drift: float = 0.15,
        x: float = 0.0,
        y: float = 0.0,
        mirror: bool = True,
    ) -> None:
        """Set the frame at random: its size of a range, up to ``tilt`` turns, up to ``drift`` from (x, y)."""
        rng = self.rng
        self.place(
            x + rng.uniform(-drift, drift),
            y + rng.uniform(-drift, drift),
            rng.uniform(*size),
            turn=rng.uniform(-tilt, tilt),
            mirror=mirror and rng.random() < 0.5,
        )

    def _pixels(self, points: PointsLike) -> Points:
        pixels: Points = np.asarray(points, dtype=np.float64) @ self._matrix + self._origin
        return pixels

    def fill(self, points: PointsLike, color: Color) -> None:
        """Fill a closed outline with one colour."""
        self._draw.polygon(self._pixels(points).ravel().tolist(), fill=color)

    def line(self, points: PointsLike, width: float | Sequence[float], color: Color) -> None:
        """Draw a line with round ends; several widths run along it."""
        widths = [width] if isinstance(width, int | float) else width
        scaled = [max(w * self._unit, 1.2) for w in widths]
        pixels = self._pixels(points)
        outline = (
            taper(pixels, scaled[0], scaled[-1])
            if len(pixels) == 2
            else ribbon(pixels, scaled).ravel().tolist()
        )
        self._draw.polygon(outline, fill=color)
        for (x, y), diameter in ((pixels[0], scaled[0]), (pixels[-1], scaled[-1])):
            if diameter > 3:
                r = diameter / 2
                self._draw.ellipse((x - r, y - r, x + r, y + r), fill=color)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Fill a circle with one colour."""
        (px, py), r = self._pixels([(x, y)])[0], radius * self._unit
        self._draw.ellipse((px - r, py - r, px + r, py + r), fill=color)

    def body(self, points: PointsLike, color: Color, *, relief: float = 0.3, to: Color | None = None) -> None:
        """Fill a closed outline with a gradient: lighter where the light comes from, darker opposite.

        Parameters
        ----------
        points : array-like (n, 2)
            The outline.
        color : Color
            The colour in the middle.
        relief : float
            How far towards white and black the two ends go, 0 to 1.
        to : Color, optional
            Run from ``color`` (lit) to this colour instead.
        """
        pixels = self._pixels(points)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        box = self._visible(low, high)
        if box is None:
            return
        x0, y0, x1, y1 = box
        lit, shaded = (color, to) if to is not None else (lighten(color, relief), darken(color, relief))
        (lx, ly), centre, half = self.light, (low + high) / 2, np.maximum((high - low) / 2, 1)
        corners = []
        for x, y in ((x0, y0), (x1, y0), (x0, y1), (x1, y1)):
            towards = (lx * (x - centre[0]) / half[0] + ly * (y - centre[1]) / half[1]) / (abs(lx) + abs(ly))
            corners.append(mix(shaded, lit, 0.5 + 0.5 * float(towards)))
        mask = Image.new("L", (x1 - x0, y1 - y0))
        ImageDraw.Draw(mask).polygon((pixels - (x0, y0)).ravel().tolist(), fill=255)
        self.image.paste(corner_gradient(mask.size, corners), (x0, y0), mask)

    def ball(self, x: float, y: float, radius: float, color: Color, *, gloss: float = 0.6) -> None:
        """Draw a shaded sphere with a highlight."""
        self.body(ellipse(x, y, radius), color, relief=0.28)
        if gloss:
            self.shine(x, y, radius, gloss)

    def shine(self, x: float, y: float, radius: float, strength: float = 0.6) -> None:
        """Put a soft highlight on something round at (x, y) of this radius, on the side of the light."""
        (px, py), r = self._pixels([(x, y)])[0], radius * self._unit
        lx, ly = self.light
        far = 0.42 * r / hypot(lx, ly)
        self._spot(px + lx * far, py + ly * far, r * 0.5, r * 0.5, (255, 255, 250), strength)

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 0.8) -> None:
        """Let light fall around (x, y): strongest in its middle, nothing at the radius."""
        (px, py), r = self._pixels([(x, y)])[0], radius * self._unit
        self._spot(px, py, r, r, color, strength)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.45) -> None:
        """Lay a soft shadow, level in the picture however the frame is turned."""
        px, py = self._pixels([(x, y)])[0]
        self._spot(px, py, rx * self._unit, ry * self._unit, (20, 16, 34), strength)

    def _spot(self, x: float, y: float, rx: float, ry: float, color: Color, strength: float) -> None:
        """Blend a colour in, most in the middle: only the part within the picture is computed."""
        x0, y0 = max(round(x - rx), 0), max(round(y - ry), 0)
        x1, y1 = min(round(x + rx), _SIDE), min(round(y + ry), _SIDE)
        if x1 <= x0 or y1 <= y0:
            return
        spot = _spot_mask(round(min(strength, 1) * 17) * 15)
        across, down = spot.width / (2 * rx), spot.height / (2 * ry)
        left, top = max((x0 - x + rx) * across, 0), max((y0 - y + ry) * down, 0)
        right, bottom = min((x1 - x + rx) * across, spot.width), min((y1 - y + ry) * down, spot.height)
        mask = spot.resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=(left, top, right, bottom))
        self.image.paste(Image.new("RGB", mask.size, color), (x0, y0), mask)  # faster than pasting a colour

    @contextmanager
    def inside(self, points: PointsLike) -> Iterator[None]:
        """Keep what is drawn within an outline."""
        pixels = self._pixels(points)
        box = self._visible(pixels.min(axis=0), pixels.max(axis=0))
        before = self.image.copy()
        yield
        if box is None:
            self.image.paste(before)
            return
        mask = Image.new("L", self.image.size, 255)
        ImageDraw.Draw(mask).polygon(pixels.ravel().tolist(), fill=0)
        self.image.paste(before, (0, 0), mask)

    def _visible(
        self, low: Sequence[float] | Points, high: Sequence[float] | Points
    ) -> tuple[int, int, int, int] | None:
        x0, y0 = max(int(low[0]) - 1, 0), max(int(low[1]) - 1, 0)
        x1, y1 = min(int(high[0]) + 2, _SIDE), min(int(high[1]) + 2, _SIDE)
        return (x0, y0, x1, y1) if x1 - x0 > 1 and y1 - y0 > 1 else None

    def finish(self) -> Image.Image:
        """Return the picture at its final size, as a camera would take it: vignette, cast and grain."""
        rng = self.rng
        cast = np.array([rng.uniform(0.97, 1.03) for _ in range(3)], dtype=np.float32) * rng.uniform(
            0.92, 1.06
        )
        toned = np.asarray(self.image.reduce(SUPERSAMPLING), dtype=np.float32) * cast
        toned *= 1 - np.float32(rng.uniform(0.0, 0.22)) * _vignette()
        x, y = rng.randrange(_NOISE_SIDE - PICTURE_SIZE), rng.randrange(_NOISE_SIDE - PICTURE_SIZE)
        toned += _grain()[y : y + PICTURE_SIZE, x : x + PICTURE_SIZE] * np.float32(rng.uniform(0.8, 3.5))
        return Image.fromarray(toned.clip(0, 255, out=toned).astype(np.uint8))


@lru_cache(maxsize=1)
def _vignette() -> NDArray[np.float32]:
    steps = np.linspace(-1, 1, PICTURE_SIZE, dtype=np.float32)
    squared = (steps[:, None] ** 2 + steps[None, :] ** 2) / 2
    return squared[:, :, None].astype(np.float32)
