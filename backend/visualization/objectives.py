"""What rises while a direction is rendered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from backend.networks.model_source import Pooling
from backend.visualization.visualization_result import Direction, VisualizationSettings

_SMALLEST_NORM = 1e-8
_AWAKE = 0.5
"""A picture whose active channels hold less of its direction's squared weights than this is asleep."""


class BatchObjective:
    """The objective of a batch in which picture i is to show direction i.

    With a the activation (read as ``settings.position`` says) and u the direction of norm 1 (e_n for a
    neuron), the values are ``cosine`` a·u / ‖a‖, ``dot`` a·u, ``dot_cosine`` a·u · max(a·u / ‖a‖, 0.01)^p.

    Parameters
    ----------
    directions, n_neurons
        k directions of a layer of that many neurons.
    settings, device
        Which objective, and where the activations are.
    pooling
        How the layer's activations were pooled for the directions; None is by their mean.

    Raises
    ------
    ParameterError
        If a direction does not belong to the layer.
    """

    def __init__(
        self,
        directions: Sequence[Direction],
        n_neurons: int,
        settings: VisualizationSettings,
        device: torch.device,
        pooling: Pooling | None = None,
    ) -> None:
        units = np.stack([one.unit_vector(n_neurons) for one in directions])
        self._units = torch.from_numpy(units).to(device)
        self._settings = settings
        self._pooling = pooling

    def __call__(self, activations: torch.Tensor) -> torch.Tensor:
        """Return float32 (k,) values, larger is better, of activations (k, d, h, w) or (k, d)."""
        points = self._read(activations.float())
        dot = torch.einsum("kdp,kd->kp", points, self._units)
        return _value(points, dot, self._settings).mean(dim=1)

    def projections(self, activations: torch.Tensor) -> torch.Tensor:
        """Return float32 (k, k): the pooled activations of picture i, projected on direction j."""
        pooled = activations.float()
        if pooled.dim() == 4:
            pooled = pooled.amax(dim=(2, 3)) if self._pooling == "max" else pooled.mean(dim=(2, 3))
        return pooled @ self._units.T

    def asleep(self, activations: torch.Tensor) -> torch.Tensor:
        """Return bool (k,): pictures that leave most of their direction's channels silent.

        The gradient of such a picture goes through channels that hardly matter, and stays there.
        """
        active = activations.detach() != 0
        if active.dim() == 4:
            active = active.any(dim=(2, 3))
        share = (self._units.square() * active).sum(dim=1)
        return share < _AWAKE

    def _read(self, activations: torch.Tensor) -> torch.Tensor:
        """Return float32 (k, d, positions): the activation vectors that the objective looks at."""
        if activations.dim() == 2:
            return activations.unsqueeze(-1)
        if self._settings.position == "every":
            return activations.flatten(2)
        if self._settings.position == "centre":
            return activations[:, :, activations.shape[2] // 2, activations.shape[3] // 2].unsqueeze(-1)
        pooled = activations.amax(dim=(2, 3)) if self._pooling == "max" else activations.mean(dim=(2, 3))
        return pooled.unsqueeze(-1)


def _value(points: torch.Tensor, dot: torch.Tensor, settings: VisualizationSettings) -> torch.Tensor:
    if settings.objective == "dot":
        return dot
    cosine: torch.Tensor = dot / points.norm(dim=1).clamp(min=_SMALLEST_NORM)
    if settings.objective == "cosine":
        return cosine
    # As in Lucid's dot × cosine^p: a floor keeps a gradient where the start points away from the direction.
    return dot * cosine.clamp(min=0.01).pow(settings.cosine_power)
