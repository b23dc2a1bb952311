"""What ``neuronprism import`` understands, with its help."""

from __future__ import annotations

import argparse
from pathlib import Path

IMPORT_EXAMPLES = """\
examples:
  neuronprism import birds.prism --activations acts.npy --image-list images.csv --images photos --layer layer4
  neuronprism import birds.prism --activations acts.npz --array layer3 --layer layer3     one more layer
  neuronprism import birds.prism --activations maps.safetensors --image-list images.txt --images photos \\
      --layer layer4 --pooling mean
  neuronprism import birds.prism --activations acts.npy --image-list images.txt --images photos \\
      --layer features.18 --model mobilenet_v2
  neuronprism import birds.prism                    continue after an interruption
  neuronprism import birds.prism --layer features.18 --model mobilenet_v2     name the network afterwards

Row i of the array belongs to line i of the list. The array is images × neurons, or feature maps, images ×
channels × height × width, which are pooled on the way; float16, bfloat16, float32, float64 or integers, kept
as float32. The list is text (one path a line), CSV (columns path and, if wanted, label), JSON, or an array of
texts; its paths are relative to the images folder, or absolute and below it. Without --images no pictures are
shown until the images are located (import PROJECT --images DIR). A network is needed for feature
visualisation alone; it is tried on 32 of the images, and refused if it gives other activations.
"""


def add_import_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that are the command's own."""
    parser.add_argument(
        "--activations", metavar="FILE", type=Path, help="a .npy, .npz or .safetensors file of activations"
    )
    parser.add_argument("--array", metavar="NAME", help="which array of it (default: the only one that fits)")
    parser.add_argument(
        "--image-list",
        metavar="FILE",
        type=Path,
        help="which image each row is: .txt, .csv, .json or .npz (default: in the .npz of the activations)",
    )
    parser.add_argument(
        "--images",
        metavar="DIR",
        type=Path,
        help="the images folder (default: the project's; of a new project none); alone: where it is now",
    )
    parser.add_argument("--layer", metavar="NAME", help="name of the layer in the project")
    parser.add_argument(
        "--pooling", choices=("mean", "max"), help="over space, of feature maps (needed for those alone)"
    )
    parser.add_argument(
        "--neuron-names", metavar="FILE", type=Path, help="a name for each neuron, one a line, or a JSON list"
    )
    parser.add_argument(
        "--model",
        metavar="MODEL",
        help="the network that gave them, which is tried on a sample of the images",
    )
