"""A layer as the window works with it: everything that an analysis reads, without the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.method.adjustments import Adjustments
from backend.method.parameters import Parameters, Suggestion
from backend.neurons import NeuronIndex


@dataclass(frozen=True)
class LayerData:
    """One layer, extracted wholly or in part.

    Attributes
    ----------
    name : str
    activations : ndarray of float32, shape (rows, d)
        Read-only memory map; of a partial layer the rows that were there when it was loaded.
    index : NeuronIndex
        Over these rows.
    suggestion : Suggestion or None
    parameters : Parameters
        What the user left it with; else the suggestion; else the defaults.
    neuron_names : mapping of int to str
        As they were when the layer was loaded.
    n_images : int
        Images of the project: as many rows as the layer has when it is complete.
    adjustments : mapping of int to Adjustments
        By hand, of its neurons, as they were when the layer was loaded.
    """

    name: str
    activations: NDArray[np.float32]
    index: NeuronIndex
    suggestion: Suggestion | None
    parameters: Parameters
    neuron_names: Mapping[int, str]
    n_images: int
    adjustments: Mapping[int, Adjustments] = field(default_factory=dict)

    @property
    def n_neurons(self) -> int:
        """Number of neurons d."""
        return self.index.n_neurons

    @property
    def n_rows(self) -> int:
        """Images that everything shown of the layer rests on."""
        return len(self.activations)

    @property
    def is_partial(self) -> bool:
        """Whether images are missing that the layer is to have."""
        return self.n_rows < self.n_images

    @property
    def partial_text(self) -> str:
        """Return "partial: 12,400 of 26,000 images", the mark of everything shown; "" of a complete layer."""
        return f"partial: {self.n_rows:,} of {self.n_images:,} images" if self.is_partial else ""

    def first_neuron(self) -> int:
        """Return the neuron to begin with: the first that any image activates."""
        active = np.flatnonzero(np.nan_to_num(self.index.statistics.maximum) > 0)
        return int(active[0]) if len(active) else 0
