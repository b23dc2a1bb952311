"""What feature visualisation is asked for and what it gives: plain data, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from backend.errors import ParameterError
from backend.parameter_checks import require_finite, require_one_of, require_whole

ObjectiveKind = Literal["cosine", "dot", "dot_cosine"]
Position = Literal["average", "centre", "every"]
Parameterization = Literal["fft", "pixel"]

OBJECTIVES: tuple[ObjectiveKind, ...] = get_args(ObjectiveKind)
POSITIONS: tuple[Position, ...] = get_args(Position)
PARAMETERIZATIONS: tuple[Parameterization, ...] = get_args(Parameterization)

MAX_IMAGE_SIZE = 2048
"""Largest side of a rendered picture, in pixels."""


@dataclass(frozen=True)
class VisualizationSettings:
    """How the pictures of directions are optimised.

    Attributes
    ----------
    steps
        Optimisation steps, from 1.
    image_size
        Side of the picture in pixels; None takes the model's own input size.
    objective
        What rises: ``cosine`` of activation and direction, their ``dot`` product (direction of norm 1, in
        units of activation), or ``dot_cosine``, the dot product times cosine to the power ``cosine_power``,
        which is strong *and* little else. A neuron is rendered by its own axis e_n, so that its ``dot`` is
        its activation (Lucent's channel objective).
    cosine_power
        Exponent p of ``dot_cosine``, 0 or more.
    position
        Where the feature map is read: its ``average`` over space (what the method clusters), its ``centre``
        alone, or at ``every`` position by itself, averaged after (Lucent's direction objective).
    parameterization
        ``fft``, decorrelated Fourier coefficients, or ``pixel``.
    transforms
        Whether each step sees the picture shifted, scaled and rotated a little, so that no pixel pattern
        that dies at the smallest shift can win.
    learning_rate
        Of Adam.
    seed
        Of the start and of the transforms. All directions start from the same noise.
    """

    steps: int = 128
    image_size: int | None = None
    objective: ObjectiveKind = "dot_cosine"
    cosine_power: float = 2.0
    position: Position = "average"
    parameterization: Parameterization = "fft"
    transforms: bool = True
    learning_rate: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        require_whole("steps", self.steps, 1, 100_000)
        require_whole("seed", self.seed, 0, 2**32 - 1)
        if self.image_size is not None:
            require_whole("image_size", self.image_size, 8, MAX_IMAGE_SIZE)
        require_finite("cosine_power", self.cosine_power)
        require_finite("learning_rate", self.learning_rate)
        require_one_of("objective", self.objective, OBJECTIVES)
        require_one_of("position", self.position, POSITIONS)
        require_one_of("parameterization", self.parameterization, PARAMETERIZATIONS)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> VisualizationSettings:
        """Build settings from :meth:`to_dict`'s values; missing ones take their defaults.

        Raises
        ------
        ParameterError
            If a name is unknown or a value is not valid.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ParameterError(f"Feature visualisation has no setting named {', '.join(unknown)}.")
        return cls(**values)


@dataclass(frozen=True)
class Direction:
    """One direction of a layer's activation space to be rendered: a neuron's axis or a vector.

    Attributes
    ----------
    key
        Names the direction within a run, for instance ``neuron`` or ``concept 0``.
    vector
        float (d,), of any norm above 0, or None.
    neuron
        Channel, or None. Exactly one of the two is given.
    """

    key: str
    vector: NDArray[np.floating[Any]] | None = None
    neuron: int | None = None

    def __post_init__(self) -> None:
        if (self.vector is None) == (self.neuron is None):
            raise ParameterError(f"The direction {self.key} needs either a vector or a neuron.")
        if self.vector is not None:
            self._require_a_direction(np.asarray(self.vector))

    def _require_a_direction(self, vector: NDArray[np.floating[Any]]) -> None:
        if vector.ndim != 1 or not np.isfinite(vector).all() or not vector.any():
            raise ParameterError(f"The direction {self.key} must be one finite vector that is not zero.")

    def unit_vector(self, n_neurons: int) -> NDArray[np.float32]:
        """Return the direction as float32 (d,) of norm 1.

        Raises
        ------
        ParameterError
            If it does not belong to a layer of ``n_neurons`` neurons.
        """
        if self.vector is None:
            if not 0 <= (self.neuron or 0) < n_neurons:
                raise ParameterError(
                    f"The layer has neurons 0 to {n_neurons - 1}, so neuron {self.neuron} cannot be rendered."
                )
            unit = np.zeros(n_neurons, dtype=np.float32)
            unit[self.neuron] = 1.0
            return unit
        vector = np.asarray(self.vector, dtype=np.float64)
        if len(vector) != n_neurons:
            raise ParameterError(
                f"The direction {self.key} has {len(vector)} entries, but the layer has {n_neurons} neurons."
            )
        return (vector / np.linalg.norm(vector)).astype(np.float32)


@dataclass(frozen=True)
class FeatureVisualization:
    """Pictures of several directions of one layer, finished or on their way.

    Attributes
    ----------
    layer, keys, settings
        What was rendered, in the order of ``images``.
    images
        uint8 (k, H, W, 3).
    objective
        float32 (k, step): value of each direction's objective at every step so far.
    step, n_steps
        Steps done, and wanted.
    projections
        float32 (k, k): the finished picture i, put through the model unchanged, projected on direction j
        (norm 1). A picture that shows its own direction is largest on the diagonal. None until finished.
    """

    layer: str
    keys: tuple[str, ...]
    settings: VisualizationSettings
    images: NDArray[np.uint8]
    objective: NDArray[np.float32]
    step: int
    n_steps: int
    projections: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for array in (self.images, self.objective, self.projections):
            if array is not None:
                array.setflags(write=False)

    @property
    def done(self) -> bool:
        """Whether this is the final result."""
        return self.step >= self.n_steps

    def image(self, key: str) -> NDArray[np.uint8]:
        """Return the picture uint8 (H, W, 3) of one direction (KeyError if there is none)."""
        if key not in self.keys:
            raise KeyError(key)
        picture: NDArray[np.uint8] = self.images[self.keys.index(key)]
        return picture
