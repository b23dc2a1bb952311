"""How the concepts of the neuron on show are called and coloured: decided once, the same in every panel."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from backend.method.adjustments import LEFT_OUT
from backend.method.results import DROPPED, OUTLIER, Disentanglement
from backend.named_concepts import NamedConcept
from widgets.palette import concept_color, concept_marker
from widgets.quantity_text import count_text


@dataclass(frozen=True)
class ConceptPresentation:
    """One concept as every panel shows it.

    Attributes
    ----------
    cluster : int
        Identifies it within the clustering.
    position : int
        Its place in ``split.concepts`` and in everything parallel to it.
    number : int
        Decides colour and letter, and stays while the threshold moves.
    color, marker
        Colour and letter.
    name, notes : str
        As typed, "" if there are none.
    size : int
        Number of members.
    made_by_hand : bool
        Whether a person chose its members.
    """

    cluster: int
    position: int
    number: int
    color: QColor
    marker: str
    name: str
    notes: str
    size: int
    made_by_hand: bool = False

    @property
    def title(self) -> str:
        """The name, or "Concept A"."""
        return self.name or f"Concept {self.marker}"


def numbers_of(split: Disentanglement) -> NDArray[np.int64]:
    """Return int64 (C,): the number of each cluster, which decides its colour and letter."""
    return split.concept_numbers


def present_concepts(
    split: Disentanglement, named: Mapping[int, NamedConcept]
) -> tuple[ConceptPresentation, ...]:
    """Return every concept of a clustering, by its letter: an order that stays while the threshold moves."""
    numbers = numbers_of(split)
    presented = []
    for position, concept in enumerate(split.concepts):
        number = int(numbers[concept.cluster])
        record = named.get(concept.cluster)
        presented.append(
            ConceptPresentation(
                cluster=concept.cluster,
                position=position,
                number=number,
                color=concept_color(number),
                marker=concept_marker(number),
                name=record.name if record is not None else "",
                notes=record.notes if record is not None else "",
                size=len(concept.members),
                made_by_hand=split.is_own(concept.cluster),
            )
        )
    return tuple(sorted(presented, key=lambda concept: concept.number))


def count_outliers(split: Disentanglement) -> int:
    """Return how many top images lie outside their cluster's radius."""
    return int((split.labels == OUTLIER).sum())


def count_left_out(split: Disentanglement) -> int:
    """Return how many top images were left out by hand."""
    return int((split.labels == LEFT_OUT).sum())


def adjusted_text(split: Disentanglement) -> str:
    """Return "Adjusted by hand: 2 own concepts, 3 images left out"; "" where nothing was."""
    if not split.adjustments:
        return ""
    if not split.adjusted_by_hand:
        return "Adjusted by hand, but none of the images moved is among these top images"
    n_own = sum(split.is_own(concept.cluster) for concept in split.concepts)
    parts = []
    if n_own:
        parts.append(count_text(n_own, "own concept"))
    if n_left_out := count_left_out(split):
        parts.append(f"{count_text(n_left_out, 'image')} left out")
    return f"Adjusted by hand: {', '.join(parts)}"


def dropped_sizes(split: Disentanglement) -> tuple[int, ...]:
    """Return how many images each dropped cluster has left."""
    return tuple(
        int(((split.kmeans_labels == cluster) & (split.labels == DROPPED)).sum()) for cluster in split.dropped
    )
