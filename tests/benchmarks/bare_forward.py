"""The forward pass alone, of the network that extraction runs, in the arrangement that is fastest here."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from numpy.typing import NDArray
from torch import nn

from backend.activations.inference import _copies, _use_one_core
from backend.models import LayerReader, normalise
from backend.networks.model_source import Preprocessing
from backend.networks.packed_convolutions import pack_convolutions


class BareForward:
    """A prepared network on one batch in memory: on all processors at once, or on a copy for each.

    Parameters
    ----------
    prepared
        As :func:`backend.models.prepare_for_inference` returns it; stays as it is.
    layers
        Where the network ends is the deepest of these.
    pixels
        uint8 (images, H, W, C), at least one batch.
    preprocessing
        By which they are normalised, once.
    batch_size
        Images of a batch.
    n_copies
        Threads that run a copy of the network each; 1: one network, all processors.
    """

    def __init__(
        self,
        prepared: nn.Module,
        layers: Sequence[str],
        pixels: NDArray,  # type: ignore[type-arg]
        preprocessing: Preprocessing,
        batch_size: int,
        n_copies: int,
    ) -> None:
        self.batch_size = batch_size
        self.n_copies = n_copies
        batch = normalise(pixels[:batch_size], preprocessing)
        network = copy.deepcopy(prepared)
        reader = LayerReader(network, layers)
        alone = partial(_use_one_core, torch.get_num_threads()) if n_copies > 1 else None
        self._pool = ThreadPoolExecutor(n_copies, initializer=alone)
        self._pool.submit(pack_convolutions, network, lambda: reader.read(batch)).result()
        self._work = [(LayerReader(one, layers), batch.clone()) for one in _copies(network, n_copies)]

    @property
    def name(self) -> str:
        """The arrangement in words."""
        where = "a copy for each processor" if self.n_copies > 1 else "all processors on one batch"
        return f"{where}, batches of {self.batch_size}"

    def run(self, n_images: int) -> int:
        """Run at least this many images; return how many."""
        n_batches = -(-n_images // self.batch_size)
        numbers = itertools.count()

        def take_batches(reader: LayerReader, batch: torch.Tensor) -> None:
            while next(numbers) < n_batches:
                reader.read(batch)

        for done in [self._pool.submit(take_batches, *one) for one in self._work]:
            done.result()
        return n_batches * self.batch_size

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
