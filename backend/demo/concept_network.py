"""The demo's network: a small CNN whose last hidden layer has fewer neurons than the world has concepts."""

from collections import OrderedDict
from itertools import pairwise
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from backend.demo.concepts import CONCEPTS
from backend.demo.network_file import WEIGHTS
from backend.demo.planted_code import LAYER, N_NEURONS
from backend.errors import ModelError
from backend.networks.model_source import Preprocessing

INPUT_SIZE = 96

PREPROCESSING = Preprocessing(
    input_size=INPUT_SIZE, resize_size=INPUT_SIZE, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)
)
"""How a picture becomes the network's input."""

CLASS_NAMES = CONCEPTS
"""Names of the network's outputs."""

__all__ = ["CLASS_NAMES", "INPUT_SIZE", "LAYER", "PREPROCESSING", "WEIGHTS", "ConceptNetwork", "load_network"]


class ConceptNetwork(nn.Module):
    """Five 3×3 convolutions, a 1×1 convolution to the analysed layer, global average pooling, a linear head.

    Input float32 (batch, 3, 96, 96), prepared by :data:`PREPROCESSING`; output logits (batch, concepts).
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 48, 80, 80)
        self.features = nn.Sequential()
        for depth, (width_in, width_out) in enumerate(pairwise(widths)):
            self.features.append(_convolution(width_in, width_out, stride=2 if depth == 0 else 1))
            if depth in (1, 2, 3):
                self.features.append(nn.MaxPool2d(2))
        self.mixed = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(widths[-1], N_NEURONS, kernel_size=1), relu=nn.ReLU())
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(N_NEURONS, len(CONCEPTS))

    def pooled_activations(self, images: Tensor) -> Tensor:
        """Return the analysed layer's pooled activations, (batch, neurons)."""
        return torch.flatten(self.pool(self.mixed(self.features(images))), 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the concepts, (batch, concepts)."""
        logits: Tensor = self.head(self.pooled_activations(images))
        return logits


def _convolution(width_in: int, width_out: int, *, stride: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(width_in, width_out, kernel_size=3, stride=stride, padding=1, bias=False),
            norm=nn.BatchNorm2d(width_out),
            relu=nn.ReLU(),
        )
    )


def load_network(weights: Path = WEIGHTS) -> ConceptNetwork:
    """Return the trained network in evaluation mode, its parameters frozen.

    Raises
    ------
    ModelError
        The weights are missing, damaged, or of another version of the network.
    """
    network = ConceptNetwork()
    try:
        network.load_state_dict(load_file(weights))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            f"The weights of the demo network cannot be read from {weights}: {error}. Install Neuron Prism "
            "again, or train them with “python -m backend.demo.training”."
        ) from error
    return network.eval().requires_grad_(False)
