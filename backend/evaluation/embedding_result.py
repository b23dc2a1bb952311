"""Images as points of a plane: what an embedding is, apart from how it is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from backend.errors import ParameterError
from backend.parameter_checks import require_finite, require_whole

EmbeddingMethod = Literal["umap", "tsne", "pca"]

HIGHEST_SEED = 2**32 - 1
MOST_NEIGHBORS = 1000
METHOD_NAMES: dict[EmbeddingMethod, str] = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}


@dataclass(frozen=True)
class EmbeddingSettings:
    """What the methods may be told; each reads its own.

    Raises a :class:`~backend.errors.ParameterError` for a value out of range.

    Attributes
    ----------
    n_neighbors
        UMAP: images, itself included, that an image is placed by. 2 to 1000.
    min_dist
        UMAP: least distance of two points, in units of the plane. 0 to 1.
    perplexity
        t-SNE: about how many neighbours an image has. More than 0.
    """

    n_neighbors: int = 15
    min_dist: float = 0.1
    perplexity: float = 30.0

    def __post_init__(self) -> None:
        require_whole("The number of neighbours", self.n_neighbors, 2, MOST_NEIGHBORS)
        require_finite("min_dist", self.min_dist)
        require_finite("The perplexity", self.perplexity)
        if self.min_dist > 1:
            raise ParameterError(f"min_dist must be at most 1, not {self.min_dist:g}.")
        if not self.perplexity:
            raise ParameterError("The perplexity must be more than 0.")


@dataclass(frozen=True)
class Embedding:
    """Points of a plane that stand for images (paper, section 3 and Fig. 2): to be looked at, not to measure.

    Attributes
    ----------
    method
        What was asked for; ``note`` says where few points made it something simpler.
    seed
        Of the method's randomness; PCA has none.
    settings
        Those used: neighbours and perplexity as the number of images allowed.
    positions
        float32 (N, 2): a point for each image, in units of the method (of activation, for PCA).
    explained_variance
        Share of the variance along each axis, 0 to 1, for PCA; else None.
    note
        A sentence about what is special here, or "".
    """

    method: EmbeddingMethod
    seed: int
    settings: EmbeddingSettings
    positions: NDArray[np.float32]
    explained_variance: tuple[float, float] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        self.positions.setflags(write=False)

    def __setstate__(self, state: dict[str, object]) -> None:
        """Come out of another process read-only, too."""
        self.__dict__.update(state)
        self.positions.setflags(write=False)

    @property
    def settings_text(self) -> str:
        """What has to be said beside the picture: "UMAP, 15 neighbours, min_dist 0.1, seed 0"."""
        name = METHOD_NAMES[self.method]
        if self.method == "umap":
            s = self.settings
            return f"{name}, {s.n_neighbors} neighbours, min_dist {s.min_dist:g}, seed {self.seed}"
        if self.method == "tsne":
            return f"{name}, perplexity {self.settings.perplexity:.4g}, seed {self.seed}"
        if self.explained_variance is None:
            return name
        first, second = (100 * share for share in self.explained_variance)
        return f"{name}, {first:.0f} % and {second:.0f} % of the variance"
