"""Analyses that were made already, so that coming back to a neuron shows it at once."""

from __future__ import annotations

from collections import OrderedDict

from app.jobs.analysis_jobs import TreeKind
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.hierarchy import Hierarchy
from backend.method.parameters import Parameters
from backend.method.results import Disentanglement

KEPT_ANALYSES = 32

_Place = tuple[str, int, Parameters, Adjustments]


class KeptAnalyses:
    """The latest analyses by layer, neuron, parameters and adjustments, and the tree of the latest neuron."""

    def __init__(self) -> None:
        self._analyses: OrderedDict[_Place, NeuronAnalysis] = OrderedDict()
        self._tree: tuple[TreeKind, int, Hierarchy] | None = None

    def analysis(
        self, layer: str, neuron: int, parameters: Parameters, adjustments: Adjustments = UNADJUSTED
    ) -> NeuronAnalysis | None:
        """Return a kept analysis, which is the newest then."""
        place = (layer, neuron, parameters, adjustments)
        if place in self._analyses:
            self._analyses.move_to_end(place)
        return self._analyses.get(place)

    def keep(self, analysis: NeuronAnalysis) -> None:
        """Keep an analysis; the oldest is dropped if there are too many."""
        split = analysis.disentanglement
        self._analyses[(analysis.layer, analysis.neuron, split.parameters, split.adjustments)] = analysis
        while len(self._analyses) > KEPT_ANALYSES:
            self._analyses.popitem(last=False)

    def tree(self, layer: str, neuron: int | None, parameters: Parameters) -> Hierarchy | None:
        """Return the tree of a neuron, if it is that of the latest one, whatever the threshold."""
        if self._tree is None:
            return None
        kind, of_neuron, hierarchy = self._tree
        wanted = (TreeKind.of(layer, parameters), neuron)
        return hierarchy if (kind, of_neuron) == wanted and hierarchy.n_leaves else None

    def keep_tree(self, layer: str, split: Disentanglement) -> None:
        """Keep the tree of the neuron that was clustered."""
        self._tree = (TreeKind.of(layer, split.parameters), split.neuron, split.hierarchy)

    def forget_tree(self) -> None:
        """Drop the tree, since another layer or none is on show."""
        self._tree = None

    def clear(self) -> None:
        """Drop everything: activations are others now."""
        self._analyses.clear()
        self._tree = None
