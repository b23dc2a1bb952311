"""Grounds that the demo's pictures start from: rooms, landscapes, the sky and the sea."""

from collections.abc import Callable
from math import pi, sin
from random import Random

from PIL import Image, ImageDraw

from backend.demo.drawing.canvas import Canvas, corner_gradient
from backend.demo.drawing.colors import (
    WHITE,
    Color,
    darken,
    hsv,
    lighten,
    mix,
    muted,
    pastel,
    vary,
)
from backend.demo.drawing.shapes import blob, ellipse, rectangle

Background = Callable[[Random], Canvas]

_DRAFT = 64


def _gradient(rng: Random, top: Color, bottom: Color) -> Image.Image:
    """Vertical gradient, slightly askew."""
    lean = rng.uniform(-0.15, 0.15)
    corners = [
        mix(top, bottom, lean),
        mix(top, bottom, -lean),
        mix(top, bottom, 1 + lean),
        mix(top, bottom, 1 - lean),
    ]
    return corner_gradient((_DRAFT, _DRAFT), corners)


def studio(rng: Random) -> Canvas:
    """Paint a photographer's backdrop: one quiet colour with light in the middle."""
    color = pastel(rng) if rng.random() < 0.6 else muted(rng)
    canvas = Canvas(rng, _gradient(rng, lighten(color, 0.15), darken(color, 0.3)))
    canvas.glow(
        rng.uniform(-0.5, 0.5), rng.uniform(-0.5, 0.3), rng.uniform(0.9, 1.5), lighten(color, 0.6), 0.7
    )
    return canvas


def bokeh(rng: Random) -> Canvas:
    """Paint lights far out of focus."""
    hue, value = rng.random(), rng.uniform(0.25, 0.75)
    draft = _gradient(rng, hsv(hue, 0.5, value), hsv(hue + 0.08, 0.55, value * 0.7))
    draw = ImageDraw.Draw(draft)
    for _ in range(rng.randint(6, 12)):
        x, y, r = rng.uniform(0, _DRAFT), rng.uniform(0, _DRAFT), rng.uniform(3, 9)
        color = hsv(
            hue + rng.uniform(-0.12, 0.16), rng.uniform(0.2, 0.55), min(value + rng.uniform(0.05, 0.3), 1)
        )
        draw.ellipse((x - r, y - r, x + r, y + r), fill=color)
    side = _DRAFT // 4
    return Canvas(rng, draft.resize((side, side), Image.Resampling.BOX))


def paper(rng: Random) -> Canvas:
    """Paint mottled paper or plaster."""
    color = pastel(rng)
    draft = Image.new("RGB", (7, 7))
    draft.putdata([mix(color, vary(rng, color, 0.12), 0.5) for _ in range(49)])
    return Canvas(rng, draft)


def table(rng: Random) -> Canvas:
    """Paint a wall above a table top or a floor."""
    wall = pastel(rng) if rng.random() < 0.6 else muted(rng)
    canvas = Canvas(rng, _gradient(rng, lighten(wall, 0.1), darken(wall, 0.12)))
    edge = rng.uniform(0.25, 0.5)
    wood = rng.random() < 0.6
    top = hsv(rng.uniform(0.05, 0.1), rng.uniform(0.35, 0.6), rng.uniform(0.4, 0.8)) if wood else muted(rng)
    canvas.body(rectangle(-1.1, edge, 1.1, 1.1), lighten(top, 0.12), to=darken(top, 0.2))
    if wood:
        for _ in range(4):
            y = rng.uniform(edge + 0.06, 1)
            canvas.line([(-1.1, y), (1.1, y + rng.uniform(-0.02, 0.02))], 0.012, darken(top, 0.3))
    canvas.line([(-1.1, edge), (1.1, edge)], 0.025, lighten(top, 0.3))
    return canvas


def sky(rng: Random) -> Canvas:
    """Paint a day's sky with clouds, or one towards evening."""
    if rng.random() < 0.7:
        top = hsv(rng.uniform(0.53, 0.61), rng.uniform(0.4, 0.75), rng.uniform(0.75, 0.95))
        bottom = lighten(top, rng.uniform(0.45, 0.75))
    else:
        top = hsv(rng.uniform(0.62, 0.8), rng.uniform(0.3, 0.5), rng.uniform(0.5, 0.75))
        bottom = hsv(rng.uniform(0.03, 0.11), rng.uniform(0.35, 0.6), rng.uniform(0.9, 1.0))
    canvas = Canvas(rng, _gradient(rng, top, bottom))
    for _ in range(rng.randint(0, 3)):
        cloud(
            canvas,
            rng.uniform(-1, 1),
            rng.uniform(-0.9, 0.1),
            rng.uniform(0.14, 0.3),
            mix(bottom, WHITE, 0.75),
        )
    return canvas


def cloud(canvas: Canvas, x: float, y: float, size: float, color: Color) -> None:
    """Draw a flat-bottomed cloud."""
    rng = canvas.rng
    canvas.fill(ellipse(x, y, size * 1.5, size * 0.32), color)
    for offset in (-0.75, 0.0, 0.7):
        radius = size * rng.uniform(0.35, 0.6)
        canvas.disc(x + size * offset, y - radius * 0.55, radius, color)


def hills(canvas: Canvas, top: float, color: Color) -> None:
    """Draw a rolling line of ground from the height ``top`` to the bottom."""
    rng = canvas.rng
    swing, phase, waves = rng.uniform(0.02, 0.1), rng.uniform(0, 2 * pi), rng.uniform(1.5, 4)
    ridge = [(i / 8 - 1.1, top + swing * sin(waves * i / 8 + phase)) for i in range(19)]
    canvas.body([*ridge, (1.2, 1.2), (-1.2, 1.2)], color, relief=0.2)


def meadow(rng: Random) -> Canvas:
    """Paint green ground under a sky."""
    canvas = sky(rng)
    grass = hsv(rng.uniform(0.22, 0.36), rng.uniform(0.4, 0.7), rng.uniform(0.45, 0.75))
    level = rng.uniform(0.25, 0.45)
    if rng.random() < 0.6:
        hills(canvas, level - rng.uniform(0.12, 0.25), mix(grass, (150, 190, 205), 0.45))
    hills(canvas, level, grass)
    return canvas


def foliage(rng: Random) -> Canvas:
    """Paint leaves and grass close by, out of focus."""
    base = hsv(rng.uniform(0.2, 0.4), rng.uniform(0.35, 0.65), rng.uniform(0.3, 0.6))
    canvas = Canvas(rng, _gradient(rng, lighten(base, 0.25), darken(base, 0.25)))
    for _ in range(9):
        color = vary(
            rng, lighten(base, rng.uniform(0, 0.4)) if rng.random() < 0.6 else darken(base, 0.3), 0.1
        )
        canvas.glow(rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.2, 0.6), color, 0.7)
    return canvas


def desert(rng: Random) -> Canvas:
    """Paint sand under a warm sky."""
    top = hsv(rng.uniform(0.5, 0.62), rng.uniform(0.2, 0.5), rng.uniform(0.8, 0.95))
    canvas = Canvas(rng, _gradient(rng, top, hsv(rng.uniform(0.06, 0.12), rng.uniform(0.2, 0.5), 0.98)))
    sand = hsv(rng.uniform(0.06, 0.12), rng.uniform(0.35, 0.6), rng.uniform(0.75, 0.95))
    level = rng.uniform(0.3, 0.5)
    hills(canvas, level - rng.uniform(0.08, 0.2), darken(sand, 0.15))
    hills(canvas, level, sand)
    return canvas


def night(rng: Random) -> Canvas:
    """Paint a night sky with stars."""
    top = hsv(rng.uniform(0.58, 0.75), rng.uniform(0.55, 0.85), rng.uniform(0.08, 0.22))
    bottom = hsv(rng.uniform(0.58, 0.85), rng.uniform(0.4, 0.7), rng.uniform(0.25, 0.5))
    canvas = Canvas(rng, _gradient(rng, top, bottom))
    for _ in range(rng.randint(12, 30)):
        canvas.disc(rng.uniform(-1, 1), rng.uniform(-1, 0.6), rng.uniform(0.006, 0.02), lighten(bottom, 0.8))
    return canvas


def dusk(rng: Random) -> Canvas:
    """Paint a dim room."""
    color = hsv(rng.random(), rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.32))
    canvas = Canvas(rng, _gradient(rng, darken(color, 0.3), lighten(color, 0.08)))
    canvas.body(rectangle(-1.1, rng.uniform(0.5, 0.7), 1.1, 1.1), lighten(color, 0.12), relief=0.15)
    return canvas


def sea(rng: Random) -> Canvas:
    """Paint under water: light from above, particles, sometimes sand."""
    hue = rng.uniform(0.49, 0.6)
    top, deep = (
        hsv(hue, rng.uniform(0.5, 0.75), rng.uniform(0.7, 0.95)),
        hsv(hue + 0.05, 0.85, rng.uniform(0.2, 0.45)),
    )
    canvas = Canvas(rng, _gradient(rng, top, deep))
    for _ in range(rng.randint(2, 4)):
        x, slant, width = rng.uniform(-1, 0.8), rng.uniform(-0.5, 0.5), rng.uniform(0.06, 0.18)
        ray = [(x, -1.1), (x + width, -1.1), (x + width * 2 + slant, 1.1), (x - width + slant, 1.1)]
        canvas.body(ray, mix(top, WHITE, 0.1), to=mix(top, deep, 0.97))
    for _ in range(rng.randint(0, 8)):
        canvas.disc(rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.008, 0.02), lighten(top, 0.4))
    return canvas


def sand(canvas: Canvas, level: float) -> None:
    """Draw the sea's floor."""
    rng = canvas.rng
    color = hsv(rng.uniform(0.08, 0.13), rng.uniform(0.25, 0.45), rng.uniform(0.45, 0.75))
    hills(canvas, level, color)
    for _ in range(3):
        x, size = rng.uniform(-1, 1), rng.uniform(0.04, 0.1)
        canvas.body(blob(rng, x, rng.uniform(level + 0.1, 1), size), darken(color, 0.3))


def one_of(rng: Random, *choices: Background) -> Canvas:
    """Paint a canvas with one of several backgrounds."""
    return rng.choice(choices)(rng)


def anywhere(rng: Random) -> Canvas:
    """Paint a background that says nothing of what stands before it."""
    return one_of(rng, studio, studio, bokeh, paper, table, sky, meadow, foliage)


def indoors(rng: Random) -> Canvas:
    """Paint a background for small things: a table, a backdrop, paper."""
    return one_of(rng, studio, bokeh, paper, table, table)


def outdoors(rng: Random) -> Canvas:
    """Paint a background in the open."""
    return one_of(rng, meadow, meadow, sky, foliage)
