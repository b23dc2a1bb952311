"""Making a new project's folder, whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backend.errors import ProjectError
from backend.networks.model_source import ModelSource, Pooling, Precision
from backend.project_folder.project_database import ProjectDatabase
from backend.project_folder.project_images import ImageTable, record_unused_files
from backend.project_folder.project_layers import now

if TYPE_CHECKING:
    from backend.images import ImageSet

PROJECT_SUFFIX = ".prism"

# Of images, a second or two of a small model on a processor; 2 MB of 2048 neurons.
BLOCK_ROWS = 256


@dataclass(frozen=True)
class ExtractionPlan:
    """What a new project is to extract: layers, their poolings (where one was chosen), the precision."""

    layers: tuple[str, ...]
    poolings: Mapping[str, Pooling]
    precision: Precision


def create_project_folder(
    folder: Path,
    source: ModelSource,
    images: ImageSet,
    plan: ExtractionPlan,
    settings: Mapping[str, Any],
    block_rows: int,
) -> None:
    """Make a project in ``folder``; see :meth:`backend.project.Project.create`.

    It is made beside the folder and then renamed, so that a project is never seen half made.
    """
    if block_rows < 1:
        raise ProjectError(f"A block needs at least 1 image, not {block_rows}.")
    if not images.paths:
        raise ProjectError(f"There are no images in {images.root} to make a project of.")
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ProjectError(
                f"{folder} exists already: open it, or choose another name for the new project."
            )
        scratch.mkdir(parents=True)
        ProjectDatabase.create(scratch)
        database = ProjectDatabase(scratch, read_only=False)
        try:
            _record_project(database, folder, source, images.root.absolute(), plan, block_rows)
            _record_images(database, images)
            database.write_values("settings", settings)
        finally:
            database.close()
        if folder.exists():
            folder.rmdir()
        scratch.rename(folder)
    except OSError as error:
        raise ProjectError(
            f"The project {folder} cannot be made ({error.strerror or error}): "
            "choose another folder, or make this one writable."
        ) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def relative_root(root: Path, folder: Path) -> str | None:
    """Return the images folder as seen from the project's (both may move together); None across drives."""
    try:
        return Path(os.path.relpath(root, folder)).as_posix()
    except ValueError:
        return None


def _record_project(
    database: ProjectDatabase,
    folder: Path,
    source: ModelSource,
    root: Path,
    plan: ExtractionPlan,
    block_rows: int,
) -> None:
    database.write_values(
        "project",
        {
            "name": folder.name.removesuffix(PROJECT_SUFFIX),
            "created": now(),
            "model_source": source.to_dict(),
            "images_root": str(root),
            "images_root_relative": relative_root(root, folder),
            "planned_layers": list(plan.layers),
            "planned_poolings": dict(plan.poolings),
            "planned_precision": plan.precision,
            "block_rows": block_rows,
        },
    )


def _record_images(database: ProjectDatabase, images: ImageSet) -> None:
    named = zip(images.paths, images.labels, strict=True)
    ImageTable.fill(database, images.root.absolute(), named)
    record_unused_files(database, ((file.path, file.reason) for file in images.skipped))
