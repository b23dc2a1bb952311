"""What the canvas paints, looked at pixel by pixel."""

from random import Random

import numpy as np
from PIL import Image

from backend.demo.drawing.canvas import PICTURE_SIZE, SUPERSAMPLING, Canvas
from backend.demo.drawing.shapes import ellipse, rectangle

SIDE = PICTURE_SIZE * SUPERSAMPLING


def grey_canvas() -> Canvas:
    return Canvas(Random(0), Image.new("RGB", (4, 4), (100, 100, 100)))


def pixel(canvas: Canvas, x: float, y: float) -> tuple[int, ...]:
    value = canvas.image.getpixel((int((x + 1) / 2 * (SIDE - 1)), int((y + 1) / 2 * (SIDE - 1))))
    assert isinstance(value, tuple)
    return value


def test_a_frame_moves_turns_and_scales() -> None:
    canvas = grey_canvas()
    canvas.place(0.5, 0.0, 0.5, turn=0.25)
    canvas.fill(rectangle(-0.2, -0.9, 0.2, 0.0), (255, 0, 0))
    # Up in the frame is to the right in the picture after a quarter turn clockwise, at half the size.
    assert pixel(canvas, 0.7, 0.0) == (255, 0, 0)
    assert pixel(canvas, 0.7, 0.2) == (100, 100, 100)
    assert pixel(canvas, 0.3, 0.0) == (100, 100, 100)


def test_inside_keeps_the_rest_as_it_was() -> None:
    canvas = grey_canvas()
    with canvas.inside(ellipse(0, 0, 0.5)):
        canvas.fill(rectangle(-2, -2, 2, 2), (0, 0, 255))
    assert pixel(canvas, 0, 0) == (0, 0, 255)
    assert pixel(canvas, 0.6, 0.0) == (100, 100, 100)
    with canvas.inside(ellipse(9, 9, 0.5)):
        canvas.fill(rectangle(-2, -2, 2, 2), (255, 0, 0))
    assert pixel(canvas, 0, 0) == (0, 0, 255)


def test_a_body_is_lighter_towards_the_light() -> None:
    canvas = grey_canvas()
    canvas.body(rectangle(-0.8, -0.8, 0.8, 0.8), (120, 120, 120))
    lit, shaded = pixel(canvas, 0.0, -0.7), pixel(canvas, 0.0, 0.7)
    assert sum(lit) > sum(shaded) + 60


def test_light_falls_off_and_may_leave_the_picture() -> None:
    canvas = grey_canvas()
    canvas.glow(-1.0, 0.0, 0.5, (255, 255, 255), 1.0)
    brightness = [pixel(canvas, x, 0.0)[0] for x in (-0.99, -0.8, -0.6, -0.4)]
    assert brightness == sorted(brightness, reverse=True)
    assert brightness[0] > 240
    assert brightness[-1] == 100
    before = np.asarray(canvas.image).copy()
    for x, y, radius in ((3, 0, 0.5), (1.0001, 1.0001, 0.00001), (0, -1.5, 0.5)):
        canvas.glow(x, y, radius, (255, 255, 255))
    assert np.abs(np.asarray(canvas.image).astype(int) - before).max() <= 160


def test_a_finished_picture_has_its_size_and_soft_edges() -> None:
    canvas = grey_canvas()
    canvas.disc(0, 0, 0.5, (255, 255, 255))
    finished = canvas.finish()
    assert finished.size == (PICTURE_SIZE, PICTURE_SIZE)
    assert finished.mode == "RGB"
    values = np.asarray(finished.convert("L"))
    between = ((values > 130) & (values < 200)).sum()
    assert between > 50  # pixels on the edge, neither disc nor ground
