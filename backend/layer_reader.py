"""Reading the pooled activations of chosen layers, without computing what lies behind them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from backend.did_you_mean import did_you_mean
from backend.errors import ModelError
from backend.layer_pooling import pool_over_space

_NTH_RUN: Final = re.compile(r"^(?P<module>.+)_(?P<run>[1-9]\d*)$")


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
    names = [name for name, _ in module.named_modules() if name]
    if layer in names:
        return LayerAddress(layer, 0)
    later = _NTH_RUN.match(layer)
    if later and later["module"] in names:
        return LayerAddress(later["module"], int(later["run"]))
    raise ModelError(f"The model has no layer '{layer}'{did_you_mean(layer, names)}")


class LayerReader:
    """Reads pooled activations of layers by forward hooks, so that any model will do, traceable or not.

    The forward pass ends as soon as every chosen layer has run: what lies behind the deepest is not computed.
    Hooks are on the model only while it is read. One thread at a time may read a module.

    Parameters
    ----------
    module
        The network, in evaluation mode.
    layers
        Names of its layers, as :func:`backend.models.list_layers` gives them.

    Raises
    ------
    ModelError
        If no layer is named or the model has no such layer.

    Attributes
    ----------
    layers : tuple of str
        The chosen layers, in the order given, each once.
    """

    def __init__(self, module: nn.Module, layers: Sequence[str]) -> None:
        if not layers:
            raise ModelError("No layer is chosen; choose at least one to read.")
        self.layers = tuple(dict.fromkeys(layers))
        self._module = module
        self._addresses = {find_layer(module, layer): layer for layer in self.layers}

    def read(self, batch: Tensor) -> dict[str, Tensor]:
        """Run the model on a batch and return the chosen layers' activations, averaged over space.

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
            If a layer has no channel axis or is not reached, or the model fails on this input.
        """
        pooled: dict[str, Tensor] = {}

        def take(address: LayerAddress, output: object) -> None:
            layer = self._addresses.get(address)
            if layer is not None:
                pooled[layer] = pool_over_space(output, layer, len(batch))
                if len(pooled) == len(self._addresses):
                    raise _AllLayersRead

        paths = {address.module for address in self._addresses}
        with _hooked(self._module, paths, take):
            try:
                run_model(self._module, batch)
            except _AllLayersRead:
                return {layer: pooled[layer] for layer in self.layers}
        absent = next(layer for layer in self.layers if layer not in pooled)
        raise ModelError(
            f"The layer '{absent}' does not run in the model's forward pass, so there is nothing to read."
        )


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
    # Not inference_mode: what a module makes and keeps in its first pass would later fail in autograd.
    try:
        with torch.no_grad():
            return module(batch)
    except ModelError:
        raise
    except Exception as error:
        shape = "×".join(map(str, batch.shape))
        text = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"The model fails on an input of shape {shape}: {type(error).__name__}: {text}"
        ) from error


@contextmanager
def _hooked(
    module: nn.Module, paths: set[str], observe: Callable[[LayerAddress, object], None]
) -> Iterator[None]:
    runs: Counter[str] = Counter()

    def hook_for(path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _arguments: Any, output: Any) -> None:
            address = LayerAddress(path, runs[path])
            runs[path] += 1
            observe(address, output)

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
