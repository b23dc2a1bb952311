"""Training of the demo's network: ``python -m backend.demo.training`` makes the weights that are shipped.

Besides learning to classify, the network's pooled activations are pulled to the planted code. Classification
alone makes nearly every neuron polysemantic, too, but with concepts of unequal loudness.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from backend.demo.concept_network import INPUT_SIZE, PREPROCESSING, WEIGHTS, ConceptNetwork
from backend.demo.concepts import CONCEPTS, TEST_STREAM, TRAINING_STREAM, is_net_on_pitch
from backend.demo.demo_figures import DemoFigures, demo_figures, targets
from backend.demo.pictures import draw_arrays
from backend.demo.planted_code import net_on_pitch_code, planted_code
from backend.method.suggestion import suggest
from backend.task import SilentTask, Task

FIGURES = WEIGHTS.with_suffix(".json")
"""What the shipped weights were trained with, and the figures that they reached."""


@dataclass(frozen=True)
class TrainingSettings:
    """How the network is trained.

    Attributes
    ----------
    images_per_concept, epochs, batch_size : int
    learning_rate : float
        Highest of a one-cycle schedule, with AdamW.
    code_weight : float
        Weight of the squared distance to the planted code, beside the cross entropy.
    seed : int
    """

    images_per_concept: int = 300
    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 4e-3
    code_weight: float = 0.3
    seed: int = 0


@dataclass(frozen=True)
class TrainingSet:
    """Pictures to learn from.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 96, 96, 3)
    labels : ndarray of int64, shape (n,)
        Index of the concept in :data:`backend.demo.concepts.CONCEPTS`.
    codes : ndarray of float32, shape (n, neurons)
        Pooled activations to be pulled to.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    codes: NDArray[np.float32]


@dataclass(frozen=True)
class EpochLosses:
    """Mean losses of one pass: cross entropy (nats), and squared distance to the planted code."""

    cross_entropy: float
    code_distance: float


def draw_training_set(images_per_concept: int, *, task: Task | None = None) -> TrainingSet:
    """Draw the pictures of the training stream and give each its code."""
    images = draw_arrays(per_concept=images_per_concept, stream=TRAINING_STREAM, size=INPUT_SIZE, task=task)
    labels = np.repeat(np.arange(len(CONCEPTS)), images_per_concept)
    codes = planted_code()[labels]
    first_net = CONCEPTS.index("net") * images_per_concept
    for number in range(images_per_concept):
        if is_net_on_pitch(number, TRAINING_STREAM):
            codes[first_net + number] = net_on_pitch_code()
    return TrainingSet(images, labels, codes)


def train(
    training_set: TrainingSet, settings: TrainingSettings | None = None, *, task: Task | None = None
) -> tuple[ConceptNetwork, tuple[EpochLosses, ...]]:
    """Train a network.

    The loss is the cross entropy plus ``code_weight`` times the squared Euclidean distance between the pooled
    activations and the planted code. The convolutions run in bfloat16, in channels-last order.

    Returns
    -------
    network, losses
        In evaluation mode; one :class:`EpochLosses` for each pass.
    """
    task, settings = task or SilentTask(), settings or TrainingSettings()
    torch.manual_seed(settings.seed)
    network = ConceptNetwork()
    _start_head_from_code(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    n_images = len(training_set.images)
    n_batches = max(n_images // settings.batch_size, 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.epochs * n_batches, pct_start=0.25
    )
    images, labels = torch.from_numpy(training_set.images), torch.from_numpy(training_set.labels)
    codes = torch.from_numpy(training_set.codes)
    losses = []
    for _ in range(settings.epochs):
        network.train()
        total = torch.zeros(2, dtype=torch.float64)
        order = torch.randperm(n_images)
        for batch in order[: n_batches * settings.batch_size].chunk(n_batches):
            task.check_cancelled()
            both = _losses(network, images[batch], labels[batch], codes[batch])
            optimizer.zero_grad()
            (both[0] + settings.code_weight * both[1]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += both.detach()
        cross_entropy, code_distance = (total / n_batches).tolist()
        losses.append(EpochLosses(cross_entropy, code_distance))
        text = f"Trained: cross entropy {cross_entropy:.3f}, distance to the code {code_distance:.3f}"
        task.progress(len(losses), settings.epochs, text)
    return network.eval(), tuple(losses)


def _start_head_from_code(network: ConceptNetwork) -> None:
    """Let the classifier read the planted code from the start: the code is then learned sooner."""
    code = torch.from_numpy(planted_code())
    evidence = torch.where(
        code > 0, 6.0 / code.clamp(min=0.1).sqrt(), -0.5
    )  # more for a facet, which is faint
    with torch.no_grad():
        network.head.weight.copy_(evidence)
        network.head.bias.zero_()


def _losses(network: ConceptNetwork, images: Tensor, labels: Tensor, codes: Tensor) -> Tensor:
    """Return cross entropy and squared distance to the code of one batch, half of the batches mirrored."""
    batch = normalised(images)
    if torch.rand(()) < 0.5:
        batch = batch.flip(3)
    with torch.autocast("cpu", torch.bfloat16):
        maps = network.mixed[0](network.features(batch)).float()
    pooled = maps.relu().mean(dim=(2, 3))
    cross_entropy = functional.cross_entropy(network.head(pooled), labels)
    # Where a neuron is to speak but is silent, its ReLU passes no gradient: there a leaky one is pulled.
    silent = (codes > 0) & (pooled == 0)
    pulled = torch.where(silent, functional.leaky_relu(maps, 0.1).mean(dim=(2, 3)), pooled)
    return torch.stack([cross_entropy, (pulled - codes).square().sum(dim=1).mean()])


def normalised(images: Tensor) -> Tensor:
    """Return uint8 pictures (n, height, width, 3) as the network's input, float32 and channels-last."""
    mean = torch.tensor(PREPROCESSING.mean) * 255
    std = torch.tensor(PREPROCESSING.std) * 255
    return ((images - mean) / std).permute(0, 3, 1, 2)


def read_pictures(
    network: ConceptNetwork, images: NDArray[np.uint8], *, task: Task | None = None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Run a network over pictures in memory.

    Returns
    -------
    activations : ndarray of float32, shape (n, neurons)
        Of the analysed layer, averaged over space.
    predicted : tuple of str
        The concept that each picture is taken for.
    """
    task = task or SilentTask()
    activations, predicted = [], []
    with torch.inference_mode():
        for start in range(0, len(images), 256):
            task.check_cancelled()
            task.progress(start, len(images), "Reading the layer")
            pooled = network.pooled_activations(normalised(torch.from_numpy(images[start : start + 256])))
            activations.append(pooled.numpy())
            predicted += [CONCEPTS[i] for i in network.head(pooled).argmax(dim=1).tolist()]
    return np.concatenate(activations), tuple(predicted)


def measure(
    network: ConceptNetwork, *, stream: int = TEST_STREAM, per_concept: int = 120, task: Task | None = None
) -> DemoFigures:
    """Return the figures of a network on pictures that it was not trained on, with suggested parameters."""
    images = draw_arrays(per_concept=per_concept, stream=stream, size=INPUT_SIZE, task=task)
    activations, predicted = read_pictures(network, images, task=task)
    labels = np.repeat(CONCEPTS, per_concept).tolist()
    parameters = suggest(activations).parameters()
    return demo_figures(activations, labels, predicted, parameters, task=task)


class _Printed(SilentTask):
    """Prints what is reported, with the time since the start."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = ""

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Print a message once, and again when its work is finished."""
        if message != self._last or done == total:
            print(f"{time.monotonic() - self._started:6.0f} s  {message} ({done} of {total})", flush=True)
        self._last = message


def save_weights(
    network: ConceptNetwork, settings: TrainingSettings, figures: DemoFigures, weights: Path
) -> None:
    """Write the weights, and beside them a JSON file of the settings and the figures."""
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, weights)
    reached = {target.name: target.measured for target in targets(figures)}
    text = json.dumps({"training": asdict(settings), "figures": reached}, indent=2, ensure_ascii=False)
    weights.with_suffix(FIGURES.suffix).write_text(text + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw, train, measure and save; 0 if every target is reached."""
    defaults = TrainingSettings()
    parser = argparse.ArgumentParser(prog="python -m backend.demo.training", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="weights file to write (%(default)s)")
    parser.add_argument("--epochs", type=int, default=defaults.epochs, help="passes (%(default)s)")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of the training (%(default)s)")
    parser.add_argument("--code-weight", type=float, default=defaults.code_weight, help="(%(default)s)")
    given = parser.parse_args(arguments)
    settings = TrainingSettings(epochs=given.epochs, seed=given.seed, code_weight=given.code_weight)
    task = _Printed()
    network, _ = train(draw_training_set(settings.images_per_concept, task=task), settings, task=task)
    figures = measure(network, task=task)
    save_weights(network, settings, figures, given.out)
    for target in targets(figures):
        verdict = "reached" if target.reached else "MISSED "
        print(f"{verdict}  {target.name}: {target.measured} ({target.required})")
    return 0 if all(target.reached for target in targets(figures)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
