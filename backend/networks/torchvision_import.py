"""Importing torchvision also where its operator library cannot be loaded."""

from __future__ import annotations

import importlib
import importlib.util
import threading
from pathlib import Path
from types import ModuleType
from typing import Final

import torch

from backend.errors import ModelError

# torchvision registers fake kernels for these two operators on import, and fails if they are undeclared.
_OPERATOR_SCHEMAS: Final = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

_lock = threading.Lock()
_declared: list[torch.library.Library] = []  # kept: a library that is collected takes its operators along


def import_torchvision() -> ModuleType:
    """Import torchvision, declaring its operators first if its own library does not do so.

    A torchvision built against CUDA beside a CPU-only torch cannot load its library of compiled operators.
    Models, transforms and feature extraction do without them.

    Returns
    -------
    module
        ``torchvision``, with ``torchvision.models`` and ``torchvision.transforms`` imported.

    Raises
    ------
    ModelError
        If torchvision is not installed, or cannot be imported all the same.
    """
    with _lock:
        try:
            _declare_missing_operators()
            torchvision = importlib.import_module("torchvision")
            importlib.import_module("torchvision.models.feature_extraction")
        except (ImportError, RuntimeError, OSError) as error:
            raise ModelError(
                f"torchvision cannot be imported ({error}); "
                f"install the torchvision that belongs to torch {torch.__version__}."
            ) from error
    return torchvision


def _declare_missing_operators() -> None:
    if _declared or _operators_load():
        return
    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _OPERATOR_SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    _declared.append(library)


def _operators_load() -> bool:
    if hasattr(torch.ops.torchvision, "nms"):
        return True
    spec = importlib.util.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        return True  # not installed: the import itself says so
    folder = Path(spec.submodule_search_locations[0])
    for library in sorted(path for path in folder.glob("_C*") if path.suffix in {".so", ".pyd", ".dll"}):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except OSError:
            continue
        return True
    return False
