"""Where every merge of a dendrogram lies, and which concept it belongs to at a threshold: NumPy alone."""

import numpy as np
from numpy.typing import NDArray

from backend.method.hierarchy import Hierarchy


def concept_numbers(hierarchy: Hierarchy, threshold: float, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number (colour, letter) of each cluster, stable while the threshold moves.

    The larger child of a merge keeps its parent's number when the cluster splits, so that colours never jump.
    Give ``Disentanglement.kmeans_labels``; element j is for ``concept_color``, ``concept_marker`` of cluster j,
    and goes to ``DendrogramView.set_leaf_labels(labels, numbers)``: all panels then show the same colours.
    """
    raise NotImplementedError
