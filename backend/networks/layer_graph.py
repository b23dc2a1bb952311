"""The operations of a network as nodes with the names of torchvision's feature extraction."""

from __future__ import annotations

import copy
import inspect
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, fx, nn

from backend.networks.torchvision_import import import_torchvision

import_torchvision()
from torchvision import ops  # noqa: E402  (only after import_torchvision has declared what is missing)
from torchvision.models.feature_extraction import NodePathTracer  # noqa: E402

_log = logging.getLogger(__name__)

# As torchvision.models.feature_extraction has them, so that the names are the same.
_WRAPPED_MODULES: Final = (math, ops)
_LEAF_MODULES: Final = tuple(
    value for value in vars(ops).values() if inspect.isclass(value) and issubclass(value, nn.Module)
)
_tracing = threading.Lock()


@dataclass(frozen=True, eq=False)
class LayerGraph:
    """What a network computes, operation by operation, in evaluation mode.

    Copies of a network have the same graph: it names modules by their paths.

    Attributes
    ----------
    graph
        Of torch.fx. Modules of ``torch.nn`` and ``torchvision.ops`` are nodes of their own.
    operations
        torchvision's name of a node → the node, for all that is no module, in order of execution.
    module_outputs
        Path and run of a module that is no node of its own → the node that gives its output; None where it
        gives anything but a single value.
    constants
        Tensors that the network makes itself, by the names that the graph has for them.
    """

    graph: fx.Graph
    operations: Mapping[str, fx.Node]
    module_outputs: Mapping[tuple[str, int], fx.Node | None]
    constants: Mapping[str, Tensor]

    def __deepcopy__(self, memo: object) -> LayerGraph:
        return self

    def run(self, network: nn.Module, batch: Tensor, observe: Callable[[fx.Node, object], object]) -> object:
        """Run a network (or a copy of it) by this graph, and show each node's value as soon as it is there.

        Modules that are nodes run as ever, with their hooks. What ``observe`` raises ends the run, and what
        it returns, if not None, is taken in place of the node's value. Values are forgotten after their last
        use.

        Returns
        -------
        object
            The network's output.
        """
        return _ObservedRun(self, network, batch.device, observe).run(batch)


def trace_layers(network: nn.Module) -> LayerGraph | None:
    """Trace a network, without running it.

    torch.fx replaces ``nn.Module.__call__`` for the whole process while it traces. Here that reaches the
    tracing thread alone, others go on running networks as ever; one network is traced at a time.

    Parameters
    ----------
    network
        In evaluation mode; stays as it is.

    Returns
    -------
    LayerGraph or None
        None if the network cannot be traced: what it does depends on the values in its input.
    """
    try:
        # Tensors that the network makes are put on the root of what is traced: not on the user's module.
        root = copy.copy(network)
        with _tracing, torch.no_grad():
            tracer = _Tracer(root)
            graph = tracer.trace(root, concrete_args=_defaults(root))
    except Exception as error:  # noqa: BLE001  (any code of a network may fail in any way on symbols)
        _log.info("The model cannot be traced, so its layers are its modules alone: %s", error)
        return None
    names = {
        node: name
        for node, name in tracer.node_to_qualname.items()
        if node.op in ("call_function", "call_method")
    }
    constants = {
        str(node.target): value
        for node in graph.nodes
        if node.op == "get_attr"
        and not hasattr(network, str(node.target).partition(".")[0])
        and isinstance(value := getattr(root, str(node.target), None), Tensor)
    }
    return LayerGraph(graph, {name: node for node, name in names.items()}, tracer.module_outputs, constants)


def _defaults(network: nn.Module) -> dict[str, Any]:
    """Return the values of the arguments that a network has besides its first, which stay as they are."""
    parameters = tuple(inspect.signature(network.forward).parameters.values())
    return {
        parameter.name: parameter.default
        for parameter in parameters[1:]
        if parameter.default is not inspect.Parameter.empty
    }


class _Tracer(NodePathTracer):  # type: ignore[misc]
    """torchvision's tracer, for one thread, which also remembers what each module gave."""

    def __init__(self, root: nn.Module) -> None:
        super().__init__(autowrap_modules=_WRAPPED_MODULES, leaf_modules=_LEAF_MODULES)
        self.module_outputs: dict[tuple[str, int], fx.Node | None] = {}
        self._thread = threading.get_ident()
        self._runs: Counter[str] = Counter()

    def call_module(
        self, m: nn.Module, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if threading.get_ident() != self._thread:
            return forward(*args, **kwargs)
        output = super().call_module(m, forward, args, kwargs)
        path = self.path_of_module(m)
        if not self.is_leaf_module(m, path):
            self.module_outputs[path, self._runs[path]] = (
                output.node if isinstance(output, fx.Proxy) else None
            )
            self._runs[path] += 1
        return output

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, fx.Proxy]) -> Any:
        if threading.get_ident() != self._thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)


class _ObservedRun(fx.Interpreter):
    def __init__(
        self,
        graph: LayerGraph,
        network: nn.Module,
        device: torch.device,
        observe: Callable[[fx.Node, object], object],
    ) -> None:
        super().__init__(network, graph=graph.graph)
        self.extra_traceback = False
        self._constants = graph.constants
        self._device = device
        self._observe = observe

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        replaced = self._observe(n, value)
        return value if replaced is None else replaced

    def fetch_attr(self, target: str) -> Any:
        if target in self._constants:
            return self._constants[target].to(self._device)
        return super().fetch_attr(target)
