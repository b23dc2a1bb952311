"""Where in an image a direction is: the direction projected at each position of a layer's feature map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.image_files.seen_region import Region


@dataclass(frozen=True)
class ProjectionMap:
    """A direction, projected at each position of one image's feature map.

    Attributes
    ----------
    values
        float32 (h, w): a(i, j) · v for the activations a(i, j) ∈ R^d of the layer at each position. Where the
        layer is pooled by the mean over space, their mean is the image's projection φ(x) · v.
    seen
        Which part of the picture the map covers: all that the network saw of it.
    """

    values: NDArray[np.float32]
    seen: Region

    def __post_init__(self) -> None:
        self.values.setflags(write=False)

    @property
    def peak(self) -> tuple[int, int]:
        """Row and column of the largest value; of equal ones the first."""
        row, column = np.unravel_index(int(self.values.argmax()), self.values.shape)
        return int(row), int(column)

    def peak_region(self, receptive_field: float) -> Region:
        """Return the part of the picture that the strongest position responds to.

        Parameters
        ----------
        receptive_field
            Side of the square that one position of the map sees, as a fraction of the network's input.

        Returns
        -------
        Region
            That square about the middle of the position, shifted as far as it must be to lie within the
            input; of it, what lies within the picture.
        """
        (row, column), (height, width) = self.peak, self.values.shape
        side = min(receptive_field, 1.0)
        left = min(max((column + 0.5) / width - side / 2, 0.0), 1.0 - side)
        top = min(max((row + 0.5) / height - side / 2, 0.0), 1.0 - side)
        return self.seen.part(Region(left, top, left + side, top + side)).within_picture()
