"""Images through the model on every processor core: decoded, prepared and read in worker threads."""

from __future__ import annotations

import copy
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Container, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from backend.activations.device_reader import DeviceReader
from backend.activations.devices import choose_device, reproducible_arithmetic
from backend.activations.precision import arithmetic, require_precision
from backend.errors import ImageError, ModelError
from backend.images import preprocess_image
from backend.models import LayerReader, normalise, prepare_for_inference
from backend.networks.bfloat16_weights import with_bfloat16_weights
from backend.networks.layer_listing import example_input
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling, Precision, Preprocessing
from backend.networks.packed_convolutions import pack_convolutions
from backend.processor_cores import available_cores
from backend.project_folder.file_state import FileState

_log = logging.getLogger(__name__)

# The largest tensor of a batch. The C library keeps blocks up to about this size for reuse; larger ones go
# back to the system after every operation, and clearing fresh pages then takes a third of the time.
_LARGEST_TENSOR_BYTES = 24 << 20
_LARGEST_BATCH = 32

_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class BatchOfImages:
    """Images to read: their rows, and the layers to read them at."""

    rows: range
    layers: tuple[str, ...]


@dataclass(frozen=True)
class BatchActivations:
    """What reading a batch gave.

    Attributes
    ----------
    batch
        What was read.
    activations
        Layer → float32 (images, d). Those of an image that could not be read are a black image's.
    failures
        Row → why the image could not be read.
    states
        Row → state of the image's file when it was read.
    """

    batch: BatchOfImages
    activations: Mapping[str, NDArray[np.float32]]
    failures: Mapping[int, ImageError]
    states: Mapping[int, FileState]


class Inference:
    """A model prepared for reading layers fast, on the processor or on a device.

    On the processor each core runs a copy of the model (weights shared) on its own small batches, in one
    thread: so cores never wait for one another, one decodes while another computes, and a batch's values do
    not depend on how many cores there are. A model that cannot be copied is run by one worker at a time, on
    all cores. On a device there is one copy, for which all cores decode.

    Parameters
    ----------
    loaded : LoadedModel
        Stays as it is.
    layers : sequence of str
        Layers that will be read.
    pooling : mapping of str to str
        Layer → pooling; for those that are not in it the default of their output.
    n_workers : int or None
        Number of worker threads; None: one for each core that this process may use.
    precision : str
        Of the model's arithmetic; its input and what is pooled of its layers are float32 either way.
    device : torch.device or None
        Where the model runs; None: on a CUDA or MPS device if there is one. A model that cannot be copied
        stays on the processor.

    Raises
    ------
    ModelError
        If the model has no such layer, it has no channel axis, or the model fails.
    ExtractionError
        If there is no such precision on this machine.

    Attributes
    ----------
    n_neurons : dict of int
        Number of neurons of each layer.
    batch_size : int
        Images in a batch: as many as keep the model's largest tensor small enough for fast memory.
    n_workers : int
        Number of worker threads.
    device : torch.device
        Where the model runs.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        layers: Sequence[str],
        pooling: Mapping[str, Pooling] | None = None,
        n_workers: int | None = None,
        precision: Precision = "float32",
        device: torch.device | None = None,
    ) -> None:
        self._precision = precision
        self._preprocessing = loaded.preprocessing
        self.n_workers = n_workers or available_cores()
        module = prepare_for_inference(loaded, layers, pooling)
        self.device = _device_for(module, loaded, device or choose_device())
        require_precision(precision, self.device.type)
        if precision == "fast" and self.device.type == "cpu":
            module = _with_rounded_weights(module, layers, loaded.preprocessing)
        with arithmetic(precision if self.device.type == "cpu" else "float32"):
            self.n_neurons, largest = _sizes(module, layers, loaded.preprocessing)
        self._single_threaded = False
        self._device_reader: DeviceReader | None = None
        self._readers: queue.SimpleQueue[_CachedReaders] = queue.SimpleQueue()
        if self.device.type != "cpu":
            self.batch_size = _LARGEST_BATCH
            self._device_reader = DeviceReader(module, pooling, self.device, loaded.preprocessing, precision)
            return
        self.batch_size = max(1, min(_LARGEST_BATCH, _LARGEST_TENSOR_BYTES // largest))
        # Also with one worker: another number of threads may round otherwise.
        self._single_threaded = module is not loaded.module
        if self._single_threaded:
            self._pack_convolutions(module, LayerReader(module, layers, pooling))
        for one in _copies(module, self.n_workers) if self._single_threaded else (module,):
            self._readers.put(_CachedReaders(one, pooling))

    def read(
        self,
        batches: Iterable[BatchOfImages],
        path_of_row: Callable[[int], Path],
        *,
        passed_over: Container[int] = (),
    ) -> Generator[BatchActivations, None, None]:
        """Read batches in worker threads and yield the results in order.

        However many batches there are, only a few more than there are workers are in memory. Closing the
        generator ends the workers after their present batch.

        Parameters
        ----------
        batches
            What to read.
        path_of_row
            Where the image of a row is.
        passed_over
            Rows whose images are not looked at, but taken as black.

        Raises
        ------
        ModelError
            If the model fails.
        """
        waiting: deque[Future[BatchActivations]] = deque()
        with reproducible_arithmetic(self.device):
            pool = self._workers()
            try:
                for batch in batches:
                    waiting.append(pool.submit(self._read_batch, batch, path_of_row, passed_over))
                    if len(waiting) >= self.n_workers + _BATCHES_AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def read_decoded(
        self, batches: Iterable[NDArray[np.uint8]], layers: tuple[str, ...]
    ) -> list[dict[str, NDArray[np.float32]]]:
        """Run images that are in memory through the model, in the worker threads.

        Parameters
        ----------
        batches
            uint8 (images, H, W, C) each, as :func:`backend.images.preprocess_image` gives them, of the
            model's input size.
        layers
            Layers to read.

        Returns
        -------
        list of dict
            For each batch: layer → float32 (images, d).

        Raises
        ------
        ModelError
            If the model fails.
        """
        with reproducible_arithmetic(self.device), self._workers() as pool:
            return list(pool.map(partial(self._activations, layers), batches))

    def _pack_convolutions(self, module: nn.Module, reader: LayerReader) -> None:
        """Lay weights out in a worker's thread: the best layout depends on its number of threads."""
        batch = example_input(self._preprocessing, self.batch_size)

        def read() -> dict[str, torch.Tensor]:
            with arithmetic(self._precision):
                return reader.read(batch)

        with self._workers() as pool:
            pool.submit(pack_convolutions, module, read).result()

    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(
            self.n_workers,
            thread_name_prefix="inference",
            initializer=partial(_use_one_core, torch.get_num_threads()) if self._single_threaded else None,
        )

    def _read_batch(
        self, batch: BatchOfImages, path_of_row: Callable[[int], Path], passed_over: Container[int]
    ) -> BatchActivations:
        side = self._preprocessing.input_size
        pixels = np.zeros((len(batch.rows), side, side, self._preprocessing.channels), np.uint8)
        failures: dict[int, ImageError] = {}
        states: dict[int, FileState] = {}
        for place, row in enumerate(batch.rows):
            if row in passed_over:
                continue
            path = path_of_row(row)
            # Before decoding, so that a change while the file is read is noticed later.
            state = FileState.of(path)
            if state is not None:
                states[row] = state
            try:
                pixels[place] = preprocess_image(path, self._preprocessing)
            except ImageError as error:
                failures[row] = error
        return BatchActivations(batch, self._activations(batch.layers, pixels), failures, states)

    def _activations(
        self, layers: tuple[str, ...], pixels: NDArray[np.uint8]
    ) -> dict[str, NDArray[np.float32]]:
        if self._device_reader is not None:
            return self._device_reader.read(layers, pixels)
        readers = self._readers.get()
        try:
            with arithmetic(self._precision):
                return readers.read(layers, pixels, self._preprocessing)
        finally:
            self._readers.put(readers)


class _CachedReaders:
    """One copy of the model, with a reader for every set of layers that was asked for."""

    def __init__(self, module: nn.Module, pooling: Mapping[str, Pooling] | None) -> None:
        self._module = module
        self._pooling = pooling
        self._readers: dict[tuple[str, ...], LayerReader] = {}

    def read(
        self, layers: tuple[str, ...], pixels: NDArray[np.uint8], preprocessing: Preprocessing
    ) -> dict[str, NDArray[np.float32]]:
        if layers not in self._readers:
            self._readers[layers] = LayerReader(self._module, layers, self._pooling)
        values = self._readers[layers].read(normalise(pixels, preprocessing))
        return {layer: values[layer].numpy() for layer in layers}


def _device_for(module: nn.Module, loaded: LoadedModel, device: torch.device) -> torch.device:
    if device.type == "cpu" or module is not loaded.module:
        return device
    # Moving it would move the user's own model.
    _log.warning("The processor computes, not %s, because the model cannot be copied.", device)
    return torch.device("cpu")


def _with_rounded_weights(
    module: nn.Module, layers: Sequence[str], preprocessing: Preprocessing
) -> nn.Module:
    """Return the network with weights as ``fast`` uses them, or, if it cannot be run so, as it is."""
    rounded = with_bfloat16_weights(module)
    try:
        with arithmetic("fast"):
            _sizes(rounded, layers, preprocessing)
    except ModelError as error:
        _log.info("Weights are rounded on every pass, because the network needs them in float32: %s", error)
        return module
    return rounded


def _use_one_core(threads_of_others: int) -> None:
    """Make torch compute in the calling thread alone; other threads keep their number of threads.

    The number belongs to the thread that sets it, but it also becomes the first number of threads that start
    later: for those it is put back, by a thread of its own, so that it stays set in this one. (Searching the
    loaded libraries for another way to set it can deadlock with an import in another thread.)
    """
    # Torch sets the number itself at a thread's first question, so that has to come before.
    torch.get_num_threads()
    torch.set_num_threads(1)
    restoring = threading.Thread(target=torch.set_num_threads, args=(threads_of_others,))
    restoring.start()
    restoring.join()


def _copies(module: nn.Module, n: int) -> list[nn.Module]:
    """Return copies of a model that share its tensors, or the model alone if it cannot be copied."""
    shared = {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())}
    try:
        return [copy.deepcopy(module, dict(shared)) for _ in range(n)]
    except (TypeError, RuntimeError, AttributeError) as error:
        _log.info("The model is run by one thread at a time, because it cannot be copied: %s", error)
        return [module]


def _sizes(
    module: nn.Module, layers: Sequence[str], preprocessing: Preprocessing
) -> tuple[dict[str, int], int]:
    """Run a model on a black image; return each layer's neurons, and the bytes of the largest output."""
    largest = 1

    def measure(_module: nn.Module, _arguments: Any, output: object) -> None:
        nonlocal largest
        if isinstance(output, torch.Tensor):
            largest = max(largest, output.numel() * output.element_size())

    hooks = [part.register_forward_hook(measure) for part in module.modules()]
    try:
        size = preprocessing.input_size
        pixels = np.zeros((1, size, size, preprocessing.channels), np.uint8)
        values = LayerReader(module, layers).read(normalise(pixels, preprocessing))
    finally:
        for hook in hooks:
            hook.remove()
    return {layer: values[layer].shape[1] for layer in layers}, largest
