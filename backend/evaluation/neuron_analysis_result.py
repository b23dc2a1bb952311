"""Everything the window, the files and the report show of one neuron."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.evaluation.projections import MaxProjecting
from backend.evaluation.similarity import ConceptSimilarity
from backend.method.results import Disentanglement


@dataclass(frozen=True)
class NeuronAnalysis:
    """A disentangled neuron with its evaluation over the whole dataset.

    Attributes
    ----------
    layer
        Name of the layer.
    disentanglement
        Steps 1 to 4.
    neuron_max
        The images that activate the neuron most, with their activations.
    concept_max, concept_max_held_out
        For each concept, in the order of ``disentanglement.concepts``: the images that project most on its
        vector, over the whole dataset; and the same with the concept's own members left out.
    similarities
        For each concept: mean cosines beside their nulls.
    neuron_activations
        The neuron's activation for each image among all of these, by its row.
    excluded
        Rows of the images that a person took out of the analysis, ascending: nothing here counts them.
    """

    layer: str
    disentanglement: Disentanglement
    neuron_max: MaxProjecting
    concept_max: tuple[MaxProjecting, ...]
    concept_max_held_out: tuple[MaxProjecting, ...]
    similarities: tuple[ConceptSimilarity, ...]
    neuron_activations: Mapping[int, float]
    excluded: tuple[int, ...] = ()

    @property
    def neuron(self) -> int:
        """The neuron that was analysed."""
        return self.disentanglement.neuron
