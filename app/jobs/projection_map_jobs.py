"""The job behind the projection maps: where in images the directions of their bands are."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.model_cache import ModelCache
from backend.networks.model_source import ModelSource, Pooling
from backend.task import Task
from backend.visualization.projection_map import ProjectionMap

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.visualization.projection_maps import ImageMaps, ProjectionMapper


@dataclass(frozen=True)
class MapRequest:
    """What the job is to find out.

    Attributes
    ----------
    source, allow_code
        The network, and whether its Python file may run.
    layer, pooling
        The layer.
    images
        Row and file of each image, the most wanted first.
    wanted
        Of each row, which directions, by their number.
    keys, vectors
        The directions: their keys and float (c, d).
    with_field
        Whether the layer's receptive field is wanted, too.
    maximum_bytes
        Of maps; those after them are left out.
    """

    source: ModelSource
    allow_code: bool
    layer: str
    pooling: Pooling
    images: tuple[tuple[int, Path], ...]
    wanted: Mapping[int, tuple[int, ...]]
    keys: tuple[str, ...]
    vectors: NDArray[np.float64]
    with_field: bool
    maximum_bytes: int


@dataclass(frozen=True)
class FoundMaps:
    """An intermediate result: the maps of one image, or the layer's receptive field.

    Attributes
    ----------
    layer
        Of which layer.
    row, maps, reason
        The image; by the key of each direction its map; why there is none.
    field
        Side of the receptive field as a fraction of the input; None: this is about an image.
    """

    layer: str
    row: int = -1
    maps: tuple[tuple[str, ProjectionMap], ...] = ()
    reason: str = ""
    field: float | None = None


class PreparedLayer:
    """The network made ready for one layer, kept from one job to the next. For the worker's thread alone.

    It has a network of its own: one thread at a time may run a network, and visualisations run theirs.
    """

    def __init__(self) -> None:
        self._models = ModelCache()
        self._loaded: LoadedModel | None = None
        self._key: object = None
        self._mapper: ProjectionMapper | None = None
        self._field: float | None = None

    def mapper(self, request: MapRequest, task: Task) -> ProjectionMapper:
        """Return what reads the layer.

        Raises
        ------
        ModelError
            If the network cannot be loaded, or the layer tells nothing of places.
        """
        loaded = self._models.load(request.source, allow_code=request.allow_code, task=task)
        key = (request.source, request.layer, request.pooling)
        same = self._loaded is not None and self._loaded.module is loaded.module and self._key == key
        if self._mapper is None or not same:
            from backend.visualization.projection_maps import ProjectionMapper

            task.check_cancelled()
            self._mapper, self._field = None, None
            self._mapper = ProjectionMapper(loaded, request.layer, request.pooling)
            self._loaded, self._key = loaded, key
        return self._mapper

    def receptive_field(self, request: MapRequest, task: Task) -> float:
        """Return the layer's receptive field, measured once; raises as :meth:`mapper` does."""
        self.mapper(request, task)
        if self._field is None:
            from backend.visualization.receptive_field import receptive_field

            assert self._loaded is not None
            # A copy, since gradients are asked of it that a module used without them may not give.
            module = copy.deepcopy(self._loaded.module)
            self._field = receptive_field(
                replace(self._loaded, module=module), request.layer, request.pooling
            )
        return self._field


def map_projections(prepared: PreparedLayer, request: MapRequest, task: Task) -> None:
    """Find out where the directions are; every image comes as a partial result, the most wanted first."""
    task.progress(0, len(request.images), "Loading the network")
    mapper = prepared.mapper(request, task)
    n_bytes, field_due = 0, request.with_field
    if field_due and not request.images:
        task.partial(FoundMaps(request.layer, field=prepared.receptive_field(request, task)))
    for found in mapper.read(request.images, request.vectors, task=task):
        partial = _kept(request, found)
        task.partial(partial)
        n_bytes += sum(one.values.nbytes for _, one in partial.maps)
        if field_due:
            field_due = False
            task.partial(FoundMaps(request.layer, field=prepared.receptive_field(request, task)))
        if n_bytes > request.maximum_bytes:
            return


def _kept(request: MapRequest, found: ImageMaps) -> FoundMaps:
    directions = request.wanted[found.row] if found.maps else ()
    maps = tuple((request.keys[number], found.maps[number]) for number in directions)
    return FoundMaps(request.layer, found.row, maps, found.reason)
