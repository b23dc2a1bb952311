"""Jobs on one loaded layer: a neuron's analysis, and the merge heights of every neuron."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.jobs.job import let_it_be_painted
from app.layer_data import LayerData
from backend.activations.row_stream import gather_rows
from backend.clustering_libraries import load_clustering_libraries
from backend.errors import ParameterError
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.hierarchy import Hierarchy, build_hierarchy
from backend.method.parameters import LinkageMethod, Metric, Parameters
from backend.method.results import Disentanglement
from backend.task import Task


def disentangle_neuron(
    layer: LayerData,
    neuron: int,
    parameters: Parameters,
    hierarchy: Hierarchy | None,
    task: Task,
    adjustments: Adjustments = UNADJUSTED,
) -> Disentanglement:
    """Run steps 1 to 4 alone: what follows the threshold while it is dragged."""
    # scikit-learn, which the window must not wait for, and another thread may be importing.
    load_clustering_libraries()
    from backend.method.disentangle import disentangle

    task.check_cancelled()
    top = layer.index.top(neuron, parameters.top_n)
    split = disentangle(
        layer.activations, neuron, parameters, top=top, hierarchy=hierarchy, adjustments=adjustments
    )
    # The drawing's layout and the concepts' numbers are made when first asked for: here, while nobody waits.
    _ = split.concept_numbers
    return split


def analyse(
    layer: LayerData,
    neuron: int,
    parameters: Parameters,
    hierarchy: Hierarchy | None,
    task: Task,
    adjustments: Adjustments = UNADJUSTED,
) -> NeuronAnalysis:
    """Return the whole :class:`~backend.evaluation.neuron_analysis_result.NeuronAnalysis`.

    Hands over the :class:`~backend.method.results.Disentanglement` as a partial result first, so that
    dendrogram and members are on screen before the whole dataset has been projected.
    """
    load_clustering_libraries()
    from backend.evaluation.neuron_analysis import evaluate

    split = disentangle_neuron(layer, neuron, parameters, hierarchy, task, adjustments)
    task.partial(split)
    let_it_be_painted(task)
    return evaluate(layer.name, layer.activations, split, index=layer.index, task=task)


@dataclass(frozen=True)
class TreeKind:
    """What the tree of a neuron depends on, besides the neuron."""

    layer: str
    top_n: int
    linkage: LinkageMethod
    metric: Metric

    @classmethod
    def of(cls, layer: str, parameters: Parameters) -> "TreeKind":
        """Return the kind of tree that these parameters ask for."""
        return cls(layer, parameters.top_n, parameters.linkage, parameters.metric)


@dataclass(frozen=True)
class MergeHeights:
    """Merge heights of some neurons, which answer every threshold at once.

    Attributes
    ----------
    kind : TreeKind
    neurons : ndarray of int64, shape (m,)
    heights : ndarray of float64, shape (m, N - 1)
        NaN throughout for a neuron without a tree (dead, or with too few images).
    """

    kind: TreeKind
    neurons: NDArray[np.int64]
    heights: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.neurons.setflags(write=False)
        self.heights.setflags(write=False)


SWEEP_CHUNK = 32
"""Neurons between two partial results of a sweep."""


def sweep_merge_heights(
    layer: LayerData, parameters: Parameters, neurons: NDArray[np.int64], task: Task
) -> None:
    """Build the tree of every given neuron and hand over its merge heights in chunks."""
    load_clustering_libraries()
    kind = TreeKind.of(layer.name, parameters)
    n_merges = max(0, min(parameters.top_n, layer.index.statistics.n_images) - 1)
    for start in range(0, len(neurons), SWEEP_CHUNK):
        chunk = neurons[start : start + SWEEP_CHUNK]
        heights = np.full((len(chunk), n_merges), np.nan)
        for row, neuron in enumerate(chunk):
            task.check_cancelled()
            top = layer.index.top(int(neuron), parameters.top_n)
            if top.n_active == 0 or len(top) < 2:
                continue
            vectors = gather_rows(layer.activations, top.images)
            try:
                tree = build_hierarchy(vectors, parameters.linkage, parameters.metric)
            except ParameterError:
                continue  # no tree of this kind (cosine and a zero vector): the neuron's count stays unknown
            heights[row] = tree.merge_heights
        task.partial(MergeHeights(kind, chunk.copy(), heights))
        let_it_be_painted(task)
        task.progress(start + len(chunk), len(neurons), "Counting clusters")


def import_panels(task: Task) -> None:
    """Import the modules of panels and dialogs, without making any: that is for the GUI thread."""
    import app.changed_files_dialog
    import app.concept_panel
    import app.embedding_control
    import app.import_dialog
    import app.neuron_panel
    import app.neuron_workspace
    import app.new_project_dialog
    import app.visualization_control  # noqa: F401
    import backend.image_files.image_decoding
    import backend.project  # noqa: F401


def import_analysis(task: Task) -> None:
    """Import what the first analysis needs: SciPy and scikit-learn."""
    load_clustering_libraries()
    import backend.evaluation.neuron_analysis  # noqa: F401
