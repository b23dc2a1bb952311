"""What the precision ``fast`` costs and gains, as measured on a sample of the user's own images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

# A sample smaller than this says little, because a top N of it is one or two images.
_FEW_IMAGES: Final = 64


@dataclass(frozen=True)
class LayerOverlap:
    """How far ``fast`` and float32 agree on the top N images of a layer's neurons.

    A neuron's overlap is the share of its top N in float32 that is also in its top N in ``fast``, both ranked
    as everywhere: by activation, ties by the image's place. A neuron counts only if float32 tells its top N
    apart from the rest, that is, if its N-th largest activation is above the next one: of a dead or constant
    neuron, one that fewer than N images of the sample activate, or one that saturates (a ReLU6's largest
    value over space), any choice among the ties is as good as another, and agreement on it would be by chance
    or by place alone.

    Attributes
    ----------
    layer
        Its name.
    n_neurons
        All of its neurons.
    n_ranked
        Those that count.
    mean_overlap
        Of these, 0 to 1; None if there are none.
    worst_neuron, worst_overlap
        The one with the smallest overlap (of several the first), and that; None if there are none.
    """

    layer: str
    n_neurons: int
    n_ranked: int
    mean_overlap: float | None
    worst_neuron: int | None
    worst_overlap: float | None

    @property
    def sentence(self) -> str:
        """What was found, without the top N and the number of images."""
        return f"{self.layer}: {self.figures}"

    @property
    def figures(self) -> str:
        """The sentence without the layer's name."""
        if self.mean_overlap is None:
            return "no neuron tells its top images apart in this sample."
        left_out = self.n_neurons - self.n_ranked
        others = (
            f" ({left_out} of {self.n_neurons} neurons do not count: silent on too many images, or as strong "
            "on several)"
            if left_out
            else ""
        )
        return (
            f"{_percent(self.mean_overlap)} on average, {_percent(self.worst_overlap)} for the worst, "
            f"neuron {self.worst_neuron}{others}."
        )


@dataclass(frozen=True)
class PrecisionCheck:
    """What ``fast`` costs and gains on a sample of images.

    Attributes
    ----------
    n_images
        Images of the sample that could be read.
    top_n
        N of the compared top images: a sixteenth of the sample, at least 1.
    layers
        The overlap of each layer.
    float32_images_per_second, fast_images_per_second
        Of the network alone, both measured in turns on the same decoded images.
    decoding_images_per_second
        Of decoding and preparing the same images on all cores.
    device
        Kind of device that ran the network: ``cpu``, ``cuda`` or ``mps``.
    """

    n_images: int
    top_n: int
    layers: tuple[LayerOverlap, ...]
    float32_images_per_second: float
    fast_images_per_second: float
    decoding_images_per_second: float
    device: str = "cpu"

    @property
    def says_little(self) -> bool:
        """Whether the sample is too small to tell much."""
        return self.n_images < _FEW_IMAGES

    @property
    def speed_up(self) -> float:
        """How many times as fast the network runs."""
        return self.fast_images_per_second / self.float32_images_per_second

    @property
    def extraction_speed_up(self) -> float:
        """How many times as fast an extraction is, which decodes its images besides.

        On the processor the same cores do both; beside another device they decode while it computes.
        """
        combined = sum if self.device == "cpu" else max
        decoding = 1 / self.decoding_images_per_second
        float32, fast = 1 / self.float32_images_per_second, 1 / self.fast_images_per_second
        return float(combined((decoding, float32)) / combined((decoding, fast)))

    @property
    def sentence(self) -> str:
        """What was found, for people."""
        few = " So few images say little." if self.says_little else ""
        one = len(self.layers) == 1
        found = " ".join(layer.figures if one else layer.sentence for layer in self.layers)
        return (
            f"On {self.n_images} of these images, this much of each neuron's top {self.top_n} stays the same "
            f"with “fast”: {found} The network runs {self.speed_up:.1f} times as fast "
            f"({self.float32_images_per_second:.3g} → {self.fast_images_per_second:.3g} images/s), the whole "
            f"extraction {self.extraction_speed_up:.1f} times.{few}"
        )

    def of_layer(self, layer: str) -> PrecisionCheck | None:
        """Return what was found of one layer; None if it was not looked at."""
        found = tuple(one for one in self.layers if one.layer == layer)
        return PrecisionCheck(**{**vars(self), "layers": found}) if found else None

    def to_dict(self) -> dict[str, Any]:
        """Return the check as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PrecisionCheck:
        """Build a check from :meth:`to_dict`'s values."""
        return cls(**{**values, "layers": tuple(LayerOverlap(**layer) for layer in values["layers"])})


def precision_text(layer: str, precision: str, check: PrecisionCheck | None) -> str:
    """Say for people in what precision a layer was computed; "" for float32, which needs no words.

    Neither does that of imported activations, which is not known.
    """
    if precision in ("float32", "unknown"):
        return ""
    price = "What that changed was not measured." if check is None else check.sentence
    return f"{layer} was computed in the precision “{precision}”. {price}"


def _percent(share: float | None) -> str:
    """Return a share in per cent, never rounded up to all."""
    assert share is not None
    percent = 100 * share
    return f"{percent:.1f} %" if percent == 100 or round(percent, 1) < 100 else "99.9 %"
