"""Colours of the demo's pictures: red, green and blue as integers from 0 to 255."""

import colorsys
from random import Random

Color = tuple[int, int, int]

WHITE: Color = (252, 251, 248)
BLACK: Color = (24, 22, 28)
CREAM: Color = (246, 236, 214)
GOLD: Color = (240, 186, 60)


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return the colour of a hue in turns (0 red, 1/3 green, 2/3 blue), saturation and value."""
    red, green, blue = colorsys.hsv_to_rgb(
        hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return a colour between two: the first at share 0, the second at share 1."""
    share = min(max(share, 0.0), 1.0)
    return (
        round(first[0] + (second[0] - first[0]) * share),
        round(first[1] + (second[1] - first[1]) * share),
        round(first[2] + (second[2] - first[2]) * share),
    )


def lighten(color: Color, share: float) -> Color:
    """Return a colour moved towards a warm white."""
    return mix(color, (255, 253, 240), share)


def darken(color: Color, share: float) -> Color:
    """Return a colour moved towards a deep violet, as shadows are."""
    return mix(color, (22, 12, 40), share)


def vary(rng: Random, color: Color, amount: float = 0.06) -> Color:
    """Return a colour with saturation and value moved by up to ``amount``, the hue by a quarter of it."""
    hue, saturation, value = colorsys.rgb_to_hsv(color[0] / 255, color[1] / 255, color[2] / 255)
    return hsv(
        hue + rng.uniform(-amount, amount) / 4,
        saturation + rng.uniform(-amount, amount),
        value + rng.uniform(-amount, amount),
    )


_VIVID_HUES = (
    0.0,
    0.015,
    0.04,
    0.07,
    0.1,
    0.13,
    0.15,
    0.27,
    0.35,
    0.42,
    0.5,
    0.54,
    0.58,
    0.62,
    0.72,
    0.8,
    0.92,
    0.96,
)


def vivid(rng: Random) -> Color:
    """Choose a strong colour: any hue, but fewer of the violets and acid greens than the wheel has."""
    return hsv(
        rng.choice(_VIVID_HUES) + rng.uniform(-0.015, 0.015), rng.uniform(0.6, 0.88), rng.uniform(0.76, 0.97)
    )


def pastel(rng: Random) -> Color:
    """Choose a light colour of any hue."""
    return hsv(rng.random(), rng.uniform(0.12, 0.35), rng.uniform(0.82, 0.97))


def muted(rng: Random) -> Color:
    """Choose a quiet colour of any hue and of middle brightness."""
    return hsv(rng.random(), rng.uniform(0.15, 0.45), rng.uniform(0.4, 0.75))
