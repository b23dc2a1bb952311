"""A layer as the window works with it: everything that an analysis reads, without the project."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.method.parameters import Parameters, Suggestion
from backend.neurons import NeuronIndex


@dataclass(frozen=True)
class LayerData:
    """One extracted layer.

    Attributes
    ----------
    name : str
    activations : ndarray of float32, shape (images, d)
        Read-only memory map.
    index : NeuronIndex
    suggestion : Suggestion or None
    parameters : Parameters
        What the user left it with; else the suggestion; else the defaults.
    neuron_names : mapping of int to str
        As they were when the layer was loaded.
    """

    name: str
    activations: NDArray[np.float32]
    index: NeuronIndex
    suggestion: Suggestion | None
    parameters: Parameters
    neuron_names: Mapping[int, str]

    @property
    def n_neurons(self) -> int:
        """Number of neurons d."""
        return self.index.n_neurons

    def first_neuron(self) -> int:
        """Return the neuron to begin with: the first that any image activates."""
        active = np.flatnonzero(np.nan_to_num(self.index.statistics.maximum) > 0)
        return int(active[0]) if len(active) else 0
