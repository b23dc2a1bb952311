"""From a layer's output to one value for each neuron and image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from backend.errors import ModelError


def channel_axis(shape: Sequence[int]) -> int | None:
    """Return the axis of the channels in a layer's output for square images, or None if there is none.

    Parameters
    ----------
    shape
        Shape of the output, the batch first.

    Returns
    -------
    int or None
        1 for (B, d) and (B, C, H, W). 3 for (B, H, W, C), as Swin and ConvNeXt have it. The input is square
        and so is every map of it, which tells the two apart: the axis that differs from the two equal ones is
        the channels'.
    """
    if len(shape) == 2:
        return 1
    if len(shape) != 4:
        return None
    if shape[2] == shape[3]:
        return 1
    return 3 if shape[1] == shape[2] else None


def unsupported_reason(output: object, batch_size: int) -> str:
    """Say why a module's output cannot be read as activations of neurons; "" if it can.

    Parameters
    ----------
    output
        What the module returned for ``batch_size`` images.
    """
    if not isinstance(output, Tensor):
        return f"gives a {type(output).__name__}, not a tensor"
    shape = tuple(output.shape)
    if not output.is_floating_point():
        return f"gives {str(output.dtype).removeprefix('torch.')} values, not activations"
    if not shape or shape[0] != batch_size:
        return f"gives an output of shape {shape} for {batch_size} images: its first axis is not the image"
    if channel_axis(shape) is None:
        return f"gives an output of shape {shape}: no channel axis can be told (B×C×H×W or B×C is needed)"
    return ""


def pool_over_space(output: object, layer: str, batch_size: int) -> Tensor:
    """Average a layer's output over space, in float32: global average pooling, the φ(x) of the paper.

    Parameters
    ----------
    output : Tensor, shape (B, C, H, W), (B, H, W, C) or (B, C)
        Of any floating type and device.
    layer
        Its name, for the error.

    Returns
    -------
    Tensor
        float32, shape (B, C), on the same device; never a view of ``output``, which the model may go on to
        change.

    Raises
    ------
    ModelError
        If the output has no channel axis.
    """
    reason = unsupported_reason(output, batch_size)
    if reason:
        raise ModelError(f"The layer '{layer}' cannot be read: it {reason}.")
    assert isinstance(output, Tensor)
    if output.dim() == 2:
        return output.to(torch.float32, copy=True)
    space = (2, 3) if channel_axis(output.shape) == 1 else (1, 2)
    return output.mean(dim=space, dtype=torch.float32)
