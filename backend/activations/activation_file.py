"""Files of activations that were computed elsewhere: which arrays are in them, and which can be imported."""

from __future__ import annotations

import json
import math
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from backend.byte_size import byte_size
from backend.did_you_mean import did_you_mean
from backend.errors import ActivationImportError

ACTIVATION_SUFFIXES: Final = (".npy", ".npz", ".safetensors")

BFLOAT16: Final = "bfloat16"

_SAFETENSORS_TYPES: Final = {
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "I8": "|i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U8": "|u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
}
_KINDS: Final = {"b": "true or false", "c": "complex numbers", "S": "texts", "U": "texts", "V": "records"}
# Of a compressed array that is stored column by column: its rows come together only once all of it is read.
_MOST_BYTES_IN_MEMORY: Final = 1 << 30
_LOCAL_HEADER: Final = struct.Struct("<26xHH")


@dataclass(frozen=True)
class StoredArray:
    """An array in a file, as its header describes it.

    Attributes
    ----------
    file
        Where it is.
    name
        In the file; None for ``.npy``, which holds one array without a name.
    shape
        (images, neurons), or (images, channels, height, width); something else only with a ``reason``.
    dtype
        ``float16``, ``bfloat16``, ``float32``, ``int8``, …
    storage
        How a value is stored, with its byte order; bfloat16 as the two bytes that it is.
    reason
        Why it cannot be activations, as the rest of a sentence that begins with "it"; "" if it can.
    fortran_order
        Whether the first axis varies fastest.
    offset
        Of the first value in the file; None if it is compressed.
    """

    file: Path
    name: str | None
    shape: tuple[int, ...]
    dtype: str
    storage: np.dtype[Any]
    reason: str = ""
    fortran_order: bool = False
    offset: int | None = None

    @property
    def n_images(self) -> int:
        """Number of rows."""
        return self.shape[0]

    @property
    def n_neurons(self) -> int:
        """Number of neurons, which are the channels of feature maps."""
        return self.shape[1]

    @property
    def is_feature_maps(self) -> bool:
        """Whether it holds a map for each image and channel, which has to be pooled."""
        return len(self.shape) == 4

    @property
    def n_bytes(self) -> int:
        """Size of its values, uncompressed."""
        return math.prod(self.shape) * self.storage.itemsize


def list_arrays(file: Path) -> tuple[StoredArray, ...]:
    """Return the arrays of a ``.npy``, ``.npz`` or ``.safetensors`` file. Only headers are read.

    Raises
    ------
    ActivationImportError
        If the file is missing, of another kind, damaged or truncated.
    """
    readers = {".npy": _npy_arrays, ".npz": _npz_arrays, ".safetensors": _safetensors_arrays}
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise ActivationImportError(
            f"{file} is no file that activations are imported from: save them as .npy, .npz or .safetensors."
        )
    try:
        arrays = reader(file)
    except FileNotFoundError as error:
        raise ActivationImportError(f"There is no file {file}.") from error
    except OSError as error:
        raise ActivationImportError(f"{file} cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise damaged_file(file, error) from error
    except (SafetensorError, RuntimeError) as error:
        # zipfile has RuntimeError for archives that are encrypted, or compressed in a way of their own.
        raise damaged_file(file, error) from error
    return tuple(replace(array, reason=array.reason or _shape_problem(array)) for array in arrays)


def damaged_file(file: Path, error: Exception) -> ActivationImportError:
    """Return the error that says of a file that it is not what its suffix promises."""
    return ActivationImportError(
        f"{file} is truncated, damaged, or no {file.suffix} file ({error}): write it again, or copy it again."
    )


def choose_array(arrays: Sequence[StoredArray], name: str | None = None) -> StoredArray:
    """Return the array of a name; without one the only array that can be activations, vectors before maps.

    Raises
    ------
    ActivationImportError
        If there is no such array, it cannot be activations, or several can.
    """
    if not arrays:
        raise ActivationImportError("The file holds no arrays.")
    file = arrays[0].file
    if name is not None:
        return _usable(_named(arrays, name))
    for n_axes in (2, 4):
        found = [array for array in arrays if not array.reason and len(array.shape) == n_axes]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(str(array.name) for array in found)
            raise ActivationImportError(
                f"{file} holds several arrays that can be activations: choose one of {names}."
            )
    if len(arrays) == 1:
        return _usable(arrays[0])
    reasons = "; ".join(f"{array.name}: {array.reason}" for array in arrays[:3])
    raise ActivationImportError(f"{file} holds no activations (images × neurons). {reasons}.")


def _named(arrays: Sequence[StoredArray], name: str) -> StoredArray:
    names = [array.name for array in arrays if array.name is not None]
    if not names:
        raise ActivationImportError(f"{arrays[0].file} holds one array without a name: leave “{name}” out.")
    for array in arrays:
        if array.name == name:
            return array
    raise ActivationImportError(f"{arrays[0].file} holds no array “{name}”{did_you_mean(name, names)}")


def _usable(array: StoredArray) -> StoredArray:
    if array.reason:
        which = str(array.file) if array.name is None else f"“{array.name}” of {array.file}"
        raise ActivationImportError(f"{which} cannot be imported: it {array.reason}.")
    return array


def _shape_problem(array: StoredArray) -> str:
    shape = array.shape
    if len(shape) in (2, 4):
        if 0 in shape:
            missing = "no images" if shape[0] == 0 else "no neurons" if shape[1] == 0 else "no values"
            return f"holds {missing} (its shape is {shape_text(shape)})"
        if array.fortran_order and array.offset is None and array.n_bytes > _MOST_BYTES_IN_MEMORY:
            return (
                f"is compressed and stored column by column ({byte_size(array.n_bytes)}): save it without "
                "compression (numpy.savez), or in C order (numpy.ascontiguousarray)"
            )
        return ""
    if len(shape) == 3:
        return (
            f"has three axes ({shape_text(shape)}); of an image's tokens take one, or their mean, before you "
            "save them: images × neurons"
        )
    axes = "no axes" if not shape else "one axis" if len(shape) == 1 else f"{len(shape)} axes"
    return (
        f"has {axes} ({shape_text(shape)}), not two (images × neurons) or four (images × channels × height × "
        "width)"
    )


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people read it: ``26,000 × 1,280``."""
    return " × ".join(f"{length:,}" for length in shape) or "a single value"


def _type_problem(dtype: np.dtype[Any]) -> str:
    if dtype.hasobject:
        return "holds pickled Python objects, which are never loaded: save an array of numbers"
    if (dtype.kind == "f" and dtype.itemsize in (2, 4, 8)) or dtype.kind in "iu":
        return ""
    return f"holds {_KINDS.get(dtype.kind, f'{dtype} values')}, not numbers of an activation"


# .npy and .npz


def _npy_arrays(file: Path) -> list[StoredArray]:
    with file.open("rb") as opened:
        array = _npy_array(opened, file, None)
        array = replace(array, offset=opened.tell())
    _require_bytes(array, file.stat().st_size)
    return [array]


def _npy_array(opened: IO[bytes], file: Path, name: str | None) -> StoredArray:
    """Read the header of a ``.npy`` file; the file is then at its first value."""
    version = np.lib.format.read_magic(opened)  # type: ignore[no-untyped-call]
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]} of the format")
    shape, fortran_order, dtype = readers[version](opened)  # type: ignore[no-untyped-call]
    # An array of one column, or one row, is both; reading rows is simpler.
    columns_first = bool(fortran_order) and sum(length > 1 for length in shape) > 1
    return StoredArray(file, name, tuple(shape), dtype.name, dtype, _type_problem(dtype), columns_first)


def _npz_arrays(file: Path) -> list[StoredArray]:
    arrays = []
    with zipfile.ZipFile(file) as archive, file.open("rb") as opened:
        for member in archive.infolist():
            if not member.filename.endswith(".npy"):
                continue
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as content:
                array = _npy_array(content, file, name)
                header_bytes = content.tell()
            if member.compress_type == zipfile.ZIP_STORED:
                opened.seek(member.header_offset)
                name_length, extra_length = _LOCAL_HEADER.unpack(opened.read(_LOCAL_HEADER.size))
                start = member.header_offset + _LOCAL_HEADER.size + name_length + extra_length
                array = replace(array, offset=start + header_bytes)
            if not array.storage.hasobject:
                _require_bytes(replace(array, offset=header_bytes), member.file_size)
            arrays.append(array)
    return arrays


def _require_bytes(array: StoredArray, found: int) -> None:
    expected = (array.offset or 0) + array.n_bytes
    if found < expected and not array.storage.hasobject:
        raise ActivationImportError(
            f"{array.file} is truncated: {byte_size(expected - found)} of {byte_size(expected)} are missing "
            "at its end. Write it again, or copy it again."
        )


# .safetensors


def _safetensors_arrays(file: Path) -> list[StoredArray]:
    with safe_open(file, framework="np"):  # type: ignore[no-untyped-call]
        # Opening checks that the header is sound and that all of its bytes are there.
        pass
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header: Mapping[str, Any] = json.loads(opened.read(length))
    start = 8 + length
    return [
        _tensor(file, name, values, start)
        for name, values in sorted(header.items())
        if name != "__metadata__"
    ]


def _tensor(file: Path, name: str, values: Mapping[str, Any], start: int) -> StoredArray:
    kind, shape = str(values["dtype"]), tuple(int(length) for length in values["shape"])
    offset = start + int(values["data_offsets"][0])
    if kind == "BF16":
        return StoredArray(file, name, shape, BFLOAT16, np.dtype("<u2"), offset=offset)
    if kind not in _SAFETENSORS_TYPES:
        reason = f"holds {kind} values, not numbers of an activation"
        return StoredArray(file, name, shape, kind, np.dtype("|V1"), reason)
    dtype = np.dtype(_SAFETENSORS_TYPES[kind])
    return StoredArray(file, name, shape, dtype.name, dtype, offset=offset)
