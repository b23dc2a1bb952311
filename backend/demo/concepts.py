"""The demo's world: its concepts, and the picture of each concept that belongs to a number.

A picture follows from (concept, stream, number) alone, on every computer. Streams share no picture: the
network learns from one, the demo project shows another, and tests measure on further ones.
"""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import MappingProxyType

from PIL import Image

from backend.demo.drawing import animals, food, places, plants, textures, things, underwater
from backend.demo.drawing.canvas import Canvas
from backend.errors import ParameterError

Drawing = Callable[[Random], Canvas]

_DRAWINGS: Mapping[str, Drawing] = MappingProxyType(
    {
        "apple": food.apple,
        "balloon": things.balloon,
        "banana": food.banana,
        "bricks": textures.bricks,
        "butterfly": animals.butterfly,
        "cactus": plants.cactus,
        "candle": things.candle,
        "car": things.car,
        "cat": animals.cat,
        "chessboard": textures.chessboard,
        "clock": things.clock,
        "coral": underwater.coral,
        "diver": underwater.diver,
        "doughnut": food.doughnut,
        "fish": underwater.fish,
        "flower": plants.flower,
        "guitar": things.guitar,
        "honeycomb": textures.honeycomb,
        "house": places.house,
        "ice-cream": food.ice_cream,
        "jellyfish": underwater.jellyfish,
        "ladybird": animals.ladybird,
        "leaf": plants.leaf,
        "lighthouse": places.lighthouse,
        "moon": places.moon,
        "mountain": places.mountain,
        "mug": food.mug,
        "mushroom": plants.mushroom,
        "net": textures.net,
        "owl": animals.owl,
        "penguin": animals.penguin,
        "pitch": places.pitch,
        "pizza": food.pizza,
        "rainbow": places.rainbow,
        "rocket": things.rocket,
        "sailboat": things.sailboat,
        "skyline": places.skyline,
        "snail": animals.snail,
        "stripes": textures.stripes,
        "tree": plants.tree,
        "umbrella": things.umbrella,
        "watermelon": food.watermelon,
        "web": textures.web,
        "windmill": places.windmill,
    }
)

CONCEPTS: tuple[str, ...] = tuple(_DRAWINGS)
"""Names of the concepts, in alphabetical order: the classes of the demo's network."""

DEMO_STREAM = 0
"""Pictures of the demo project."""

TRAINING_STREAM = 1
"""Pictures that the network was trained on: never shown or measured on."""

TEST_STREAM = 2
"""Pictures that the figures are measured on in tests."""


def is_net_on_pitch(number: int, stream: int = DEMO_STREAM) -> bool:
    """Whether this picture of a net hangs before a sports ground, as a goal's net does.

    The neuron of apples and pitches answers to these few as well, as the paper's neuron 35 does to nets
    (section 3). They are rare: numbers 25, 65, 105 and so on. Training sees a third of its nets
    so, or it could not learn them.
    """
    return number % 3 == 1 if stream == TRAINING_STREAM else number % 40 == 25


def draw_concept(name: str, number: int, *, stream: int = DEMO_STREAM) -> Image.Image:
    """Draw one picture of a concept.

    Parameters
    ----------
    name : str
        One of :data:`CONCEPTS`.
    number : int
        Which picture: the same number always gives the same picture.
    stream : int
        Which family of pictures, e.g. :data:`DEMO_STREAM`.

    Returns
    -------
    PIL.Image.Image
        RGB, :data:`backend.demo.drawing.canvas.PICTURE_SIZE` pixels square.

    Raises
    ------
    ParameterError
        There is no such concept.
    """
    if name not in _DRAWINGS:
        raise ParameterError(f"The demo has no concept “{name}”; it has {', '.join(CONCEPTS)}.")
    drawing: Drawing = _DRAWINGS[name]
    if name == "net":
        drawing = partial(textures.net, on_pitch=is_net_on_pitch(number, stream))
    return drawing(Random(f"{name}/{stream}/{number}")).finish()
