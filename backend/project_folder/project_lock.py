"""One writer at a time: the lock that a process holds while it has a project open for writing."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from backend.errors import ProjectError

LOCK_FILE = "project.lock"

# What a file system answers that has no locks (some cluster file systems are mounted so).
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class ProjectInUseError(ProjectError):
    """Another process, or another part of this one, has the project open for writing."""


class WriterLock:
    """The right to write a project, held from construction to :meth:`release`.

    The operating system holds the lock (``flock``, on Windows ``LockFile``) and frees it when the process
    ends, however it ends: a lock file left by a dead process locks nobody out. The file's content only says
    who holds the lock. Where the file system has no locks, that content decides instead, and a dead process
    of the same machine is recognised by its number.

    Parameters
    ----------
    folder : Path
        The project's folder.

    Raises
    ------
    ProjectInUseError
        If the project is open for writing elsewhere; the sentence says where.
    ProjectError
        If the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        path = folder / LOCK_FILE
        try:
            self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise ProjectError(
                f"The project {folder} cannot be opened for writing ({error.strerror or error}): "
                "open it read-only, or make its folder writable."
            ) from error
        try:
            if not _lock(self._file):
                raise self._in_use(_read_owner(self._file))
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                self._close()
                raise ProjectError(
                    f"The project {folder} cannot be locked for writing ({error.strerror or error})."
                ) from error
            self._claim_without_locks()
        self._write_owner()

    def release(self) -> None:
        """Give the lock back. Releasing twice is allowed."""
        if self._file is not None:
            # The file stays: removing it would race with a process that has just opened it.
            with contextlib.suppress(OSError):
                os.truncate(self._file, 0)
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _claim_without_locks(self) -> None:
        assert self._file is not None
        owner = _read_owner(self._file)
        if owner and _may_be_alive(owner):
            raise self._in_use(owner)

    def _in_use(self, owner: Mapping[str, Any]) -> ProjectInUseError:
        self._close()
        if owner.get("pid") == os.getpid() and owner.get("host") == socket.gethostname():
            who = "this program itself"
        elif owner:
            who = f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('since')}"
        else:
            who = "another process"
        return ProjectInUseError(
            f"The project {self._folder} is already open for writing, by {who}: "
            "close it there first, or open it read-only."
        )

    def _write_owner(self) -> None:
        assert self._file is not None
        owner = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(timezone.utc).astimezone().isoformat(sep=" ", timespec="seconds"),
        }
        try:
            os.truncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            os.write(self._file, json.dumps(owner).encode())
        except OSError as error:
            self._close()
            raise ProjectError(
                f"The project {self._folder} cannot be opened for writing ({error.strerror or error}): "
                "free some space or make its folder writable."
            ) from error


def _read_owner(file: int) -> dict[str, Any]:
    try:
        os.lseek(file, 0, os.SEEK_SET)
        owner = json.loads(os.read(file, 4096) or b"{}")
    except (OSError, ValueError):
        # Who holds it is unknown then; that it is held is not.
        return {}
    return owner if isinstance(owner, dict) else {}


def _may_be_alive(owner: Mapping[str, Any]) -> bool:
    if owner.get("host") != socket.gethostname():
        return True
    pid = owner.get("pid")
    if sys.platform == "win32" or not isinstance(pid, int) or pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if sys.platform == "win32":
    import msvcrt

    # Windows locks bytes, and a locked byte cannot be read: one far behind the owner's record.
    _LOCKED_BYTE = 1 << 30

    def _lock(file: int) -> bool:
        """Lock the open file, or return False if it is locked already."""
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        """Lock the open file, or return False if it is locked already."""
        try:
            # Unlike lockf, flock also keeps a second opening within the same process out.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
