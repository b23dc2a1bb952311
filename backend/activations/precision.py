"""The network's arithmetic: float32, or ``fast``: convolutions and linear layers in bfloat16."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from backend.errors import ExtractionError
from backend.networks.model_source import PRECISIONS, Precision

if TYPE_CHECKING:
    from collections.abc import Mapping

# Any of these lets oneDNN multiply bfloat16 faster than float32. AVX-512 alone only imitates it, slower.
_BFLOAT16_INSTRUCTIONS: Final = ("avx512_bf16", "amx_bf16", "bf16")


def fast_unavailable_reason(device_type: str | None = None) -> str:
    """Say in a sentence why ``fast`` cannot be used on this machine; "" if it can.

    Imports torch, which takes seconds the first time.

    Parameters
    ----------
    device_type
        ``cpu``, ``cuda`` or ``mps``: where the network computes; None: where it does unless told otherwise.
    """
    import torch

    from backend.activations.devices import choose_device

    device_type = device_type or choose_device().type
    if device_type == "cuda" and torch.cuda.is_bf16_supported():
        return ""
    if device_type != "cpu":
        return f"The precision “fast” is not available on this {device_type.upper()} device."
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return (
            "The precision “fast” is not available: this build of PyTorch has no oneDNN, which computes in "
            "bfloat16 on processors."
        )
    instructions = _instructions()
    if not any(instructions.get(name) for name in _BFLOAT16_INSTRUCTIONS):
        return (
            "The precision “fast” is not available: this processor does not compute in bfloat16 (it needs "
            "AVX-512 BF16, AMX or Arm's BF16)."
        )
    return ""


def require_precision(precision: str, device_type: str | None = None) -> None:
    """Make sure that a precision exists and this machine has it.

    Parameters
    ----------
    precision
        Its name.
    device_type
        As for :func:`fast_unavailable_reason`.

    Raises
    ------
    ExtractionError
        If not; the sentence says what to do.
    """
    if precision not in PRECISIONS:
        raise ExtractionError(
            f"There is no precision '{precision}': choose {' or '.join(repr(one) for one in PRECISIONS)}."
        )
    if precision == "fast" and (reason := fast_unavailable_reason(device_type)):
        raise ExtractionError(f"{reason} Choose “float32”, or use another machine.")


def arithmetic(precision: Precision, device_type: str = "cpu") -> AbstractContextManager[object]:
    """Return a context in which a network computes in a precision, in the thread that enters it."""
    import torch

    if precision == "float32":
        return nullcontext()
    return torch.autocast(device_type, dtype=torch.bfloat16)


def _instructions() -> Mapping[str, object]:
    """Return what the processor can do, by PyTorch's names."""
    import torch

    if hasattr(torch.cpu, "get_capabilities"):
        return torch.cpu.get_capabilities()
    # Older than PyTorch 2.11.
    return {
        "avx512_bf16": torch.cpu._is_avx512_bf16_supported(),
        "amx_bf16": torch.cpu._is_amx_tile_supported(),
    }
