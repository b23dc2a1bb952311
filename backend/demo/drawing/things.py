"""Things made by people: what moves and what lies about."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import (
    anywhere,
    dusk,
    indoors,
    meadow,
    night,
    one_of,
    outdoors,
    sky,
    studio,
)
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import BLACK, CREAM, GOLD, WHITE, darken, hsv, lighten, vivid
from backend.demo.drawing.shapes import arc, ellipse, mirrored, rectangle, rounded, shifted, smooth, turned


def balloon(rng: Random) -> Canvas:
    """Draw a hot-air balloon."""
    canvas = one_of(rng, sky, sky, meadow)
    canvas.scatter((0.68, 0.88), tilt=0.02, drift=0.14, y=-0.02)
    first, second = vivid(rng), rng.choice([WHITE, CREAM, vivid(rng), GOLD])
    for side in (-1, 1):
        canvas.line([(side * 0.3, 0.42), (side * 0.12, 0.78)], 0.022, (90, 70, 56))
    canvas.body(rounded(-0.17, 0.74, 0.17, 1.0, 0.05), (160, 110, 64), relief=0.25)
    canvas.line([(-0.17, 0.76), (0.17, 0.76)], 0.05, (110, 72, 44))
    envelope = mirrored(
        smooth([(0, -0.95), (0.45, -0.84), (0.76, -0.4), (0.66, 0.05), (0.3, 0.44), (0, 0.5)], closed=False)
    )
    canvas.body(envelope, first, relief=0.3)
    with canvas.inside(envelope):
        kind = rng.random()
        if kind < 0.6:
            for x in (-0.52, 0.0, 0.52):
                wide = 0.13 if x else 0.17
                gore = smooth(
                    [
                        (x * 0.2, -0.95),
                        (x + wide, -0.35),
                        (x * 0.3 + 0.05, 0.5),
                        (x * 0.3 - 0.05, 0.5),
                        (x - wide, -0.35),
                    ]
                )
                canvas.body(gore, second, relief=0.2)
        elif kind < 0.85:
            for y in (-0.62, -0.12):
                canvas.line(arc(0, y, 0.95, 0.2, 0.5, 0.0, 14), 0.17, second)
        else:
            for i in range(-3, 4):
                canvas.fill([(i * 0.3 - 0.15, -0.05), (i * 0.3, -0.4), (i * 0.3 + 0.15, -0.05)], second)
        canvas.shine(0, -0.3, 0.85, 0.6)
        canvas.shadow(0.5, 0.35, 0.6, 0.6, 0.3)
    return canvas


def candle(rng: Random) -> Canvas:
    """Draw a burning candle."""
    canvas = one_of(rng, dusk, dusk, night)
    canvas.scatter((0.7, 0.9), tilt=0.008, drift=0.12, y=0.08)
    wax = lighten(vivid(rng), 0.35) if rng.random() < 0.6 else CREAM
    wide, top = rng.uniform(0.2, 0.36), rng.uniform(-0.2, 0.15)
    canvas.glow(0, top - 0.4, 1.5, (255, 180, 80), 0.6)
    canvas.body(ellipse(0, 0.92, 0.62, 0.15), rng.choice([GOLD, (150, 150, 160), (170, 90, 70)]), relief=0.4)
    side = [*arc(0, top, wide, 0.08, 0.5, 1.0, 8), *arc(0, 0.9, wide, 0.1, 0.0, 0.5, 8)]
    canvas.body(side, wax, relief=0.25)
    canvas.fill(ellipse(0, top, wide, 0.08), lighten(wax, 0.5))
    for x in (-0.7, 0.4, 0.85):
        if rng.random() < 0.7:
            canvas.line(
                [(x * wide, top + 0.04), (x * wide, top + rng.uniform(0.15, 0.45))], 0.07, lighten(wax, 0.3)
            )
    canvas.line([(0, top), (0.02, top - 0.16)], 0.035, (50, 40, 40))
    lean = rng.uniform(-0.08, 0.08)
    for width, height, color in (
        (0.19, 0.68, (250, 140, 40)),
        (0.14, 0.54, (255, 200, 70)),
        (0.08, 0.36, (255, 246, 200)),
    ):
        y = top - 0.1
        flame = smooth([(0, y), (width, y - height * 0.3), (lean, y - height), (-width, y - height * 0.3)])
        canvas.fill(flame, color)
    canvas.glow(0, top - 0.38, 0.6, (255, 226, 140), 0.55)
    return canvas


def car(rng: Random) -> Canvas:
    """Draw a car from the side, on its road."""
    canvas = one_of(rng, meadow, sky, studio, outdoors)
    road = rng.uniform(0.4, 0.55)
    canvas.body(rectangle(-1.1, road, 1.1, 1.1), (96, 98, 106), relief=0.15)
    for i in range(-2, 4):
        canvas.line([(i * 0.5 - 0.2, road + 0.3), (i * 0.5 + 0.05, road + 0.3)], 0.04, (232, 226, 200))
    canvas.scatter((0.8, 0.96), tilt=0.006, drift=0.06, y=0.12)
    color, high = vivid(rng), rng.uniform(-0.55, -0.42)
    canvas.shadow(0, 0.52, 1.15, 0.16, 0.7)
    roof = smooth([(-0.62, -0.05), (-0.42, high), (0.2, high - 0.02), (0.52, -0.05)], 6, closed=False)
    canvas.body([*roof], darken(color, 0.06), relief=0.25)
    glass = rng.choice([(170, 215, 235), (90, 120, 150)])
    canvas.body([(-0.5, -0.06), (-0.36, high + 0.1), (-0.1, high + 0.08), (-0.1, -0.06)], glass, relief=0.4)
    canvas.body([(-0.03, -0.06), (-0.03, high + 0.08), (0.17, high + 0.1), (0.4, -0.06)], glass, relief=0.4)
    shell = [
        (-0.95, 0.4),
        (-0.96, 0.12),
        (-0.86, -0.02),
        (-0.6, -0.08),
        (0.52, -0.08),
        (0.86, 0.04),
        (0.97, 0.2),
        (0.95, 0.4),
    ]
    canvas.body(smooth(shell, 5), color, relief=0.28)
    canvas.line([(-0.88, 0.12), (0.92, 0.14)], 0.025, lighten(color, 0.45))
    canvas.line([(-0.06, -0.05), (-0.06, 0.36)], 0.02, darken(color, 0.4))
    canvas.line([(0.02, 0.06), (0.12, 0.06)], 0.035, darken(color, 0.5))
    canvas.disc(0.88, 0.16, 0.07, (255, 244, 190))
    canvas.fill(rectangle(-0.97, 0.12, -0.9, 0.24), (220, 50, 40))
    for x in (-0.52, 0.54):
        canvas.disc(x, 0.4, 0.25, darken(color, 0.6))
        canvas.body(ellipse(x, 0.42, 0.21), (40, 40, 46), relief=0.25)
        canvas.body(ellipse(x, 0.42, 0.11), (206, 208, 214), relief=0.3)
        canvas.disc(x, 0.42, 0.035, (90, 92, 100))
    return canvas


def clock(rng: Random) -> Canvas:
    """Draw a clock's face, on the wall or with bells."""
    canvas = indoors(rng)
    canvas.scatter((0.62, 0.86), tilt=0.015, drift=0.1)
    rim, face = (
        vivid(rng) if rng.random() < 0.6 else rng.choice([BLACK, GOLD, (150, 100, 66)]),
        rng.choice([WHITE, CREAM]),
    )
    canvas.shadow(0.08, 0.14, 1.1, 1.1, 0.5)
    if rng.random() < 0.4:
        for side in (-1, 1):
            canvas.line([(side * 0.45, 0.7), (side * 0.6, 1.02)], 0.13, darken(rim, 0.3))
            canvas.body(
                shifted(turned(arc(0, 0, 0.3, 0.3, 0.5, 1.0, 12), side * 0.11), side * 0.5, -0.78),
                rim,
                relief=0.35,
            )
    canvas.body(ellipse(0, 0, 0.9), rim, relief=0.35)
    canvas.body(ellipse(0, 0, 0.75), face, relief=0.08)
    for hour in range(12):
        c, s = cos(hour * pi / 6), sin(hour * pi / 6)
        inner, width = (0.56, 0.07) if hour % 3 == 0 else (0.62, 0.04)
        canvas.line([(inner * c, inner * s), (0.69 * c, 0.69 * s)], width, (60, 58, 66))
    minute, hand = rng.random(), rng.choice([BLACK, BLACK, (40, 60, 120)])
    for turn, length, width in ((rng.random(), 0.36, 0.085), (minute, 0.56, 0.06)):
        canvas.line(
            [(0, 0), (length * cos(2 * pi * turn), length * sin(2 * pi * turn))], (width, width * 0.6), hand
        )
    turn = rng.random()
    canvas.line([(0, 0), (0.6 * cos(2 * pi * turn), 0.6 * sin(2 * pi * turn))], 0.022, (220, 50, 44))
    canvas.disc(0, 0, 0.065, hand)
    canvas.glow(-0.3, -0.4, 0.5, WHITE, 0.35)
    return canvas


def guitar(rng: Random) -> Canvas:
    """Draw an acoustic or a bright guitar, leaning."""
    canvas = indoors(rng)
    canvas.scatter((0.82, 0.98), tilt=0.03, drift=0.06)
    tilt = rng.uniform(0.04, 0.1)
    canvas.shadow(0.15, 0.45, 0.75, 0.6, 0.4)
    wood = (
        hsv(rng.uniform(0.05, 0.1), rng.uniform(0.55, 0.75), rng.uniform(0.65, 0.9))
        if rng.random() < 0.65
        else vivid(rng)
    )

    def lean(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in turned(points, tilt)]

    body = mirrored(
        smooth(
            [(0, -0.2), (0.3, -0.16), (0.4, 0.06), (0.3, 0.28), (0.48, 0.58), (0.4, 0.88), (0, 1.0)],
            closed=False,
        )
    )
    canvas.body(turned(body, tilt), darken(wood, 0.35), relief=0.2)
    canvas.body(turned(shifted(body * (0.9, 0.92), 0, 0.03), tilt), wood, relief=0.3)
    canvas.fill(turned(ellipse(0, 0.3, 0.19), tilt), (226, 190, 130))
    canvas.fill(turned(ellipse(0, 0.3, 0.15), tilt), (40, 26, 24))
    canvas.line(lean([(0, 0.12), (0, -0.85)]), 0.13, (84, 54, 40))
    canvas.line(lean([(-0.17, 0.7), (0.17, 0.7)]), 0.07, (64, 40, 32))
    canvas.body(lean([(-0.1, -0.82), (0.1, -0.82), (0.13, -1.1), (-0.13, -1.1)]), darken(wood, 0.25))
    for side in (-1, 1):
        for y in (-0.88, -0.98, -1.06):
            canvas.disc(*lean([(side * 0.15, y)])[0], 0.032, (236, 232, 220))
    for i in range(6):
        canvas.line(lean([(-0.055, -0.72 + 0.13 * i), (0.055, -0.72 + 0.13 * i)]), 0.015, (210, 200, 180))
    for x in (-0.04, 0.0, 0.04):
        canvas.line(lean([(x, -0.82), (x, 0.7)]), 0.01, (240, 236, 220))
    return canvas


def rocket(rng: Random) -> Canvas:
    """Draw a rocket under way among the stars or rising in the sky."""
    canvas = one_of(rng, night, night, sky)
    canvas.scatter((0.66, 0.84), tilt=0.11, drift=0.12)
    hull, trim = rng.choice([WHITE, WHITE, (214, 220, 230), vivid(rng)]), vivid(rng)
    canvas.glow(0, 0.9, 0.8, (255, 170, 70), 0.7)
    for width, length, color in (
        (0.24, 0.62, (246, 110, 40)),
        (0.17, 0.48, (255, 190, 60)),
        (0.09, 0.32, (255, 246, 200)),
    ):
        reach = length * rng.uniform(0.85, 1.15)
        canvas.fill(
            smooth(
                [
                    (-width, 0.6),
                    (width, 0.6),
                    (width * 0.7, 0.6 + reach * 0.5),
                    (0, 0.62 + reach),
                    (-width * 0.7, 0.6 + reach * 0.5),
                ]
            ),
            color,
        )
    for side in (-1, 1):
        canvas.body(
            smooth([(side * 0.28, 0.1), (side * 0.6, 0.45), (side * 0.62, 0.8), (side * 0.26, 0.56)], 5),
            trim,
            relief=0.3,
        )
    canvas.body(rectangle(-0.19, 0.5, 0.19, 0.66), (84, 88, 100), relief=0.35)
    outline = mirrored(
        smooth([(0, -1.0), (0.2, -0.72), (0.36, -0.2), (0.34, 0.25), (0.22, 0.58), (0, 0.58)], closed=False)
    )
    canvas.body(outline, hull, relief=0.3)
    with canvas.inside(outline):
        canvas.body(rectangle(-0.5, -1.1, 0.5, -0.58), trim, relief=0.3)
        canvas.body(rectangle(-0.5, 0.3, 0.5, 0.4), trim, relief=0.3)
        canvas.shadow(0.34, 0.0, 0.26, 0.9, 0.4)
    canvas.disc(0, -0.2, 0.19, (92, 98, 112))
    canvas.body(ellipse(0, -0.2, 0.14), (130, 205, 240), relief=0.45)
    canvas.body(smooth([(-0.06, 0.3), (0.06, 0.3), (0.07, 0.75), (-0.07, 0.75)], 5), darken(trim, 0.2))
    return canvas


def sailboat(rng: Random) -> Canvas:
    """Draw a sailing boat on the sea."""
    canvas = sky(rng)
    water = hsv(rng.uniform(0.5, 0.62), rng.uniform(0.45, 0.75), rng.uniform(0.5, 0.8))
    level = rng.uniform(0.3, 0.45)
    canvas.body(rectangle(-1.1, level, 1.1, 1.1), lighten(water, 0.25), to=darken(water, 0.25))
    canvas.scatter((0.74, 0.9), tilt=0.025, drift=0.12, y=level - 0.35)
    hull, first = vivid(rng), rng.choice([WHITE, WHITE, CREAM, vivid(rng)])
    canvas.line([(0.02, 0.4), (0.02, -0.98)], (0.06, 0.04), (104, 74, 52))
    big = smooth([(-0.05, -0.92), (-0.4, -0.3), (-0.68, 0.28), (-0.05, 0.28)], 6)
    canvas.body([(-0.05, -0.92), *big[3:15], (-0.72, 0.28), (-0.05, 0.28)], first, relief=0.2)
    second = first if rng.random() < 0.5 else vivid(rng)
    canvas.body([(0.08, -0.8), (0.34, -0.25), (0.66, 0.26), (0.08, 0.26)], second, relief=0.2)
    if rng.random() < 0.4:
        for y in (-0.3, 0.0):
            canvas.line([(-0.38 - 0.2 * (y + 0.3), y), (-0.07, y)], 0.06, vivid(rng))
    canvas.body([(-0.85, 0.38), (0.88, 0.38), (0.6, 0.76), (-0.58, 0.76)], hull, relief=0.28)
    canvas.line([(-0.85, 0.4), (0.88, 0.4)], 0.06, lighten(hull, 0.55))
    canvas.body([(0.02, -0.98), (0.26, -0.9), (0.02, -0.82)], vivid(rng))
    canvas.fill(smooth([(-0.9, 0.7), (0, 0.66), (0.9, 0.7), (1.0, 0.84), (-1.0, 0.84)]), darken(water, 0.08))
    for _ in range(9):
        x, y = rng.uniform(-1.2, 1.0), rng.uniform(0.7, 1.3)
        canvas.line(arc(x, y, 0.12, 0.04, 0.5, 1.0, 6), 0.025, lighten(water, 0.5))
    return canvas


def umbrella(rng: Random) -> Canvas:
    """Draw an open umbrella, sometimes in the rain."""
    canvas = anywhere(rng)
    if rng.random() < 0.35:
        for _ in range(14):
            x, y = rng.uniform(-1, 1), rng.uniform(-1, 1)
            canvas.line([(x, y), (x - 0.03, y + 0.14)], 0.018, (190, 210, 232))
    canvas.scatter((0.76, 0.94), tilt=0.05, drift=0.1)
    first = vivid(rng)
    second = rng.choice([first, WHITE, vivid(rng), lighten(first, 0.3)])
    canvas.line([(0, -0.75), (0, 0.62)], 0.055, (90, 66, 52))
    canvas.line(arc(0.14, 0.66, 0.14, 0.2, 0.5, 0.05, 10), 0.085, rng.choice([(90, 56, 40), vivid(rng)]))
    ribs = 6
    for i in range(ribs):
        x0, x1 = 0.96 * (2 * i / ribs - 1), 0.96 * (2 * (i + 1) / ribs - 1)
        left, right = (
            [(x0 * (j / 6), _dome(x0, j / 6)) for j in range(7)],
            [(x1 * (j / 6), _dome(x1, j / 6)) for j in range(6, -1, -1)],
        )
        hem = [(x0 + (x1 - x0) * j / 4, 0.06 - 0.13 * sin(pi * j / 4)) for j in range(1, 4)]
        canvas.body([*left, *hem, *right], (first, second)[i % 2], relief=0.24)
    canvas.line([(0, -0.72), (0, -0.86)], 0.05, (90, 66, 52))
    canvas.glow(-0.35, -0.45, 0.35, WHITE, 0.4)
    return canvas


def _dome(x: float, share: float) -> float:
    """Height of an umbrella's rib that ends at ``x``, at a share of the way down."""
    return 0.06 - 0.8 * float(cos(share * pi / 2) ** (1.0 if abs(x) < 0.5 else 0.9))
