"""Which part of the plane is in sight: from positions to pixels and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QSizeF

MARGIN = 26.0
"""Pixels kept free around the points when all are shown."""

DEEPEST_ZOOM = 200.0
FURTHEST_ZOOM = 0.5

Points = NDArray[np.float64]


class PlaneTransform:
    """One scale for both axes; the second axis points up.

    Attributes
    ----------
    is_fitted
        All points are shown, and stay so when the size changes.
    """

    def __init__(self) -> None:
        self.is_fitted = True
        self._size = QSizeF(1, 1)
        self._low: Points = np.zeros(2)
        self._high: Points = np.zeros(2)
        self._centre: Points = np.zeros(2)
        self._scale = 1.0

    @property
    def scale(self) -> float:
        """Pixels to one unit of the plane."""
        return self._scale

    def set_positions(self, positions: Points) -> None:
        """Take other points, float64 (N, 2), and show all of them."""
        if len(positions):
            self._low, self._high = positions.min(axis=0), positions.max(axis=0)
        else:
            self._low = self._high = np.zeros(2)
        self.fit()

    def set_size(self, size: QSizeF) -> None:
        """Take another size in pixels; what was in the middle stays there."""
        self._size = size
        if self.is_fitted:
            self.fit()
        else:
            self._keep_in_bounds()

    def fit(self) -> None:
        """Show all points."""
        self.is_fitted = True
        self._centre = (self._low + self._high) / 2
        self._scale = self._fitting_scale()

    def zoom(self, factor: float, around: QPointF) -> None:
        """Show the plane ``factor`` times larger; what is at a pixel stays there."""
        fitting = self._fitting_scale()
        scale = min(max(self._scale * factor, FURTHEST_ZOOM * fitting), DEEPEST_ZOOM * fitting)
        kept = self.to_plane(around)
        self._scale = scale
        self._centre += kept - self.to_plane(around)
        self.is_fitted = False
        self._keep_in_bounds()

    def pan(self, pixels: QPointF) -> None:
        """Move the points by this many pixels."""
        self._centre -= np.array([pixels.x(), -pixels.y()]) / self._scale
        self.is_fitted = False
        self._keep_in_bounds()

    def to_pixels(self, positions: Points) -> Points:
        """Return float64 (N, 2): where points are, in pixels from the upper left corner."""
        middle = np.array([self._size.width(), self._size.height()]) / 2
        pixels: Points = middle + (positions - self._centre) * (self._scale, -self._scale)
        return pixels

    def to_plane(self, pixel: QPointF) -> Points:
        """Return float64 (2,): which point of the plane a pixel shows."""
        away = np.array([pixel.x() - self._size.width() / 2, self._size.height() / 2 - pixel.y()])
        place: Points = self._centre + away / self._scale
        return place

    def _fitting_scale(self) -> float:
        room = np.array([self._size.width(), self._size.height()]) - 2 * MARGIN
        room = np.maximum(room, 1.0)
        extent = self._high - self._low
        if not extent.max() > 0:
            return 1.0
        with np.errstate(divide="ignore"):
            return float((room / extent).min())

    def _keep_in_bounds(self) -> None:
        """Keep the middle of the picture among the points, so that they cannot be lost."""
        self._centre = np.clip(self._centre, self._low, self._high)
