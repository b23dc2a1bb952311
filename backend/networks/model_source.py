"""Which model is meant, how its images are prepared, and which layers it has: plain data, no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

from backend.errors import ModelError
from backend.image_files.grey_scaling import DEFAULT_GREY_SCALING, GreyScaling

Interpolation = Literal["bilinear", "bicubic"]
Crop = Literal["center", "squash", "pad"]
Pooling = Literal["mean", "max", "class_token", "token_mean", "none"]
"""How a layer's output becomes one value for each neuron: mean or largest value over space (or over tokens),
the class token, the mean of the image's tokens; none for a layer that gives vectors."""
Precision = Literal["float32", "fast"]
"""Arithmetic of the network: float32, or ``fast``: convolutions and linear layers in bfloat16, where the
processor computes in it. Pooling and ranking are in float32 either way."""

POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
POOLING_NAMES: Final[dict[Pooling, str]] = {
    "mean": "mean over space",
    "max": "largest value over space",
    "class_token": "class token",
    "token_mean": "mean of tokens",
    "none": "none",
}
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

DEMO_ARCHITECTURE = "demo"
IMPORTED_ARCHITECTURE = "imported"
TIMM_PREFIX = "timm:"
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LARGEST_INPUT_SIZE = 4096  # pixels: a larger square does not fit into memory in any batch


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes a network's input.

    It is resized as ``crop`` says (antialiased), the central square of ``input_size`` is cut out, values are
    divided by 255, and each channel has ``mean`` subtracted and is divided by ``std``.

    Parameters
    ----------
    input_size
        Height and width of the network's input, pixels.
    resize_size
        Length of the resized side before the central square is cut out, pixels; at least ``input_size``.
    mean, std
        One value for each channel, on the scale 0 to 1.
    interpolation
        ``"bilinear"`` or ``"bicubic"``, both with an antialiasing filter.
    channels
        3 (RGB) or 1 (grey).
    crop
        Which side is resized to ``resize_size``: ``"center"`` the shorter, so that what is left of the longer
        is cut off; ``"squash"`` both, whatever the proportions; ``"pad"`` the longer, so that all is seen,
        with the colour ``mean`` beside it.
    grey_scaling
        How grey values of more than eight bits become eight: a rule of
        :data:`backend.image_files.grey_scaling.GREY_SCALING_RULES`.

    Raises
    ------
    ModelError
        If a value is out of its range, or the lengths of ``mean`` and ``std`` are not ``channels``.
    """

    input_size: int = 224
    resize_size: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: Interpolation = "bilinear"
    channels: int = 3
    crop: Crop = "center"
    grey_scaling: GreyScaling = DEFAULT_GREY_SCALING

    def __post_init__(self) -> None:
        for name in ("input_size", "resize_size", "channels"):
            object.__setattr__(self, name, _plain(getattr(self, name)))
        for name, size in (("input_size", self.input_size), ("resize_size", self.resize_size)):
            if not _is_integer(size) or not 1 <= size <= LARGEST_INPUT_SIZE:
                raise ModelError(
                    f"Preprocessing: {name} must be a whole number of pixels from 1 to {LARGEST_INPUT_SIZE}, "
                    f"not {size!r}."
                )
        if self.resize_size < self.input_size:
            raise ModelError(
                f"Preprocessing: resize_size ({self.resize_size}) must not be smaller than input_size "
                f"({self.input_size}), because the input is cut out of the resized image."
            )
        if not _is_integer(self.channels) or self.channels not in (1, 3):
            raise ModelError(f"Preprocessing: channels must be 3 (RGB) or 1 (grey), not {self.channels!r}.")
        object.__setattr__(self, "mean", _channel_values("mean", self.mean, self.channels))
        object.__setattr__(self, "std", _channel_values("std", self.std, self.channels))
        if not all(value > 0 for value in self.std):
            raise ModelError(f"Preprocessing: std must be positive, not {list(self.std)}.")
        for name, value, known in (
            ("interpolation", self.interpolation, get_args(Interpolation)),
            ("crop", self.crop, get_args(Crop)),
            ("grey_scaling", self.grey_scaling, get_args(GreyScaling)),
        ):
            if value not in known:
                raise ModelError(f"Preprocessing: {name} must be one of {', '.join(known)}, not {value!r}.")

    def with_input_size(self, input_size: int | None) -> Preprocessing:
        """Return the same preprocessing for another input size; ``resize_size`` keeps its ratio to it."""
        if input_size is None or input_size == self.input_size:
            return self
        if not _is_integer(input_size) or not 1 <= input_size <= LARGEST_INPUT_SIZE:
            raise ModelError(
                f"The input size must be a whole number of pixels from 1 to {LARGEST_INPUT_SIZE}, "
                f"not {input_size!r}."
            )
        resize_size = min(round(self.resize_size * input_size / self.input_size), LARGEST_INPUT_SIZE)
        return replace(self, input_size=input_size, resize_size=resize_size)

    def with_grey_scaling(self, grey_scaling: GreyScaling | None) -> Preprocessing:
        """Return the same preprocessing with another rule for grey values; None: this one."""
        return self if grey_scaling is None else replace(self, grey_scaling=grey_scaling)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that :meth:`from_dict` reads."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Preprocessing:
        """Build from a mapping with any of the fields.

        A single number stands for every channel of ``mean`` and ``std``. With ``input_size`` but without
        ``resize_size`` the shorter side is resized to the input size itself. Without ``channels`` their
        number is that of ``mean``, or else of ``std``.

        Raises
        ------
        ModelError
            If a key is unknown or a value is out of its range.
        """
        known = tuple(cls.__dataclass_fields__)
        unknown = [key for key in values if key not in known]
        if unknown:
            raise ModelError(f"Preprocessing has no '{unknown[0]}'; it knows {', '.join(known)}.")
        given = {key: _plain(value) for key, value in values.items()}
        given.setdefault("channels", _n_channels(given))
        if "input_size" in given:
            given.setdefault("resize_size", given["input_size"])
        if given["channels"] == 1:
            given.setdefault("mean", sum(IMAGENET_MEAN) / 3)
            given.setdefault("std", sum(IMAGENET_STD) / 3)
        return cls(**given)


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from.

    Parameters
    ----------
    architecture
        A torchvision classification model (``"mobilenet_v2"``), one of timm's (``"timm:resnet10t"``), a
        Python file and a callable in it that returns an ``nn.Module`` (``"FILE.py:CALLABLE"``), ``"demo"``,
        or ``"imported"``: no network at all, because the activations were computed elsewhere.
    weights
        Path of a ``.pth``, ``.pt`` or ``.safetensors`` file; for torchvision also the name of one of the
        published sets (``"IMAGENET1K_V1"``). None: torchvision's or timm's published weights, or what the
        callable returns.
    input_size
        Height and width of the input in pixels, if other than the model's own.
    grey_scaling
        How grey values of more than eight bits become eight, if otherwise than the model's preprocessing has
        it.
    """

    architecture: str
    weights: str | None = None
    input_size: int | None = None
    grey_scaling: GreyScaling | None = None

    @property
    def is_demo(self) -> bool:
        """Whether this is the demo network."""
        return self.architecture == DEMO_ARCHITECTURE

    @property
    def is_imported(self) -> bool:
        """Whether there is no network here: the activations were computed elsewhere."""
        return self.architecture == IMPORTED_ARCHITECTURE

    @property
    def title(self) -> str:
        """What people are told: the architecture, or that the activations were computed elsewhere."""
        return "activations computed elsewhere" if self.is_imported else self.architecture

    @property
    def is_timm(self) -> bool:
        """Whether this is a model of the optional package timm."""
        return self.architecture.startswith(TIMM_PREFIX)

    @property
    def is_python_factory(self) -> bool:
        """Whether loading runs a Python file of the user."""
        names_file = self.architecture.endswith(".py") or ".py:" in self.architecture
        return names_file and not self.is_timm

    @property
    def python_file(self) -> Path | None:
        """The Python file that loading runs; None for the other kinds of source."""
        return Path(self.architecture.rpartition(".py")[0] + ".py") if self.is_python_factory else None

    @property
    def python_callable(self) -> str | None:
        """Name of the callable in :attr:`python_file`, "" if not given; None for other kinds of source."""
        return self.architecture.rpartition(".py")[2].removeprefix(":") if self.is_python_factory else None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that :meth:`from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelSource:
        """Build from what :meth:`to_dict` returned; unknown keys are ignored.

        Raises
        ------
        ModelError
            If there is no architecture.
        """
        if not isinstance(values.get("architecture"), str):
            raise ModelError("The description of the model names no architecture.")
        fields = ("weights", "input_size", "grey_scaling")
        return cls(values["architecture"], **{name: values.get(name) for name in fields})


@dataclass(frozen=True)
class LayerInfo:
    """One layer of a model, as a dry run found it.

    Parameters
    ----------
    name
        The module's path, nested by dots (``"features.18"``). A module that runs more than once in a forward
        pass has ``_1``, ``_2``, … appended for its second, third, … run (``"layer1.0.relu_1"``), as
        torchvision names its nodes. An operation that is no module has the name of torchvision's node
        (``"Mixed_7b.cat_2"``).
    kind
        Class of the module (``"Conv2d"``), or name of the operation (``"cat"``).
    output_shape
        Shape of the output without the batch axis; None if it is not a tensor, or the layer never ran.
    n_neurons
        Number of channels; None if not supported.
    supported
        Whether activations can be read here.
    reason
        A sentence that says why not; "" if supported.
    poolings
        The ways its output becomes one value for each neuron, the default first; none if not supported.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    n_neurons: int | None
    supported: bool
    reason: str = ""
    poolings: tuple[Pooling, ...] = ()

    @property
    def default_pooling(self) -> Pooling | None:
        """The pooling that is used unless another is chosen; None if the layer cannot be read."""
        return self.poolings[0] if self.poolings else None


def _plain(value: object) -> Any:
    """Return Python's own numbers and lists for those of NumPy and torch."""
    return value.tolist() if hasattr(value, "tolist") else value


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _n_channels(values: Mapping[str, Any]) -> int:
    for name in ("mean", "std"):
        if isinstance(values.get(name), Sequence):
            return len(values[name])
    return 3


def _channel_values(name: str, values: object, channels: int) -> tuple[float, ...]:
    values = _plain(values)
    if isinstance(values, (int, float)) and not isinstance(values, bool):
        values = (values,) * channels
    if not isinstance(values, Sequence) or isinstance(values, str) or len(values) != channels:
        raise ModelError(
            f"Preprocessing: {name} must have one number for each of the {channels} channels, not {values!r}."
        )
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise ModelError(f"Preprocessing: {name} must be numbers, not {values!r}.") from error
    if not all(math.isfinite(number) for number in numbers):
        raise ModelError(f"Preprocessing: {name} must be finite, not {list(numbers)}.")
    return numbers
