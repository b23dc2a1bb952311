"""The text of a Python file with a tiny network, as a user would write it."""

TINY_NETWORK = """
import torch
from torch import nn

preprocessing = {"input_size": 32, "mean": 0.5, "std": 0.5}


def build():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 5, stride=2), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3),
    )
    return network


def broken():
    raise RuntimeError("no such luck")
"""
TINY_LAYER = "3"
"""The second ReLU: 8 neurons."""
