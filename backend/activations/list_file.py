"""Lists in files of any common kind: text, CSV, JSON, NumPy."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.errors import ActivationImportError

PATH_COLUMN: Final = "path"
LABEL_COLUMN: Final = "label"

_DELIMITERS: Final = (",", ";", "\t")
_PATH_ARRAYS: Final = ("paths", "path", "files", "filenames")
_LABEL_ARRAYS: Final = ("labels", "label")
_LINE_END: Final = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class ListEntries:
    """What a list of images holds.

    Attributes
    ----------
    texts
        The paths as they stand there.
    labels
        The classes, as many; None if it holds none.
    where
        Gives the words for the place of an entry: "Line 3".
    """

    texts: Sequence[str]
    labels: tuple[str, ...] | None
    where: Callable[[int], str]


def read_entries(file: Path) -> ListEntries:
    """Read the entries of a list of images; see :func:`backend.activations.image_list.read_image_list`.

    Raises
    ------
    ActivationImportError
        If the file is not what its suffix promises.
    OSError
        If it cannot be read.
    """
    suffix = file.suffix.lower()
    if suffix in (".npz", ".npy"):
        return _array_entries(file)
    text = _decoded(file)
    if suffix == ".json":
        return _json_entries(file, text)
    if suffix in (".csv", ".tsv"):
        return _csv_entries(file, text)
    lines = _lines(text)
    while lines and not lines[-1]:
        lines.pop()
    return ListEntries(lines, None, lambda place: f"Line {place + 1}")


def _lines(text: str) -> list[str]:
    return [line.strip() for line in _LINE_END.split(text)]


def _decoded(file: Path) -> str:
    data = file.read_bytes()
    utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf_16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActivationImportError(f"{file} is no text in UTF-8: save it as such.") from error


def _csv_entries(file: Path, text: str) -> ListEntries:
    head = text.partition("\n")[0]
    for delimiter in _DELIMITERS:
        names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
        if PATH_COLUMN in names:
            break
    else:
        raise ActivationImportError(
            f"{file} has no column “{PATH_COLUMN}”: its first line has to name the columns."
        )
    place, label_place = names.index(PATH_COLUMN), _place(names, LABEL_COLUMN)
    texts, labels, lines = [], [], []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    next(reader)
    try:
        for row in reader:
            if row:
                texts.append(_cell(row, place))
                labels.append(_cell(row, label_place))
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ActivationImportError(
            f"Line {reader.line_num} of {file} cannot be read as CSV ({error})."
        ) from error
    return ListEntries(texts, None if label_place is None else tuple(labels), lambda i: f"Line {lines[i]}")


def _place(names: Sequence[str], name: str) -> int | None:
    return names.index(name) if name in names else None


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _json_list(file: Path, text: str) -> list[Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ActivationImportError(f"{file} is no JSON ({error}).") from error
    if not isinstance(values, list):
        raise ActivationImportError(f"{file} holds no list.")
    return values


def _json_entries(file: Path, text: str) -> ListEntries:
    values = _json_list(file, text)
    texts, labels = [], []
    for place, value in enumerate(values):
        path = value.get(PATH_COLUMN) if isinstance(value, dict) else value
        label = value.get(LABEL_COLUMN) if isinstance(value, dict) else None
        if not isinstance(path, str) or not isinstance(label, str | None):
            raise ActivationImportError(
                f"Entry {place + 1} of {file} is no path: it has to be a text, or an object with "
                f"“{PATH_COLUMN}” and, if wanted, “{LABEL_COLUMN}”."
            )
        texts.append(path)
        labels.append(label or "")
    has_labels = any(isinstance(value, dict) and LABEL_COLUMN in value for value in values)
    return ListEntries(texts, tuple(labels) if has_labels else None, _entry)


def _entry(place: int) -> str:
    return f"Entry {place + 1}"


def _array_entries(file: Path) -> ListEntries:
    try:
        arrays = _text_arrays(file)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ActivationImportError(
            f"The list of images {file} is damaged, or pickled, which is never loaded ({error}): save the "
            "paths as an array of texts, numpy.array(paths, dtype=str)."
        ) from error
    candidates = [name for name in arrays if name not in _LABEL_ARRAYS]
    named = [name for name in candidates if name in _PATH_ARRAYS]
    chosen = named[:1] or candidates
    if len(chosen) != 1:
        found = f"several ({', '.join(chosen)})" if chosen else "none"
        raise ActivationImportError(
            f"{file} needs one array of texts with one axis that lists the images, best named “paths”; it "
            f"has {found}."
        )
    paths = arrays[chosen[0]]
    for name in _LABEL_ARRAYS:
        if name in arrays and len(arrays[name]) == len(paths):
            return ListEntries(paths, tuple(arrays[name]), _entry)
    return ListEntries(paths, None, _entry)


def _text_arrays(file: Path) -> dict[str, list[str]]:
    """Return the arrays of texts with one axis; ValueError if the only ones are pickled."""
    loaded = np.load(file, allow_pickle=False, mmap_mode="r")
    if isinstance(loaded, np.ndarray):
        return {"paths": _texts(loaded)} if _is_texts(loaded) else {}
    found = {}
    pickled: ValueError | None = None
    with loaded:
        for name in loaded.files:
            if name not in (*_PATH_ARRAYS, *_LABEL_ARRAYS) and _is_numbers(loaded, name):
                continue
            try:
                array = loaded[name]
            except ValueError as error:
                pickled = error
                continue
            if _is_texts(array):
                found[name] = _texts(array)
    if not found and pickled is not None:
        raise pickled
    return found


def _is_numbers(loaded: Any, name: str) -> bool:
    """Return whether an array of an archive holds numbers, by its header: activations need not be read."""
    with loaded.zip.open(f"{name}.npy") as member:
        version = np.lib.format.read_magic(member)  # type: ignore[no-untyped-call]
        if version != (1, 0):
            return False
        _, _, dtype = np.lib.format.read_array_header_1_0(member)  # type: ignore[no-untyped-call]
        return dtype.kind in "biufc"


def _is_texts(array: NDArray[Any]) -> bool:
    return array.ndim == 1 and array.dtype.kind in "US"


def _texts(array: NDArray[Any]) -> list[str]:
    if array.dtype.kind == "U":
        return [str(text) for text in array]
    return [bytes(text).decode("utf-8") for text in array]


def read_neuron_names(file: Path, n_neurons: int) -> tuple[str, ...]:
    """Read a list of neurons' names: a text file, a name a line, or a JSON list; empty: without a name.

    Raises
    ------
    ActivationImportError
        If the file cannot be read, or does not have a name for each neuron.
    """
    try:
        text = _decoded(file)
        names = _json_list(file, text) if file.suffix.lower() == ".json" else _lines(text)
    except OSError as error:
        raise ActivationImportError(
            f"The list of neurons' names {file} cannot be read ({error.strerror or error})."
        ) from error
    if not all(isinstance(name, str) for name in names):
        raise ActivationImportError(f"{file} is no list of names: each has to be a text.")
    # A text file may end in an empty line.
    while len(names) > n_neurons and not str(names[-1]).strip():
        names = names[:-1]
    if len(names) != n_neurons:
        raise ActivationImportError(
            f"{file} has {len(names):,} names for {n_neurons:,} neurons: give one for each, an empty one "
            "where a neuron has none."
        )
    return tuple(str(name).strip() for name in names)
