"""Reading the pooled activations of chosen layers, without computing what lies behind them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from backend.did_you_mean import did_you_mean
from backend.errors import ModelError
from backend.networks.layer_pooling import LayerPooling
from backend.networks.model_source import Pooling

if TYPE_CHECKING:
    from torch import fx

    from backend.networks.layer_graph import LayerGraph

_NTH_RUN: Final = re.compile(r"^(?P<module>.+)_(?P<run>[1-9]\d*)$")
_GRAPH_ATTRIBUTE: Final = "layer_graph"


class _AllLayersRead(BaseException):
    """Leaves the forward pass once the last chosen layer has run.

    Not an Exception, so that a model's own error handling does not stop it.
    """


@dataclass(frozen=True)
class LayerAddress:
    """Where a layer is: the path of its module, and which of its runs in a forward pass (0 the first)."""

    module: str
    run: int


def find_layer(module: nn.Module, layer: str) -> LayerAddress:
    """Return the address of a layer by name.

    Parameters
    ----------
    layer
        A module's path (``"features.18"``): its first run. With ``_1``, ``_2``, … appended, unless a module
        has that very name: its second, third, … run.

    Raises
    ------
    ModelError
        If the model has no such module.
    """
    address = _module_address(module, layer)
    if address is None:
        raise ModelError(f"The model has no layer '{layer}'{did_you_mean(layer, _module_names(module))}")
    return address


def _module_names(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_modules() if name]


def _module_address(module: nn.Module, layer: str) -> LayerAddress | None:
    names = set(_module_names(module))
    if layer in names:
        return LayerAddress(layer, 0)
    later = _NTH_RUN.match(layer)
    if later and later["module"] in names:
        return LayerAddress(later["module"], int(later["run"]))
    return None


def module_of_layer(module: nn.Module, layer: str) -> str | None:
    """Return the path of the module that a layer is; None if it is an operation, or nothing at all."""
    address = _module_address(module, layer)
    return None if address is None else address.module


def keep_layer_graph(module: nn.Module, graph: LayerGraph | None) -> None:
    """Let a copy of a network, and the copies of that, know the graph that was traced of the network."""
    module.__dict__[_GRAPH_ATTRIBUTE] = graph


def layer_graph(module: nn.Module) -> LayerGraph | None:
    """Return the graph of a network in evaluation mode; None if it cannot be traced."""
    # torchvision takes a while to import, and most layers are modules.
    from backend.networks.layer_graph import LayerGraph, trace_layers

    kept = module.__dict__.get(_GRAPH_ATTRIBUTE)
    return kept if isinstance(kept, LayerGraph) else trace_layers(module)


class LayerOutputs:
    """Runs a network up to the deepest of the chosen layers, and shows the output of each as it comes.

    Layers that are modules are read by forward hooks, so that any network will do. Operations that are no
    modules have the names of torchvision's feature extraction (``"Mixed_7b.cat_2"``); if one is chosen, the
    network is traced, and runs by its graph. Hooks are on it only while it runs. One thread at a time may run
    a module.

    Parameters
    ----------
    module
        The network, in evaluation mode.
    layers
        Names of its layers, as :func:`backend.models.list_layers` gives them.

    Raises
    ------
    ModelError
        If no layer is named or the network has no such layer.

    Attributes
    ----------
    layers : tuple of str
        The chosen layers, in the order given, each once.
    graph : LayerGraph or None
        By which the network runs; None: by its own ``forward``.
    """

    def __init__(self, module: nn.Module, layers: Sequence[str]) -> None:
        if not layers:
            raise ModelError("No layer is chosen; choose at least one to read.")
        self.layers = tuple(dict.fromkeys(layers))
        self.graph: LayerGraph | None = None
        self._module = module
        self._hooked: dict[LayerAddress, str] = {}
        self._nodes: dict[fx.Node, list[str]] = defaultdict(list)
        addresses = {layer: _module_address(module, layer) for layer in self.layers}
        if None in addresses.values():
            self.graph = layer_graph(module)
        for layer, address in addresses.items():
            if address is None:
                self._nodes[self._operation(layer)].append(layer)
            elif self.graph is None or (address.module, address.run) not in self.graph.module_outputs:
                self._hooked[address] = layer
            else:
                self._nodes[self._module_output(layer, address)].append(layer)

    def run(self, batch: Tensor, take: Callable[[str, object], None]) -> None:
        """Run the network on a batch, with gradients if the caller has them on.

        Parameters
        ----------
        batch : Tensor
            float32, shape (B, C, H, W), on the module's device.
        take
            Is called once for each layer, with its name and output, in order of execution. The network may
            go on to change the output in place.

        Raises
        ------
        ModelError
            If a layer is not reached.
        Exception
            Whatever the network raises on this input.
        """
        awaited = set(self.layers)

        def show(layer: str, output: object) -> None:
            take(layer, output)
            awaited.discard(layer)
            if not awaited:
                raise _AllLayersRead

        def at_module(address: LayerAddress, output: object) -> None:
            if address in self._hooked:
                show(self._hooked[address], output)

        def at_node(node: fx.Node, output: object) -> None:
            for layer in self._nodes.get(node, ()):
                show(layer, output)

        with _hooked(self._module, {address.module for address in self._hooked}, at_module):
            try:
                if self.graph is None:
                    self._module(batch)
                else:
                    self.graph.run(self._module, batch, at_node)
            except _AllLayersRead:
                return
        absent = next(layer for layer in self.layers if layer in awaited)
        raise ModelError(
            f"The layer '{absent}' does not run in the model's forward pass, so there is nothing to read."
        )

    def run_through(self, batch: Tensor, replace: Callable[[str, object], Tensor]) -> object:
        """Run the whole network with other values in place of the chosen layers' outputs.

        Parameters
        ----------
        batch : Tensor
            As for :meth:`run`.
        replace
            Is called with each layer's name and output, and returns what the network goes on with. The
            network may change that in place.

        Returns
        -------
        object
            What the network gives in the end.

        Raises
        ------
        ModelError
            If a layer is not reached.
        Exception
            Whatever the network raises.
        """
        awaited = set(self.layers)

        def exchange(layer: str, output: object) -> Tensor:
            awaited.discard(layer)
            return replace(layer, output)

        def at_module(address: LayerAddress, output: object) -> object:
            return exchange(self._hooked[address], output) if address in self._hooked else None

        def at_node(node: fx.Node, output: object) -> object:
            for layer in self._nodes.get(node, ()):
                output = exchange(layer, output)
            return output

        with _hooked(self._module, {address.module for address in self._hooked}, at_module):
            if self.graph is None:
                result: object = self._module(batch)
            else:
                result = self.graph.run(self._module, batch, at_node)
        if awaited:
            raise ModelError(f"The layer '{min(awaited)}' does not run in the model's forward pass.")
        return result

    def run_without_gradients(self, batch: Tensor, take: Callable[[str, object], None]) -> None:
        """Do as :meth:`run`, and put what the network raises into a sentence.

        Raises
        ------
        ModelError
            If a layer is not reached, or the network fails on this input.
        """
        # Not inference_mode: what a module makes and keeps in its first pass would later fail in autograd.
        with torch.no_grad(), _sentences_about(batch):
            self.run(batch, take)

    def _operation(self, layer: str) -> fx.Node:
        operations = {} if self.graph is None else self.graph.operations
        if layer not in operations:
            known = [*_module_names(self._module), *operations]
            untraced = (
                "" if self.graph else " (It cannot be traced, so that its layers are its modules alone.)"
            )
            raise ModelError(f"The model has no layer '{layer}'{did_you_mean(layer, known)}{untraced}")
        return operations[layer]

    def _module_output(self, layer: str, address: LayerAddress) -> fx.Node:
        assert self.graph is not None
        node = self.graph.module_outputs[address.module, address.run]
        if node is None:
            raise ModelError(f"The layer '{layer}' cannot be read: it gives several values, not a tensor.")
        return node


class LayerReader:
    """Reads pooled activations of layers, running the model no further than to the deepest of them.

    Parameters
    ----------
    module
        The network, in evaluation mode.
    layers
        Names of its layers, as :func:`backend.models.list_layers` gives them.
    pooling
        Layer → how its output becomes one value for each neuron; for layers that are not in it the default
        of their output (:meth:`backend.networks.layer_pooling.LayerPooling.offered`).

    Raises
    ------
    ModelError
        If no layer is named or the model has no such layer.

    Attributes
    ----------
    layers : tuple of str
        The chosen layers, in the order given, each once.
    graph : LayerGraph or None
        By which the network runs; None: by its own ``forward``, as all chosen layers are modules.
    """

    def __init__(
        self, module: nn.Module, layers: Sequence[str], pooling: Mapping[str, Pooling] | None = None
    ) -> None:
        self._outputs = LayerOutputs(module, layers)
        self._layer_pooling = LayerPooling(module)
        self._pooling = dict(pooling or {})
        self.layers = self._outputs.layers
        self.graph = self._outputs.graph

    def read(self, batch: Tensor) -> dict[str, Tensor]:
        """Run the model on a batch and return the chosen layers' activations, pooled.

        Parameters
        ----------
        batch : Tensor
            float32, shape (B, C, H, W), on the module's device.

        Returns
        -------
        dict of Tensor
            For each layer in :attr:`layers`: float32, shape (B, d), on the module's device.

        Raises
        ------
        ModelError
            If a layer has no channel axis, cannot be pooled as chosen or is not reached, or the model fails
            on this input.
        """
        pooled: dict[str, Tensor] = {}

        def take(layer: str, output: object) -> None:
            pooled[layer] = self._layer_pooling.pool(output, layer, len(batch), self._pooling.get(layer))

        self._outputs.run_without_gradients(batch, take)
        return {layer: pooled[layer] for layer in self.layers}


def observe_layers(module: nn.Module, batch: Tensor, observe: Callable[[LayerAddress, object], None]) -> None:
    """Run a model once and show every module's every output to ``observe``, in order of execution.

    Raises
    ------
    ModelError
        If the model fails on this input.
    """
    paths = {path for path, _ in module.named_modules() if path}
    with _hooked(module, paths, observe):
        run_model(module, batch)


def run_model(module: nn.Module, batch: Tensor) -> object:
    """Run a model without gradients and return its output.

    Raises
    ------
    ModelError
        If the model fails on this input.
    """
    with torch.no_grad(), _sentences_about(batch):
        return module(batch)


@contextmanager
def _sentences_about(batch: Tensor) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # whatever a network raises
        shape = "×".join(map(str, batch.shape))
        text = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"The model fails on an input of shape {shape}: {type(error).__name__}: {text}"
        ) from error


@contextmanager
def _hooked(
    module: nn.Module, paths: set[str], observe: Callable[[LayerAddress, object], object]
) -> Iterator[None]:
    """Show modules' outputs to ``observe`` in this context; what it returns, if anything, replaces them."""
    runs: Counter[str] = Counter()

    def hook_for(path: str) -> Callable[[nn.Module, Any, Any], object]:
        def hook(_module: nn.Module, _arguments: Any, output: Any) -> object:
            address = LayerAddress(path, runs[path])
            runs[path] += 1
            return observe(address, output)

        return hook

    handles = [
        submodule.register_forward_hook(hook_for(path))
        for path, submodule in module.named_modules()
        if path in paths
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
