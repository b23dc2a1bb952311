"""What a rank has written into the activation files: one line a block, in a file of the rank's own."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import ExtractionError
from backend.project_folder.file_state import FileState


@dataclass(frozen=True)
class JournalRecord:
    """A block of rows that a rank has put on disk.

    Attributes
    ----------
    start, stop
        Its rows, ``stop`` exclusive.
    crc32
        Layer → CRC-32 of the block's bytes.
    skipped
        Row → why its image is skipped; its rows hold NaN.
    states
        Row → state of the image's file, where another than that on record was read; None where the file
        could not be reached.
    """

    start: int
    stop: int
    crc32: Mapping[str, int]
    skipped: Mapping[int, str]
    states: Mapping[int, FileState | None]

    def to_line(self) -> bytes:
        """Return a line: the CRC-32 of what follows in eight hexadecimal digits, a space, JSON."""
        values = {
            "start": self.start,
            "stop": self.stop,
            "crc32": dict(self.crc32),
            "skipped": {str(row): reason for row, reason in self.skipped.items()},
            "states": {
                str(row): None if state is None else [state.size, state.mtime_ns]
                for row, state in self.states.items()
            },
        }
        text = json.dumps(values).encode()
        return b"%08x %s\n" % (zlib.crc32(text), text)

    @classmethod
    def from_line(cls, line: bytes) -> JournalRecord | None:
        """Read a line; None if it is torn or anything else than :meth:`to_line` gives."""
        checksum, _, text = line.removesuffix(b"\n").partition(b" ")
        if not line.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(text):
            return None
        try:
            return cls._from_values(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    @classmethod
    def _from_values(cls, values: Any) -> JournalRecord:
        rows = range(int(values["start"]), int(values["stop"]))
        skipped = {int(row): str(reason) for row, reason in values["skipped"].items()}
        states = {
            int(row): None if state is None else FileState(*map(int, state))
            for row, state in values["states"].items()
        }
        if any(row not in rows for row in (*skipped, *states)):
            raise ValueError("a row outside of the block")
        crc32 = {str(layer): int(checksum) for layer, checksum in values["crc32"].items()}
        return cls(rows.start, rows.stop, crc32, skipped, states)


class JournalWriter:
    """Appends records to a journal, each safely on disk before the call returns.

    Parameters
    ----------
    path : Path
        The file; must not exist.

    Raises
    ------
    ExtractionError
        If it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise self._cannot_write(error) from error

    def append(self, record: JournalRecord) -> None:
        """Append a record. The rows it tells of have to be on disk already."""
        rest = memoryview(record.to_line())
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._cannot_write(error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _cannot_write(self, error: OSError) -> ExtractionError:
        return ExtractionError(
            f"The journal {self._path} cannot be written ({error.strerror or error}). What was extracted so "
            "far is kept; continue when the cause is gone."
        )


class JournalReader:
    """Reads a journal that another process may still be writing.

    Parameters
    ----------
    path : Path
        The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[JournalRecord]:
        """Return the records that came since the last call, up to the first line that is not whole yet.

        The file is opened anew each time, so that a network file system shows what other machines wrote.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines = file.read().splitlines(keepends=True)
        except OSError:
            # Not there yet, or not to be had just now: what is in it is read another time.
            return []
        records = []
        for line in lines:
            record = JournalRecord.from_line(line)
            if record is None:
                break
            records.append(record)
            self._offset += len(line)
        return records
