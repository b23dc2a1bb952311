"""A project on disk: a folder ``NAME.prism`` with what was computed, from what, and what people added."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from backend.activations.distributed.left_journals import keep_left_work
from backend.networks.model_source import ModelSource, Pooling, Precision
from backend.project_folder.layer_record import LayerRecord
from backend.project_folder.project_creation import (
    BLOCK_ROWS,
    PROJECT_SUFFIX,
    ExtractionPlan,
    create_project_folder,
)
from backend.project_folder.project_database import ProjectDamagedError
from backend.project_folder.project_freshness import Freshness, check_freshness
from backend.project_folder.project_images import (
    ImageCheck,
    SkippedImage,
    UnusedFile,
)
from backend.project_folder.project_lock import ProjectInUseError
from backend.project_folder.project_opening import open_project_folder
from backend.project_folder.project_results import ProjectResults
from backend.project_folder.project_summary import ProjectSummary, summarise
from backend.task import Task

if TYPE_CHECKING:
    from backend.images import ImageSet

__all__ = [
    "PROJECT_SUFFIX",
    "Freshness",
    "ImageCheck",
    "LayerRecord",
    "Project",
    "ProjectDamagedError",
    "ProjectInUseError",
    "ProjectSummary",
    "SkippedImage",
    "UnusedFile",
]


class Project(ProjectResults):
    """A project that is open. Made by :meth:`create` or :meth:`open`; a context manager that closes it.

    Any thread may use it. Every change is on disk when the call returns (within milliseconds); no call
    computes while it holds the database. One process at a time has a project open for writing, any number
    read-only.

    What it says of its model and images is in :class:`~backend.project_folder.project_inputs.ProjectInputs`,
    of its layers and what people added in :class:`~backend.project_folder.project_results.ProjectResults`.

    Attributes
    ----------
    path : Path
        The project's folder.
    read_only : bool
        Whether changes are refused.
    recovered : bool
        Whether the backup took the place of a database that was damaged or missing. Of the activations those
        rows count that the backup tells of.
    recovered_from : Path or None
        The damaged database that was put aside then; None if there was none.
    images, extracted_layers : ImageTable, LayerTable
        The tables that extraction works on.
    """

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        source: ModelSource,
        images: ImageSet,
        *,
        layers: Iterable[str] = (),
        poolings: Mapping[str, Pooling] | None = None,
        precision: Precision = "float32",
        settings: Mapping[str, Any] | None = None,
        block_rows: int = BLOCK_ROWS,
    ) -> Project:
        """Make a new project and open it for writing.

        Parameters
        ----------
        path
            The folder to make, by custom ``NAME.prism``.
        source
            The model that activations will come from.
        images
            The images; their order gives the rows.
        layers
            Layers to extract, remembered until the extraction.
        poolings, precision
            How they are to be pooled (layer → pooling; those that are not in it by the default of their
            output) and computed, remembered like them.
        settings
            First values for :meth:`get_setting`, anything that JSON can hold.
        block_rows
            Images in a block, which is what an extraction that is cut off computes again at most.

        Raises
        ------
        ProjectError
            If the folder exists and is not empty, cannot be written, or there are no images.
        """
        folder = Path(path).absolute()
        plan = ExtractionPlan(tuple(layers), poolings or {}, precision)
        create_project_folder(folder, source, images, plan, settings or {}, block_rows)
        return cls.open(folder)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, read_only: bool = False, recover: bool = False) -> Project:
        """Open a project.

        Parameters
        ----------
        path
            Its folder, or the ``project.sqlite`` in it.
        read_only
            Whether to refuse changes; the folder need not be writable then, and another process may write.
        recover
            Whether to go back to the backup if the database is damaged; the damaged file is kept. See
            :attr:`recovered_from`.

        Raises
        ------
        ProjectInUseError
            If it is open for writing elsewhere.
        ProjectDamagedError
            If its database is damaged; the attribute ``backup`` says whether ``recover=True`` can help.
        ProjectError
            If there is no project, it is of a newer version, or cannot be read or written.
        """
        opened = open_project_folder(Path(path).absolute(), read_only=read_only, recover=recover)
        try:
            project = cls(opened)
            if not read_only:
                keep_left_work(project)
            return project
        except BaseException:
            opened.close()
            raise

    def close(self) -> None:
        """Back up the database, close it, and let other processes write. Closing twice is allowed."""
        self._opened.close()

    def back_up(self) -> None:
        """Renew the backup of the database, if anything changed; closing does it too."""
        self._database.back_up()

    def __enter__(self) -> Project:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def check_freshness(self, *, content: bool = False, task: Task | None = None) -> Freshness:
        """Compare images and network with those that the activations came from.

        Parameters
        ----------
        content
            As for :meth:`changed_images`, and for the files of the network.
        """
        return check_freshness(self, content=content, task=task)

    def summary(self) -> ProjectSummary:
        """Return what the project holds, at a glance."""
        return summarise(self, self._values["created"])
