"""The neurons of a layer as a table: what each column holds, and how rows are filtered and sorted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backend.neurons import NeuronStatistics


@dataclass(frozen=True)
class NeuronTable:
    """What the browser shows of a layer's d neurons.

    Attributes
    ----------
    statistics : NeuronStatistics
        Maximum, mean and active fraction of each neuron, arrays of shape (d,).
    n_concepts : ndarray of int, shape (d,)
        Number of concepts of each neuron, -1 where it is not known yet.
    names : mapping of int to str
        Names that the user gave.
    top_paths : callable
        ``top_paths(neuron)`` gives the files of its strongest images, strongest first (at least three are used).
    """

    statistics: NeuronStatistics
    n_concepts: NDArray[np.int64]
    names: Mapping[int, str] = field(default_factory=dict)
    top_paths: Callable[[int], tuple[Path, ...]] = lambda neuron: ()
