"""Which layers a model has, and which of them can be read: found by running it once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from backend.layer_pooling import channel_axis, unsupported_reason
from backend.layer_reader import LayerAddress, observe_layers
from backend.model_source import LayerInfo

if TYPE_CHECKING:
    from backend.loaded_model import LoadedModel
    from backend.model_source import Preprocessing


def list_layers(loaded: LoadedModel) -> tuple[LayerInfo, ...]:
    """Run a model once at its input size and describe every module's output.

    Returns
    -------
    tuple of LayerInfo
        In order of definition, containers before their contents, later runs of a module after its first.
        Layers that cannot be read are there too, with the reason.

    Raises
    ------
    ModelError
        If the model fails on an input of this size.
    """
    descriptions: dict[str, list[LayerInfo]] = defaultdict(list)
    modules = dict(loaded.module.named_modules())
    batch = example_input(loaded.preprocessing, 2)  # two, so that the axis of the images stands out

    def describe(address: LayerAddress, output: object) -> None:
        descriptions[address.module].append(_described(address, modules, output, len(batch)))

    observe_layers(loaded.module, batch, describe)
    for path, module in modules.items():
        if path and path not in descriptions:
            reason = "It does not run when the model is evaluated."
            descriptions[path] = [LayerInfo(path, type(module).__name__, None, None, False, reason)]
    return tuple(info for path in modules for info in descriptions.get(path, []))


def example_input(preprocessing: Preprocessing, batch_size: int, seed: int = 0) -> Tensor:
    """Return normally distributed noise of the shape of a batch: float32 (B, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    size = preprocessing.input_size
    return torch.randn((batch_size, preprocessing.channels, size, size), generator=generator)


def _described(
    address: LayerAddress, modules: dict[str, nn.Module], output: object, batch_size: int
) -> LayerInfo:
    name = f"{address.module}_{address.run}" if address.run else address.module
    kind = type(modules[address.module]).__name__
    shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else None
    reason = unsupported_reason(output, batch_size)
    if not reason and name != address.module and name in modules:
        reason = "has the name of another module"
    if reason:
        return LayerInfo(name, kind, shape, None, False, f"It {reason}.")
    assert isinstance(output, Tensor)
    axis = channel_axis(output.shape)
    assert axis is not None
    return LayerInfo(name, kind, shape, int(output.shape[axis]), True)
