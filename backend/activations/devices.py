"""Where a network computes: the processor, or a CUDA or MPS device where there is one."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

from backend.errors import ExtractionError

_log = logging.getLogger(__name__)

DEVICE_NAMES: Final = ("auto", "cpu", "cuda", "cuda:1", "mps")
"""What may be asked for; ``cuda:1`` stands for one with any number."""

_NUMBERED: Final = re.compile(r"^cuda:(\d{1,4})$")


@dataclass(frozen=True)
class AvailableDevices:
    """What a machine has besides its processor: the number of CUDA devices, and whether MPS."""

    n_cuda: int = 0
    mps: bool = False

    @classmethod
    def of_this_machine(cls) -> AvailableDevices:
        """Ask torch."""
        n_cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return cls(n_cuda, torch.backends.mps.is_available())

    @property
    def names(self) -> tuple[str, ...]:
        """All devices by name, the processor last."""
        return (*(f"cuda:{n}" for n in range(self.n_cuda)), *(("mps",) if self.mps else ()), "cpu")


def choose_device(
    wanted: str = "auto", local_rank: int = 0, available: AvailableDevices | None = None
) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    wanted
        ``auto``: a CUDA device, else MPS, else the processor, the first that computes. ``cuda``: a CUDA
        device. ``cuda:N``, ``mps``, ``cpu``: this one.
    local_rank
        Number of this process among those on the machine: with ``auto`` and ``cuda`` they take different
        CUDA devices as far as there are enough.
    available
        Devices of the machine; None: those that torch finds.

    Raises
    ------
    ExtractionError
        If there is no such device.
    """
    if wanted != "auto" and wanted not in DEVICE_NAMES and not _NUMBERED.match(wanted):
        raise ExtractionError(f"There is no device '{wanted}': choose auto, cpu, cuda, cuda:N or mps.")
    if wanted == "cpu":
        return torch.device("cpu")
    found = available or AvailableDevices.of_this_machine()
    mine = f"cuda:{local_rank % found.n_cuda}" if found.n_cuda else None
    if wanted == "auto":
        name = mine or ("mps" if found.mps else "cpu")
        return torch.device(name if name == "cpu" or _computes(name) else "cpu")
    name = (mine or wanted) if wanted == "cuda" else wanted
    if name not in found.names:
        raise ExtractionError(
            f"This machine has no device '{wanted}' that PyTorch {torch.__version__} can use, but "
            f"{', '.join(found.names)}."
        )
    return torch.device(name)


@contextmanager
def reproducible_arithmetic(device: torch.device) -> Iterator[None]:
    """Let float32 be float32 on a device (no TF32), and the same input give the same bits each time.

    cuDNN neither tries which algorithm is fastest today nor takes one whose sums depend on timing. The
    settings are the process's; they are put back afterwards.
    """
    if device.type != "cuda":
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


def _computes(name: str) -> bool:
    """Return whether a device can do what networks do: some are found, but too old or full."""
    try:
        ones = torch.ones(1, 1, 3, 3, device=name)
        return torch.nn.functional.conv2d(ones, ones).item() == ones.numel()
    except (RuntimeError, AssertionError) as error:  # the second where torch was built without it
        _log.warning("The device %s cannot be used, so the processor computes: %s", name, error)
        return False
