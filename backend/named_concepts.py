"""Concepts that a person has named, and how a name follows its images when the clusters change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.method.parameters import Parameters

if TYPE_CHECKING:
    from backend.method.results import Disentanglement

LEAST_OVERLAP = 0.3
"""A cluster that shares less than this (Jaccard index) with a named concept does not inherit its name."""


@dataclass(frozen=True)
class NamedConcept:
    """A concept with the name and notes that a person gave it.

    Attributes
    ----------
    layer, neuron
        Where it was found.
    name, notes
        Free text.
    member_images
        Rows of the images that its vector was made from.
    vector
        float32 (d,): the concept vector, of norm 1.
    parameters
        What it was found with.
    by_hand
        What a person had changed when it was saved, as ``Disentanglement.hand_mark`` says it.
    id
        Its number in the project; None as long as it has not been saved.
    """

    layer: str
    neuron: int
    name: str
    notes: str
    member_images: tuple[int, ...]
    # Made from the members; two arrays have no single truth value to compare by.
    vector: NDArray[np.float32] = field(compare=False)
    parameters: Parameters
    id: int | None = None
    by_hand: str = ""

    def __post_init__(self) -> None:
        self.vector.setflags(write=False)


def match_named_concepts(
    named: Iterable[NamedConcept], disentanglement: Disentanglement
) -> dict[int, NamedConcept]:
    """Find which clusters of a neuron are which named concepts, one to one.

    Pairs are made by the overlap of their member images (Jaccard index: shared over all), best first, as long
    as it is at least :data:`LEAST_OVERLAP`. So a name stays with its images when the threshold moves.

    Parameters
    ----------
    named
        Concepts with names; those of other neurons are passed over.
    disentanglement
        The neuron's present result.

    Returns
    -------
    dict
        Cluster number → its named concept.
    """
    overlaps = []
    for place, concept in enumerate(named):
        if concept.neuron != disentanglement.neuron:
            continue
        members = set(concept.member_images)
        for found in disentanglement.concepts:
            rows = set(disentanglement.member_rows(found).tolist())
            overlap = len(members & rows) / max(len(members | rows), 1)
            if overlap >= LEAST_OVERLAP:
                overlaps.append((-overlap, found.cluster, place, concept))
    matches: dict[int, NamedConcept] = {}
    used: set[int] = set()
    for _, cluster, place, concept in sorted(overlaps, key=lambda entry: entry[:3]):
        if cluster not in matches and place not in used:
            matches[cluster] = concept
            used.add(place)
    return matches
