"""Why a neuron is left without a concept by the outlier radius, and the radius that would leave some."""

from __future__ import annotations

import math

import numpy as np

from backend.method.adjustments import LEFT_OUT
from backend.method.results import Disentanglement
from widgets.quantity_text import activation_text

KEPT_PERCENT = 95
_SIGNIFICANT_DIGITS = 3


def radius_that_keeps_members(split: Disentanglement) -> float | None:
    """Return a squared outlier radius at which concepts are left, in squared units of activation.

    It is the 95th percentile of the top images' squared distances to their centroid, rounded up to three
    digits, and reaches to the farthest image if that were still not enough. None where there are concepts,
    or where the radius is not what prevents them.
    """
    least = split.parameters.min_cluster_size
    if split.concepts or not len(split.top) or not _has_large_cluster(split, math.inf, least):
        return None
    distances = split.squared_distances
    radius = _rounded_up(float(np.percentile(distances, KEPT_PERCENT)))
    if not _has_large_cluster(split, radius, least):
        radius = _rounded_up(float(distances.max()))
    return radius


def hint_text(split: Disentanglement) -> str:
    """Return the sentence that says what the radius does at the present d_max."""
    radius = activation_text(split.parameters.outlier_radius_squared)
    least = split.parameters.min_cluster_size
    some = bool((split.squared_distances < split.parameters.outlier_radius_squared).any())
    left = f"fewer than {least} images in every cluster" if some else "no image in any cluster"
    return f"The squared outlier radius {radius} leaves {left} at this d_max: raise it."


def _has_large_cluster(split: Disentanglement, radius: float, least: int) -> bool:
    members = split.kmeans_labels[(split.squared_distances < radius) & (split.labels != LEFT_OUT)]
    return len(members) > 0 and int(np.bincount(members).max()) >= least


def _rounded_up(value: float) -> float:
    """Return the next larger number with three significant digits; an image on the radius is an outlier."""
    if value <= 0:
        return 10.0**-_SIGNIFICANT_DIGITS
    unit = 10.0 ** (math.floor(math.log10(value)) - _SIGNIFICANT_DIGITS + 1)
    return float(f"{(math.floor(value / unit) + 1) * unit:.{_SIGNIFICANT_DIGITS}g}")
