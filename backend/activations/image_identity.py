"""Whether a project's images are still those that its stored activations come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from backend.activations.store import open_activations
from backend.errors import ExtractionError, ImageError
from backend.image_files.image_address import image_file
from backend.images import preprocess_image
from backend.models import LayerReader, normalise
from backend.project_folder.project_images import FileState
from backend.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from backend.networks.loaded_model import LoadedModel
    from backend.project import Project
    from backend.project_folder.project_layers import LayerRecord

# More changed images than this share are no edits of single images.
_MANY: Final = 0.1
_N_COMPARED: Final = 16
# A batch of another size, or fused operations, move a value by far less, another image by far more.
_TOLERANCE: Final = 1e-3


def is_readable(path: Path) -> bool:
    """Return whether the file of an image can be opened and read now."""
    try:
        with image_file(path).open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def images_to_read_again(project: Project) -> tuple[int, ...]:
    """Return the rows of images that could not be reached when they were wanted, and can be now."""
    states = project.images.states(0, project.n_images)
    return tuple(
        image.row
        for image in project.skipped_images()
        if states[image.row] is None and is_readable(project.image_path(image.row))
    )


def require_same_images(project: Project, loaded: LoadedModel, task: Task) -> None:
    """Make sure that most images are those that the stored activations were computed from.

    A copy of the images has other times of modification. Where many differ in that alone, some of them go
    through the model again: if their activations are those on record, the new times are recorded. A few
    changed images are left to the extraction, which skips each.

    Raises
    ------
    ExtractionError
        If many images are others; nothing has been computed then.
    """
    rows = _rows_on_record(project)
    recorded = project.images.states(0, project.n_images)
    touched: dict[int, FileState] = {}
    n_others = 0
    for done, row in enumerate(rows):
        if done % 1000 == 0:
            task.check_cancelled()
            task.progress(done, len(rows), "Checking the images")
        known, found = recorded[row], FileState.of(project.image_path(row))
        if known is None or found is None or found == known:
            continue
        if found.size == known.size:
            touched[row] = found
        else:
            n_others += 1
    many = _MANY * len(rows)
    if n_others > many:
        raise _other_images(project, f"{n_others} of {len(rows)} have another size")
    if len(touched) > many:
        if not _give_the_stored_activations(project, loaded, tuple(touched)):
            raise _other_images(project, f"{len(touched)} of {len(rows)} have another content or date")
        project.images.record_states(touched)


def _rows_on_record(project: Project) -> tuple[int, ...]:
    """Return the rows that at least one layer has, without those of skipped images."""
    skipped = {image.row for image in project.skipped_images()}
    rows = {
        row
        for record in project.layers
        for block in project.extracted_layers.blocks(record.name)
        for row in range(block.start, block.stop)
    }
    return tuple(sorted(rows - skipped))


def _other_images(project: Project, how: str) -> ExtractionError:
    return ExtractionError(
        f"The images in {project.images_root} are not those that {project.path} was made from: {how} than "
        "when they were first read. Nothing was computed. Put the former images back, or make a new project "
        "for these."
    )


def _give_the_stored_activations(project: Project, loaded: LoadedModel, rows: Sequence[int]) -> bool:
    record = max(project.layers, key=lambda one: one.n_done)
    blocks = project.extracted_layers.blocks(record.name)
    stored = [row for row in rows if any(block.start <= row < block.stop for block in blocks)]
    some = stored[:: max(1, len(stored) // _N_COMPARED)][:_N_COMPARED]
    return bool(some) and _same_activations(project, loaded, record, some)


def _same_activations(
    project: Project, loaded: LoadedModel, record: LayerRecord, rows: Sequence[int]
) -> bool:
    expected = open_activations(record.file, record.n_images, record.n_neurons)[list(rows)]
    try:
        pixels = np.stack([preprocess_image(project.image_path(row), loaded.preprocessing) for row in rows])
    except ImageError:
        return False
    reader = LayerReader(loaded.module, [record.name], {record.name: record.binding.pooling})
    found = reader.read(normalise(pixels, loaded.preprocessing))[record.name].numpy()
    scale = float(np.abs(expected).max(initial=0.0))
    return bool(np.allclose(found, expected, rtol=_TOLERANCE, atol=_TOLERANCE * scale))
