"""Convolutions whose weights lie in memory as oneDNN reads them, for batches of one size.

PyTorch lays the weights out anew in every forward pass, which with small batches takes a tenth of the time,
and leaves 1×1 convolutions of one thread to another library.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from backend.errors import ModelError

_log = logging.getLogger(__name__)

Read = Callable[[], Mapping[str, Tensor]]
"""Runs a network on a batch and returns what its chosen layers give, float32."""

# Of a layer's largest activation. The products are the same, summed in another order.
_TOLERANCES: Final = {torch.float32: 1e-4, torch.bfloat16: 3e-2}


class PackedConvolution(nn.Module):
    """What a convolution computes, with weights laid out for inputs of one shape; others work, slower.

    Parameters
    ----------
    convolution
        With zeros for padding, of a width that is a number. The type of its weights, float32 or bfloat16, is
        that of the arithmetic and of the output; inputs are converted to it.
    shape
        Of the input: (B, C, H, W).

    Raises
    ------
    RuntimeError
        If this build of PyTorch, or this processor, does not have the operation.
    """

    def __init__(self, convolution: nn.Conv2d, shape: torch.Size) -> None:
        super().__init__()
        assert not isinstance(convolution.padding, str)
        self._options = (
            list(convolution.padding),
            list(convolution.stride),
            list(convolution.dilation),
            convolution.groups,
        )
        self._dtype = convolution.weight.dtype
        packed = torch.ops.mkldnn._reorder_convolution_weight(
            convolution.weight.detach(), *self._options, list(shape)
        )
        bias = None if convolution.bias is None else convolution.bias.detach()
        # Buffers, so that copies of the network share them.
        self.register_buffer("weight", packed, persistent=False)
        self.register_buffer("bias", bias, persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the convolution of feature maps (B, C, H, W), without gradients."""
        values: Tensor = torch.ops.mkldnn._convolution_pointwise(
            maps.to(self._dtype), self.weight, self.bias, *self._options, "none", [], ""
        )
        return values


def pack_convolutions(network: nn.Module, read: Read) -> bool:
    """Replace a network's convolutions, in place, by packed ones, if that changes nothing.

    Parameters
    ----------
    network
        On the processor. Only for inference afterwards.
    read
        Runs the network on a batch of the size that it will be used with, in its present thread, and returns
        what is to stay as it is (with float32 up to 1e-4 of each layer's largest value).

    Returns
    -------
    bool
        Whether convolutions were replaced. If not, because this machine lacks the operations, a layer's
        values would change, or there is no convolution, the network is as it was.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    expected, shapes = _read_with_input_shapes(network, read)
    replaced: dict[str, nn.Module] = {}
    try:
        for path, shape in shapes.items():
            convolution = network.get_submodule(path)
            assert isinstance(convolution, nn.Conv2d)
            packed = PackedConvolution(convolution, shape)
            replaced[path] = convolution
            _replace(network, path, packed)
        if replaced and _same(read(), expected, _tolerance(replaced.values())):
            return True
    except (RuntimeError, AttributeError, TypeError, ModelError) as error:
        _log.info("Convolutions stay as PyTorch has them: %s", error)
    for path, module in replaced.items():
        _replace(network, path, module)
    return False


def _read_with_input_shapes(
    network: nn.Module, read: Read
) -> tuple[Mapping[str, Tensor], dict[str, torch.Size]]:
    """Return what is read, and the input shape of each convolution that can be packed, in its first run."""
    shapes: dict[str, torch.Size] = {}

    def hook_for(path: str) -> Callable[[nn.Module, Any], None]:
        def hook(_module: nn.Module, arguments: Any) -> None:
            if arguments and isinstance(arguments[0], Tensor):
                shapes.setdefault(path, arguments[0].shape)

        return hook

    handles = [
        module.register_forward_pre_hook(hook_for(path))
        for path, module in network.named_modules()
        if path and _can_be_packed(module)
    ]
    try:
        return read(), shapes
    finally:
        for handle in handles:
            handle.remove()


def _can_be_packed(module: nn.Module) -> bool:
    # The exact type: a subclass may compute something else, and hooks would be lost.
    return (
        type(module) is nn.Conv2d
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
        and module.weight.dtype in _TOLERANCES
        and not (module._forward_hooks or module._forward_pre_hooks)
    )


def _tolerance(convolutions: Iterable[nn.Module]) -> float:
    return max(_TOLERANCES[module.weight.dtype] for module in convolutions if isinstance(module, nn.Conv2d))


def _same(values: Mapping[str, Tensor], expected: Mapping[str, Tensor], tolerance: float) -> bool:
    for layer, reference in expected.items():
        scale = float(reference.abs().max())
        difference = float((values[layer] - reference).abs().max())
        if not difference <= tolerance * scale:  # so that NaN counts as different
            _log.info(
                "Convolutions stay as PyTorch has them: %s differs by %g of %g", layer, difference, scale
            )
            return False
    return True


def _replace(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(network.get_submodule(parent), name, module)
