"""Activations on disk: one plain ``.npy`` file a layer, images × neurons, written block by block."""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import zlib
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from backend.byte_size import byte_size
from backend.errors import ExtractionError, ProjectError

ACTIVATIONS_FOLDER = "activations"
SUFFIX = ".npy"
INDEX_SUFFIX = ".index.npz"

DTYPE = np.dtype("<f4")

# Names that Windows reserves for devices, whatever follows the first dot.
_RESERVED = {"con", "prn", "aux", "nul"} | {f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10)}
_LONGEST_STEM = 200

# Left free on the disk, for the database and for everybody else.
_SPARE_BYTES = 64 << 20


def layer_file_stem(layer: str, taken: frozenset[str] = frozenset()) -> str:
    """Return the file name (without suffix) that holds a layer, safe on every file system.

    Letters, digits, ``_``, ``-``, ``.`` and ``~`` stand for themselves, anything else is percent-encoded as
    in a URL (UTF-8), so that :func:`layer_of_file_stem` gives the name back.

    Parameters
    ----------
    layer : str
        Name of the layer.
    taken : frozenset of str
        File stems in use. A stem that differs from one of them by upper and lower case only gets its capitals
        percent-encoded too, because some file systems do not tell the two apart.

    Raises
    ------
    ProjectError
        If the name is empty or too long for a file.
    """
    stem = quote(layer, safe="")
    if stem.startswith(".") or stem.lower().split(".")[0] in _RESERVED:
        stem = f"%{ord(stem[0]):02X}{stem[1:]}"
    if stem.endswith("."):
        stem = stem[:-1] + "%2E"
    if stem.casefold() in {other.casefold() for other in taken}:
        stem = re.sub(r"%[0-9A-F]{2}|[A-Z]", lambda m: m[0] if m[0][0] == "%" else f"%{ord(m[0]):02X}", stem)
    if not stem or len(stem) > _LONGEST_STEM:
        raise ProjectError(
            f"A layer's name must make a file name of 1 to {_LONGEST_STEM} characters: '{layer}'."
        )
    return stem


def layer_of_file_stem(stem: str) -> str:
    """Return the layer whose activations are in the file ``stem.npy``."""
    return unquote(stem)


def activation_bytes(n_images: int, n_neurons: int) -> int:
    """Return the size in bytes of a layer's activation file."""
    return len(_header(n_images, n_neurons)) + n_images * n_neurons * DTYPE.itemsize


def require_free_space(folder: Path, needed: int) -> None:
    """Make sure that a disk can take ``needed`` more bytes.

    Raises
    ------
    ExtractionError
        If it cannot; the sentence gives both figures.
    """
    free = shutil.disk_usage(folder).free
    if needed + _SPARE_BYTES > free:
        raise ExtractionError(
            f"The activations need {byte_size(needed)} more in {folder}, where only {byte_size(free)} are "
            f"free and {byte_size(_SPARE_BYTES)} are left for others: free some space, or choose fewer "
            "layers or images."
        )


def open_activations(path: Path, n_images: int, n_neurons: int) -> NDArray[np.float32]:
    """Map a layer's activations read-only (a ``np.memmap``): float32, shape (n_images, n_neurons).

    Raises
    ------
    ProjectError
        If the file is missing, or is not what the project says it is.
    """
    try:
        found, expected = path.stat().st_size, activation_bytes(n_images, n_neurons)
        if found < expected:
            raise ProjectError(
                f"The activations {path} are damaged: {byte_size(expected - found)} of {byte_size(expected)} "
                "are missing at the end. Extract the layer again; what is sound of it is kept."
            )
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise ProjectError(f"The activations {path} are missing: extract the layer again.") from error
    except OSError as error:
        raise ProjectError(
            f"The activations {path} cannot be read ({error.strerror or error}): extract the layer again."
        ) from error
    except (ValueError, EOFError) as error:
        raise ProjectError(
            f"The activations {path} are damaged. Extract the layer again; what is sound of it is kept."
        ) from error
    if not isinstance(array, np.memmap) or array.shape != (n_images, n_neurons) or array.dtype != DTYPE:
        raise ProjectError(
            f"The activations {path} are not those of {n_images} images and {n_neurons} neurons: "
            "extract the layer again."
        )
    return array


class ActivationWriter:
    """Writes blocks of one layer's activations, each safely on disk before it is reported.

    The file has its full size from the start, so that it is a valid ``.npy`` file at any moment; rows that
    were never written read as zeros, and it is the project's list of blocks that says which rows count.
    Writing goes through the file, not through a memory map: a full disk is then an error, not a crash. It is
    synchronous: a network file system then sends the rows alone, never the whole pages that they begin and
    end in, in which another machine may have written meanwhile.

    Parameters
    ----------
    path : Path
        The ``.npy`` file; made if it is not there, mended if its header or its size is wrong (the checksums
        of the blocks tell what of it can still be used).
    n_images, n_neurons : int
        Shape of the array.

    Raises
    ------
    ExtractionError
        If the file cannot be written.
    """

    def __init__(self, path: Path, n_images: int, n_neurons: int) -> None:
        self.path = path
        self.shape = (n_images, n_neurons)
        header = _header(n_images, n_neurons)
        self._data_offset = len(header)
        self._row_bytes = n_neurons * DTYPE.itemsize
        size = activation_bytes(n_images, n_neurons)
        try:
            path.parent.mkdir(exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_DSYNC", 0)
            self._file = os.fdopen(os.open(path, flags, 0o644), "r+b", 0)
            if os.fstat(self._file.fileno()).st_size != size or self._file.read(len(header)) != header:
                self._write(0, header)
                self._file.truncate(size)
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, start: int, block: NDArray[np.float32]) -> int:
        """Write the rows from ``start`` on, wait until they are on disk, and return their checksum.

        Parameters
        ----------
        start : int
            First row.
        block : ndarray of float32, shape (rows, n_neurons)

        Returns
        -------
        int
            CRC-32 of the block's bytes.

        Raises
        ------
        ExtractionError
            If the block cannot be written (disk full, device gone).
        """
        if block.ndim != 2 or block.shape[1] != self.shape[1] or not 0 <= start <= self.shape[0] - len(block):
            raise ExtractionError(
                f"A block of shape {block.shape} at row {start} does not fit {self.path}, {self.shape}."
            )
        data = np.ascontiguousarray(block, dtype=DTYPE).tobytes()
        try:
            self._write(self._data_offset + start * self._row_bytes, data)
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        return zlib.crc32(data)

    def read(self, start: int, stop: int) -> tuple[NDArray[np.float32], int]:
        """Read the rows ``start`` to ``stop`` and their CRC-32.

        Raises
        ------
        ExtractionError
            If they cannot be read.
        """
        try:
            self._file.seek(self._data_offset + start * self._row_bytes)
            data = self._file.read((stop - start) * self._row_bytes)
        except OSError as error:
            raise _cannot_read(self.path, error) from error
        block = np.frombuffer(data, dtype=DTYPE).reshape(-1, self.shape[1])
        return block, zlib.crc32(data)

    def look_anew(self) -> None:
        """Read from now on what other machines have written: network file systems show it on opening."""
        try:
            self.path.open("rb").close()
        except OSError as error:
            raise _cannot_read(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, offset: int, data: bytes) -> None:
        self._file.seek(offset)
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]


def _header(n_images: int, n_neurons: int) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(  # type: ignore[no-untyped-call]
        file, {"descr": DTYPE.str, "fortran_order": False, "shape": (n_images, n_neurons)}
    )
    return file.getvalue()


def _cannot_read(path: Path, error: OSError) -> ExtractionError:
    return ExtractionError(f"The activations {path} cannot be read ({error.strerror or error}).")


def _cannot_write(path: Path, error: OSError) -> ExtractionError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ExtractionError(
            f"The activations cannot be written to {path}: the disk is full. "
            "What was extracted so far is kept; free some space and continue."
        )
    return ExtractionError(
        f"The activations cannot be written to {path} ({error.strerror or error}). "
        "What was extracted so far is kept; continue when the cause is gone."
    )
