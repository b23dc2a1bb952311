"""How much of the input one position of a layer's feature map can see."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from backend.errors import ModelError
from backend.networks.layer_pooling import LayerPooling
from backend.networks.layer_reader import LayerOutputs
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling

_N_PROBES = 4


def receptive_field(
    loaded: LoadedModel, layer: str, pooling: Pooling | None = None, *, seed: int = 0
) -> float:
    """Return the side of a layer's receptive field, as a fraction of the network's input.

    The middle position's activations are differentiated with respect to the input, for a few random inputs
    because silent rectifiers hide a part each time; the field is the smallest square about that position that
    holds every pixel with a gradient. A position at the edge has the same field, cut off by the edge.

    Parameters
    ----------
    loaded
        The network. It stays as it is.
    layer, pooling
        A layer that gives feature maps, and how it is pooled (of a transformer's layer: class token or
        tokens).
    seed
        Of the random inputs; the global random state is left alone.

    Returns
    -------
    float
        Above 0, at most 1. It is 1 wherever a position sees everything: with attention over all tokens, with
        squeeze-and-excitation, or behind enough strided convolutions.

    Raises
    ------
    ModelError
        If there is no such layer, or its output has no positions.
    """
    preprocessing = loaded.preprocessing
    side = preprocessing.input_size
    generator = torch.Generator().manual_seed(seed)
    seen = np.zeros((side, side), dtype=bool)
    middle = (0.5, 0.5)
    for _ in range(_N_PROBES):
        image = torch.randn((1, preprocessing.channels, side, side), generator=generator).requires_grad_(True)
        activations = _feature_map(loaded, layer, pooling, image)
        height, width = activations.shape[2:]
        row, column = height // 2, width // 2
        middle = ((row + 0.5) / height, (column + 0.5) / width)
        (gradient,) = torch.autograd.grad(activations[0, :, row, column].square().sum(), image)
        seen |= gradient[0].abs().amax(dim=0).numpy() > 0
    return _side_about(seen, middle)


def _feature_map(
    loaded: LoadedModel, layer: str, pooling: Pooling | None, image: torch.Tensor
) -> torch.Tensor:
    found: list[torch.Tensor] = []
    layer_pooling = LayerPooling(loaded.module)

    def take(_layer: str, output: object) -> None:
        assert isinstance(output, torch.Tensor)
        found.append(layer_pooling.channels_first(output, pooling))

    LayerOutputs(loaded.module, (layer,)).run(image, take)
    (activations,) = found
    if activations.dim() != 4:
        raise ModelError(
            f"The layer '{layer}' has no positions in the image, so it does not tell where something is: "
            "choose a layer of feature maps."
        )
    return activations


def _side_about(seen: NDArray[np.bool_], middle: tuple[float, float]) -> float:
    """Return the side of the smallest square about a point that holds all True pixels, as a fraction."""
    side = len(seen)
    reach = 1.0 / side
    for axis, centre in enumerate(middle):
        used = np.flatnonzero(seen.any(axis=1 - axis))
        if len(used):
            reach = max(reach, 2 * (centre - used[0] / side), 2 * ((used[-1] + 1) / side - centre))
    return min(reach, 1.0)
