"""Plants and mushrooms."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import (
    desert,
    foliage,
    meadow,
    one_of,
    paper,
    sky,
    studio,
    table,
)
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import CREAM, GOLD, WHITE, darken, hsv, lighten, mix, vary, vivid
from backend.demo.drawing.shapes import blob, ellipse, mirrored, rectangle, rounded, shifted, smooth, turned


def cactus(rng: Random) -> Canvas:
    """Draw a saguaro with one or two arms, in the desert or in a pot."""
    potted = rng.random() < 0.4
    canvas = one_of(rng, table, studio, paper) if potted else desert(rng)
    canvas.scatter((0.74, 0.9), tilt=0.012, drift=0.1)
    green = hsv(rng.uniform(0.28, 0.42), rng.uniform(0.45, 0.7), rng.uniform(0.4, 0.65))
    canvas.shadow(0.1, 0.93, 0.8, 0.14)
    for side in rng.choice([(-1,), (1,), (-1, 1), (-1, 1)]):
        low, high = rng.uniform(0.05, 0.35), rng.uniform(0.35, 0.6)
        arm = smooth(
            [(0, low), (side * 0.42, low), (side * 0.52, low - 0.15), (side * 0.52, low - high)], closed=False
        )
        canvas.line(arm, 0.25, darken(green, 0.2))
        canvas.line(shifted(arm, -0.03, -0.02), 0.15, green)
        canvas.line(shifted(arm[8:], -0.05, 0.0), 0.03, lighten(green, 0.35))
    canvas.body(rounded(-0.23, -0.9, 0.23, 1.0, 0.22), green, relief=0.28)
    for x in (-0.12, 0.0, 0.12):
        canvas.line([(x, -0.78), (x, 0.9)], 0.025, darken(green, 0.3))
        for i in range(7):
            y = -0.7 + 0.24 * i
            canvas.line([(x - 0.04, y - 0.03), (x + 0.04, y + 0.03)], 0.02, lighten(green, 0.6))
    if rng.random() < 0.45:
        canvas.body(blob(rng, 0.02, -0.92, 0.13, 0.3, 7), rng.choice([(240, 90, 140), (250, 200, 70)]))
    if potted:
        clay = vary(rng, (200, 104, 68), 0.06)
        canvas.body([(-0.42, 0.6), (0.42, 0.6), (0.32, 1.05), (-0.32, 1.05)], clay)
        canvas.body(rounded(-0.48, 0.5, 0.48, 0.66, 0.05), lighten(clay, 0.1))
    return canvas


def flower(rng: Random) -> Canvas:
    """Draw a flower with its stem and leaves."""
    canvas = one_of(rng, meadow, sky, foliage, paper, studio)
    canvas.scatter((0.74, 0.92), tilt=0.03, drift=0.1)
    stem = hsv(rng.uniform(0.26, 0.38), 0.65, rng.uniform(0.4, 0.65))
    sway = rng.uniform(-0.15, 0.15)
    canvas.line(smooth([(sway, 1.3), (sway * 0.6, 0.6), (0, -0.2)], closed=False), (0.09, 0.07), stem)
    for side in (-1, 1):
        leaf = smooth([(0.02, 0.85), (side * 0.25, 0.45), (side * 0.62, 0.36), (side * 0.4, 0.72)])
        canvas.body(leaf, lighten(stem, 0.1), relief=0.25)
    n, color = rng.choice([5, 6, 8, 12]), rng.choice([vivid(rng), vivid(rng), WHITE])
    long, wide = 0.36, min(1.25 / n + 0.05, 0.26)
    for ring, scale in ((0.5, 1.0), (0.0, 0.86)) if n > 6 else ((0.0, 1.0),):
        for i in range(n):
            petal = turned(ellipse(long * scale, 0, long * scale, wide * scale, 18), (i + ring) / n)
            canvas.body(
                shifted(petal, 0, -0.3), color if scale < 1 or n <= 6 else darken(color, 0.15), relief=0.22
            )
    centre = rng.choice([GOLD, (250, 210, 80), (110, 66, 40)])
    canvas.ball(0, -0.3, 0.2, centre, gloss=0.35)
    for i in range(8):
        canvas.disc(0.12 * cos(i * pi / 4), -0.3 + 0.12 * sin(i * pi / 4), 0.025, darken(centre, 0.35))
    return canvas


def leaf(rng: Random) -> Canvas:
    """Draw one leaf with its veins, in summer's or autumn's colours."""
    canvas = one_of(rng, paper, studio, table, sky)
    canvas.scatter((0.75, 0.95), tilt=0.16, drift=0.1)
    color = hsv(
        rng.choice([0.3, 0.26, 0.34, 0.09, 0.05, 0.13]), rng.uniform(0.6, 0.85), rng.uniform(0.5, 0.85)
    )
    canvas.shadow(0.08, 0.12, 0.75, 1.0, 0.4)
    lobes = rng.random() < 0.5
    if lobes:
        half = [
            (0, -0.95),
            (0.16, -0.55),
            (0.42, -0.68),
            (0.38, -0.28),
            (0.86, -0.3),
            (0.62, 0.08),
            (0.74, 0.34),
            (0.3, 0.42),
            (0, 0.55),
        ]
        outline = mirrored(half)
    else:
        outline = mirrored(
            smooth([(0, -1.0), (0.3, -0.62), (0.5, -0.05), (0.36, 0.4), (0, 0.66)], closed=False)
        )
    canvas.body(outline, color, relief=0.28)
    with canvas.inside(outline):
        for i in range(5):
            y = 0.42 - 0.27 * i
            for side in (-1, 1):
                canvas.line([(0, y), (side * 0.6, y - 0.36)], (0.035, 0.015), lighten(color, 0.4))
    canvas.line([(0, 1.05), (0, -0.85)], (0.07, 0.02), lighten(color, 0.35))
    return canvas


def mushroom(rng: Random) -> Canvas:
    """Draw a toadstool with white spots."""
    canvas = one_of(rng, foliage, foliage, meadow, paper, studio)
    canvas.scatter((0.66, 0.88), tilt=0.03, drift=0.12)
    cap = hsv(
        rng.choice([0.0, 0.0, 0.04, 0.08, 0.75]) + rng.uniform(-0.015, 0.015),
        rng.uniform(0.65, 0.85),
        rng.uniform(0.7, 0.92),
    )
    canvas.shadow(0, 0.95, 0.85, 0.18)
    stem = mirrored(smooth([(0, -0.1), (0.2, -0.1), (0.2, 0.4), (0.32, 0.85), (0, 0.98)], closed=False))
    canvas.body(stem, CREAM, relief=0.22)
    canvas.fill(ellipse(0, -0.02, 0.74, 0.17), darken(CREAM, 0.3))
    for i in range(-5, 6):
        canvas.line([(i * 0.04, -0.08), (i * 0.14, 0.08)], 0.02, darken(CREAM, 0.45))
    canvas.body(
        smooth([(-0.3, 0.22), (0.3, 0.22), (0.4, 0.36), (0, 0.34), (-0.4, 0.36)]),
        lighten(CREAM, 0.4),
        relief=0.15,
    )
    height = rng.uniform(0.85, 1.05)
    dome = mirrored(
        smooth([(0, -height), (0.5, -height * 0.85), (0.9, -0.2), (0.78, 0.02), (0, 0.1)], closed=False)
    )
    canvas.body(dome, cap, relief=0.32)
    with canvas.inside(dome):
        for x, y, r in (
            (-0.45, -0.32, 0.15),
            (0.05, -0.62, 0.17),
            (0.5, -0.4, 0.13),
            (0.12, -0.15, 0.12),
            (-0.72, -0.05, 0.09),
            (0.8, -0.08, 0.09),
            (-0.3, -0.75, 0.08),
        ):
            canvas.body(
                blob(rng, x + rng.uniform(-0.06, 0.06), y, r * rng.uniform(0.8, 1.2), 0.12, 8),
                CREAM,
                relief=0.15,
            )
        canvas.glow(-0.3, -0.65, 0.4, WHITE, 0.35)
    return canvas


def tree(rng: Random) -> Canvas:
    """Draw a broad-leaved tree or a fir."""
    canvas = one_of(rng, meadow, meadow, meadow, studio)
    canvas.scatter((0.78, 0.95), tilt=0.012, drift=0.1)
    bark = hsv(rng.uniform(0.05, 0.09), rng.uniform(0.35, 0.55), rng.uniform(0.3, 0.5))
    canvas.shadow(0.1, 0.93, 0.75, 0.14, 0.5)
    if rng.random() < 0.4:
        green = hsv(rng.uniform(0.34, 0.45), rng.uniform(0.4, 0.65), rng.uniform(0.3, 0.5))
        canvas.body(rectangle(-0.1, 0.5, 0.1, 0.95), bark)
        for i in range(4):
            y, wide = 0.62 - 0.36 * i, 0.66 - 0.13 * i
            tier = [
                (0, y - 0.68),
                (wide, y),
                (wide * 0.5, y - 0.06),
                (0, y + 0.04),
                (-wide * 0.5, y - 0.06),
                (-wide, y),
            ]
            canvas.body(tier, lighten(green, 0.07 * i), relief=0.28)
        return canvas
    green = hsv(
        rng.choice([0.25, 0.3, 0.34, 0.08]) + rng.uniform(-0.03, 0.03),
        rng.uniform(0.5, 0.75),
        rng.uniform(0.45, 0.7),
    )
    trunk = mirrored(smooth([(0, -0.2), (0.09, 0.0), (0.1, 0.5), (0.24, 0.94), (0, 0.96)], closed=False))
    canvas.body(trunk, bark, relief=0.3)
    for side in (-1, 1):
        canvas.line([(0, 0.3), (side * 0.4, -0.15)], (0.1, 0.05), bark)
    crown = [
        (-0.42, -0.12, 0.4),
        (0.42, -0.14, 0.4),
        (0.0, -0.02, 0.36),
        (-0.24, -0.55, 0.42),
        (0.26, -0.52, 0.42),
    ]
    for x, y, r in crown:
        canvas.body(blob(rng, x, y, r, 0.08, 11), darken(green, 0.15), relief=0.25)
    for x, y, r in crown:
        canvas.body(
            blob(rng, x - 0.06, y - 0.08, r * 0.62, 0.12, 9),
            mix(green, lighten(green, 0.3), 0.4),
            relief=0.15,
        )
    for _ in range(rng.choice([0, 0, 8])):
        canvas.disc(rng.uniform(-0.6, 0.6), rng.uniform(-0.8, 0.1), 0.055, (214, 50, 50))
    return canvas
