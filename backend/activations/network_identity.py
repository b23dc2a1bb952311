"""Whether a network is the one that a project's stored activations were computed with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from backend.activations.store import open_activations
from backend.errors import ExtractionError, ImageError, ModelError
from backend.images import preprocess_image
from backend.models import LayerReader, normalise
from backend.project_folder.file_state import FileState
from backend.project_folder.layer_binding import LayerBinding
from backend.project_folder.project_freshness import check_model_files
from backend.task import SilentTask, Task

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.project import Project
    from backend.project_folder.layer_record import LayerRecord

N_COMPARED: Final = 16
"""Images that are run through the network."""

# A batch of another size, or fused operations, move a value by far less, another image by far more.
_TOLERANCE: Final = 1e-3
# Eight bits of mantissa, through all layers.
_TOLERANCE_OF_FAST: Final = 5e-2


def difference_of_network(project: Project, loaded: LoadedModel, *, task: Task | None = None) -> str:
    """Compare a network with the one that a project's activations were computed with.

    Their weights and preprocessing are compared, and the activations that it gives for some of the project's
    images with those on record: what a Python file does with its weights shows nowhere else.

    Returns
    -------
    str
        What differs, in words that follow "its"; empty if nothing does.

    Raises
    ------
    ExtractionError
        If none of the images is there unchanged, so that nothing can be compared.
    """
    task = task or SilentTask()
    records = [record for record in project.layers if record.origin is None and record.n_done]
    if not records or project.weights_sha256 is None or project.preprocessing is None:
        return ""
    bound = LayerBinding(project.weights_sha256, project.preprocessing, "mean")
    if difference := bound.difference(LayerBinding(loaded.weights_sha256, loaded.preprocessing, "mean")):
        return difference
    task.progress(0, 0, "Comparing the network")
    for record in records:
        task.check_cancelled()
        rows = unchanged_rows(project, record)
        if not rows:
            raise ExtractionError(
                f"The network cannot be compared with the one that {record.name} was computed with: none of "
                f"the images that were looked for in {project.images_root} is there as it was."
            )
        try:
            if not gives_stored_activations(project, loaded, record, rows):
                return f"activations at layer {record.name}"
        except ModelError:
            return f"layers: {record.name} is not among them, or cannot be read"
    return ""


def require_same_network(project: Project, loaded: LoadedModel, *, task: Task | None = None) -> None:
    """Make sure that activations can be added where the network's Python file changed since the first ones.

    Raises
    ------
    ExtractionError
        If the network gives other activations than those on record.
    """
    changes = check_model_files(project, task=task)
    if not any(file.kind == "python" and file.change == "changed" for file in changes):
        return
    if difference := difference_of_network(project, loaded, task=task):
        raise ExtractionError(
            f"{loaded.source.python_file} was changed since the first activations of {project.path} were "
            f"computed, and the network is another now: its {difference}. Nothing was computed. Put the "
            "former file back, compute everything again (--recompute-changed), or make a new project."
        )
    project.confirm_model_files()


def unchanged_rows(project: Project, record: LayerRecord) -> tuple[int, ...]:
    """Return up to :data:`N_COMPARED` rows of a layer, spread over it, whose images are as they were."""
    skipped = {image.row for image in project.skipped_images()}
    stored = [
        row
        for block in project.extracted_layers.blocks(record.name)
        for row in range(block.start, block.stop)
        if row not in skipped
    ]
    states = project.images.states(0, project.n_images)
    candidates = stored[:: max(1, len(stored) // (2 * N_COMPARED))]
    same = [row for row in candidates if states[row] == FileState.of(project.image_path(row))]
    return tuple(same[:N_COMPARED])


def gives_stored_activations(
    project: Project, loaded: LoadedModel, record: LayerRecord, rows: Sequence[int]
) -> bool:
    """Return whether a network gives the activations that a layer has on record for the images of some rows.

    Raises
    ------
    ModelError
        If it has no such layer.
    """
    expected: NDArray[np.float32] = open_activations(record.file, record.n_images, record.n_neurons)
    try:
        pixels = np.stack([preprocess_image(project.image_path(row), loaded.preprocessing) for row in rows])
    except ImageError:
        return False
    reader = LayerReader(loaded.module, [record.name], {record.name: record.binding.pooling})
    found = reader.read(normalise(pixels, loaded.preprocessing))[record.name].numpy()
    known = expected[list(rows)]
    if found.shape != known.shape:
        return False
    tolerance = _TOLERANCE if record.binding.precision == "float32" else _TOLERANCE_OF_FAST
    scale = float(np.abs(known).max(initial=0.0))
    return bool(np.allclose(found, known, rtol=tolerance, atol=tolerance * scale))
