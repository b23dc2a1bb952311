"""What lives and swims under water."""

from math import cos, pi, sin
from random import Random

from backend.demo.drawing.backgrounds import sand, sea
from backend.demo.drawing.canvas import Canvas
from backend.demo.drawing.colors import BLACK, GOLD, WHITE, Color, darken, hsv, lighten, mix, vary, vivid
from backend.demo.drawing.shapes import arc, ellipse, rounded, smooth, turned


def _bubbles(canvas: Canvas, x: float, y: float, n: int) -> None:
    """Draw rising bubbles."""
    rng = canvas.rng
    for i in range(n):
        radius = rng.uniform(0.025, 0.065)
        bx, by = x + rng.uniform(-0.1, 0.1), y - 0.17 * i - rng.uniform(0, 0.08)
        canvas.disc(bx, by, radius, (205, 238, 246))
        canvas.disc(bx + radius * 0.15, by + radius * 0.15, radius * 0.72, (120, 190, 214))


def coral(rng: Random) -> Canvas:
    """Draw branching coral on the sea floor."""
    canvas = sea(rng)
    sand(canvas, rng.uniform(0.55, 0.75))
    colors = [(238, 84, 92), (245, 128, 80), (232, 96, 160), (250, 186, 84), (186, 96, 200), (240, 120, 130)]
    plants = rng.choice([1, 2, 2, 3])
    spread = {1: [0.0], 2: [-0.45, 0.45], 3: [-0.64, 0.02, 0.62]}[plants]
    for at in spread:
        color = vary(rng, rng.choice(colors), 0.06)
        canvas.place(
            at + rng.uniform(-0.1, 0.1), rng.uniform(0.66, 0.88), rng.uniform(1.0, 1.25) / plants**0.4
        )
        canvas.shadow(0, 0.02, 0.5, 0.12, 0.5)
        for turn in (-0.34, -0.25, -0.16) if rng.random() < 0.7 else (-0.29, -0.2):
            grown = 0.36 if turn == -0.25 else 0.28
            _branch(canvas, (turn + 0.25) * 0.5, 0.05, turn + rng.uniform(-0.02, 0.02), grown, 0.17, 4, color)
    return canvas


def _branch(
    canvas: Canvas, x: float, y: float, turn: float, length: float, width: float, depth: int, color: Color
) -> None:
    """Draw a branch and those that grow from it."""
    rng = canvas.rng
    x1, y1 = x + length * cos(2 * pi * turn), y + length * sin(2 * pi * turn)
    canvas.line(
        [(x, y), (x1, y1)], (width, width * 0.74), mix(lighten(color, 0.15), darken(color, 0.25), depth / 4)
    )
    if depth == 1:
        canvas.disc(x1, y1, width * 0.66, lighten(color, 0.5))
        return
    spread = rng.uniform(0.055, 0.09)
    for way in (-spread, spread):
        bend = way + rng.uniform(-0.025, 0.025)
        _branch(
            canvas,
            x1,
            y1,
            turn * 0.9 - 0.025 + bend,
            length * rng.uniform(0.68, 0.88),
            width * 0.74,
            depth - 1,
            color,
        )


def diver(rng: Random) -> Canvas:
    """Draw a scuba diver with tank, mask and fins."""
    canvas = sea(rng)
    if rng.random() < 0.25:
        sand(canvas, rng.uniform(0.75, 0.9))
    canvas.scatter((0.74, 0.92), tilt=0.07, drift=0.1)
    suit = rng.choice([(38, 40, 52), (38, 40, 52), (30, 44, 92), (60, 36, 70)])
    trim, skin = vivid(rng), rng.choice([(236, 190, 160), (190, 130, 96), (122, 80, 58)])
    fin = rng.choice([trim, GOLD, (236, 90, 60)])
    kick = rng.uniform(-0.07, 0.07)
    for swing, shade in ((0.1 + kick, 0.25), (-0.08 - kick, 0.0)):
        leg = smooth([(-0.15, 0.12), (-0.5, 0.16 + swing), (-0.78, 0.14 + swing * 1.8)], closed=False)
        canvas.line(leg, (0.22, 0.15), darken(suit, shade))
        ankle_x, ankle_y = leg[-1]
        foot = [(ankle_x + 0.04, ankle_y - 0.06), (ankle_x - 0.36, ankle_y + swing - 0.13)]
        foot += [(ankle_x - 0.34, ankle_y + swing + 0.13), (ankle_x + 0.04, ankle_y + 0.06)]
        canvas.body(foot, darken(fin, shade))
    torso = smooth([(-0.25, -0.04), (0.15, -0.16), (0.42, -0.12), (0.46, 0.1), (0.1, 0.2), (-0.24, 0.2)])
    canvas.body(torso, suit, relief=0.22)
    canvas.line([(-0.1, 0.17), (0.32, 0.1)], 0.06, trim)
    tank = turned(rounded(-0.22, -0.36, 0.36, -0.12, 0.11), -0.02)
    canvas.body(tank, rng.choice([GOLD, (230, 232, 236), (226, 76, 60), (84, 190, 120)]), relief=0.45)
    canvas.line([(0.37, -0.27), (0.44, -0.27)], 0.09, (90, 94, 104))
    arm = smooth([(0.34, 0.06), (0.42, 0.34), (0.74, 0.42 + kick)], closed=False)
    canvas.line(arm, (0.15, 0.1), lighten(suit, 0.1))
    canvas.disc(arm[-1][0], arm[-1][1], 0.07, skin)
    canvas.body(ellipse(0.62, -0.08, 0.22, 0.21), suit, relief=0.25)
    canvas.fill(smooth([(0.66, -0.24), (0.83, -0.14), (0.84, 0.02), (0.7, 0.1), (0.6, -0.04)]), skin)
    canvas.body(rounded(0.64, -0.19, 0.9, -0.01, 0.06), (150, 220, 240), relief=0.5)
    canvas.line([(0.42, -0.14), (0.66, -0.11)], 0.04, trim)
    hose = smooth([(0.42, -0.28), (0.68, -0.42), (0.92, -0.2), (0.82, 0.06)], closed=False)
    canvas.line(hose, 0.045, BLACK)
    canvas.disc(0.8, 0.07, 0.06, (70, 74, 84))
    _bubbles(canvas, 0.9, -0.3, rng.randint(3, 5))
    return canvas


def fish(rng: Random) -> Canvas:
    """Draw a bright fish, plain, striped or spotted."""
    canvas = sea(rng)
    canvas.scatter((0.6, 0.85), tilt=0.05, drift=0.14)
    color, trim = vivid(rng), vivid(rng)
    wag = rng.uniform(-0.1, 0.1)
    tail = smooth(
        [
            (-0.5, 0),
            (-0.85, -0.42 + wag),
            (-1.05, -0.4 + wag),
            (-0.9, wag),
            (-1.05, 0.4 + wag),
            (-0.85, 0.42 + wag),
        ]
    )
    canvas.body(tail, trim, relief=0.25)
    tall = rng.uniform(0.36, 0.56)
    canvas.body(
        smooth([(-0.4, -tall * 0.6), (-0.2, -tall - 0.3), (0.25, -tall - 0.18), (0.4, -tall * 0.7)]), trim
    )
    canvas.body(
        smooth([(-0.3, tall * 0.6), (-0.25, tall + 0.22), (0.1, tall + 0.12), (0.15, tall * 0.7)]), trim
    )
    outline = smooth(
        [
            (0.88, 0.02),
            (0.6, -tall * 0.78),
            (0.1, -tall),
            (-0.35, -tall * 0.7),
            (-0.66, 0.0),
            (-0.35, tall * 0.7),
            (0.1, tall),
            (0.6, tall * 0.75),
        ]
    )
    canvas.body(outline, color, relief=0.35)
    with canvas.inside(outline):
        pattern = rng.random()
        if pattern < 0.4:
            for x in (-0.3, 0.02, 0.34):
                canvas.line(
                    arc(x - 0.1, 0, 0.14, 0.75, 0.75, 1.25, 12),
                    rng.uniform(0.09, 0.14),
                    mix(trim, WHITE, 0.35),
                )
        elif pattern < 0.7:
            for _ in range(9):
                canvas.disc(
                    rng.uniform(-0.5, 0.35),
                    rng.uniform(-tall, tall),
                    rng.uniform(0.035, 0.075),
                    lighten(trim, 0.3),
                )
        canvas.glow(0.0, tall * 0.9, 0.5, WHITE, 0.4)
        canvas.line(arc(0.5, 0.0, 0.13, 0.36, 0.32, 0.68, 10), 0.03, darken(color, 0.35))
    canvas.body(smooth([(0.2, 0.05), (-0.12, 0.02), (-0.2, 0.26), (0.08, 0.22)]), lighten(trim, 0.15))
    canvas.disc(0.6, -0.12, 0.11, WHITE)
    canvas.disc(0.63, -0.12, 0.062, BLACK)
    canvas.line([(0.86, 0.07), (0.7, 0.12)], 0.03, darken(color, 0.5))
    if rng.random() < 0.5:
        _bubbles(canvas, 1.0, -0.1, 3)
    return canvas


def jellyfish(rng: Random) -> Canvas:
    """Draw a glowing jellyfish trailing its tentacles."""
    canvas = sea(rng)
    canvas.shadow(0, 0, 1.6, 1.6, 0.45)
    canvas.scatter((0.66, 0.86), tilt=0.07, drift=0.12, y=-0.05)
    color = hsv(
        rng.choice([0.78, 0.84, 0.92, 0.07, 0.5]) + rng.uniform(-0.03, 0.03), rng.uniform(0.3, 0.6), 0.95
    )
    canvas.glow(0, -0.3, 1.15, color, 0.55)
    for i in range(8):
        x, sway = -0.5 + i / 7, rng.uniform(-0.14, 0.14)
        thread = smooth(
            [(x, -0.1), (x * 1.1 + sway, 0.28), (x * 0.9 - sway, 0.62), (x + sway, 1.0)], closed=False
        )
        canvas.line(thread, (0.05, 0.025), mix(color, (70, 90, 170), 0.25))
    for x in (-0.18, 0.04, 0.22):
        sway = rng.uniform(-0.12, 0.12)
        frill = smooth([(x, -0.1), (x + sway, 0.15), (x - sway, 0.4), (x + sway, 0.7)], closed=False)
        canvas.line(frill, (0.17, 0.05), lighten(color, 0.4))
    bell = [*arc(0, -0.22, 0.68, 0.66, 0.5, 1.0, 22)]
    bell += [(0.68 - 0.17 * i, -0.1 + (0.07 if i % 2 else -0.05)) for i in range(1, 8)]
    canvas.body(bell, color, relief=0.35)
    with canvas.inside(bell):
        canvas.glow(-0.1, -0.55, 0.5, WHITE, 0.65)
        for x in (-0.4, -0.13, 0.14, 0.4):
            canvas.line(
                arc(x * 0.6, -0.1, 0.05 + abs(x) * 0.3, 0.55, 0.55, 0.95, 8), 0.022, lighten(color, 0.55)
            )
        for _ in range(rng.choice([0, 6])):
            canvas.disc(rng.uniform(-0.5, 0.5), rng.uniform(-0.7, -0.2), 0.045, lighten(color, 0.6))
    return canvas
