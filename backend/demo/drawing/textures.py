"""Patterns that fill the picture."""

from math import cos, pi, sin, sqrt
from random import Random

from backend.demo.drawing.backgrounds import bokeh, foliage, night, one_of, paper, sky, studio
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import CREAM, WHITE, Color, darken, hsv, lighten, mix, pastel, vary, vivid
from backend.demo.drawing.places import mown_grass
from backend.demo.drawing.shapes import ellipse, polygon, rectangle, smooth


def _two_tones(rng: Random) -> tuple[Color, Color]:
    """Choose a light and a dark colour that go together."""
    hue, light = rng.random(), rng.random() < 0.6
    first = hsv(hue, rng.uniform(0.03, 0.25), rng.uniform(0.88, 0.98)) if light else vivid(rng)
    return first, hsv(hue + rng.choice([0.0, 0.5, 0.08]), rng.uniform(0.5, 0.85), rng.uniform(0.2, 0.62))


def bricks(rng: Random) -> Canvas:
    """Draw a wall of bricks."""
    clay = hsv(rng.uniform(0.0, 0.08), rng.uniform(0.25, 0.65), rng.uniform(0.45, 0.8))
    canvas = studio(rng)
    mortar = rng.choice([(208, 200, 190), (150, 142, 136), (90, 84, 84), (232, 226, 216)])
    canvas.fill(rectangle(-1.1, -1.1, 1.1, 1.1), mortar)
    canvas.place(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), 1, turn=rng.uniform(-0.035, 0.035))
    height = rng.uniform(0.2, 0.34)
    width, joint = height * rng.uniform(1.9, 2.5), height * 0.07
    rows = int(1.4 / height) + 1
    for row in range(-rows, rows + 1):
        for column in range(-5, 6):
            x = (column + 0.5 * (row % 2)) * width
            if abs(x) > 1.6 + width:
                continue
            y, tone = row * height, vary(rng, clay, 0.09)
            x0, y0, x1, y1 = x + joint, y + joint, x + width - joint, y + height - joint
            canvas.fill(rectangle(x0, y0, x1, y1), darken(tone, 0.3))
            canvas.fill(rectangle(x0, y0, x1 - joint * 0.6, y1 - joint * 0.8), tone)
    canvas.whole()
    canvas.glow(rng.uniform(-1, 1), -1, 1.6, (255, 244, 220), rng.uniform(0.1, 0.35))
    return canvas


def chessboard(rng: Random) -> Canvas:
    """Draw a chessboard seen at an angle, sometimes with pieces on it."""
    light, dark = _two_tones(rng)
    canvas = studio(rng)
    canvas.fill(rectangle(-1.1, -1.1, 1.1, 1.1), light)
    canvas.place(rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1), 1, turn=rng.random())
    side, slant = rng.uniform(0.28, 0.46), rng.uniform(-0.35, 0.35)
    span = int(2.1 / side) + 1
    for i in range(-span, span):
        for j in range(-span, span):
            if (i + j) % 2:
                continue
            x, y = i * side + slant * j * side, j * side
            if abs(x) < 1.9 and abs(y) < 1.9:
                skew = slant * side
                canvas.fill([(x, y), (x + side, y), (x + side + skew, y + side), (x + skew, y + side)], dark)
    canvas.whole()
    canvas.glow(rng.uniform(-1, 1), rng.uniform(-1, 0), 1.3, WHITE, rng.uniform(0.1, 0.4))
    canvas.shadow(rng.uniform(-1, 1), 1, 1.5, 0.9, 0.35)
    return canvas


def honeycomb(rng: Random) -> Canvas:
    """Draw a bees' comb, some of its cells full of honey."""
    wax = hsv(rng.uniform(0.09, 0.13), rng.uniform(0.6, 0.85), rng.uniform(0.8, 0.97))
    canvas = studio(rng)
    canvas.fill(rectangle(-1.1, -1.1, 1.1, 1.1), lighten(wax, 0.35))
    canvas.place(rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), 1, turn=rng.random())
    radius = rng.uniform(0.19, 0.3)
    span = int(1.6 / radius / 1.5) + 1
    for i in range(-span, span + 1):
        for j in range(-span, span + 1):
            x, y = radius * 1.5 * i, radius * sqrt(3) * (j + 0.5 * (i % 2))
            if x * x + y * y > 2.9:
                continue
            full = rng.random()
            cell = vary(rng, darken(wax, 0.5) if full < 0.35 else wax, 0.05)
            canvas.fill(polygon(x, y, radius * 0.9, 6, 0), darken(cell, 0.35))
            canvas.fill(polygon(x + radius * 0.05, y + radius * 0.07, radius * 0.76, 6, 0), cell)
            if full > 0.55:
                canvas.disc(x - radius * 0.2, y - radius * 0.25, radius * 0.17, lighten(wax, 0.6))
    canvas.whole()
    canvas.glow(rng.uniform(-0.7, 0.7), rng.uniform(-1, 0.4), 1.1, (255, 236, 160), 0.45)
    return canvas


def net(rng: Random, *, on_pitch: bool = False) -> Canvas:
    """Draw a knotted net hung across the picture; ``on_pitch`` hangs it before mown grass, as a goal's."""
    canvas = mown_grass(rng) if on_pitch else one_of(rng, sky, paper, studio, bokeh, foliage)
    cord = WHITE if on_pitch else rng.choice([WHITE, CREAM, (40, 40, 48), (60, 90, 120), (170, 70, 50)])
    canvas.place(0, 0, 1, turn=0.0 if on_pitch else rng.uniform(-0.04, 0.04))
    gap, sag = (0.3 if on_pitch else rng.uniform(0.24, 0.36)), rng.uniform(0.02, 0.12)
    slope, phase = rng.choice([1.0, 1.0, 1.5]), rng.uniform(0, 1)
    width, shade = rng.uniform(0.028, 0.045), (30, 70, 40) if on_pitch else darken(cord, 0.6)
    span = int(3.4 / gap)

    def hung(x: float, y: float) -> tuple[float, float]:
        return x + sag * sin(2.1 * y + phase), y + sag * cos(1.7 * x + phase * 3)

    for i in range(-span, span):
        start = i * gap + phase * gap
        for way in (-1, 1):
            cordline = [hung(start + way * y / slope, y) for y in (-1.3, -0.85, -0.4, 0.0, 0.4, 0.85, 1.3)]
            canvas.line([(x + 0.025, y + 0.035) for x, y in cordline], width, shade)
            canvas.line(cordline, width, cord)
    return canvas


def stripes(rng: Random) -> Canvas:
    """Draw striped cloth or awning, straight or wavy."""
    light, dark = _two_tones(rng)
    third = vivid(rng) if rng.random() < 0.3 else dark
    canvas = studio(rng)
    canvas.body(rectangle(-1.1, -1.1, 1.1, 1.1), light, relief=0.1)
    canvas.place(rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2), 1, turn=rng.random())
    gap = rng.uniform(0.26, 0.5)
    width, wave = gap * rng.uniform(0.4, 0.6), rng.choice([0.0, 0.0, rng.uniform(0.03, 0.08)])
    span = int(1.7 / gap) + 1
    for i in range(-span, span + 1):
        band = [(x / 4, i * gap + wave * sin(x * 0.9)) for x in range(-7, 8)]
        canvas.line(band, width, (dark, third)[i % 2])
    canvas.whole()
    for _ in range(3):
        canvas.shadow(rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.2, 0.6), 1.2, 0.25)
    return canvas


def web(rng: Random) -> Canvas:
    """Draw a spider's web with dew, sometimes with its spider."""
    canvas = one_of(rng, night, foliage, bokeh, studio)
    canvas.shadow(0, 0, 1.8, 1.8, 0.55)
    canvas.scatter((0.95, 1.25), tilt=0.5, drift=0.25)
    silk = mix((226, 232, 240), pastel(rng), 0.25)
    spokes = rng.randint(9, 13)
    angles = [2 * pi * (i + rng.uniform(-0.16, 0.16)) / spokes for i in range(spokes)]
    rings = rng.randint(6, 8)
    for angle in angles:
        canvas.line([(0, 0), (1.9 * cos(angle), 1.9 * sin(angle))], 0.02, silk)
    for ring in range(1, rings + 1):
        radius = ring / rings * rng.uniform(0.95, 1.05)
        for first, second in zip(angles, angles[1:] + angles[:1], strict=True):
            x0, y0, x1, y1 = (
                radius * cos(first),
                radius * sin(first),
                radius * cos(second),
                radius * sin(second),
            )
            sag = ((x0 + x1) * 0.44, (y0 + y1) * 0.44)
            canvas.line([(x0, y0), sag, (x1, y1)], 0.018, silk)
            if rng.random() < 0.12:
                canvas.disc(*sag, 0.03, WHITE)
    if rng.random() < 0.5:
        _spider(canvas, rng.uniform(-0.4, 0.4), rng.uniform(-0.4, 0.4))
    return canvas


def _spider(canvas: Canvas, x: float, y: float) -> None:
    """Draw a small spider."""
    color: Color = (34, 24, 28)
    for side in (-1, 1):
        for turn in (-0.11, -0.04, 0.04, 0.11):
            knee = (x + side * 0.17 * cos(turn * 9), y + 0.2 * sin(turn * 9))
            foot = (x + side * 0.3 * cos(turn * 7), y + 0.36 * sin(turn * 9))
            canvas.line(smooth([(x, y), knee, foot], 3, closed=False), 0.035, color)
    canvas.body(ellipse(x, y + 0.08, 0.12, 0.15), color, relief=0.3)
    canvas.disc(x, y - 0.1, 0.08, color)
