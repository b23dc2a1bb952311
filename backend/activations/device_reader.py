"""Reading layers on a device: one copy of the model there, batches on their way while it computes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from backend.activations.precision import arithmetic
from backend.errors import ModelError
from backend.models import LayerReader, normalise
from backend.networks.model_source import Pooling, Precision, Preprocessing


class DeviceReader:
    """A model on a device, which any number of threads read layers with.

    One thread at a time runs the model. On CUDA that only queues its work: images are copied there from
    pinned memory on a stream of their own, and results come back from pinned memory, while the device
    computes other threads' batches.

    Parameters
    ----------
    module : nn.Module
        In evaluation mode. It is moved to the device, in channels-last memory format.
    pooling : mapping of str to str
        Layer → pooling; for those that are not in it the default of their output.
    device : torch.device
        Where it runs.
    preprocessing : Preprocessing
        Whose mean and standard deviation the pixels are normalised by, on the device.
    precision : str
        Of the model's arithmetic.

    Raises
    ------
    ModelError
        If the model does not fit on the device.
    """

    def __init__(
        self,
        module: nn.Module,
        pooling: Mapping[str, Pooling] | None,
        device: torch.device,
        preprocessing: Preprocessing,
        precision: Precision = "float32",
    ) -> None:
        self._device = device
        self._preprocessing = preprocessing
        self._precision = precision
        self._pooling = pooling
        self._lock = threading.Lock()
        self._readers: dict[tuple[str, ...], LayerReader] = {}
        self._copying: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._copying = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        try:
            self._module = module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        except (RuntimeError, TypeError, AssertionError) as error:  # the last where torch was built without
            raise ModelError(
                f"The model cannot be put on the device {device} ({_first_line(error)}): choose another with "
                "--device, such as --device cpu."
            ) from error

    def read(self, layers: Sequence[str], pixels: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run the model on images.

        Parameters
        ----------
        layers
            Layers to read.
        pixels : ndarray of uint8, shape (images, H, W, C)
            As :func:`backend.images.preprocess_image` gives them.

        Returns
        -------
        dict of ndarray
            Layer → float32 (images, d), in main memory.

        Raises
        ------
        ModelError
            If the model fails on the device.
        """
        try:
            if self._copying is None:
                with self._lock:
                    values = self._run(layers, torch.from_numpy(pixels).to(self._device))
                    return {layer: value.cpu().numpy() for layer, value in values.items()}
            return self._read_overlapped(layers, pixels, self._copying)
        except ModelError as error:
            raise ModelError(
                f"{error} (It ran on the device {self._device}; --device cpu lets the processor compute.)"
            ) from error
        except RuntimeError as error:
            raise ModelError(
                f"The device {self._device} fails ({_first_line(error)}): choose another with --device, such "
                "as --device cpu."
            ) from error

    def _read_overlapped(
        self, layers: Sequence[str], pixels: NDArray[np.uint8], copying: torch.cuda.Stream
    ) -> dict[str, NDArray[np.float32]]:
        with torch.cuda.stream(copying):
            there = torch.from_numpy(pixels).pin_memory().to(self._device, non_blocking=True)
            copied = copying.record_event()
        with self._lock, torch.cuda.device(self._device):
            computing = torch.cuda.current_stream(self._device)
            computing.wait_event(copied)
            # Its memory is not given to another batch before the model has read it.
            there.record_stream(computing)
            values = self._run(layers, there)
            fetched = {layer: _pinned_like(value) for layer, value in values.items()}
            for layer, value in values.items():
                fetched[layer].copy_(value, non_blocking=True)
            finished = computing.record_event()
        finished.synchronize()
        return {layer: value.numpy() for layer, value in fetched.items()}

    def _run(self, layers: Sequence[str], pixels: Tensor) -> dict[str, Tensor]:
        names = tuple(layers)
        if names not in self._readers:
            self._readers[names] = LayerReader(self._module, names, self._pooling)
        with arithmetic(self._precision, self._device.type):
            values = self._readers[names].read(normalise(pixels, self._preprocessing))
        return {layer: value.float().contiguous() for layer, value in values.items()}


def _pinned_like(value: Tensor) -> Tensor:
    return torch.empty(value.shape, dtype=value.dtype, pin_memory=True)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
