"""Whether a network gives the activations that were computed elsewhere, tried on a sample of the images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from backend.activations.activation_rows import ActivationRows
from backend.errors import ActivationImportError, ImageError
from backend.images import preprocess_image
from backend.models import LayerReader, choose_poolings, list_layers, normalise
from backend.project_folder.layer_origin import NetworkAgreement
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.activations.import_plan import ImportPlan
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Pooling
    from backend.project import Project

N_COMPARED: Final = 32
_BATCH: Final = 8
# Another interpolation of torch's, or arithmetic in bfloat16, stays below; another resize, order of channels
# or pooling is far beyond, as are the same network's activations of other images (measured on MobileNetV2).
LARGEST_RELATIVE_ERROR: Final = 0.15
SMALLEST_COSINE: Final = 0.97


@dataclass(frozen=True)
class NetworkCheck:
    """What trying a network came to.

    Attributes
    ----------
    agreement
        How near its activations are to those that were imported.
    pooling
        The layer's pooling with which they are nearest.
    """

    agreement: NetworkAgreement
    pooling: Pooling

    @property
    def agrees(self) -> bool:
        """Whether this is the network that they come from."""
        one = self.agreement
        return one.relative_error <= LARGEST_RELATIVE_ERROR and one.worst_cosine >= SMALLEST_COSINE


@dataclass(frozen=True, eq=False)
class TriedNetwork:
    """A network that was found to give the activations.

    Attributes
    ----------
    loaded
        The network.
    check
        How well it gives them.
    """

    loaded: LoadedModel
    check: NetworkCheck


def try_network(plan: ImportPlan, loaded: LoadedModel, *, task: Task | None = None) -> TriedNetwork:
    """Try a network on activations that are to be imported; errors as :func:`check_network`.

    Raises
    ------
    ActivationImportError
        Also if it does not give them.
    """
    layer, root = plan.request.layer, plan.root
    if root is None:
        raise _without_images(loaded, "no images folder is known.")
    paths = [root / PurePosixPath(path) for path in plan.images.paths]
    with ActivationRows(plan.array, plan.request.pooling) as rows:

        def read_row(row: int) -> NDArray[np.float32]:
            values: NDArray[np.float32] = rows.read(row, row + 1)[0]
            return values

        check = check_network(
            loaded, layer, plan.array.n_neurons, read_row, paths, pooling=plan.request.pooling, task=task
        )
    _require_agreement(check, loaded, layer)
    return TriedNetwork(loaded, check)


def try_network_on_layer(
    project: Project, layer: str, loaded: LoadedModel, *, task: Task | None = None
) -> TriedNetwork:
    """Try a network on a layer that was imported; errors as :func:`try_network`."""
    record, activations = project.layer(layer), project.activations(layer)
    paths = [project.image_path(row) for row in range(project.n_images)]
    check = check_network(
        loaded,
        layer,
        record.n_neurons,
        activations.__getitem__,
        paths,
        pooling=None if record.origin is None else record.origin.pooling,
        task=task,
    )
    _require_agreement(check, loaded, layer)
    return TriedNetwork(loaded, check)


def check_network(
    loaded: LoadedModel,
    layer: str,
    n_neurons: int,
    read_row: Callable[[int], NDArray[np.float32]],
    image_paths: Sequence[Path],
    *,
    pooling: Pooling | None = None,
    task: Task | None = None,
) -> NetworkCheck:
    """Run a sample of the images through a network and compare with what was computed elsewhere.

    Parameters
    ----------
    loaded
        The network.
    layer
        Which of its layers.
    n_neurons
        Of the activations.
    read_row
        Gives the activations of an image: float32 (n_neurons,).
    image_paths
        Where the image of each row is.
    pooling
        Of the layer; None: each that its output allows is tried.

    Raises
    ------
    ModelError
        If the network has no such layer, it cannot be pooled so, or the network fails.
    ActivationImportError
        If the layer has another number of neurons, or none of the images can be read.
    Cancelled
        If the task was asked to stop.
    """
    task = task or SilentTask()
    pixels, expected = _sample(loaded, read_row, image_paths, task)
    poolings = _poolings(loaded, layer, pooling)
    checks = []
    for one in poolings:
        reader = LayerReader(loaded.module, [layer], {layer: one})
        found = []
        for first in range(0, len(pixels), _BATCH):
            task.check_cancelled()
            task.progress(first, len(pixels), "Comparing with the network")
            batch = normalise(pixels[first : first + _BATCH], loaded.preprocessing)
            found.append(reader.read(batch)[layer].numpy())
        values = np.concatenate(found)
        if values.shape[1] != n_neurons:
            raise ActivationImportError(
                f"The layer {layer} of {loaded.source.architecture} has {values.shape[1]:,} neurons, but the "
                f"activations have {n_neurons:,}: name the layer and the network that they come from."
            )
        checks.append(NetworkCheck(compare(values, expected), one))
    return min(checks, key=lambda check: check.agreement.relative_error)


def _require_agreement(check: NetworkCheck, loaded: LoadedModel, layer: str) -> None:
    if not check.agrees:
        raise ActivationImportError(
            f"The network {loaded.source.architecture} does not give these activations at {layer}: "
            f"{check.agreement.text()}. Name the network, weights and layer that they come from, or "
            "import them without a network."
        )


def compare(found: NDArray[np.float32], expected: NDArray[np.float32]) -> NetworkAgreement:
    """Return how near activations are to those expected, both float32 (images, d)."""
    mine, others = found.astype(np.float64), expected.astype(np.float64)
    norms = np.linalg.norm(others, axis=1)
    lengths = np.linalg.norm(mine, axis=1) * norms
    errors = np.linalg.norm(mine - others, axis=1)
    # Two images that activate nothing agree; one that does so in one of them alone does not.
    silent = errors == 0
    cosines = np.where(lengths > 0, (mine * others).sum(axis=1) / np.where(lengths > 0, lengths, 1), 0.0)
    cosines[silent] = 1.0
    relative = np.where(silent, 0.0, errors / np.maximum(norms, np.finfo(np.float64).tiny))
    total = np.linalg.norm(others)
    return NetworkAgreement(
        n_images=len(found),
        mean_cosine=float(cosines.mean()),
        worst_cosine=float(cosines.min()),
        relative_error=float(np.linalg.norm(mine - others) / total) if total else float(relative.max()),
        worst_relative_error=float(relative.max()),
    )


def _without_images(loaded: LoadedModel, problem: str) -> ActivationImportError:
    return ActivationImportError(
        f"Whether {loaded.source.architecture} gives these activations cannot be checked without images: "
        f"{problem} Say where the images are, or import without a network."
    )


def _poolings(loaded: LoadedModel, layer: str, pooling: Pooling | None) -> tuple[Pooling, ...]:
    wanted = {} if pooling is None else {layer: pooling}
    # Raises a sentence if there is no such layer, or it cannot be pooled as wanted.
    chosen = choose_poolings(loaded, [layer], wanted)
    if pooling is not None:
        return (pooling,)
    offered = {info.name: info.poolings for info in list_layers(loaded)}
    return offered.get(layer) or (chosen[layer],)


def _sample(
    loaded: LoadedModel, read_row: Callable[[int], NDArray[np.float32]], paths: Sequence[Path], task: Task
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return pixels and activations of images that can be read and whose activations are finite."""
    pixels: dict[int, NDArray[np.uint8]] = {}
    expected: dict[int, NDArray[np.float32]] = {}
    problem = "no row is finite."
    stride = max(1, len(paths) // N_COMPARED)
    # Spread over all of them; where some are missing, others take their place.
    for row in (*range(0, len(paths), stride), *range(stride // 2, len(paths), stride)):
        task.check_cancelled()
        task.progress(len(pixels), N_COMPARED, "Reading images to compare with the network")
        if row in pixels:
            continue
        values = read_row(row)
        if not np.isfinite(values).all():
            continue
        try:
            pixels[row] = preprocess_image(paths[row], loaded.preprocessing)
            expected[row] = values
        except ImageError as error:
            problem = str(error)
        if len(pixels) == N_COMPARED:
            break
    if not pixels:
        raise _without_images(loaded, problem)
    return np.stack(list(pixels.values())), np.stack(list(expected.values()))
