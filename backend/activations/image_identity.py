"""Whether a project's images are still those that its stored activations come from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from backend.activations.network_identity import N_COMPARED, gives_stored_activations
from backend.errors import ExtractionError
from backend.image_files.image_address import image_file
from backend.project_folder.file_state import FileState, states_of_files
from backend.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    from backend.networks.loaded_model import LoadedModel
    from backend.project import Project

# More changed images than this share are no edits of single images.
_MANY: Final = 0.1


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

    A copy of the images has other times of modification. Files that differ in that alone are compared by
    content where their hash is on record. Where many others differ so, some of them go through the model
    again: if their activations are those on record, the new times are recorded. A few changed images are left
    to the extraction, which skips each.

    Raises
    ------
    ExtractionError
        If many images are others; nothing has been computed then.
    """
    rows = _rows_on_record(project)
    recorded = project.images.states(0, project.n_images)
    touched: dict[int, FileState] = {}
    n_others = 0
    paths = {row: project.image_path(row) for row in rows if recorded[row] is not None}
    for row, found in states_of_files(paths, "Checking the images", task):
        known = recorded[row]
        if known is None or found is None or found == known:
            continue
        if found.size == known.size:
            touched[row] = found
        else:
            n_others += 1
    same, others = project.images.settle_by_content(touched, task=task)
    n_others += len(others)
    touched = {row: state for row, state in touched.items() if row not in same | others}
    many = _MANY * len(rows)
    if n_others > many:
        raise _other_images(project, f"{n_others} of {len(rows)} have another size or content")
    if len(touched) > many:
        if not _give_the_stored_activations(project, loaded, tuple(touched)):
            raise _other_images(project, f"{len(touched)} of {len(rows)} have another content or date")
        project.images.record_states(touched)


def _rows_on_record(project: Project) -> tuple[int, ...]:
    """Return the rows that at least one layer has from the images, without those of skipped ones."""
    skipped = {image.row for image in project.skipped_images()}
    stored = np.flatnonzero(project.extracted_layers.stored_rows())
    return tuple(int(row) for row in stored if row not in skipped)


def _other_images(project: Project, how: str) -> ExtractionError:
    return ExtractionError(
        f"The images in {project.images_root} are not those that {project.path} was made from: {how} than "
        "when they were first read. Nothing was computed. Put the former images back, or make a new project "
        "for these."
    )


def _give_the_stored_activations(project: Project, loaded: LoadedModel, rows: Sequence[int]) -> bool:
    extracted = [record for record in project.layers if record.origin is None]
    record = max(extracted, key=lambda one: one.n_done)
    blocks = project.extracted_layers.blocks(record.name)
    stored = [row for row in rows if any(block.start <= row < block.stop for block in blocks)]
    some = stored[:: max(1, len(stored) // N_COMPARED)][:N_COMPARED]
    return bool(some) and gives_stored_activations(project, loaded, record, some)
