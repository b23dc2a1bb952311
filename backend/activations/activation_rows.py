"""Rows of an array in a file, a few at a time, as pooled float32 activations."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.activations.activation_file import BFLOAT16, StoredArray, damaged_file, shape_text
from backend.errors import ActivationImportError

MapPooling = Literal["mean", "max"]
"""How a feature map becomes one value: its mean or its largest value."""

# Of values as they are stored; a few copies of them are in memory at once.
_CHUNK_BYTES: Final = 16 << 20


class ActivationRows:
    """An array of activations, read a few rows at a time; a context manager that closes its file.

    The file is read, not mapped into memory: if it is cut short or its disk goes away meanwhile, that is an
    error and not a crash, and what was read takes no memory any more.

    Parameters
    ----------
    array : StoredArray
        One that :func:`backend.activations.activation_file.choose_array` returned.
    pooling : str or None
        For feature maps ``mean`` or ``max`` over space; None for vectors.

    Raises
    ------
    ActivationImportError
        If the pooling does not suit the array, or the file cannot be opened.
    """

    def __init__(self, array: StoredArray, pooling: MapPooling | None) -> None:
        require_pooling(array, pooling)
        self.array = array
        self._pooling = pooling
        self._rows_at_once = max(1, _CHUNK_BYTES // max(1, array.n_bytes // array.n_images))
        try:
            self._source = _open(array)
        except (OSError, zipfile.BadZipFile) as error:
            raise _cannot_read(array.file, error) from error

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """Read the rows ``start`` to ``stop`` (exclusive); fastest in ascending order.

        Returns
        -------
        ndarray of float32, shape (stop - start, neurons)
            Values beyond the range of float32 are infinite.

        Raises
        ------
        ActivationImportError
            If they cannot be read.
        """
        rows = np.empty((stop - start, self.array.n_neurons), np.float32)
        for first in range(start, stop, self._rows_at_once):
            last = min(first + self._rows_at_once, stop)
            try:
                values = self._source.read(first, last)
            except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
                raise _cannot_read(self.array.file, error) from error
            rows[first - start : last - start] = _pooled(values, self.array, self._pooling)
        return rows

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> ActivationRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def require_pooling(array: StoredArray, pooling: MapPooling | None) -> None:
    """Make sure that feature maps are pooled, and nothing else is.

    Raises
    ------
    ActivationImportError
        If not.
    """
    if array.is_feature_maps and pooling is None:
        raise ActivationImportError(
            f"{array.file} holds feature maps ({shape_text(array.shape)}): choose their pooling, mean or max "
            "over space."
        )
    if not array.is_feature_maps and pooling is not None:
        raise ActivationImportError(
            f"{array.file} holds one value for each image and neuron, so that there is nothing to pool: "
            f"leave the pooling ({pooling}) out."
        )


def _pooled(values: NDArray[Any], array: StoredArray, pooling: MapPooling | None) -> NDArray[np.float32]:
    if array.dtype == BFLOAT16:
        values = (values.astype(np.uint32) << 16).view(np.float32)
    # What is too large for float32, or not finite, makes the row one that is not finite: it is counted later.
    with np.errstate(over="ignore", invalid="ignore"):
        if pooling == "mean":
            values = values.mean(axis=(2, 3), dtype=np.float64)
        elif pooling == "max":
            values = values.max(axis=(2, 3))
        return values.astype(np.float32)


def _cannot_read(file: Path, error: Exception) -> ActivationImportError:
    if isinstance(error, OSError):
        return ActivationImportError(
            f"{file} cannot be read ({error.strerror or error}): connect its disk and continue. What was "
            "imported so far is kept."
        )
    return damaged_file(file, error)


class _Source(Protocol):
    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Return rows as they are stored."""

    def close(self) -> None:
        """Close the file."""


def _open(array: StoredArray) -> _Source:
    if array.offset is not None:
        return _Columns(array) if array.fortran_order else _Rows(array)
    return _Loaded(array) if array.fortran_order else _Compressed(array)


class _Rows:
    """Values row by row in a file."""

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self._offset = array.offset or 0
        self._file = array.file.open("rb", buffering=0)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        shape = (stop - start, *self._array.shape[1:])
        row_bytes = self._array.n_bytes // self._array.n_images
        self._file.seek(self._offset + start * row_bytes)
        return np.frombuffer(_read(self._file, (stop - start) * row_bytes), self._array.storage).reshape(
            shape
        )

    def close(self) -> None:
        self._file.close()


class _Columns:
    """Values column by column in a file: a stretch of each column is read for many rows at once."""

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self._offset = array.offset or 0
        self._n_columns = math.prod(array.shape[1:])
        item = array.storage.itemsize
        self._span = max(1, 4 * _CHUNK_BYTES // (self._n_columns * item))
        self._held = range(0)
        self._values: NDArray[Any] = np.empty((self._n_columns, 0), array.storage)
        self._file = array.file.open("rb", buffering=0)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        parts = []
        while start < stop:
            if start not in self._held:
                self._hold(start)
            last = min(stop, self._held.stop)
            parts.append(self._values[:, start - self._held.start : last - self._held.start])
            start = last
        columns = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        return columns.T.reshape((columns.shape[1], *self._array.shape[1:]), order="F")

    def _hold(self, row: int) -> None:
        """Read the rows around one; in the order of the file, each column is a stretch of bytes."""
        first = row // self._span * self._span
        self._held = range(first, min(first + self._span, self._array.n_images))
        item, n_images = self._array.storage.itemsize, self._array.n_images
        values = np.empty((self._n_columns, len(self._held)), self._array.storage)
        for column in range(self._n_columns):
            self._file.seek(self._offset + (column * n_images + first) * item)
            values[column] = np.frombuffer(_read(self._file, len(self._held) * item), self._array.storage)
        self._values = values

    def close(self) -> None:
        self._file.close()


class _Compressed:
    """Values row by row in a compressed member of a zip archive; going back begins anew."""

    def __init__(self, array: StoredArray) -> None:
        self._array = array
        self._archive = zipfile.ZipFile(array.file)
        self._open()

    def _open(self) -> None:
        self._member: IO[bytes] = self._archive.open(f"{self._array.name}.npy")
        n_bytes = self._archive.getinfo(f"{self._array.name}.npy").file_size
        self._offset = n_bytes - self._array.n_bytes
        self._row = 0
        _skip(self._member, self._offset)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        row_bytes = self._array.n_bytes // self._array.n_images
        if start < self._row:
            self._member.close()
            self._open()
        _skip(self._member, (start - self._row) * row_bytes)
        data = _read(self._member, (stop - start) * row_bytes)
        self._row = stop
        return np.frombuffer(data, self._array.storage).reshape(stop - start, *self._array.shape[1:])

    def close(self) -> None:
        self._member.close()
        self._archive.close()


class _Loaded:
    """A compressed array that is stored column by column, in memory: rows come together only at its end."""

    def __init__(self, array: StoredArray) -> None:
        with zipfile.ZipFile(array.file) as archive, archive.open(f"{array.name}.npy") as member:
            n_bytes = archive.getinfo(f"{array.name}.npy").file_size
            _skip(member, n_bytes - array.n_bytes)
            data = _read(member, array.n_bytes)
        self._values: NDArray[Any] = np.frombuffer(data, array.storage).reshape(array.shape, order="F")

    def read(self, start: int, stop: int) -> NDArray[Any]:
        return self._values[start:stop]

    def close(self) -> None:
        """Nothing is open."""


def _read(file: IO[bytes], n_bytes: int) -> bytes:
    """Read exactly so many bytes."""
    parts: list[bytes] = []
    while n_bytes:
        part = file.read(min(n_bytes, _CHUNK_BYTES))
        if not part:
            raise EOFError("it ends too early")
        parts.append(part)
        n_bytes -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _skip(file: IO[bytes], n_bytes: int) -> None:
    while n_bytes:
        part = len(file.read(min(n_bytes, 1 << 20)))
        if not part:
            raise EOFError("it ends too early")
        n_bytes -= part
