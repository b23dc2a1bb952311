"""How well the tool finds the answer that was planted in the demo: figures, and the targets they are held to.

The answer is known because it was planted, so these figures check the tool. They say nothing of how well the
method does on a network whose concepts nobody planted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from backend.demo.planted_code import APPLE_AND_PITCH_NEURON, CORAL_AND_DIVER_NEURON
from backend.evaluation.projections import max_projecting, project
from backend.method.disentangle import disentangle
from backend.method.parameters import Parameters
from backend.method.results import DROPPED, Disentanglement
from backend.task import SilentTask, Task

POLYSEMANTIC_SHARE = 0.15
"""A neuron is polysemantic if two or more planted concepts each hold this share of its top images."""

MONOSEMANTIC_SHARE = 0.95
"""A neuron is monosemantic if one planted concept holds this share of its top images."""

N_PROJECTING = 25
"""Number of images with the largest projection that are looked at for each concept vector."""


@dataclass(frozen=True)
class NeuronFigures:
    """What was planted in a neuron's top images, and what was found in them.

    Attributes
    ----------
    neuron : int
    planted : tuple of (str, int)
        Planted concepts among the top images and how many show each, most first.
    n_clusters : int
        C at the distance threshold.
    found : tuple of str
        For each concept vector, the planted concept that most of its members show.
    adjusted_rand : float
        Agreement of the k-means clusters of all top images with the planted concepts, at most 1.
    precision : tuple of float
        For each concept vector, the share of the images with the largest projection that show that concept.
    """

    neuron: int
    planted: tuple[tuple[str, int], ...]
    n_clusters: int
    found: tuple[str, ...]
    adjusted_rand: float
    precision: tuple[float, ...]

    @property
    def n_top(self) -> int:
        """Number of top images."""
        return sum(count for _, count in self.planted)

    @property
    def is_polysemantic(self) -> bool:
        """Whether two or more planted concepts each hold at least 15 % of the top images."""
        return sum(count >= POLYSEMANTIC_SHARE * self.n_top for _, count in self.planted) >= 2

    @property
    def is_monosemantic(self) -> bool:
        """Whether one planted concept holds at least 95 % of the top images."""
        return bool(self.planted) and self.planted[0][1] >= MONOSEMANTIC_SHARE * self.n_top


@dataclass(frozen=True)
class PaperFigures:
    """How the demo retells the paper's neurons 35 (apples, sports fields, few nets) and 1 (coral, divers).

    Attributes
    ----------
    apples_and_pitches, corals_and_divers : tuple of str
        Planted concepts of the concept vectors that the two neurons give.
    n_nets : int
        Nets among the top images of the neuron of apples and pitches.
    n_nets_dropped : int
        Those of them that are in a cluster which is dropped for being too small.
    merge_factor : float
        Corals and divers become one cluster above this multiple of the distance threshold.
    others_still_split : bool
        Whether apples and pitches are still apart at that threshold.
    """

    apples_and_pitches: tuple[str, ...]
    n_nets: int
    n_nets_dropped: int
    corals_and_divers: tuple[str, ...]
    merge_factor: float
    others_still_split: bool


@dataclass(frozen=True)
class DemoFigures:
    """The figures of one set of pictures.

    Attributes
    ----------
    n_images : int
    parameters : Parameters
        What the neurons were disentangled with.
    accuracy : float
        Share of the pictures that the network classifies rightly.
    neurons : tuple of NeuronFigures
        All of the layer's neurons.
    paper : PaperFigures
    """

    n_images: int
    parameters: Parameters
    accuracy: float
    neurons: tuple[NeuronFigures, ...]
    paper: PaperFigures

    @property
    def polysemantic(self) -> tuple[NeuronFigures, ...]:
        """The polysemantic neurons."""
        return tuple(n for n in self.neurons if n.is_polysemantic)

    @property
    def monosemantic_in_one_cluster(self) -> tuple[NeuronFigures, ...]:
        """The monosemantic neurons that stay one cluster."""
        return tuple(n for n in self.neurons if n.is_monosemantic and n.n_clusters == 1)

    @property
    def adjusted_rand(self) -> NDArray[np.float64]:
        """float64: adjusted Rand index of each polysemantic neuron."""
        return np.array([n.adjusted_rand for n in self.polysemantic], dtype=np.float64)

    @property
    def precision(self) -> NDArray[np.float64]:
        """float64: for each concept vector, the share of its 25 strongest images that show its concept."""
        return np.array([share for n in self.neurons for share in n.precision], dtype=np.float64)


@dataclass(frozen=True)
class Target:
    """One figure beside what is asked of it, as texts, and whether it is reached."""

    name: str
    required: str
    measured: str
    reached: bool


def demo_figures(
    activations: NDArray[np.float32],
    labels: Sequence[str],
    predicted: Sequence[str],
    parameters: Parameters,
    *,
    task: Task | None = None,
) -> DemoFigures:
    """Measure how well the planted concepts are found.

    Parameters
    ----------
    activations : ndarray of float32, shape (images, neurons)
        Pooled activations of the demo's layer.
    labels, predicted : sequence of str
        The concept that each picture shows, and the one that the network takes it for.
    parameters : Parameters
        Usually the layer's suggested ones.
    task : Task, optional
        Progress in neurons, and cancellation.
    """
    task = task or SilentTask()
    shown = np.asarray(labels)
    split = []
    neurons = []
    for neuron in range(activations.shape[1]):
        task.check_cancelled()
        task.progress(neuron, activations.shape[1], "Comparing with the planted answer")
        result = disentangle(activations, neuron, parameters)
        split.append(result)
        neurons.append(_neuron_figures(activations, shown, result))
    return DemoFigures(
        n_images=len(shown),
        parameters=parameters,
        accuracy=float(np.mean(shown == np.asarray(predicted))),
        neurons=tuple(neurons),
        paper=_paper_figures(shown, neurons, split),
    )


def _neuron_figures(
    activations: NDArray[np.float32], shown: NDArray[np.str_], result: Disentanglement
) -> NeuronFigures:
    top = shown[result.top.images]
    found = tuple(_most_frequent(top[concept.members]) for concept in result.concepts)
    vectors = np.array([concept.vector for concept in result.concepts]).reshape(-1, activations.shape[1])
    projections = project(activations, vectors)
    precision = tuple(
        float(np.mean(shown[max_projecting(row, N_PROJECTING).images] == name))
        for name, row in zip(found, projections, strict=True)
    )
    return NeuronFigures(
        neuron=result.neuron,
        planted=tuple(Counter(top.tolist()).most_common()),
        n_clusters=result.n_clusters,
        found=found,
        adjusted_rand=float(adjusted_rand_score(top, result.kmeans_labels)),
        precision=precision,
    )


def _most_frequent(names: NDArray[np.str_]) -> str:
    return str(Counter(names.tolist()).most_common(1)[0][0])


def _paper_figures(
    shown: NDArray[np.str_], neurons: Sequence[NeuronFigures], split: Sequence[Disentanglement]
) -> PaperFigures:
    apples, corals = split[APPLE_AND_PITCH_NEURON], split[CORAL_AND_DIVER_NEURON]
    nets = shown[apples.top.images] == "net"
    top_merge = float(corals.hierarchy.merge_heights[-1])
    return PaperFigures(
        apples_and_pitches=neurons[APPLE_AND_PITCH_NEURON].found,
        n_nets=int(nets.sum()),
        n_nets_dropped=int((apples.labels[nets] == DROPPED).sum()),
        corals_and_divers=neurons[CORAL_AND_DIVER_NEURON].found,
        merge_factor=top_merge / corals.parameters.distance_threshold,
        others_still_split=apples.hierarchy.n_clusters(float(np.nextafter(top_merge, np.inf))) > 1,
    )


def targets(figures: DemoFigures) -> tuple[Target, ...]:
    """Return the demo's figures beside what is asked of them."""
    n_neurons, n_poly = len(figures.neurons), len(figures.polysemantic)
    rand, precision = figures.adjusted_rand, figures.precision
    n_mono, paper = len(figures.monosemantic_in_one_cluster), figures.paper
    corals_and_divers = sorted(paper.corals_and_divers) == ["coral", "diver"]
    return (
        Target(
            "The network's accuracy", "at least 97 %", f"{figures.accuracy:.2%}", figures.accuracy >= 0.97
        ),
        Target(
            "Polysemantic neurons (two or more concepts with 15 % of the top images each)",
            "at least three quarters",
            f"{n_poly} of {n_neurons}",
            n_poly >= 0.75 * n_neurons,
        ),
        Target(
            "Clusters against planted concepts, adjusted Rand index over the polysemantic neurons",
            "at least 0.95 on average",
            f"{rand.mean():.3f} on average, lowest {rand.min():.3f}" if n_poly else "no such neuron",
            bool(n_poly) and float(rand.mean()) >= 0.95,
        ),
        Target(
            f"Of the {N_PROJECTING} images that project most on a concept vector, how many show it",
            "at least 90 % on average",
            f"{precision.mean():.1%} on average, lowest {precision.min():.0%}, {len(precision)} vectors"
            if len(precision)
            else "no concept vector",
            bool(len(precision)) and float(precision.mean()) >= 0.9,
        ),
        Target("Monosemantic neurons that stay one cluster", "at least 3", str(n_mono), n_mono >= 3),
        Target(
            f"Neuron {APPLE_AND_PITCH_NEURON}: apples and pitches are found",
            "these two concepts",
            ", ".join(paper.apples_and_pitches),
            sorted(paper.apples_and_pitches) == ["apple", "pitch"],
        ),
        Target(
            f"Neuron {APPLE_AND_PITCH_NEURON}: a few nets are dropped",
            f"1 to {figures.parameters.min_cluster_size - 1} nets, all dropped",
            f"{paper.n_nets} nets, {paper.n_nets_dropped} dropped",
            0 < paper.n_nets < figures.parameters.min_cluster_size and paper.n_nets == paper.n_nets_dropped,
        ),
        Target(
            f"Neuron {CORAL_AND_DIVER_NEURON}: coral and divers are found",
            "these two concepts",
            ", ".join(paper.corals_and_divers),
            corals_and_divers,
        ),
        Target(
            f"Neuron {CORAL_AND_DIVER_NEURON}: they merge at a higher d_max",
            "while apples and pitches stay apart",
            f"at {paper.merge_factor:.2f} times the suggested d_max"
            + ("" if paper.others_still_split else ", as apples and pitches do"),
            corals_and_divers and paper.merge_factor > 1 and paper.others_still_split,
        ),
    )
