"""Weights from a file into a module, with a sentence for everything that does not fit."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from backend.errors import ModelError

_WRAPPER_KEYS: Final = ("state_dict", "model_state_dict", "model")
_PREFIXES: Final = ("module.", "_orig_mod.")  # of DistributedDataParallel and of torch.compile
# Files of torchvision's DenseNets have "norm.1" where its modules have "norm1" since names lost their dots.
_DENSENET_KEY: Final = re.compile(
    r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))$"
)
_N_NAMED: Final = 3  # how many differing entries an error names


@dataclass(frozen=True)
class _Mismatch:
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    shapes: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]  # name, in the file, in the module

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.shapes)

    def __str__(self) -> str:
        parts = [
            f"{len(names)} {what} ({_first(names)})"
            for names, what in (
                (self.missing, "missing"),
                (self.unexpected, "unexpected"),
                (
                    [f"{name}: {_by(there)} instead of {_by(here)}" for name, there, here in self.shapes],
                    "of another shape",
                ),
            )
            if names
        ]
        return ", ".join(parts)


def read_state_dict(path: str | Path) -> OrderedDict[str, Tensor]:
    """Read the tensors of a weights file by name, on the processor; nothing in the file is executed.

    Parameters
    ----------
    path
        A ``.safetensors`` file; every other suffix is read as ``torch.save`` wrote it, with ``weights_only``.
        A state dict may be wrapped as ``{"state_dict": …}``, ``{"model_state_dict": …}`` or ``{"model": …}``.

    Raises
    ------
    ModelError
        If there is no such file, it is damaged, or it holds anything but tensors by name.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"There is no weights file '{path}'.")
    contents = _read_safetensors(path) if path.suffix.lower() == ".safetensors" else _read_torch(path)
    return _unwrapped(contents, path)


def load_weights(module: nn.Module, state: Mapping[str, Tensor], *, model: str, origin: str) -> None:
    """Copy the tensors of a state dict into a module, all of them and nothing else.

    ``num_batches_tracked`` entries may be absent, names may begin with ``module.``.

    Parameters
    ----------
    module
        Takes the values; its state is undefined after an error.
    model, origin
        Name of the model and of the file, for the error.

    Raises
    ------
    ModelError
        If entries are missing, unexpected or of another shape: the weights are another architecture's.
    """
    state = matching_names(module, state)
    shapes = _differing_shapes(module, state)
    if shapes:
        own = module.state_dict()
        mismatch = _Mismatch(
            tuple(name for name in own if name not in state and _matters(name)),
            tuple(name for name in state if name not in own),
            shapes,
        )
    else:
        # The module renames entries of older versions as it loads, so it is asked what is missing.
        try:
            result = module.load_state_dict(state, strict=False)
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"The weights in '{origin}' do not fit {model}: {error}") from error
        missing = tuple(name for name in result.missing_keys if _matters(name))
        mismatch = _Mismatch(missing, tuple(result.unexpected_keys), ())
    if mismatch:
        raise ModelError(f"'{origin}' holds weights of another architecture than {model}: {mismatch}.")


def matching_names(module: nn.Module, state: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Return the state dict under the module's names: without wrappers' prefixes and outdated dots."""
    own = module.state_dict()
    # Modules look up the version of their entries here; a file without versions counts as of this version.
    versions = getattr(state, "_metadata", None) or getattr(own, "_metadata", {})
    renamed = dict(state)
    while prefix := _common_prefix(renamed, own):
        renamed = {name.removeprefix(prefix): tensor for name, tensor in renamed.items()}
        versions = {f"{path}.".removeprefix(prefix)[:-1]: version for path, version in versions.items()}
    result = OrderedDict(
        (name if name in own else _DENSENET_KEY.sub(r"\1\2", name), tensor)
        for name, tensor in renamed.items()
    )
    result._metadata = versions  # type: ignore[attr-defined]
    return result


def _common_prefix(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    """Return the wrapper's prefix that all names have; "" if there is none, or the names are the module's."""
    if not state or state.keys() & own.keys():
        return ""
    return next((prefix for prefix in _PREFIXES if all(name.startswith(prefix) for name in state)), "")


def other_number_of_classes(module: nn.Module, state: Mapping[str, Tensor], n_classes: int) -> int | None:
    """Return the number of classes of the weights if they differ from the module's in nothing else.

    Parameters
    ----------
    module
        A classifier of ``n_classes`` classes.
    state
        State dict of a classifier with perhaps another number.

    Returns
    -------
    int or None
        The other number; None if the shapes agree, or differ in another way.
    """
    shapes = _differing_shapes(module, matching_names(module, state))
    numbers = {there[0] for _, there, _ in shapes if there}
    if len(numbers) != 1 or any(
        not there or here[:1] != (n_classes,) or there[1:] != here[1:] for _, there, here in shapes
    ):
        return None
    return numbers.pop()


def weights_sha256(module: nn.Module) -> str:
    """Return the SHA-256 over the names, types, shapes and bytes of a module's parameters and buffers.

    They are taken in order of their names. Counters of batches (``num_batches_tracked``) have no effect in
    evaluation and are left out, so that the same weights have one hash whichever file they came from.
    """
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, Tensor) or not _matters(name):
            continue
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name}|{values.dtype}|{tuple(values.shape)}|".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"The weights file '{path}' cannot be read: {error}.") from error


def _read_torch(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"The weights file '{path}' is not read, because it holds more than tensors (a whole pickled "
            "model?) or is no weights file at all: reading it could run code. "
            "Save the model's state_dict() instead."
        ) from error
    except MemoryError:
        raise
    except Exception as error:
        # Damaged bytes make the decoder stumble in any way, an IndexError among them.
        reason = str(error) or type(error).__name__
        raise ModelError(
            f"The weights file '{path}' cannot be read; it may be damaged ({reason})."
        ) from error


def _unwrapped(contents: object, path: Path) -> OrderedDict[str, Tensor]:
    for key in _WRAPPER_KEYS:
        if isinstance(contents, Mapping) and isinstance(contents.get(key), Mapping):
            contents = contents[key]
            break
    if not isinstance(contents, Mapping) or not _all_tensors(contents):
        raise ModelError(
            f"The weights file '{path}' holds no tensors by name; a state dict is needed, as "
            "model.state_dict() returns it."
        )
    state: OrderedDict[str, Tensor] = OrderedDict(contents)
    state._metadata = getattr(contents, "_metadata", None)  # type: ignore[attr-defined]
    return state


def _all_tensors(contents: Mapping[Any, Any]) -> bool:
    return bool(contents) and all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in contents.items()
    )


def _differing_shapes(
    module: nn.Module, state: Mapping[str, Tensor]
) -> tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]:
    return tuple(
        (name, tuple(state[name].shape), tuple(tensor.shape))
        for name, tensor in module.state_dict().items()
        if name in state and isinstance(tensor, Tensor) and state[name].shape != tensor.shape
    )


def _matters(name: str) -> bool:
    return name.rpartition(".")[2] != "num_batches_tracked"


def _first(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names[:_N_NAMED]) + (", …" if len(names) > _N_NAMED else "")


def _by(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a number"
