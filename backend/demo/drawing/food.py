"""Things to eat and drink."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import anywhere, indoors, one_of, outdoors, sky, studio
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import CREAM, WHITE, darken, hsv, lighten, vary, vivid
from backend.demo.drawing.shapes import arc, blob, ellipse, mirrored, ribbon, shifted, smooth, turned


def apple(rng: Random) -> Canvas:
    """Draw a red, green or golden apple with its stem and a leaf, sometimes with a bite."""
    canvas = anywhere(rng)
    canvas.scatter((0.52, 0.78), tilt=0.05, drift=0.18)
    hue, strength = rng.choice([(0.99, 0.85), (0.99, 0.85), (0.27, 0.7), (0.12, 0.7)])
    color = hsv(hue + rng.uniform(-0.02, 0.02), strength + rng.uniform(-0.08, 0.08), rng.uniform(0.68, 0.92))
    canvas.shadow(0.05, 0.86, 0.95, 0.24)
    outline = mirrored(
        smooth(
            [(0.0, -0.5), (0.35, -0.68), (0.8, -0.45), (0.86, 0.1), (0.55, 0.72), (0.22, 0.84), (0, 0.76)],
            closed=False,
        )
    )
    canvas.body(outline, color, relief=0.32)
    with canvas.inside(outline):
        canvas.glow(0.1, 0.75, 0.9, lighten(vary(rng, color, 0.1), 0.35), 0.35)
        canvas.shine(0, 0, 0.85, 0.75)
        canvas.shadow(0.0, -0.55, 0.36, 0.2, 0.6)
        if rng.random() < 0.15:
            for dx, dy in ((0.95, -0.2), (0.98, 0.05), (0.9, 0.28)):
                canvas.disc(dx, dy, 0.2, (244, 232, 190))
    lean = rng.uniform(-0.15, 0.25)
    canvas.line(smooth([(0, -0.5), (0.03, -0.72), (lean, -0.95)], closed=False), (0.08, 0.11), (92, 62, 40))
    if rng.random() < 0.85:
        leaf = smooth([(0.03, -0.68), (0.22, -0.98), (0.62, -1.02), (0.45, -0.72)])
        canvas.body(leaf, hsv(rng.uniform(0.26, 0.36), 0.7, rng.uniform(0.45, 0.7)))
    return canvas


def banana(rng: Random) -> Canvas:
    """Draw one banana or a hand of two or three."""
    canvas = anywhere(rng)
    canvas.scatter((0.6, 0.85), tilt=0.09, drift=0.12)
    color = hsv(rng.uniform(0.125, 0.16), rng.uniform(0.7, 0.88), rng.uniform(0.86, 0.99))
    canvas.shadow(0, 0.68, 0.95, 0.2, 0.4)
    for i in range(rng.choice([1, 1, 2, 3])):
        spine = turned(
            smooth([(-0.86, -0.42), (-0.55, 0.25), (0.08, 0.5), (0.74, 0.22)], closed=False),
            -0.055 * i,
            -0.86,
            -0.42,
        )
        canvas.body(ribbon(spine, (0.08, 0.34, 0.42, 0.42, 0.3, 0.07)), vary(rng, color, 0.03), relief=0.3)
        canvas.line(shifted(spine[3:-3], 0.0, 0.05), 0.03, darken(color, 0.25))
        canvas.line(spine[-3:], 0.09, (82, 60, 30))
    canvas.line([(-0.86, -0.42), (-0.94, -0.66)], (0.13, 0.11), (140, 118, 40))
    return canvas


def doughnut(rng: Random) -> Canvas:
    """Draw a doughnut with icing and sprinkles, seen from above."""
    canvas = indoors(rng)
    canvas.scatter((0.6, 0.85), tilt=0.5, drift=0.14)
    dough = hsv(rng.uniform(0.07, 0.1), rng.uniform(0.5, 0.65), rng.uniform(0.75, 0.9))
    icing = rng.choice(
        [(240, 130, 170), (110, 66, 42), (250, 240, 225), (150, 205, 235), (190, 150, 225), (165, 220, 170)]
    )
    icing = vary(rng, icing, 0.05)
    canvas.shadow(0.06, 0.14, 1.12, 1.12, 0.5)
    ground = canvas.image.copy()
    canvas.body(ellipse(0, 0, 0.92), dough, relief=0.3)
    canvas.body(blob(rng, 0, 0, 0.78, 0.06, 12), icing, relief=0.18)
    for _ in range(rng.choice([0, 26, 34])):
        angle, radius, way = rng.uniform(0, 2 * pi), rng.uniform(0.42, 0.68), rng.uniform(0, pi)
        x, y, dx, dy = radius * cos(angle), radius * sin(angle), 0.06 * cos(way), 0.06 * sin(way)
        canvas.line([(x - dx, y - dy), (x + dx, y + dy)], 0.045, vivid(rng))
    canvas.body(ellipse(0, 0, 0.33), darken(dough, 0.15), relief=0.25)
    with canvas.inside(ellipse(0, 0, 0.25)):
        canvas.image.paste(ground)
        canvas.shadow(0, 0, 0.4, 0.4, 0.35)
    return canvas


def ice_cream(rng: Random) -> Canvas:
    """Draw a wafer cone with one to three scoops."""
    canvas = one_of(rng, studio, sky, outdoors, indoors)
    canvas.scatter((0.7, 0.88), tilt=0.05, drift=0.1)
    scoops = rng.choice([1, 2, 2, 3])
    top = -0.02 if scoops > 1 else -0.2
    wafer = hsv(rng.uniform(0.08, 0.1), rng.uniform(0.5, 0.65), rng.uniform(0.78, 0.92))
    cone = [(-0.4, top), (0.4, top), (0.03, 1.0), (-0.03, 1.0)]
    canvas.body(cone, wafer, relief=0.25)
    with canvas.inside(cone):
        for i in range(-6, 7):
            for way in (-1, 1):
                canvas.line(
                    [(i * 0.16 - 0.5 * way, top), (i * 0.16 + 0.5 * way, top + 1.2)],
                    0.025,
                    darken(wafer, 0.3),
                )
    flavours = [
        (250, 240, 210),
        (245, 150, 170),
        (120, 78, 56),
        (170, 215, 165),
        (250, 215, 110),
        (190, 140, 200),
    ]
    places: dict[int, list[tuple[float, float]]] = {
        1: [(0, -0.38)],
        2: [(-0.14, -0.2), (0.12, -0.58)],
        3: [(-0.24, -0.2), (0.25, -0.2), (0, -0.62)],
    }
    for (x, y), flavour in zip(places[scoops], rng.sample(flavours, scoops), strict=True):
        canvas.body(blob(rng, x, y + 0.18, 0.38, 0.05, 14), darken(flavour, 0.1), relief=0.15)
        canvas.ball(x, y, 0.38, vary(rng, flavour, 0.03), gloss=0.5)
    if rng.random() < 0.35:
        canvas.ball(0.05, -1.0, 0.13, (205, 30, 50), gloss=0.8)
    return canvas


def pizza(rng: Random) -> Canvas:
    """Draw a slice of pizza, its crust up."""
    canvas = indoors(rng)
    canvas.scatter((0.68, 0.9), tilt=0.1, drift=0.1)
    crust, cheese = vary(rng, (205, 145, 75), 0.06), vary(rng, (250, 208, 98), 0.05)
    canvas.shadow(0.05, 0.0, 0.95, 0.95, 0.4)
    canvas.body(
        [*arc(0, 0.25, 0.86, 0.95, 0.58, 0.92, 14), (0.03, 0.98), (-0.03, 0.98)],
        vary(rng, (190, 60, 38), 0.04),
    )
    slice_ = [*arc(0, 0.25, 0.78, 0.86, 0.58, 0.92, 14), (0.06, 0.8), (-0.05, 0.92)]
    canvas.body(slice_, cheese, relief=0.15)
    with canvas.inside(slice_):
        for x, y in ((-0.3, -0.2), (0.32, -0.28), (0.02, 0.12), (0.05, 0.55), (-0.02, -0.42)):
            if rng.random() < 0.85:
                x, y = x + rng.uniform(-0.06, 0.06), y + rng.uniform(-0.06, 0.06)
                canvas.disc(x, y, 0.17, (140, 34, 30))
                canvas.body(ellipse(x, y, 0.145), vary(rng, (205, 62, 46), 0.05))
        for _ in range(rng.randint(3, 7)):
            x, y = rng.uniform(-0.4, 0.4), rng.uniform(-0.5, 0.5)
            canvas.fill(blob(rng, x, y, 0.06, 0.4, 6), rng.choice([(70, 130, 50), (50, 60, 48)]))
        for _ in range(3):
            canvas.glow(rng.uniform(-0.4, 0.4), rng.uniform(-0.5, 0.5), 0.16, (255, 244, 190), 0.7)
    rim = arc(0, 0.25, 0.84, 0.95, 0.575, 0.925, 16)
    canvas.line(rim, 0.26, darken(crust, 0.25))
    canvas.line(shifted(rim, 0, -0.02), 0.19, crust)
    canvas.line(shifted(rim[3:-6], 0, -0.05), 0.05, lighten(crust, 0.4))
    return canvas


def watermelon(rng: Random) -> Canvas:
    """Draw a half slice of watermelon with its seeds."""
    canvas = anywhere(rng)
    canvas.scatter((0.72, 0.92), tilt=0.09, drift=0.1, y=-0.2)
    rind = hsv(rng.uniform(0.3, 0.38), rng.uniform(0.55, 0.75), rng.uniform(0.35, 0.55))
    flesh = hsv(rng.uniform(0.96, 1.01), rng.uniform(0.68, 0.8), rng.uniform(0.85, 0.97))
    canvas.shadow(0, 0.86, 0.9, 0.2, 0.4)
    canvas.body(arc(0, 0, 0.98, 0.92, 0, 0.5), rind, relief=0.2)
    canvas.fill(arc(0, 0, 0.88, 0.82, 0, 0.5), (226, 240, 190))
    canvas.body(arc(0, 0, 0.81, 0.75, 0, 0.5), flesh, relief=0.22)
    for radius, n in ((0.33, 3), (0.6, 6)):
        for i in range(n):
            angle = pi * (i + 0.5 + rng.uniform(-0.15, 0.15)) / n
            x, y = radius * cos(angle), radius * sin(angle) * 0.9
            seed = shifted(turned(ellipse(0, 0, 0.085, 0.05, 12), angle / (2 * pi)), x, y)
            canvas.fill(seed, (40, 22, 26))
    return canvas


def mug(rng: Random) -> Canvas:
    """Draw a mug with a drink that steams."""
    canvas = indoors(rng)
    canvas.scatter((0.6, 0.8), tilt=0.015, drift=0.12, y=0.08)
    color = vivid(rng) if rng.random() < 0.65 else rng.choice([WHITE, CREAM, (60, 62, 74)])
    canvas.shadow(0, 0.86, 1.05, 0.24)
    handle = arc(0.5, 0.12, 0.42, 0.4, 0.72, 1.28, 20)
    canvas.line(handle, 0.17, darken(color, 0.3))
    canvas.line(shifted(handle, -0.02, -0.03), 0.1, lighten(color, 0.1))
    side = [*arc(0, -0.52, 0.62, 0.16, 0.5, 0.0, 12), *arc(-0.02, 0.72, 0.56, 0.16, 0.0, 0.5, 14)]
    canvas.body(side, color, relief=0.25)
    with canvas.inside(side):
        canvas.glow(-0.32, 0.1, 0.34, WHITE, 0.4)
        band, trim = rng.choice([0, 1, 2]), vivid(rng)
        if band == 1:
            canvas.line(arc(0, 0.05, 0.7, 0.16, 0.5, 0, 14), 0.16, trim)
        elif band == 2:
            canvas.fill(_heart(-0.05, 0.15, 0.26), trim)
    canvas.fill(ellipse(0, -0.52, 0.62, 0.17), lighten(color, 0.35))
    canvas.fill(ellipse(0, -0.5, 0.54, 0.125), rng.choice([(70, 42, 28), (120, 80, 50), (150, 96, 40)]))
    if rng.random() < 0.7:
        for x in (-0.2, 0.12):
            wisp = smooth([(x, -0.6), (x + 0.1, -0.75), (x - 0.02, -0.9), (x + 0.08, -1.1)], closed=False)
            canvas.line(wisp, (0.05, 0.02), lighten(color, 0.75))
    return canvas


def _heart(x: float, y: float, size: float) -> list[tuple[float, float]]:
    half = smooth([(0, -0.45), (0.4, -0.85), (0.95, -0.5), (0.7, 0.2), (0, 0.95)], closed=False) * size
    return [(px + x, py + y) for px, py in mirrored(half)]
