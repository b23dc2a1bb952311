"""Projection maps of many images: decoded ahead, read in small batches, handed over as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from backend.errors import ImageError, ModelError
from backend.image_files.image_preprocessing import preprocess_with_size
from backend.image_files.seen_region import Region, seen_region
from backend.models import normalise, prepare_for_inference
from backend.networks.layer_pooling import LayerPooling
from backend.networks.layer_reader import LayerOutputs
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling, Preprocessing
from backend.task import SilentTask, Task
from backend.visualization.projection_map import ProjectionMap

_BATCH = 8
_DECODERS = 2


@dataclass(frozen=True)
class ImageMaps:
    """The maps of one image.

    Attributes
    ----------
    row
        Of the image, as given.
    maps
        One for each direction, in their order; empty if the image cannot be read.
    reason
        Why it cannot be read; "" if it can.
    """

    row: int
    maps: tuple[ProjectionMap, ...]
    reason: str = ""


@dataclass(frozen=True)
class _Decoded:
    row: int
    pixels: NDArray[np.uint8] | None
    seen: Region
    reason: str = ""


class ProjectionMapper:
    """A network made ready for showing where in images directions of one layer are.

    Parameters
    ----------
    loaded : LoadedModel
        Stays as it is.
    layer : str
        A layer that gives feature maps.
    pooling : str or None
        How it was pooled: of a transformer, whose class token has no place in the image, ``class_token``
        cannot be shown.

    Raises
    ------
    ModelError
        If there is no such layer, or its output has no positions.
    """

    def __init__(self, loaded: LoadedModel, layer: str, pooling: Pooling | None = None) -> None:
        if pooling == "class_token":
            raise ModelError(
                f"The layer '{layer}' was read at its class token, which lies nowhere in the image: extract "
                "the layer with the mean of its tokens to see where a concept is."
            )
        self._preprocessing: Preprocessing = loaded.preprocessing
        self._layer = layer
        self._pooling = pooling
        module = prepare_for_inference(loaded, [layer], {layer: pooling} if pooling else None)
        self._outputs = LayerOutputs(module, (layer,))
        self._layer_pooling = LayerPooling(module)

    def read(
        self,
        images: Sequence[tuple[int, Path]],
        vectors: NDArray[np.floating],
        *,
        task: Task | None = None,
    ) -> Iterator[ImageMaps]:
        """Map directions over images, in their order, the first after a batch of its own.

        Parameters
        ----------
        images
            Row and path of each.
        vectors
            float (c, d): directions, concept vectors or unit vectors of neurons.
        task
            Is asked between batches whether to go on.

        Yields
        ------
        ImageMaps

        Raises
        ------
        ModelError
            If the network fails, or the directions have another length than the layer has neurons.
        Cancelled
            If the task was asked to stop.
        """
        task = task or SilentTask()
        directions = torch.as_tensor(np.asarray(vectors, dtype=np.float32))
        with ThreadPoolExecutor(_DECODERS, thread_name_prefix="map-decoding") as pool:
            try:
                # The first image alone, so that something is seen at once.
                starts = [0, *range(1, len(images), _BATCH)]
                batches = [images[start : 1 if start == 0 else start + _BATCH] for start in starts]
                ahead = [[pool.submit(self._decode, *image) for image in batch] for batch in batches[:2]]
                for number in range(len(batches)):
                    task.check_cancelled()
                    if number + 2 < len(batches):
                        ahead.append([pool.submit(self._decode, *image) for image in batches[number + 2]])
                    yield from self._project([future.result() for future in ahead.pop(0)], directions)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _decode(self, row: int, path: Path) -> _Decoded:
        everything = Region(0.0, 0.0, 1.0, 1.0)
        try:
            pixels, size = preprocess_with_size(path, self._preprocessing)
            return _Decoded(row, pixels, seen_region(size, self._preprocessing))
        except ImageError as error:
            return _Decoded(row, None, everything, str(error))

    def _project(self, decoded: list[_Decoded], directions: torch.Tensor) -> Iterator[ImageMaps]:
        pixels = [image.pixels for image in decoded if image.pixels is not None]
        maps = iter(self._maps(np.stack(pixels), directions)) if pixels else iter(())
        for image in decoded:
            if image.pixels is None:
                yield ImageMaps(image.row, (), image.reason)
            else:
                found: NDArray[np.float32] = next(maps)
                yield ImageMaps(image.row, tuple(ProjectionMap(one.copy(), image.seen) for one in found))

    def _maps(self, pixels: NDArray[np.uint8], directions: torch.Tensor) -> NDArray[np.float32]:
        """Return float32 (B, c, h, w)."""
        found: list[torch.Tensor] = []

        def take(_layer: str, output: object) -> None:
            assert isinstance(output, torch.Tensor)
            activations = self._layer_pooling.channels_first(output, self._pooling)
            if activations.dim() != 4:
                raise ModelError(
                    f"The layer '{self._layer}' has no positions in the image, so it does not tell where "
                    "something is: choose a layer of feature maps."
                )
            if activations.shape[1] != directions.shape[1]:
                raise ModelError(
                    f"The directions have {directions.shape[1]} components, but the layer '{self._layer}' "
                    f"has {activations.shape[1]} neurons: they belong to another layer or model."
                )
            found.append(torch.einsum("bdhw,cd->bchw", activations.to(torch.float32), directions))

        self._outputs.run_without_gradients(normalise(pixels, self._preprocessing), take)
        maps: NDArray[np.float32] = found[0].contiguous().numpy()
        return maps
