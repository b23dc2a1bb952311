"""What rises while a direction is rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from backend.visualization.visualization_result import Direction, VisualizationSettings

BatchObjective = Callable[[torch.Tensor], torch.Tensor]

_SMALLEST_NORM = 1e-8


def batch_objective(
    directions: Sequence[Direction], n_neurons: int, settings: VisualizationSettings, device: torch.device
) -> BatchObjective:
    """Return the objective of a batch in which picture i is to show direction i.

    With a the activation (read as ``settings.position`` says) and u the direction of norm 1 (e_n for a
    neuron), the values are ``cosine`` a·u / ‖a‖, ``dot`` a·u, ``dot_cosine`` a·u · max(a·u / ‖a‖, 0.01)^p.

    Returns
    -------
    objective
        float32 (k, d, h, w) or (k, d) activations of the layer → float32 (k,) values, larger is better.

    Raises
    ------
    ParameterError
        If a direction does not belong to a layer of ``n_neurons`` neurons.
    """
    units = torch.from_numpy(np.stack([one.unit_vector(n_neurons) for one in directions])).to(device)

    def objective(activations: torch.Tensor) -> torch.Tensor:
        points = read_positions(activations.float(), settings)  # (k, d, positions)
        dot = torch.einsum("kdp,kd->kp", points, units)
        return _value(points, dot, settings).mean(dim=1)

    return objective


def read_positions(activations: torch.Tensor, settings: VisualizationSettings) -> torch.Tensor:
    """Return float32 (k, d, positions): the activation vectors that the objective looks at."""
    if activations.dim() == 2:
        return activations.unsqueeze(-1)
    if settings.position == "average":
        return activations.mean(dim=(2, 3)).unsqueeze(-1)
    if settings.position == "centre":
        return activations[:, :, activations.shape[2] // 2, activations.shape[3] // 2].unsqueeze(-1)
    return activations.flatten(2)


def _value(points: torch.Tensor, dot: torch.Tensor, settings: VisualizationSettings) -> torch.Tensor:
    if settings.objective == "dot":
        return dot
    cosine: torch.Tensor = dot / points.norm(dim=1).clamp(min=_SMALLEST_NORM)
    if settings.objective == "cosine":
        return cosine
    # As in Lucid's dot × cosine^p: a floor keeps a gradient where the start points away from the direction.
    return dot * cosine.clamp(min=0.01).pow(settings.cosine_power)
