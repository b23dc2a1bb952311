"""What a concept does to a classifier's outputs: figures alone, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ConceptEffect:
    """How the classifier's outputs follow one concept vector v, over the concept's members.

    Attributes
    ----------
    n_images
        Members that were put through the network.
    sensitivities
        float64 (K,): directional derivative of each of K logits along v, averaged over the images, in logits
        for each unit of activation: for moving the pooled activations by v, all positions alike (TCAV's
        sensitivity S, which here is averaged rather than counted).
    positive_shares
        float64 (K,): share of the images in which that derivative is positive (the TCAV score).
    null_low, null_high
        float64 (K,): 2.5th and 97.5th percentile of the same average for random directions: v with its
        components shuffled among the neurons, so that they have its norm and its sparsity.
    n_null
        Number of those directions.
    probabilities
        float64 (K,): softmax output, averaged over the images.
    probabilities_without
        float64 (K,): the same with v projected out of the layer's activations: a − (a · v) v at each
        position.
    """

    n_images: int
    sensitivities: NDArray[np.float64]
    positive_shares: NDArray[np.float64]
    null_low: NDArray[np.float64]
    null_high: NDArray[np.float64]
    n_null: int
    probabilities: NDArray[np.float64]
    probabilities_without: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def most_raised(self, n: int) -> NDArray[np.int64]:
        """Return the outputs that the concept raises most, in descending order of sensitivity."""
        return np.argsort(-self.sensitivities, kind="stable")[:n]

    def most_lowered(self, n: int) -> NDArray[np.int64]:
        """Return the outputs that the concept lowers most, the most negative sensitivity first."""
        return np.argsort(self.sensitivities, kind="stable")[:n]

    def most_changed(self, n: int) -> NDArray[np.int64]:
        """Return the outputs whose probability changes most when the concept is projected out."""
        return np.argsort(-np.abs(self.probabilities_without - self.probabilities), kind="stable")[:n]

    def beyond_null(self, output: int) -> bool:
        """Return whether an output's sensitivity lies outside the range of the random directions."""
        return not self.null_low[output] <= self.sensitivities[output] <= self.null_high[output]

    def output_names(self, class_names: Sequence[str] | None) -> tuple[str, ...]:
        """Return a name for each output: its class, or its number where the classes are not known."""
        if class_names is not None and len(class_names) == len(self.sensitivities):
            return tuple(class_names)
        return tuple(f"output {number}" for number in range(len(self.sensitivities)))
