"""Images and a network in a Python file, small enough that its activations are recomputed in NumPy."""

import json

import numpy as np
import pytest
from PIL import Image

from app.command_line import main

ALL_COMMANDS = ("demo", "layers", "extract", "import", "analyse", "export", "info")

WEIGHTS = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4], [3, 3, -1], [-2, -2, 5], [0, 0, -9]], dtype=np.float32)
BIAS = np.array([-0.5, -0.5, -0.5, -1.0, 0.0, -1.0], dtype=np.float32)

NETWORK = f"""
import time
import torch
from torch import nn


def make():
    convolution = nn.Conv2d(3, 6, 1)
    convolution.weight.data = torch.tensor({WEIGHTS.tolist()}).view(6, 3, 1, 1)
    convolution.bias.data = torch.tensor({BIAS.tolist()})
    head = nn.Linear(6 * 32 * 32, 2)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    network = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), head)
    return network, {{"input_size": 32, "mean": 0.0, "std": 1.0}}


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.colours = make()[0][:2]

    def forward(self, images):
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            pass
        return self.colours(images)


def make_slow():
    return Slow(), {{"input_size": 32, "mean": 0.0, "std": 1.0}}


def fails():
    raise ValueError("no such checkpoint")
"""


def expected_activations(folder, paths):
    """Return float64 (images, 6): what the network computes, by NumPy alone."""
    pixels = [np.asarray(Image.open(folder / path).convert("RGB"), dtype=np.float64) / 255 for path in paths]
    responses = np.maximum(np.stack(pixels) @ WEIGHTS.T.astype(np.float64) + BIAS, 0)
    return responses.mean(axis=(1, 2))


def extract_words(world, project, callable_name="make", *more):
    """Return the arguments that make the project from the images and the network of a world."""
    layer = {"make": "1", "make_slow": "colours.1"}[callable_name]
    words = ["extract", str(project), "--images", str(world / "images"), "--layers", layer]
    return [*words, "--model", f"{world / 'net.py'}:{callable_name}", "--yes-run-code", "--quiet", *more]


def sentence(capsys):
    """Return the one line on standard error."""
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def analyse(project, *words, capsys):
    capsys.readouterr()
    status = main(["analyse", str(project), "--layer", "1", "--quiet", "--json", "-", *words])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return json.loads(captured.out, parse_constant=pytest.fail)
