"""The connection to a project's database: opened with care, shared by threads, backed up, recovered."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from backend.errors import NeuronPrismError, ProjectError
from backend.project_folder.project_schema import APPLICATION_ID, TABLES, VERSION, migrate

DATABASE_FILE = "project.sqlite"
BACKUP_FILE = "project.sqlite.backup"

_WAIT_SECONDS = 20.0

_Value = TypeVar("_Value")

_log = logging.getLogger(__name__)


class ProjectDamagedError(ProjectError):
    """The project's database is damaged.

    Attributes
    ----------
    backup : Path or None
        A copy that the project can be recovered from.
    """

    def __init__(self, message: str, backup: Path | None) -> None:
        super().__init__(message)
        self.backup = backup


class ProjectDatabase:
    """One SQLite connection, which any thread may use: a lock lets one in at a time.

    Transactions are short (no computing happens inside), so that a window's thread never waits long for a
    worker. Outside of them every statement commits itself. The journal is a write-ahead log, so that readers
    in other processes go on while one process writes; a committed change survives a power cut.

    Parameters
    ----------
    folder : Path
        The project's folder.
    read_only : bool
        Whether writing is refused. This also opens projects in folders that cannot be written.

    Raises
    ------
    ProjectDamagedError
        If the file is missing, not a database, truncated, or lacks tables.
    ProjectError
        If it is of a newer version, not a project, or cannot be read.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self.folder = folder
        self.read_only = read_only
        self._lock = threading.RLock()
        if not (folder / DATABASE_FILE).is_file():
            raise _damaged(folder, "it is missing")
        with self._translated():
            connection = _connect_for_reading(folder) if read_only else _connect_for_writing(folder)
            try:
                self._connection: sqlite3.Connection | None = _checked(connection, folder, read_only)
            except BaseException:
                connection.close()
                raise
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._changes_in_backup = 0

    @staticmethod
    def create(folder: Path) -> None:
        """Write an empty database of the present version into a folder.

        Raises
        ------
        ProjectError
            If it cannot be written, as where the disk is full.
        """
        try:
            with contextlib.closing(
                sqlite3.connect(folder / DATABASE_FILE, isolation_level=None)
            ) as connection:
                migrate(connection, 0)
        except sqlite3.Error as error:
            raise _as_project_error(error, folder) from error

    def keep_log(self) -> None:
        """Write changes to a log first from now on (see the class), until the database is closed."""
        with self._lock, self._translated():
            connection = self._open_connection()
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    def query(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one SELECT and return all its rows."""
        with self._lock, self._translated():
            return self._open_connection().execute(sql, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for statements that are all kept, or, if one of them fails, all undone.

        Raises
        ------
        ProjectError
            If the project is read-only or closed, or cannot be written (disk full, folder read-only).
        """
        if self.read_only:
            raise ProjectError(f"The project {self.folder} was opened read-only, so it cannot be changed.")
        with self._lock, self._translated():
            connection = self._open_connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def read_values(self, table: Literal["project", "settings"]) -> dict[str, Any]:
        """Return a table of JSON values by key."""
        rows = self.query(f"SELECT key, value FROM {table}")
        return {key: self.decode(value, f"table {table}", _as_it_is) for key, value in rows}

    def decode(self, text: str, where: str, build: Callable[[Any], _Value]) -> _Value:
        """Return what is built from a JSON text of the database.

        Parameters
        ----------
        text
            As it was saved.
        where
            The table or column it is from, for the error.
        build
            Makes the value of what the text holds.

        Raises
        ------
        ProjectDamagedError
            If the text is no JSON, or nothing can be built from it.
        """
        try:
            return build(json.loads(text))
        except ValueError as error:
            raise _damaged(self.folder, f"its {where} holds something else than JSON") from error
        except (TypeError, KeyError, AttributeError, NeuronPrismError) as error:
            raise _damaged(self.folder, f"its {where} holds a value that cannot be used: {error}") from error

    def require_values(self, table: Literal["project", "settings"], keys: Set[str]) -> None:
        """Raise :class:`ProjectDamagedError` if a table lacks one of the keys."""
        if missing := sorted(keys - self.read_values(table).keys()):
            raise _damaged(self.folder, f"its table {table} lacks {missing[0]}")

    def write_values(self, table: Literal["project", "settings"], values: Mapping[str, Any]) -> None:
        """Save JSON values in a table, each in the place of the former one of its key."""
        rows = [(key, json.dumps(value)) for key, value in values.items()]
        with self.transaction() as connection:
            connection.executemany(f"INSERT OR REPLACE INTO {table} (key, value) VALUES (?, ?)", rows)

    def back_up(self) -> None:
        """Keep a copy of the present state beside the database, if anything changed since the last one.

        The former copy is replaced only by one that passed SQLite's own check. Where there is no room for
        another, the former one stays: what was saved is safe without it.

        Raises
        ------
        ProjectDamagedError
            If the copy does not pass the check.
        """
        with self._lock:
            connection = self._open_connection()
            if self.read_only or connection.total_changes == self._changes_in_backup:
                return
            changes = connection.total_changes
            try:
                with self._translated():
                    _copy_database(connection, self.folder / BACKUP_FILE)
            except ProjectDamagedError:
                raise
            except ProjectError as error:
                _log.warning("There is no new backup: %s", error)
                return
            self._changes_in_backup = changes

    def close(self) -> None:
        """Back up and close. Closing twice is allowed."""
        with self._lock:
            if self._connection is None:
                return
            try:
                self.back_up()
                if not self.read_only:
                    self._merge_log()
            finally:
                self.abandon()

    def abandon(self) -> None:
        """Close without a backup: what is open here is not worth one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _merge_log(self) -> None:
        """Leave one file that needs no log beside it, so that reading it later writes nothing."""
        assert self._connection is not None
        try:
            self._connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            # Somebody is reading: the log stays, which costs nothing but its file.
            _log.info("The log of %s stays: %s", self.folder, error)

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise ProjectError(f"The project {self.folder} is closed.")
        return self._connection

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _as_project_error(error, self.folder) from error
        except OSError as error:
            raise ProjectError(
                f"The project {self.folder} cannot be read or written ({error.strerror or error})."
            ) from error


def recover_database(folder: Path) -> Path | None:
    """Put the backup in the place of a damaged database, which is kept beside it under another name.

    The caller holds the project's writer lock.

    Returns
    -------
    Path or None
        The damaged file under its new name; None if the file was missing altogether.

    Raises
    ------
    ProjectError
        If there is no backup, or it is damaged as well; nothing has been changed then.
    """
    backup = folder / BACKUP_FILE
    if not backup.is_file():
        raise _damaged(folder, "it cannot be read")
    restored = folder / (DATABASE_FILE + ".part")
    try:
        shutil.copyfile(backup, restored)
        with contextlib.closing(sqlite3.connect(restored, isolation_level=None)) as connection:
            _checked(connection, folder, read_only=True)
    except (sqlite3.Error, OSError, ProjectError) as error:
        restored.unlink(missing_ok=True)
        raise ProjectError(
            f"The project {folder} is damaged, and its backup cannot be used either ({error}). "
            "Nothing was changed; its activations can still be read with NumPy."
        ) from error
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S")
    kept: Path | None = None
    for suffix in ("-wal", "-shm", ""):
        damaged = folder / (DATABASE_FILE + suffix)
        if damaged.exists():
            kept = damaged.rename(folder / f"{DATABASE_FILE}.damaged-{stamp}{suffix}")
    restored.rename(folder / DATABASE_FILE)
    return kept


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(
        target, uri=True, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )


def _connect_for_writing(folder: Path) -> sqlite3.Connection:
    return _connect((folder / DATABASE_FILE).resolve().as_uri() + "?mode=rw")


def _connect_for_reading(folder: Path) -> sqlite3.Connection:
    """Open without writing, also where SQLite could not create the files that its log needs."""
    uri = (folder / DATABASE_FILE).resolve().as_uri()
    connection = _connect(uri + "?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
    else:
        return connection
    log = folder / (DATABASE_FILE + "-wal")
    if not log.exists() or log.stat().st_size == 0:
        return _connect(uri + "?immutable=1")
    # The last changes are in the log of a writer that was killed: read both from a copy that can be written.
    with tempfile.TemporaryDirectory(prefix="neuronprism-") as scratch:
        copy = Path(scratch) / DATABASE_FILE
        shutil.copyfile(folder / DATABASE_FILE, copy)
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        with contextlib.closing(sqlite3.connect(copy)) as source:
            return _in_memory(source)


def _in_memory(source: sqlite3.Connection) -> sqlite3.Connection:
    connection = _connect(":memory:")
    source.backup(connection)
    return connection


def _checked(connection: sqlite3.Connection, folder: Path, read_only: bool) -> sqlite3.Connection:
    """Return the connection (or, read-only, one to a copy) migrated to the present version, or raise."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if application != APPLICATION_ID or version < 1:
        raise _damaged(folder, "it holds no project" if tables else "it is empty")
    if version > VERSION:
        raise ProjectError(
            f"The project {folder} was made by a newer version of Neuron Prism (its format is {version}, "
            f"this program knows up to {VERSION}): update Neuron Prism to open it."
        )
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _damaged(folder, str(verdict).splitlines()[-1])
    if version < VERSION:
        if read_only:
            original, connection = connection, _in_memory(connection)
            original.close()
        else:
            _copy_database(connection, folder / f"{DATABASE_FILE}.version-{version}")
        migrate(connection, version)
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    if missing := sorted(TABLES - tables):
        raise _damaged(folder, f"it lacks the table {missing[0]}")
    return connection


def _copy_database(connection: sqlite3.Connection, path: Path) -> None:
    """Write a checked copy of a database to ``path``, either whole or not at all."""
    temporary = path.with_name(path.name + ".part")
    temporary.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(temporary)) as copy:
            connection.backup(copy)
            # Without a log of its own the copy is one file that can also be read from a read-only folder.
            copy.execute("PRAGMA journal_mode = DELETE")
            (verdict,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {verdict}")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _as_it_is(value: Any) -> Any:
    return value


def _damaged(folder: Path, reason: str) -> ProjectDamagedError:
    backup = folder / BACKUP_FILE
    message = f"The project {folder} is damaged: its file {DATABASE_FILE} cannot be used ({reason}). "
    if not backup.is_file():
        return ProjectDamagedError(message + "There is no backup of it; nothing was changed.", None)
    when = datetime.fromtimestamp(backup.stat().st_mtime).strftime("%d %B %Y, %H:%M")
    return ProjectDamagedError(
        message
        + f"Nothing was changed. It can be recovered from its backup of {when}; the damaged file is kept.",
        backup,
    )


def _as_project_error(error: sqlite3.Error, folder: Path) -> ProjectError:
    text = str(error)
    if "malformed" in text or "not a database" in text or "file is encrypted" in text:
        return _damaged(folder, text)
    if "full" in text:
        return ProjectError(f"The project {folder} cannot be saved: the disk is full. Free some space first.")
    if "readonly" in text or "unable to open" in text:
        return ProjectError(
            f"The project {folder} cannot be written ({text}): make its folder writable or open it read-only."
        )
    if "locked" in text:
        return ProjectError(
            f"The project {folder} is held by another program ({text}): try again in a moment."
        )
    return ProjectError(f"The project {folder} cannot be read or written ({text}).")
