"""Steps 1 to 4 composed: from a neuron to its concept vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.activations.row_stream import gather_rows
from backend.errors import ParameterError
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.method.clusters import find_clusters
from backend.method.concept_vectors import concept_vectors, projections_on_own
from backend.method.hierarchy import Hierarchy, build_hierarchy
from backend.method.parameters import Parameters
from backend.method.results import Clusters, Disentanglement, NeuronStatus
from backend.method.top_images import TopImages, top_images


def disentangle(
    activations: NDArray[np.float32],
    neuron: int,
    parameters: Parameters,
    *,
    top: TopImages | None = None,
    hierarchy: Hierarchy | None = None,
    adjustments: Adjustments = UNADJUSTED,
) -> Disentanglement:
    """Split one neuron into the concepts that it responds to (paper, section 2).

    Parameters
    ----------
    activations
        float32 (images, neurons): spatially averaged activations of the layer; an array or a memory map.
        Rows with a NaN (images that could not be read) are left out.
    neuron
        Channel n of the layer, from 0.
    parameters
        Thresholds and choices; :data:`~backend.method.parameters.PUBLISHED` for the published ones.
    top
        Step 1, if it is known already (from the neuron index); else the column is ranked here.
    hierarchy
        Step 2's tree, if it is known already for these top images, linkage and metric.
    adjustments
        What a person changed in the clusters, by default nothing. Tree and k-means do not depend on it:
        clusters are adjusted after step 3, and concept vectors are means of what each of them has then.

    Raises
    ------
    ParameterError
        If there is no such neuron, or linkage and metric do not suit the data.
    """
    if activations.ndim != 2:
        raise ParameterError(f"Activations must have the shape images × neurons, not {activations.shape}.")
    if not 0 <= neuron < activations.shape[1]:
        last = activations.shape[1] - 1
        raise ParameterError(f"There is no neuron {neuron}: this layer has the neurons 0 to {last}.")
    if top is None:
        top = top_images(activations, neuron, parameters.top_n)
    status, message = neuron_status(neuron, top, parameters.top_n)
    if status in ("dead", "too_few_images"):
        return _without_concepts(neuron, parameters, status, message, top, adjustments)
    vectors = gather_rows(activations, top.images)
    if hierarchy is None:
        hierarchy = build_hierarchy(vectors, parameters.linkage, parameters.metric)
    by_hand = adjustments.by_hand(top.images)
    clusters, tree_labels = find_clusters(vectors, hierarchy, parameters, by_hand)
    concepts = concept_vectors(vectors, clusters)
    return Disentanglement(
        neuron=neuron,
        parameters=parameters,
        status=status,
        message=message,
        top=top,
        hierarchy=hierarchy,
        n_clusters=hierarchy.n_clusters(parameters.distance_threshold),
        tree_labels=tree_labels,
        clusters=clusters,
        concepts=concepts,
        projections=projections_on_own(vectors, clusters, concepts),
        adjustments=adjustments,
    )


def neuron_status(neuron: int, top: TopImages, top_n: int) -> tuple[NeuronStatus, str]:
    """Say what is special about a neuron's top images.

    Returns
    -------
    status, message
        ``("ok", "")``, or the kind and a sentence for the user.
    """
    if len(top) < 2:
        return "too_few_images", (
            f"There are {len(top)} readable images, and clustering needs at least 2: add images."
        )
    if top.n_active == 0:
        return "dead", f"Neuron {neuron} is dead: no image of the dataset activates it."
    if top.n_active < len(top):
        return "few_active", (
            f"Only {top.n_active} images activate neuron {neuron}; "
            f"the other {len(top) - top.n_active} of its top {len(top)} do not."
        )
    if top.activations[0] == top.activations[-1]:
        return "constant", (
            f"All top images activate neuron {neuron} equally: their order is that of the dataset."
        )
    if len(top) < top_n:
        return "ok", f"The dataset has {len(top)} readable images, fewer than the {top_n} asked for."
    return "ok", ""


def _without_concepts(
    neuron: int,
    parameters: Parameters,
    status: NeuronStatus,
    message: str,
    top: TopImages,
    adjustments: Adjustments,
) -> Disentanglement:
    def nothing() -> NDArray[np.int64]:
        return np.empty(0, dtype=np.int64)

    return Disentanglement(
        neuron=neuron,
        parameters=parameters,
        status=status,
        message=message,
        top=TopImages(nothing(), np.empty(0, dtype=np.float32), top.n_active, top.n_invalid),
        hierarchy=Hierarchy(np.empty((0, 4)), 0),
        n_clusters=0,
        tree_labels=nothing(),
        clusters=Clusters(nothing(), nothing(), np.empty(0), ()),
        concepts=(),
        projections=np.empty(0),
        adjustments=adjustments,
    )
