"""Opening a project's folder: the writer lock, the database, and its recovery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.errors import ProjectError
from backend.project_folder.project_annotations import AnnotationTable
from backend.project_folder.project_database import (
    DATABASE_FILE,
    ProjectDamagedError,
    ProjectDatabase,
    recover_database,
)
from backend.project_folder.project_layers import LayerTable
from backend.project_folder.project_lock import WriterLock
from backend.project_folder.project_precision import PrecisionCheckTable
from backend.project_folder.project_schema import REQUIRED_VALUES
from backend.project_folder.recovered_rows import forget_other_rows


@dataclass(frozen=True)
class OpenedFolder:
    """A project's folder that is open.

    Attributes
    ----------
    path
        The folder.
    database
        Its database.
    lock
        Held as long as the project is open for writing; None if read-only.
    recovered
        Whether the backup took the place of a database that was damaged or missing.
    recovered_from
        The damaged database that was put aside; None if there was none.
    """

    path: Path
    database: ProjectDatabase
    lock: WriterLock | None
    recovered: bool
    recovered_from: Path | None

    def close(self) -> None:
        """Back up and close the database, then let other processes write."""
        try:
            self.database.close()
        finally:
            if self.lock is not None:
                self.lock.release()


def open_project_folder(path: Path, *, read_only: bool, recover: bool) -> OpenedFolder:
    """Open a project's folder, or that of a ``project.sqlite``; see :meth:`backend.project.Project.open`."""
    folder = path.parent if path.name == DATABASE_FILE else path
    if not folder.is_dir() or not any(folder.glob(DATABASE_FILE + "*")):
        raise ProjectError(f"There is no Neuron Prism project in {folder}.")
    if read_only:
        return OpenedFolder(folder, _open_database(folder, read_only=True), None, False, None)
    lock = WriterLock(folder)
    recovered, recovered_from = False, None
    try:
        try:
            database = _open_database(folder, read_only=False)
        except ProjectDamagedError:
            if not recover:
                raise
            recovered_from = recover_database(folder)
            database = _open_database(folder, read_only=False)
            recovered = True
        try:
            database.keep_log()
            if recovered:
                ((n_images,),) = database.query("SELECT count(*) FROM images")
                forget_other_rows(LayerTable(database, n_images))
        except BaseException:
            database.abandon()
            raise
    except BaseException:
        lock.release()
        raise
    return OpenedFolder(folder, database, lock, recovered, recovered_from)


def _open_database(folder: Path, *, read_only: bool) -> ProjectDatabase:
    database = ProjectDatabase(folder, read_only=read_only)
    try:
        database.require_values("project", REQUIRED_VALUES)
        # All that is kept as JSON is read once, for SQLite's own check says nothing of it.
        database.read_values("settings")
        LayerTable(database, 0).check()
        PrecisionCheckTable(database).check()
        AnnotationTable(database, 0).named_concepts(None)
    except BaseException:
        database.abandon()
        raise
    return database
