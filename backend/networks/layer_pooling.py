"""From a layer's output to one value for each neuron and image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from backend.errors import ModelError
from backend.networks.model_source import POOLING_NAMES, Pooling

# Tokens that stand before those of the image, by the names that vision transformers have for them.
_CLASS_TOKENS: Final = ("class_token", "cls_token", "class_embedding")
_OTHER_PREFIX_TOKENS: Final = ("dist_token", "reg_token", "register_tokens", "registers")


def channel_axis(shape: Sequence[int]) -> int | None:
    """Return the axis of the channels in a layer's output for square images, or None if there is none.

    Parameters
    ----------
    shape
        Shape of the output, the batch first.

    Returns
    -------
    int or None
        1 for (B, d) and (B, C, H, W). 2 for (B, T, C), the tokens of a transformer. 3 for (B, H, W, C), as
        Swin and ConvNeXt have it. The input is square and so is every map of it, which tells the last from
        (B, C, H, W): the axis that differs from the two equal ones is the channels'.
    """
    if len(shape) == 2:
        return 1
    if len(shape) == 3:
        return 2
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
        return (
            f"gives an output of shape {shape}: no channel axis can be told "
            "(B×C×H×W, B×H×W×C, B×T×C or B×C is needed)"
        )
    if not output.numel():
        return f"gives an empty output, of shape {shape}"
    return ""


def prefix_tokens(network: nn.Module) -> tuple[int, bool]:
    """Return how many tokens a transformer puts before those of the image, and whether one is a class token.

    Parameters
    ----------
    network
        The whole network; its tokens are looked up by the names that torchvision, timm, CLIP and DINO have
        for them.

    Returns
    -------
    n_tokens, has_class_token
        0 and False for any other network. The class token is the first.
    """
    counts: dict[str, int] = {}
    for path, parameter in network.named_parameters():
        name = path.rpartition(".")[2]
        if name in (*_CLASS_TOKENS, *_OTHER_PREFIX_TOKENS):
            counts[name] = parameter.shape[-2] if parameter.dim() > 1 else 1
    return sum(counts.values()), any(name in counts for name in _CLASS_TOKENS)


class LayerPooling:
    """Turns the outputs of one network's layers into one value for each neuron and image, in float32.

    Parameters
    ----------
    network
        Tells whether transformer layers have a class token.
    """

    def __init__(self, network: nn.Module) -> None:
        self._n_prefix, self._has_class_token = prefix_tokens(network)

    def offered(self, shape: Sequence[int]) -> tuple[Pooling, ...]:
        """Return the poolings that make sense for an output, the default first.

        Parameters
        ----------
        shape
            Of an output that :func:`unsupported_reason` has nothing against, the batch first.

        Returns
        -------
        tuple of str
            ``none`` for vectors; ``mean`` and ``max`` over space for maps; for tokens ``class_token`` where
            there is one, ``token_mean`` and ``max`` over the image's tokens where there are any.
        """
        if len(shape) == 2:
            return ("none",)
        if len(shape) == 4:
            return ("mean", "max")
        n_before = self._n_before_image(shape[1])
        class_token: tuple[Pooling, ...] = ("class_token",) if n_before and self._has_class_token else ()
        over_tokens: tuple[Pooling, ...] = ("token_mean", "max") if shape[1] > n_before else ()
        return class_token + over_tokens

    def check(self, layer: str, shape: Sequence[int], pooling: Pooling | None) -> Pooling:
        """Return the pooling that is meant for a layer: the one asked for, or by default (None) the first.

        ``mean`` and ``max`` are also taken for vectors, where they change nothing.

        Raises
        ------
        ModelError
            If the layer's output cannot be pooled so; the sentence says how it can.
        """
        offered = self.offered(shape)
        if pooling is None or pooling in offered:
            return pooling or offered[0]
        if len(shape) == 2 and pooling in ("mean", "max"):
            return pooling
        known = " or ".join(f"'{one}' ({POOLING_NAMES[one]})" for one in offered)
        raise ModelError(
            f"The layer '{layer}' cannot be pooled by '{pooling}', because its output has the shape "
            f"{tuple(shape)}; choose {known}."
        )

    def pool(self, output: object, layer: str, batch_size: int, pooling: Pooling | None = None) -> Tensor:
        """Return one value for each neuron and image: the φ(x) of the paper, which pools by ``mean``.

        Parameters
        ----------
        output : Tensor, shape (B, C, H, W), (B, H, W, C), (B, T, C) or (B, C)
            Of any floating type and device.
        layer
            Its name, for the error.
        batch_size
            B.
        pooling
            None: the default of such an output.

        Returns
        -------
        Tensor
            float32, shape (B, C), on the same device; never a view of ``output``, which the model may go on
            to change.

        Raises
        ------
        ModelError
            If the output has no channel axis, or cannot be pooled so.
        """
        reason = unsupported_reason(output, batch_size)
        if reason:
            raise ModelError(f"The layer '{layer}' cannot be read: it {reason}.")
        assert isinstance(output, Tensor)
        pooling = self.check(layer, output.shape, pooling)
        if output.dim() == 2:
            return output.to(torch.float32, copy=True)
        if pooling == "class_token":
            return output[:, 0].to(torch.float32, copy=True)
        positions, space = self._positions(output)
        if pooling == "max":
            return positions.amax(dim=space).to(torch.float32)
        return positions.mean(dim=space, dtype=torch.float32)

    def channels_first(self, output: Tensor, pooling: Pooling | None = None) -> Tensor:
        """Return the part of an output that is pooled, with the channels as axis 1.

        Returns
        -------
        Tensor
            (B, C, H, W) of maps and of the image's tokens, which are laid out as they lie in the image, or
            as (B, C, T, 1) if they are no square; (B, C) of a class token or a vector.
        """
        pooling = self.check("", output.shape, pooling)
        if pooling == "class_token":
            return output[:, 0]
        axis = channel_axis(output.shape)
        if axis == 1:
            return output
        positions = self._positions(output)[0].movedim(-1, 1)
        if axis == 3:
            return positions
        n_tokens = positions.shape[2]
        side = math.isqrt(n_tokens) if _is_square(n_tokens) else n_tokens
        return positions.reshape(*positions.shape[:2], side, n_tokens // side)

    def pooled_part(self, output: Tensor, pooling: Pooling | None = None) -> Tensor:
        """Return a view of the part of an output that is pooled, with the channels as the last axis.

        Returns
        -------
        Tensor
            (B, …, C): (B, H, W, C) of maps, (B, T, C) of the image's tokens, (B, C) of a class token or a
            vector.
        """
        if self.check("", output.shape, pooling) == "class_token":
            return output[:, 0]
        if output.dim() == 2:
            return output
        positions = self._positions(output)[0]
        return positions.movedim(1, -1) if channel_axis(output.shape) == 1 else positions

    def _positions(self, output: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """Return an output without the tokens before the image's, and the axes of its positions."""
        if output.dim() == 3:
            return output[:, self._n_before_image(output.shape[1]) :], (1,)
        return output, (2, 3) if channel_axis(output.shape) == 1 else (1, 2)

    def _n_before_image(self, n_tokens: int) -> int:
        """Return how many tokens of a layer stand before the image's.

        Not all layers of a network need have them (in CaiT they come with the last blocks, alone). As images
        are square, so is the number of their tokens, which tells.
        """
        n_left = n_tokens - self._n_prefix
        if n_left < 0 or (n_left == 0 and not self._has_class_token):
            return 0
        return 0 if _is_square(n_tokens) and not _is_square(n_left) else self._n_prefix


def _is_square(number: int) -> bool:
    return math.isqrt(number) ** 2 == number
