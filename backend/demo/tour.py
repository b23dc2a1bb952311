"""The neurons that a first visit to the demo is shown: they retell the paper."""

from dataclasses import dataclass

from backend.demo.planted_code import (
    APPLE_AND_PITCH_NEURON,
    CLOCK_NEURON,
    CORAL_AND_DIVER_NEURON,
    LAYER,
)

__all__ = ["LAYER", "TOUR", "TOUR_NEURON", "TourStop"]


@dataclass(frozen=True)
class TourStop:
    """One neuron of the tour.

    Attributes
    ----------
    neuron : int
    title : str
        The name that the neuron has in the demo project. It tells no concept: finding them is the tour.
    text : str
        What to try there.
    paper : str
        What it retells (O'Mahony et al. 2023, section 3).
    """

    neuron: int
    title: str
    text: str
    paper: str


TOUR: tuple[TourStop, ...] = (
    TourStop(
        APPLE_AND_PITCH_NEURON,
        "Tour 1: unrelated things",
        "Its strongest images show things that have nothing to do with each other. Their clusters merge far "
        "above the threshold, and one of fewer than 5 images is dropped.",
        "neuron 35, of apples and sports fields, with a few nets that are dropped",
    ),
    TourStop(
        CORAL_AND_DIVER_NEURON,
        "Tour 2: related things",
        "Two concepts that are close: drag the threshold up and they become one, before those of tour 1 do.",
        "neuron 1, of underwater scenes and scuba divers, which merge at a higher threshold",
    ),
    TourStop(
        CLOCK_NEURON,
        "Tour 3: one thing",
        "A monosemantic neuron stays one cluster: its concept vector is the only one.",
        "neuron 16, of ellipses, which stays one cluster",
    ),
)

TOUR_NEURON = TOUR[0].neuron
"""The neuron that the window opens with."""
