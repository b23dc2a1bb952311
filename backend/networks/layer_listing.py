"""Which layers a model has, which of them can be read, and how they pool: found by running it once."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from backend.errors import ModelError
from backend.networks.layer_pooling import LayerPooling, channel_axis, unsupported_reason
from backend.networks.layer_reader import LayerAddress, LayerOutputs, layer_graph, observe_layers
from backend.networks.model_source import LayerInfo, Pooling

if TYPE_CHECKING:
    from torch import fx

    from backend.networks.layer_graph import LayerGraph
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Preprocessing

_COUNTER: Final = re.compile(r"_\d+$")
_N_EXAMPLES: Final = 2  # two, so that the axis of the images stands out


def list_layers(loaded: LoadedModel, *, operations: bool = True) -> tuple[LayerInfo, ...]:
    """Run a model once at its input size and describe every layer's output.

    Parameters
    ----------
    loaded
        Stays as it is.
    operations
        Whether to list, besides modules, operations that are no modules and compute something (``"add"``,
        ``"cat"``; not views of what another layer gives), if the model can be traced. It takes a second run.

    Returns
    -------
    tuple of LayerInfo
        In order of definition, containers before their contents, later runs of a module after its first,
        operations after the modules beside them. Layers that cannot be read are there too, with the reason,
        if they are modules.

    Raises
    ------
    ModelError
        If the model fails on an input of this size.
    """
    descriptions: dict[str, list[LayerInfo]] = defaultdict(list)
    modules = dict(loaded.module.named_modules())
    batch = example_input(loaded.preprocessing, _N_EXAMPLES)
    pooling = LayerPooling(loaded.module)

    def describe(address: LayerAddress, output: object) -> None:
        name = f"{address.module}_{address.run}" if address.run else address.module
        kind = type(modules[address.module]).__name__
        reason = unsupported_reason(output, len(batch))
        if not reason and name != address.module and name in modules:
            reason = "has the name of another module"
        descriptions[address.module].append(_described(name, kind, output, reason, pooling))

    observe_layers(loaded.module, batch, describe)
    for path, module in modules.items():
        if path and path not in descriptions:
            reason = "It does not run when the model is evaluated."
            descriptions[path] = [LayerInfo(path, type(module).__name__, None, None, False, reason)]
    listed = [info for path in modules for info in descriptions.get(path, [])]
    graph = layer_graph(loaded.module) if operations else None
    if graph is None:
        return tuple(listed)
    return tuple(_with_operations(listed, _operations(graph, loaded.module, batch, pooling)))


def choose_poolings(
    loaded: LoadedModel, layers: Sequence[str], wanted: Mapping[str, Pooling] | None = None
) -> dict[str, Pooling]:
    """Return how each layer is pooled: as wanted, or by the default of its output.

    Parameters
    ----------
    loaded
        Is run once, up to the deepest of the layers.
    layers
        Names of layers.
    wanted
        Layer → pooling; need not have every layer, and may have others.

    Raises
    ------
    ModelError
        If a layer does not exist, cannot be read, or cannot be pooled as wanted, or the model fails.
    """
    batch = example_input(loaded.preprocessing, _N_EXAMPLES)
    pooling = LayerPooling(loaded.module)
    chosen: dict[str, Pooling] = {}

    def take(layer: str, output: object) -> None:
        reason = unsupported_reason(output, len(batch))
        if reason:
            raise ModelError(f"The layer '{layer}' cannot be read: it {reason}.")
        assert isinstance(output, Tensor)
        chosen[layer] = pooling.check(layer, output.shape, (wanted or {}).get(layer))

    LayerOutputs(loaded.module, layers).run_without_gradients(batch, take)
    return {layer: chosen[layer] for layer in dict.fromkeys(layers)}


def example_input(preprocessing: Preprocessing, batch_size: int, seed: int = 0) -> Tensor:
    """Return normally distributed noise of the shape of a batch: float32 (B, C, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    size = preprocessing.input_size
    return torch.randn((batch_size, preprocessing.channels, size, size), generator=generator)


def _described(name: str, kind: str, output: object, reason: str, pooling: LayerPooling) -> LayerInfo:
    shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else None
    if reason:
        return LayerInfo(name, kind, shape, None, False, f"It {reason}.")
    assert isinstance(output, Tensor)
    axis = channel_axis(output.shape)
    assert axis is not None
    return LayerInfo(name, kind, shape, int(output.shape[axis]), True, "", pooling.offered(output.shape))


def _operations(
    graph: LayerGraph, network: nn.Module, batch: Tensor, pooling: LayerPooling
) -> list[LayerInfo]:
    """Describe the operations that are no modules, can be read, and compute something."""
    names = {node: name for name, node in graph.operations.items()}
    modules = dict(network.named_modules())
    found: list[LayerInfo] = []
    storages: dict[fx.Node, frozenset[int]] = {}
    versions: dict[int, int] = {}  # by storage: how often it was changed in place

    def is_new(node: fx.Node, output: Tensor) -> bool:
        """Whether it is anything but a view of its input, or its input again, that was not changed."""
        storage = output.untyped_storage().data_ptr()
        shared = any(storage in storages.get(one, ()) for one in node.all_input_nodes)
        return not shared or versions.get(storage) != output._version

    def observe(node: fx.Node, output: object) -> None:
        name = names.get(node)
        if name is not None and name not in modules and not unsupported_reason(output, len(batch)):
            assert isinstance(output, Tensor)
            if is_new(node, output):
                kind = _COUNTER.sub("", name.rpartition(".")[2])
                found.append(_described(name, kind, output, "", pooling))
        tensors = [value for value in tree_leaves(output) if isinstance(value, Tensor)]
        versions.update((one.untyped_storage().data_ptr(), one._version) for one in tensors)
        storages[node] = frozenset(one.untyped_storage().data_ptr() for one in tensors)

    with torch.no_grad():
        graph.run(network, batch, observe)
    return found


def _with_operations(modules: Sequence[LayerInfo], operations: Sequence[LayerInfo]) -> Iterator[LayerInfo]:
    """Put operations behind the last module of the module that computes them."""
    last: dict[str, int] = {"": len(modules) - 1}
    for place, info in enumerate(modules):
        parts = info.name.split(".")
        last.update((".".join(parts[:depth]), place) for depth in range(1, len(parts) + 1))
    behind: dict[int, list[LayerInfo]] = defaultdict(list)
    for operation in operations:
        behind[last.get(operation.name.rpartition(".")[0], len(modules) - 1)].append(operation)
    for place, info in enumerate(modules):
        yield info
        # Of containers that end with the same module the inner one first.
        yield from sorted(behind[place], key=lambda operation: -operation.name.count("."))
