"""Places: buildings, landscapes and the sky."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import (
    cloud,
    hills,
    meadow,
    night,
    one_of,
    sky,
    studio,
)
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import CREAM, WHITE, Color, darken, hsv, lighten, mix, pastel, vary, vivid
from backend.demo.drawing.shapes import arc, blob, ellipse, mirrored, rectangle, smooth


def house(rng: Random) -> Canvas:
    """Draw a small house with its garden."""
    canvas = one_of(rng, meadow, meadow, meadow, sky)
    canvas.scatter((0.66, 0.84), tilt=0.008, drift=0.1, y=0.02)
    wall = pastel(rng) if rng.random() < 0.7 else rng.choice([WHITE, CREAM, (200, 110, 90)])
    roof = hsv(rng.choice([0.0, 0.03, 0.05, 0.6, 0.85]), rng.uniform(0.4, 0.75), rng.uniform(0.4, 0.72))
    canvas.shadow(0, 0.88, 1.2, 0.2)
    height = rng.uniform(-0.9, -0.7)
    canvas.body(rectangle(0.34, -0.86, 0.54, -0.3), vary(rng, (170, 90, 70), 0.06))
    if rng.random() < 0.6:
        for i in range(3):
            canvas.disc(0.46 + 0.09 * i, -1.0 - 0.16 * i, 0.08 + 0.025 * i, (226, 226, 230))
    canvas.body(rectangle(-0.72, -0.2, 0.72, 0.88), wall, relief=0.16)
    canvas.body([(-0.95, -0.12), (-0.0, height), (0.95, -0.12)], roof, relief=0.28)
    for i in range(1, 4):
        y, wide = -0.12 + (height + 0.12) * i / 4, 0.95 * (1 - i / 4)
        canvas.line([(-wide, y), (wide, y)], 0.02, darken(roof, 0.3))
    door = vivid(rng)
    canvas.body(rectangle(-0.16, 0.34, 0.18, 0.88), darken(door, 0.2), relief=0.2)
    canvas.disc(0.11, 0.62, 0.035, (250, 220, 120))
    glass = rng.choice([(150, 205, 230), (255, 224, 130), (90, 120, 150)])
    for x in (-0.46, 0.48):
        canvas.fill(rectangle(x - 0.19, 0.0, x + 0.19, 0.42), WHITE)
        canvas.body(rectangle(x - 0.15, 0.04, x + 0.15, 0.38), glass, relief=0.3)
        canvas.line([(x, 0.02), (x, 0.4)], 0.03, WHITE)
        canvas.line([(x - 0.17, 0.2), (x + 0.17, 0.2)], 0.03, WHITE)
    for x in (-0.78, 0.8):
        if rng.random() < 0.7:
            bush = hsv(rng.uniform(0.25, 0.38), 0.55, rng.uniform(0.4, 0.6))
            canvas.body(blob(rng, x, 0.8, 0.24, 0.12), bush)
    return canvas


def lighthouse(rng: Random) -> Canvas:
    """Draw a striped lighthouse on its rock, by day or with its beam at night."""
    dark = rng.random() < 0.45
    canvas = night(rng) if dark else sky(rng)
    water = hsv(rng.uniform(0.52, 0.62), rng.uniform(0.5, 0.7), 0.35 if dark else rng.uniform(0.55, 0.8))
    canvas.body(rectangle(-1.1, 0.55, 1.1, 1.1), lighten(water, 0.15), to=darken(water, 0.25))
    for _ in range(6):
        x, y = rng.uniform(-1, 0.8), rng.uniform(0.62, 0.98)
        canvas.line([(x, y), (x + rng.uniform(0.1, 0.3), y)], 0.018, lighten(water, 0.45))
    canvas.scatter((0.8, 0.94), tilt=0.006, drift=0.05, x=rng.uniform(-0.25, 0.25), y=0.02)
    if dark:
        for side in (-1, 1):
            beam = [(0, -0.78), (side * 2.6, -1.15), (side * 2.6, -0.3)]
            canvas.body(beam, (236, 222, 150), to=(120, 116, 120), relief=0)
    canvas.body(
        smooth([(-0.85, 1.0), (-0.6, 0.62), (0.0, 0.52), (0.55, 0.6), (0.9, 1.0)]),
        (112, 104, 104),
        relief=0.3,
    )
    stripe = rng.choice([(206, 50, 44), (206, 50, 44), (44, 70, 130), (40, 44, 54)])
    tower = [(-0.19, -0.6), (0.19, -0.6), (0.31, 0.7), (-0.31, 0.7)]
    canvas.body(tower, WHITE, relief=0.2)
    with canvas.inside(tower):
        lean = rng.choice([0.0, 0.14])
        for y in (-0.45, -0.02, 0.42):
            canvas.body(
                [(-0.4, y), (0.4, y - lean), (0.4, y + 0.2 - lean), (-0.4, y + 0.2)], stripe, relief=0.2
            )
        canvas.shadow(0.3, 0, 0.3, 1.1, 0.4)
    canvas.body(rectangle(-0.26, -0.68, 0.26, -0.58), (52, 54, 64))
    canvas.body(rectangle(-0.14, -0.9, 0.14, -0.68), (255, 232, 140), relief=0.2)
    for x in (-0.14, 0.0, 0.14):
        canvas.line([(x, -0.9), (x, -0.68)], 0.03, (52, 54, 64))
    canvas.body([(-0.22, -0.9), (0, -1.08), (0.22, -0.9)], stripe)
    canvas.glow(0, -0.79, 0.55, (255, 240, 170), 0.9 if dark else 0.35)
    canvas.body(rectangle(-0.07, 0.5, 0.07, 0.7), (70, 50, 40))
    return canvas


def moon(rng: Random) -> Canvas:
    """Draw the moon, full or a crescent, in the night sky."""
    canvas = night(rng)
    sky_color = canvas.image.getpixel((20, 120))
    canvas.scatter((0.42, 0.72), tilt=0.12, drift=0.25, y=-0.1)
    color = vary(rng, rng.choice([(246, 234, 190), (236, 238, 240), (250, 214, 150)]), 0.03)
    canvas.glow(0, 0, 1.7, color, 0.4)
    phase = rng.random()
    if phase < 0.45:
        disc = ellipse(0, 0, 0.9)
        canvas.body(disc, color, relief=0.15)
        with canvas.inside(disc):
            for _ in range(rng.randint(5, 9)):
                x, y, r = rng.uniform(-0.7, 0.7), rng.uniform(-0.7, 0.7), rng.uniform(0.07, 0.22)
                canvas.disc(x, y, r, darken(color, 0.18))
                canvas.disc(x + r * 0.15, y + r * 0.15, r * 0.78, darken(color, 0.1))
    else:
        bulge = rng.uniform(0.15, 0.6)
        outer, inner = arc(0, 0, 0.9, 0.9, -0.25, 0.25, 24), arc(0, 0, bulge, 0.9, 0.25, -0.25, 24)
        canvas.body([*outer, *inner], color, relief=0.15)
    if rng.random() < 0.4 and isinstance(sky_color, tuple):
        canvas.whole()
        tone: Color = (int(sky_color[0]), int(sky_color[1]), int(sky_color[2]))
        cloud(
            canvas, rng.uniform(-0.6, 0.6), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.4), lighten(tone, 0.25)
        )
    if rng.random() < 0.4:
        canvas.whole()
        hills(canvas, rng.uniform(0.6, 0.8), (16, 18, 34))
    return canvas


def mountain(rng: Random) -> Canvas:
    """Draw snow-capped mountains."""
    canvas = sky(rng)
    rock = hsv(
        rng.choice([0.6, 0.66, 0.72, 0.07]) + rng.uniform(-0.03, 0.03),
        rng.uniform(0.1, 0.35),
        rng.uniform(0.35, 0.62),
    )
    if rng.random() < 0.4:
        canvas.glow(rng.uniform(-0.7, 0.7), -0.5, 0.45, (255, 238, 170), 0.9)
    far = lighten(rock, 0.45)
    for x in (-0.85, 0.05, 0.9):
        h = rng.uniform(-0.3, 0.0)
        canvas.body([(x - 0.7, 0.7), (x, h), (x + 0.7, 0.7)], far, relief=0.1)
    peaks = [
        (rng.uniform(-0.75, -0.35), rng.uniform(-0.35, -0.05)),
        (rng.uniform(0.4, 0.8), rng.uniform(-0.4, -0.1)),
    ]
    peaks.append((rng.uniform(-0.2, 0.2), rng.uniform(-0.8, -0.5)))
    for x, top in peaks:
        _peak(canvas, x, top, rock)
    ground = hsv(rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.55), rng.uniform(0.35, 0.6))
    hills(canvas, rng.uniform(0.55, 0.72), ground)
    for _ in range(rng.choice([0, 5, 8])):
        x, y = rng.uniform(-1, 1), rng.uniform(0.68, 0.95)
        canvas.fill([(x - 0.07, y), (x, y - 0.24), (x + 0.07, y)], darken(ground, 0.45))
    return canvas


def _peak(canvas: Canvas, x: float, top: float, rock: Color) -> None:
    """Draw one mountain with its sunny side, its shaded side and its snow."""
    rng = canvas.rng
    left, right, ridge = x - rng.uniform(0.65, 0.9), x + rng.uniform(0.65, 0.9), x + rng.uniform(-0.05, 0.1)
    canvas.fill([(left, 0.8), (x, top), (right, 0.8)], lighten(rock, 0.12))
    canvas.fill(
        [(x, top), (right, 0.8), (ridge + 0.1, 0.8), (ridge - 0.05, 0.3), (ridge + 0.06, 0.0)],
        darken(rock, 0.3),
    )
    depth = rng.uniform(0.3, 0.42)
    a = x + (left - x) * depth / (0.8 - top)
    b = x + (right - x) * depth / (0.8 - top)
    zigzag = [
        (b - (b - a) * i / 5, top + depth + (0.0 if i in (0, 5) else (-0.13 if i % 2 else 0.08)))
        for i in range(6)
    ]
    canvas.fill([(x, top), *zigzag], (246, 248, 252))
    canvas.fill([(x, top), zigzag[0], zigzag[1], zigzag[2]], (200, 210, 230))


def mown_grass(rng: Random) -> Canvas:
    """Draw a sports ground's grass, mown in stripes."""
    canvas = studio(rng)
    green = hsv(rng.uniform(0.29, 0.37), rng.uniform(0.55, 0.8), rng.uniform(0.42, 0.68))
    canvas.fill(rectangle(-1.1, -1.1, 1.1, 1.1), green)
    canvas.place(0, 0, 1, turn=rng.uniform(-0.06, 0.06) + rng.choice([0, 0.25]))
    width = rng.uniform(0.22, 0.4)
    for i in range(-5, 6, 2):
        canvas.fill(rectangle(i * width, -1.6, (i + 1) * width, 1.6), lighten(green, 0.12))
    canvas.whole()
    canvas.glow(rng.uniform(-0.8, 0.8), rng.uniform(-1, 0.4), 1.2, (230, 250, 160), rng.uniform(0.1, 0.3))
    return canvas


def pitch(rng: Random) -> Canvas:
    """Draw a football pitch from above: halfway line and circle, or the penalty area."""
    canvas = mown_grass(rng)
    canvas.scatter((0.85, 1.15), tilt=0.07, drift=0.15)
    chalk, width = (240, 248, 238), rng.uniform(0.035, 0.05)
    if rng.random() < 0.5:
        canvas.line([(0, -1.6), (0, 1.6)], width, chalk)
        canvas.line(arc(0, 0, 0.48, 0.48, 0, 1, 40), width, chalk)
        canvas.disc(0, 0, 0.05, chalk)
        canvas.line([(-1.5, -0.88), (1.5, -0.88)], width, chalk)
        if rng.random() < 0.5:
            canvas.line([(-1.5, 0.88), (1.5, 0.88)], width, chalk)
    else:
        canvas.line([(0.8, -1.6), (0.8, 1.6)], width, chalk)
        for depth, half in ((0.95, 0.72), (0.36, 0.36)):
            canvas.line([(0.8, -half), (0.8 - depth, -half), (0.8 - depth, half), (0.8, half)], width, chalk)
        canvas.line(arc(0.2, 0, 0.48, 0.48, 0.36, 0.64, 14), width, chalk)
        canvas.disc(0.2, 0, 0.045, chalk)
        canvas.body(rectangle(0.82, -0.2, 0.98, 0.2), (214, 222, 216), relief=0.1)
    for _ in range(rng.choice([0, 4, 7])):
        x, y, shirt = (
            rng.uniform(-0.9, 0.9),
            rng.uniform(-0.9, 0.9),
            rng.choice([(214, 50, 44), (240, 240, 240), (40, 70, 170)]),
        )
        canvas.shadow(x + 0.05, y + 0.03, 0.1, 0.06, 0.6)
        canvas.disc(x, y, 0.055, shirt)
        canvas.disc(x, y - 0.02, 0.028, (70, 44, 30))
    return canvas


def rainbow(rng: Random) -> Canvas:
    """Draw a rainbow over the land, its ends in clouds."""
    canvas = one_of(rng, meadow, sky, studio)
    canvas.scatter((0.78, 0.98), tilt=0.015, drift=0.1, y=0.35)
    bands = [
        (226, 58, 60),
        (244, 140, 52),
        (250, 214, 72),
        (92, 186, 92),
        (66, 142, 216),
        (92, 84, 176),
        (150, 84, 176),
    ]
    band, pale = rng.uniform(0.075, 0.095), rng.uniform(0.0, 0.25)
    for i, color in enumerate(bands):
        outer, inner = 0.98 - band * i, 0.98 - band * (i + 1.08)
        ring = [*arc(0, 0.15, outer, outer, 0.5, 1.0, 32), *arc(0, 0.15, inner, inner, 1.0, 0.5, 32)]
        canvas.fill(ring, lighten(color, pale))
    for side in (-1, 1):
        if rng.random() < 0.75:
            x = side * (0.98 - band * 3.5)
            for dx, dy, r in ((-0.24, 0.18, 0.18), (0.22, 0.18, 0.18), (0, 0.06, 0.24), (0, 0.24, 0.2)):
                canvas.body(ellipse(x + dx, 0.1 + dy, r), WHITE, relief=0.1)
    return canvas


def skyline(rng: Random) -> Canvas:
    """Draw a city's towers, lit by night."""
    dark = rng.random() < 0.65
    canvas = night(rng) if dark else sky(rng)
    tone = hsv(rng.uniform(0.58, 0.75), rng.uniform(0.2, 0.5), 0.3 if dark else 0.6)
    lamp: Color = rng.choice([(255, 220, 120), (255, 236, 170), (190, 225, 255)])
    for layer, (count, low) in enumerate(((7, 0.1), (6, -0.15))):
        color = lighten(tone, 0.18) if layer == 0 else darken(tone, 0.35)
        x = -1.1 - rng.uniform(0, 0.2)
        for _ in range(count + 3):
            wide, top = rng.uniform(0.22, 0.4), low - rng.uniform(-0.35, 0.55)
            _tower(
                canvas, x, top, wide, vary(rng, color, 0.05), lamp if dark or layer else lighten(tone, 0.6)
            )
            x += wide + rng.uniform(0.0, 0.06)
    return canvas


def _tower(canvas: Canvas, x: float, top: float, wide: float, color: Color, lamp: Color) -> None:
    """Draw one tower with its windows."""
    rng = canvas.rng
    canvas.body(rectangle(x, top, x + wide, 1.1), color, relief=0.15)
    if rng.random() < 0.3:
        canvas.line([(x + wide / 2, top), (x + wide / 2, top - 0.25)], 0.025, color)
    columns = max(int(wide / 0.1), 2)
    step = wide / columns
    y = top + 0.08
    while y < 0.95:
        for i in range(columns):
            if rng.random() < 0.5:
                left = x + step * (i + 0.28)
                canvas.fill(rectangle(left, y, left + step * 0.45, y + 0.06), lamp)
        y += 0.13


def windmill(rng: Random) -> Canvas:
    """Draw a windmill with four sails."""
    canvas = one_of(rng, meadow, meadow, sky)
    canvas.scatter((0.74, 0.9), tilt=0.006, drift=0.08, y=0.05)
    wall = rng.choice([WHITE, CREAM, (190, 110, 84), (150, 120, 100), (200, 190, 170)])
    canvas.shadow(0, 0.95, 0.8, 0.15)
    tower = mirrored([(0, -0.4), (0.27, -0.35), (0.46, 0.95), (0, 0.95)])
    canvas.body(tower, wall, relief=0.28)
    cap = hsv(rng.choice([0.0, 0.04, 0.6, 0.35]), rng.uniform(0.4, 0.65), rng.uniform(0.35, 0.6))
    canvas.body(arc(0, -0.34, 0.36, 0.36, 0.5, 1.0, 16), cap)
    canvas.body(rectangle(-0.12, 0.6, 0.12, 0.95), darken(cap, 0.3), relief=0.2)
    for y in (0.05, 0.32):
        canvas.fill(rectangle(-0.07, y, 0.07, y + 0.14), (70, 90, 110))
    hub, turn = (0.0, -0.4), rng.uniform(0, 0.25)
    sail = mix(rng.choice([WHITE, CREAM, vivid(rng)]), WHITE, 0.3)
    for i in range(4):
        c, s = cos(2 * pi * (turn + i / 4)), sin(2 * pi * (turn + i / 4))

        def at(along: float, aside: float, c: float = c, s: float = s) -> tuple[float, float]:
            return hub[0] + along * c - aside * s, hub[1] + along * s + aside * c

        canvas.body([at(0.2, 0), at(0.88, 0), at(0.88, 0.22), at(0.2, 0.22)], sail, relief=0.12)
        for along in (0.2, 0.37, 0.54, 0.71, 0.88):
            canvas.line([at(along, 0), at(along, 0.22)], 0.022, (96, 70, 52))
        canvas.line([at(0.2, 0.22), at(0.88, 0.22)], 0.022, (96, 70, 52))
        canvas.line([at(0, 0), at(0.92, 0)], 0.05, (84, 60, 44))
    canvas.ball(*hub, 0.08, (84, 60, 44), gloss=0.4)
    return canvas
