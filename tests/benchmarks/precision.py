"""The precision ``fast`` beside float32: which top images stay, and how many times as fast.

    python -m tests.benchmarks.precision --images FOLDER
    python -m tests.benchmarks.precision --images FOLDER --model mobilenet_v2 --weights FILE \\
        --layers features.18

What the application measures before it uses ``fast``, on a sample of a folder's images: in one run, both
precisions in turns on the same decoded images. Without --weights the network has random ones. Beside it
stands the processor time of an image in each precision, which other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from backend.activations.inference import Inference
from backend.activations.precision_check import SAMPLE_IMAGES, check_precision
from backend.images import find_images
from backend.models import load_model
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import PRECISIONS, ModelSource
from tests.benchmarks.machine import load, machine

TURNS = 5
N_TIMED = 16


def processor_seconds(loaded: LoadedModel, layers: tuple[str, ...]) -> dict[str, float]:
    """Return the processor time of an image in each precision: the least of several turns."""
    size, channels = loaded.preprocessing.input_size, loaded.preprocessing.channels
    pixels = np.random.default_rng(0).integers(0, 256, (N_TIMED, size, size, channels), np.uint8)
    inferences = {
        one: Inference(loaded, layers, precision=one, device=torch.device("cpu")) for one in PRECISIONS
    }
    least = dict.fromkeys(PRECISIONS, float("inf"))
    for _ in range(TURNS):
        for one, inference in inferences.items():
            step = inference.batch_size
            batches = [pixels[first : first + step] for first in range(0, N_TIMED, step)]
            started = time.process_time()
            inference.read_decoded(batches, layers)
            least[one] = min(least[one], (time.process_time() - started) / N_TIMED)
    return {str(one): seconds for one, seconds in least.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder of images")
    parser.add_argument("--model", default="inception_v3")
    parser.add_argument("--weights", help="file; default: random weights")
    parser.add_argument("--layers", default=["Mixed_7b"], nargs="+")
    parser.add_argument("--sample", type=int, default=SAMPLE_IMAGES, help="number of images")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    # Without a download the weights are random.
    loaded = load_model(ModelSource(arguments.model, arguments.weights), download=False)
    images = find_images(arguments.images)
    paths = [images.root / path for path in images.paths]
    print(f"{machine()}\n{load()}\n{arguments.model}, {loaded.preprocessing.input_size} pixels\n")
    print(check_precision(loaded, paths, arguments.layers, max_images=arguments.sample).sentence)
    seconds = processor_seconds(loaded, tuple(arguments.layers))
    times = ", ".join(f"{name} {1000 * value:.1f} ms" for name, value in seconds.items())
    print(
        f"\nProcessor time of an image: {times}, ratio {seconds['float32'] / seconds['fast']:.2f}\n{load()}"
    )


if __name__ == "__main__":
    main()
