"""What each step sees of the picture: a slightly different view, at the model's size and in its units."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

Transform = Callable[[torch.Tensor], torch.Tensor]

# The ranges of lucent.optvis.transform.standard_transforms, there for pictures of 224 pixels.
_MAX_SHIFT = 6 / 224
_SCALES = np.linspace(0.9, 1.1, 11)
_ANGLES = np.concatenate([np.arange(-10, 11), np.zeros(5)])
_GREY = 0.5


def random_view(input_size: int, seed: int) -> Transform:
    """Return a transform that shifts, scales and turns the pictures a little, differently at each call.

    Lucent chains four interpolations for the same views; one affine sampling blurs less and costs a quarter,
    keeps the view centred, and draws from a generator of its own instead of NumPy's global one. All pictures
    of a batch get the same view, so that a picture does not depend on its neighbours.

    Parameters
    ----------
    input_size
        Side of the views in pixels.
    seed
        Of the views; the same seed gives the same sequence.

    Returns
    -------
    transform
        float32 (B, C, H, W) → (B, C, input_size, input_size), grey outside of the picture.
    """
    views = np.random.default_rng(seed)

    def transform(images: torch.Tensor) -> torch.Tensor:
        angle = math.radians(views.choice(_ANGLES))
        zoom = 1.0 / views.choice(_SCALES)
        # A sampling grid runs from −1 to 1: a shift by a share of the side is twice that.
        shift = 2 * views.uniform(-_MAX_SHIFT, _MAX_SHIFT, size=2)
        affine = torch.tensor(
            [
                [zoom * math.cos(angle), -zoom * math.sin(angle), shift[0]],
                [zoom * math.sin(angle), zoom * math.cos(angle), shift[1]],
            ],
            dtype=images.dtype,
            device=images.device,
        )
        shape = [len(images), images.shape[1], input_size, input_size]
        grid = functional.affine_grid(affine.expand(len(images), 2, 3), shape, align_corners=False)
        return functional.grid_sample(images - _GREY, grid, align_corners=False) + _GREY

    return transform


def resize_to(input_size: int) -> Transform:
    """Return a transform to (B, C, input_size, input_size) that leaves pictures of this size as they are."""

    def transform(images: torch.Tensor) -> torch.Tensor:
        if images.shape[-2:] == (input_size, input_size):
            return images
        size = (input_size, input_size)
        return functional.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)

    return transform


def normalise_by(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> Transform:
    """Return the model's own normalisation of values between 0 and 1, channel by channel."""
    means = torch.tensor(mean, device=device).view(1, -1, 1, 1)
    deviations = torch.tensor(std, device=device).view(1, -1, 1, 1)
    return lambda images: ((images - means) / deviations).contiguous(memory_format=torch.channels_last)
