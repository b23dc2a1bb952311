"""A copy of a model that runs faster and gives the same values: batch norm fused, channels last."""

from __future__ import annotations

import copy
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.hooks import RemovableHandle

from backend.errors import ModelError
from backend.networks.layer_listing import example_input
from backend.networks.layer_reader import LayerReader, keep_layer_graph, module_of_layer, run_model
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling

_log = logging.getLogger(__name__)

_TOLERANCE: Final = 1e-4  # of a layer's largest activation; float32 rounding stays 10 to 100 times below it
_N_EXAMPLES: Final = 2


def prepare_for_inference(
    loaded: LoadedModel, layers: Sequence[str], pooling: Mapping[str, Pooling] | None = None
) -> nn.Module:
    """Return a copy of the model for reading layers fast: the same module names, the same values.

    Each batch norm that is all that uses a convolution's output is folded into that convolution and replaced
    by an identity, unless the convolution's own output is what a chosen layer gives. The copy is in
    channels-last memory format. Chosen layers are compared with the original on random input (largest
    difference at most 1e-4 of the largest activation); where they differ, fusion is left out, and then the
    memory format.

    Parameters
    ----------
    loaded
        Stays as it is.
    layers
        Names of the layers that will be read; no others need keep their values.
    pooling
        As for :class:`LayerReader`.

    Returns
    -------
    nn.Module
        In evaluation mode; its parameters do not require gradients. If the model cannot be copied, the model
        itself.

    Raises
    ------
    ModelError
        If a layer does not exist or cannot be read or pooled so, or the model fails on its input.
    """
    batch = example_input(loaded.preprocessing, _N_EXAMPLES)
    reader = LayerReader(loaded.module, layers, pooling)
    expected = reader.read(batch)
    try:
        pairs = _fusible_pairs(loaded, layers)
        for chosen_pairs in (pairs, ()) if pairs else ((),):
            candidate = _fused(copy.deepcopy(loaded.module), chosen_pairs)
            candidate.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            # It has the same paths and operations, and copies of it need not be traced again.
            keep_layer_graph(candidate, reader.graph)
            if _gives(candidate, expected, batch, pooling):
                return candidate
    except (TypeError, RuntimeError, AttributeError) as error:
        _log.info("The model is read as it is, because it cannot be copied: %s", error)
    return loaded.module


@dataclass(frozen=True)
class _Pair:
    """Paths of a convolution and of the batch norm that takes its output."""

    convolution: str
    batch_norm: str


def _gives(
    candidate: nn.Module,
    expected: dict[str, Tensor],
    batch: Tensor,
    pooling: Mapping[str, Pooling] | None,
) -> bool:
    try:
        values = LayerReader(candidate, tuple(expected), pooling).read(batch)
    except ModelError as error:
        _log.info("A faster form of the model is not used, because it fails: %s", error)
        return False
    for layer, reference in expected.items():
        scale = float(reference.abs().max())
        difference = float((values[layer] - reference).abs().max())
        if not difference <= _TOLERANCE * scale:  # so that NaN counts as different
            _log.info(
                "A faster form of the model is not used: %s differs by %g of %g", layer, difference, scale
            )
            return False
    return True


def _fused(module: nn.Module, pairs: Sequence[_Pair]) -> nn.Module:
    for pair in pairs:
        convolution, batch_norm = (
            module.get_submodule(pair.convolution),
            module.get_submodule(pair.batch_norm),
        )
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(batch_norm, nn.BatchNorm2d)
        _replace(module, pair.convolution, fuse_conv_bn_eval(convolution, batch_norm).requires_grad_(False))
        _replace(module, pair.batch_norm, _without_normalisation(batch_norm))
    return module.eval()


def _is_batch_norm(module: nn.Module) -> bool:
    # Exact types: a subclass may compute something else.
    return type(module) is nn.BatchNorm2d or _has_activation(module)


def _has_activation(module: nn.Module) -> bool:
    """Whether this is timm's batch norm, which ends with a drop-out and an activation function."""
    return type(module).__name__ == "BatchNormAct2d" and type(module).__module__.startswith("timm.")


def _without_normalisation(batch_norm: nn.BatchNorm2d) -> nn.Module:
    """Return what is left of a batch norm, under the same names."""
    if not _has_activation(batch_norm):
        return nn.Identity()
    return nn.Sequential(OrderedDict(batch_norm.named_children()))


def _replace(module: nn.Module, path: str, submodule: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    setattr(module.get_submodule(parent), name, submodule)


def _fusible_pairs(loaded: LoadedModel, layers: Sequence[str]) -> tuple[_Pair, ...]:
    """Find convolutions whose output goes into one batch norm and nowhere else, by watching one forward pass.

    Every operation on a tensor passes the dispatcher, whatever Python or C++ code asked for it, so that an
    output that no operation outside of the batch norm took is known to be used by nothing else.
    """
    # An operation that is no module and takes a convolution's output shows among that output's uses.
    chosen = [path for layer in layers if (path := module_of_layer(loaded.module, layer)) is not None]
    watch = _Watch()
    with watch.watching(loaded.module):
        run_model(loaded.module, example_input(loaded.preprocessing, 1))
    return tuple(pair for pair in watch.pairs() if not any(_reads_between(layer, pair) for layer in chosen))


def _reads_between(layer: str, pair: _Pair) -> bool:
    """Whether a layer gives what the convolution computes, without the batch norm behind it."""
    return _within(pair.convolution, layer) and not _within(pair.batch_norm, layer)


def _within(path: str, container: str) -> bool:
    return path == container or path.startswith(f"{container}.")


@dataclass
class _Watch:
    """What happens to the outputs of convolutions during one forward pass."""

    outputs: dict[int, str] = field(default_factory=dict)  # convolution by id of its output
    kept: list[Tensor] = field(default_factory=list)  # the outputs themselves, so that no id is used again
    normalised: dict[str, str] = field(
        default_factory=dict
    )  # convolution by batch norm that takes its output
    other_uses: Counter[str] = field(default_factory=Counter)  # by convolution
    runs: Counter[str] = field(default_factory=Counter)  # by convolution or batch norm
    running: str | None = None  # convolution whose batch norm is being computed

    @contextmanager
    def watching(self, module: nn.Module) -> Iterator[None]:
        """Watch forward passes of ``module`` in this thread."""
        with ExitStack() as stack:
            for path, submodule in module.named_modules():
                for handle in self._handles(path, submodule):
                    stack.callback(handle.remove)
            stack.enter_context(_OperationWatch(self))
            yield

    def pairs(self) -> tuple[_Pair, ...]:
        """Return the convolutions, and the batch norm that alone used their output, that ran exactly once."""
        return tuple(
            _Pair(convolution, batch_norm)
            for batch_norm, convolution in self.normalised.items()
            if not self.other_uses[convolution] and self.runs[convolution] == self.runs[batch_norm] == 1
        )

    def used(self, tensor: Tensor) -> None:
        """Note that an operation takes ``tensor``."""
        convolution = self.outputs.get(id(tensor))
        if convolution is not None and convolution != self.running:
            self.other_uses[convolution] += 1

    def _handles(self, path: str, module: nn.Module) -> list[RemovableHandle]:
        # Hooks of the module's own would be lost or run twice.
        if module._forward_hooks or module._forward_pre_hooks:
            return []
        if type(module) is nn.Conv2d:
            return [module.register_forward_hook(self._after_convolution(path))]
        if _is_batch_norm(module) and module.track_running_stats and not module.training:
            return [
                module.register_forward_pre_hook(self._before_batch_norm(path)),
                module.register_forward_hook(self._after_batch_norm),
            ]
        return []

    def _after_convolution(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _arguments: Any, output: Any) -> None:
            self.runs[path] += 1
            self.outputs[id(output)] = path
            self.kept.append(output)

        return hook

    def _before_batch_norm(self, path: str) -> Callable[[nn.Module, Any], None]:
        def hook(_module: nn.Module, arguments: Any) -> None:
            self.runs[path] += 1
            convolution = self.outputs.get(id(arguments[0])) if arguments else None
            if convolution is not None:
                self.normalised[path] = convolution
                self.running = convolution

        return hook

    def _after_batch_norm(self, _module: nn.Module, _arguments: Any, _output: Any) -> None:
        self.running = None


class _OperationWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Shows a watch every tensor that an operation of this thread takes."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, Tensor):
                self._watch.used(value)
        return func(*args, **(kwargs or {}))
