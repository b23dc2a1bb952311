"""Animals of garden, woods and ice."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import (
    anywhere,
    foliage,
    meadow,
    night,
    one_of,
    paper,
    sky,
    studio,
    table,
)
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import (
    BLACK,
    CREAM,
    GOLD,
    WHITE,
    Color,
    darken,
    hsv,
    lighten,
    mix,
    vary,
    vivid,
)
from backend.demo.drawing.shapes import arc, blob, ellipse, mirrored, rectangle, shifted, smooth, turned


def butterfly(rng: Random) -> Canvas:
    """Draw a butterfly, its wings spread."""
    canvas = one_of(rng, foliage, meadow, sky, paper, studio)
    canvas.scatter((0.66, 0.9), tilt=0.1, drift=0.12)
    color, inner, edge = vivid(rng), vivid(rng), rng.choice([BLACK, (52, 34, 30), (36, 32, 70)])
    reach, dots = rng.uniform(0.85, 1.0), rng.random() < 0.7
    for side in (-1, 1):
        for outline, center, size in (
            (
                [(0.04, 0.02), (0.35, 0.08), (0.72, 0.3), (0.62, 0.72), (0.3, 0.82), (0.08, 0.4)],
                (0.42, 0.46),
                0.5,
            ),
            (
                [(0.04, -0.05), (0.3, -0.62), (0.78, -0.86), (1.0, -0.6), (0.78, -0.1), (0.3, 0.1)],
                (0.62, -0.45),
                0.55,
            ),
        ):
            wing = smooth([(side * x * reach, y) for x, y in outline])
            canvas.body(wing, edge, relief=0.15)
            x, y = side * center[0] * reach, center[1]
            canvas.body((wing - (x, y)) * 0.8 + (x, y), color, relief=0.25)
            canvas.body((wing - (x, y)) * size * 0.8 + (x * 0.85, y), inner, relief=0.25)
            if dots:
                canvas.disc(x * 1.18, y * 1.1, 0.085, WHITE)
                canvas.disc(x * 1.18, y * 1.1, 0.045, edge)
    canvas.body(ellipse(0, 0.08, 0.085, 0.46), (58, 42, 40), relief=0.35)
    canvas.disc(0, -0.42, 0.1, (48, 36, 36))
    for side in (-1, 1):
        feeler = smooth([(0, -0.45), (side * 0.14, -0.72), (side * 0.32, -0.86)], closed=False)
        canvas.line(feeler, 0.03, (48, 36, 36))
        canvas.disc(feeler[-1][0], feeler[-1][1], 0.045, (48, 36, 36))
    return canvas


def cat(rng: Random) -> Canvas:
    """Draw the face of a cat."""
    canvas = anywhere(rng)
    canvas.scatter((0.66, 0.84), tilt=0.04, drift=0.1, y=0.06)
    furs = [(232, 150, 70), (120, 118, 126), (60, 56, 64), (238, 226, 206), (170, 120, 80), (246, 244, 240)]
    fur = vary(rng, rng.choice(furs), 0.04)
    marks, pink = (lighten if sum(fur) < 260 else darken)(fur, 0.25), (236, 150, 150)
    for side in (-1, 1):
        canvas.body([(side * 0.2, -0.5), (side * 0.82, -1.0), (side * 0.84, -0.1)], fur, relief=0.2)
        canvas.fill([(side * 0.38, -0.5), (side * 0.73, -0.8), (side * 0.74, -0.25)], mix(fur, pink, 0.6))
    head = mirrored(
        smooth([(0, -0.62), (0.45, -0.58), (0.86, -0.12), (0.82, 0.32), (0.45, 0.7), (0, 0.8)], closed=False)
    )
    canvas.body(head, fur, relief=0.2)
    with canvas.inside(head):
        if rng.random() < 0.6:
            for x in (-0.2, 0.0, 0.2):
                canvas.line([(x, -0.7), (x * 0.75, -0.36)], (0.09, 0.03), marks)
            for side in (-1, 1):
                for y in (0.02, 0.2):
                    canvas.line([(side * 0.95, y - 0.06), (side * 0.62, y + 0.04)], (0.08, 0.02), marks)
        for side in (-1, 1):
            canvas.body(ellipse(side * 0.17, 0.42, 0.26, 0.2), lighten(fur, 0.5), relief=0.1)
        canvas.body(ellipse(0, 0.62, 0.2, 0.13), lighten(fur, 0.4), relief=0.1)
    iris = rng.choice([(120, 190, 90), (240, 190, 60), (90, 170, 220)])
    for side in (-1, 1):
        eye = shifted(turned(ellipse(0, 0, 0.19, 0.17), side * -0.03), side * 0.36, -0.02)
        canvas.fill(eye, BLACK)
        canvas.body(
            shifted(turned(ellipse(0, 0, 0.165, 0.145), side * -0.03), side * 0.36, -0.02), iris, relief=0.3
        )
        canvas.fill(ellipse(side * 0.36, -0.02, rng.uniform(0.05, 0.09), 0.14), BLACK)
        canvas.disc(side * 0.36 - 0.05, -0.08, 0.04, WHITE)
        for y in (-0.05, 0.04, 0.13):
            canvas.line([(side * 0.3, 0.4 + y * 0.5), (side * 1.05, 0.36 + y * 2)], 0.018, lighten(fur, 0.75))
    canvas.fill(smooth([(-0.1, 0.24), (0.1, 0.24), (0.0, 0.36)]), pink)
    for side in (-1, 1):
        canvas.line(arc(side * 0.1, 0.4, 0.1, 0.1, 0.25 - 0.25, 0.5, 8), 0.03, darken(fur, 0.6))
    return canvas


def ladybird(rng: Random) -> Canvas:
    """Draw a ladybird from above, often on a leaf."""
    canvas = one_of(rng, foliage, foliage, paper, studio)
    if rng.random() < 0.5:
        color = hsv(rng.uniform(0.25, 0.38), rng.uniform(0.5, 0.75), rng.uniform(0.45, 0.75))
        canvas.place(0, 0, 1, turn=rng.random())
        canvas.body(
            smooth([(-1.3, 0), (-0.5, -0.75), (0.6, -0.7), (1.4, 0), (0.6, 0.75), (-0.5, 0.7)]), color
        )
        canvas.line([(-1.4, 0), (1.4, 0)], 0.035, lighten(color, 0.3))
        for x in (-0.7, -0.2, 0.3, 0.8):
            for side in (-1, 1):
                canvas.line([(x, 0), (x + 0.35, side * 0.6)], 0.018, lighten(color, 0.25))
    canvas.scatter((0.5, 0.72), tilt=0.5, drift=0.14)
    shell = rng.choice([(222, 44, 38), (222, 44, 38), (236, 110, 30), (240, 180, 40)])
    canvas.shadow(0.08, 0.2, 1.1, 1.1, 0.5)
    for side in (-1, 1):
        for y, out in ((-0.3, -0.15), (0.15, 0.08), (0.5, 0.25)):
            canvas.line([(side * 0.5, y), (side * 0.85, y + out), (side * 0.98, y + out * 2)], 0.07, BLACK)
        canvas.line(
            smooth([(side * 0.1, -0.8), (side * 0.2, -1.0), (side * 0.36, -1.05)], closed=False), 0.04, BLACK
        )
    canvas.body(ellipse(0, -0.62, 0.42, 0.34), BLACK, relief=0.3)
    for side in (-1, 1):
        canvas.disc(side * 0.22, -0.74, 0.09, WHITE)
    back = ellipse(0, 0.12, 0.74, 0.78)
    canvas.body(back, vary(rng, shell, 0.05), relief=0.3)
    with canvas.inside(back):
        size = rng.uniform(0.12, 0.17)
        for x, y in ((0.34, -0.22), (0.48, 0.25), (0.2, 0.18), (0.3, 0.6))[: rng.choice([2, 3, 4])]:
            for side in (-1, 1):
                canvas.disc(side * x, y, size, BLACK)
        canvas.disc(0, -0.45, 0.16, BLACK)
        canvas.line([(0, -0.7), (0, 1)], 0.035, BLACK)
        canvas.shine(0, 0.1, 0.78, 0.75)
    return canvas


def owl(rng: Random) -> Canvas:
    """Draw an owl on a branch, by night or by day."""
    canvas = one_of(rng, night, night, foliage, studio)
    canvas.scatter((0.7, 0.86), tilt=0.02, drift=0.08, y=0.04)
    color = vary(
        rng,
        rng.choice([(150, 104, 66), (116, 98, 88), (188, 150, 104), (214, 206, 196), (128, 84, 96)]),
        0.05,
    )
    canvas.line([(-1.8, 0.86), (-0.4, 0.8), (1.8, 0.9)], (0.22, 0.16), (92, 66, 48))
    canvas.line([(-1.8, 0.82), (-0.4, 0.76), (1.8, 0.86)], (0.06, 0.05), (136, 102, 74))
    body = mirrored(
        smooth(
            [(0, -0.72), (0.4, -0.74), (0.68, -0.95), (0.66, -0.2), (0.62, 0.45), (0.3, 0.8), (0, 0.84)],
            closed=False,
        )
    )
    canvas.body(body, color, relief=0.22)
    with canvas.inside(body):
        belly = lighten(color, 0.45)
        canvas.body(ellipse(0, 0.42, 0.46, 0.55), belly, relief=0.12)
        for row in range(4):
            for i in range(4 - row % 2):
                x = (i - (3 - row % 2) / 2) * 0.22
                canvas.line(arc(x, 0.18 + 0.17 * row, 0.08, 0.09, 0.05, 0.45, 6), 0.03, darken(color, 0.2))
    for side in (-1, 1):
        wing = smooth([(side * 0.62, -0.12), (side * 0.8, 0.25), (side * 0.6, 0.7), (side * 0.45, 0.3)])
        canvas.body(wing, darken(color, 0.3))
        canvas.body(ellipse(side * 0.29, -0.36, 0.33, 0.34), lighten(color, 0.55), relief=0.12)
        canvas.disc(side * 0.27, -0.36, 0.22, vary(rng, GOLD, 0.03))
        canvas.disc(side * 0.26, -0.36, 0.13, BLACK)
        canvas.disc(side * 0.26 - 0.05, -0.42, 0.05, WHITE)
        for i in (-1, 0, 1):
            canvas.line(
                [(side * 0.22 + i * 0.07, 0.78), (side * 0.22 + i * 0.08, 0.88)], 0.07, (232, 160, 60)
            )
    canvas.body([(-0.1, -0.26), (0.1, -0.26), (0, 0.0)], (238, 160, 50), relief=0.25)
    return canvas


def penguin(rng: Random) -> Canvas:
    """Draw a penguin on the ice."""
    ice = hsv(rng.uniform(0.53, 0.6), rng.uniform(0.04, 0.14), 0.97)
    canvas = one_of(rng, sky, sky, night, studio)
    canvas.body(rectangle(-1.1, rng.uniform(0.4, 0.6), 1.1, 1.1), lighten(ice, 0.2), to=darken(ice, 0.15))
    if rng.random() < 0.5:
        x = rng.uniform(-0.9, 0.5)
        canvas.body([(x - 0.4, 0.5), (x - 0.1, -0.1), (x + 0.15, 0.1), (x + 0.5, 0.5)], ice, relief=0.25)
    canvas.scatter((0.66, 0.84), tilt=0.02, drift=0.12, y=0.02)
    coat = rng.choice([(36, 40, 56), (46, 54, 80), (30, 30, 36)])
    canvas.shadow(0, 0.94, 0.75, 0.16, 0.5)
    for side in (-1, 1):
        canvas.body(ellipse(side * 0.25, 0.9, 0.24, 0.11), (242, 156, 50), relief=0.2)
        raised = rng.uniform(-0.25, 0.2)
        wing = smooth(
            [
                (side * 0.42, -0.2),
                (side * 0.78, 0.2 + raised),
                (side * 0.72, 0.5 + raised),
                (side * 0.44, 0.3),
            ]
        )
        canvas.body(wing, darken(coat, 0.2), relief=0.25)
    outline = mirrored(
        smooth([(0, -0.96), (0.34, -0.84), (0.42, -0.45), (0.58, 0.25), (0.45, 0.8), (0, 0.92)], closed=False)
    )
    canvas.body(outline, coat, relief=0.3)
    with canvas.inside(outline):
        canvas.body(ellipse(0, 0.38, 0.42, 0.62), WHITE, relief=0.1)
        for side in (-1, 1):
            canvas.body(ellipse(side * 0.15, -0.5, 0.19, 0.22), WHITE, relief=0.06)
        if rng.random() < 0.4:
            canvas.glow(0, -0.1, 0.45, (250, 200, 80), 0.7)
    for side in (-1, 1):
        canvas.disc(side * 0.15, -0.54, 0.065, BLACK)
        canvas.disc(side * 0.15 - 0.02, -0.565, 0.022, WHITE)
    canvas.body([(-0.13, -0.42), (0.13, -0.42), (0, -0.24)], (246, 150, 40), relief=0.25)
    if rng.random() < 0.4:
        scarf = vivid(rng)
        canvas.line(arc(0, -0.34, 0.42, 0.22, 0.02, 0.48, 12), 0.17, scarf)
        canvas.line([(0.22, -0.14), (0.28, 0.28)], (0.15, 0.17), darken(scarf, 0.15))
    return canvas


def snail(rng: Random) -> Canvas:
    """Draw a snail and its house."""
    canvas = one_of(rng, meadow, foliage, table, paper, studio)
    canvas.scatter((0.7, 0.9), tilt=0.03, drift=0.1, y=0.1)
    flesh = vary(rng, rng.choice([(214, 180, 130), (190, 170, 150), (226, 196, 120)]), 0.04)
    shell = rng.choice([(186, 112, 64), (226, 150, 80), (150, 98, 120), (210, 96, 90), (110, 140, 150)])
    canvas.shadow(0, 0.7, 1.1, 0.18)
    foot = smooth(
        [
            (-0.95, 0.66),
            (-0.5, 0.42),
            (0.35, 0.4),
            (0.5, -0.02),
            (0.72, -0.22),
            (0.92, 0.0),
            (0.84, 0.42),
            (0.6, 0.68),
            (-0.1, 0.72),
        ]
    )
    canvas.body(foot, flesh, relief=0.25)
    for x, way in ((0.7, -0.02), (0.84, 0.12)):
        stalk = smooth([(x, -0.15), (x + way * 0.5, -0.4), (x + way, -0.56)], closed=False)
        canvas.line(stalk, (0.08, 0.05), flesh)
        canvas.disc(stalk[-1][0], stalk[-1][1], 0.065, BLACK)
    _shell(canvas, -0.12, 0.02, 0.6, vary(rng, shell, 0.05))
    canvas.line(arc(0.78, 0.14, 0.1, 0.08, 0.05, 0.3, 6), 0.025, darken(flesh, 0.5))
    return canvas


def _shell(canvas: Canvas, x: float, y: float, radius: float, color: Color) -> None:
    """Draw a spiral shell."""
    canvas.body(blob(canvas.rng, x, y, radius, 0.02, 14), color, relief=0.38)
    turns, steps = 2.4, 44
    spiral = []
    for i in range(steps):
        share = i / (steps - 1)
        angle, r = 2 * pi * (turns * share + 0.12), radius * (0.96 - 0.9 * share)
        spiral.append((x + r * cos(angle), y + r * sin(angle)))
    canvas.line(spiral, (0.09, 0.03), darken(color, 0.5))
    canvas.line(
        [(px - 0.02, py - 0.03) for px, py in spiral[3:]], (0.04, 0.02), mix(lighten(color, 0.5), CREAM, 0.4)
    )
    canvas.shine(x, y, radius, 0.5)
