"""The layers of a project: what was extracted, from which model, which rows of it are safely on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.activations.store import (
    ACTIVATIONS_FOLDER,
    SUFFIX,
    layer_file_stem,
)
from backend.errors import ProjectError
from backend.method.parameters import Parameters, Suggestion
from backend.networks.model_source import Pooling, Precision, Preprocessing
from backend.project_folder.file_state import FileState
from backend.project_folder.layer_binding import LayerBinding, preprocessing_of_json
from backend.project_folder.layer_origin import LayerOrigin
from backend.project_folder.layer_record import LayerRecord, StoredBlock
from backend.project_folder.project_database import ProjectDatabase
from backend.project_folder.project_precision import PLANNED_CHECKS, planned_checks

_Value = TypeVar("_Value")

_RECORDED_SOFTWARE = ("neuron-prism", "torch", "torchvision", "timm", "numpy", "pillow", "pydicom")
_SOFTWARE_OF_IMPORTS = ("neuron-prism", "numpy")


class LayerTable:
    """The tables ``layers`` and ``blocks`` of a project."""

    def __init__(self, database: ProjectDatabase, n_images: int) -> None:
        self._database = database
        self._n_images = n_images

    def records(self) -> tuple[LayerRecord, ...]:
        """Return all layers in the order of their extraction."""
        rows = self._database.query(
            "SELECT name, n_neurons, file, weights_sha256, preprocessing, pooling, precision, created,"
            " versions, origin, (SELECT coalesce(sum(stop - start), 0) FROM blocks WHERE layer = id)"
            " FROM layers ORDER BY id"
        )
        return tuple(self._record(*row) for row in rows)

    def record(self, name: str) -> LayerRecord:
        """Return one layer.

        Raises
        ------
        ProjectError
            If the project has no such layer; the sentence names those it has.
        """
        records = self.records()
        for record in records:
            if record.name == name:
                return record
        known = ", ".join(record.name for record in records) or "none yet"
        raise ProjectError(
            f"The project {self._database.folder} has no activations of a layer '{name}'. It has: {known}."
        )

    def add(
        self, name: str, n_neurons: int, binding: LayerBinding, origin: LayerOrigin | None = None
    ) -> LayerRecord:
        """Record a new layer, of which no row is done; ``origin`` is the file that it is imported from."""
        check = planned_checks(self._database).get(name) if binding.precision == "fast" else None
        taken = {stem for (stem,) in self._database.query("SELECT file FROM layers")}
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO layers (name, n_neurons, file, weights_sha256, preprocessing, pooling,"
                " precision, versions, created, origin, precision_check)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    name,
                    n_neurons,
                    layer_file_stem(name, frozenset(taken)),
                    *binding.to_columns(),
                    json.dumps(software_versions(_SOFTWARE_OF_IMPORTS if origin else _RECORDED_SOFTWARE)),
                    now(),
                    None if origin is None else json.dumps(origin.to_dict()),
                    None if check is None else json.dumps(check.to_dict()),
                ),
            )
        return self.record(name)

    def save_origin(self, name: str, origin: LayerOrigin, binding: LayerBinding) -> None:
        """Keep what is known by now of an imported layer: its origin, and what it belongs to."""
        identity = self._id(name)
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE layers SET weights_sha256 = ?, preprocessing = ?, pooling = ?, precision = ?,"
                " origin = ? WHERE id = ?",
                (*binding.to_columns(), json.dumps(origin.to_dict()), identity),
            )

    def blocks(self, name: str) -> tuple[StoredBlock, ...]:
        """Return the blocks of a layer that are on disk, by row."""
        rows = self._database.query(
            "SELECT start, stop, crc32 FROM blocks WHERE layer = ? ORDER BY start", (self._id(name),)
        )
        return tuple(StoredBlock(*row) for row in rows)

    def recorded_starts(self) -> frozenset[int]:
        """Return the first rows of all blocks that any layer has; imported layers do not count."""
        found = self._database.query(
            "SELECT DISTINCT start FROM blocks JOIN layers ON layer = id WHERE origin IS NULL"
        )
        return frozenset(start for (start,) in found)

    def leading_blocks(self, name: str) -> tuple[StoredBlock, ...]:
        """Return the blocks of a layer from row 0 to the first row that is not there."""
        blocks = self.blocks(name)
        for place, block in enumerate(blocks):
            if block.start != (blocks[place - 1].stop if place else 0):
                return blocks[:place]
        return blocks

    def n_leading_rows(self, name: str) -> int:
        """Return how many rows from row 0 on are there without a gap."""
        leading = self.leading_blocks(name)
        return leading[-1].stop if leading else 0

    def stored_rows(self) -> NDArray[np.bool_]:
        """Return for each image whether any layer has its row on disk; imported layers do not count."""
        stored = np.zeros(self._n_images, dtype=bool)
        for start, stop in self._database.query(
            "SELECT DISTINCT start, stop FROM blocks JOIN layers ON layer = id WHERE origin IS NULL"
        ):
            stored[start:stop] = True
        return stored

    def record_block(
        self,
        start: int,
        stop: int,
        crc32: Mapping[str, int],
        skipped: Mapping[int, str],
        states: Mapping[int, FileState | None],
    ) -> None:
        """Record that a block is on disk, for several layers at once.

        Parameters
        ----------
        start, stop
            Its rows.
        crc32
            Layer → checksum of the block's bytes.
        skipped
            Row → why the image could not be read; its rows hold NaN.
        states
            Row → state of the image's file, where another than that on record was read; None where the file
            could not be reached, so that it counts as unread.
        """
        identities = {name: self._id(name) for name in crc32}
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO blocks (layer, start, stop, crc32) VALUES (?, ?, ?, ?)",
                [(identities[name], start, stop, checksum) for name, checksum in crc32.items()],
            )
            connection.executemany(
                "UPDATE images SET skip_reason = ? WHERE row = ?",
                [(reason, row) for row, reason in skipped.items()],
            )
            connection.executemany(
                "UPDATE images SET size = ?, mtime_ns = ?, sha256 = NULL WHERE row = ?",
                [
                    (*((state.size, state.mtime_ns) if state else (None, None)), row)
                    for row, state in states.items()
                ],
            )

    def forget_blocks(self, name: str, starts: Iterable[int]) -> None:
        """Take blocks of a layer as not extracted."""
        identity = self._id(name)
        forgotten = [(identity, start) for start in starts]
        if not forgotten:
            return
        with self._database.transaction() as connection:
            connection.executemany("DELETE FROM blocks WHERE layer = ? AND start = ?", forgotten)

    def forget_images(self, rows: Iterable[int]) -> None:
        """Take the blocks around these images as not extracted, in all layers, and the images as unread.

        Imported layers stay as they are: their activations do not come from the image files. What was derived
        from the others (neuron indices, suggestions) goes too. The next extraction computes them.
        """
        # Not as NumPy's integers, which SQLite would take for bytes, equal to no row.
        wanted = [(row,) for row in sorted({int(row) for row in rows})]
        for record in self.records():
            if record.origin is None:
                record.forget_index()
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM blocks WHERE start <= ?1 AND stop > ?1"
                " AND layer IN (SELECT id FROM layers WHERE origin IS NULL)",
                wanted,
            )
            connection.executemany(
                "UPDATE images SET skip_reason = NULL, size = NULL, mtime_ns = NULL, sha256 = NULL"
                " WHERE row = ?",
                wanted,
            )
            connection.execute("UPDATE layers SET suggestion = NULL WHERE origin IS NULL")

    def rebind(
        self, weights_sha256: str, preprocessing: Preprocessing, project_values: Mapping[str, str]
    ) -> None:
        """Take everything that was extracted as not extracted, and let it belong to another model.

        ``project_values`` (JSON texts by key) are written to the table ``project`` in the same transaction.
        """
        extracted = [record for record in self.records() if record.origin is None]
        for record in extracted:
            record.forget_index()
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM blocks WHERE layer IN (SELECT id FROM layers WHERE origin IS NULL)"
            )
            connection.execute(
                "UPDATE images SET skip_reason = NULL, size = NULL, mtime_ns = NULL, sha256 = NULL"
            )
            connection.execute(
                "UPDATE layers SET weights_sha256 = ?, preprocessing = ?, versions = ?, created = ?,"
                " suggestion = NULL, precision_check = NULL WHERE origin IS NULL",
                (
                    weights_sha256,
                    json.dumps(preprocessing.to_dict()),
                    json.dumps(software_versions()),
                    now(),
                ),
            )
            connection.execute("DELETE FROM project WHERE key = ?", (PLANNED_CHECKS,))
            connection.executemany(
                "INSERT OR REPLACE INTO project (key, value) VALUES (?, ?)", project_values.items()
            )

    def parameters(self, name: str) -> Parameters | None:
        """Return the parameters that were chosen for a layer, if any."""
        return self._value(name, "parameters", Parameters.from_dict)

    def save_parameters(self, name: str, parameters: Parameters | None) -> None:
        """Keep the parameters chosen for a layer; None forgets them."""
        self._save_json(name, "parameters", None if parameters is None else parameters.to_dict())

    def suggestion(self, name: str) -> Suggestion | None:
        """Return what was suggested for a layer, if anything."""
        return self._value(name, "suggestion", Suggestion.from_dict)

    def save_suggestion(self, name: str, suggestion: Suggestion | None) -> None:
        """Keep what is suggested for a layer; None forgets it."""
        self._save_json(name, "suggestion", None if suggestion is None else suggestion.to_dict())

    def _id(self, name: str) -> int:
        return layer_id(self._database, name)

    def check(self) -> None:
        """Read all that is kept of every layer.

        Raises
        ------
        ProjectDamagedError
            If some of it cannot be read.
        """
        for record in self.records():
            self.parameters(record.name)
            self.suggestion(record.name)

    def _value(self, name: str, column: str, build: Callable[[Mapping[str, Any]], _Value]) -> _Value | None:
        ((text,),) = self._database.query(f"SELECT {column} FROM layers WHERE id = ?", (self._id(name),))
        return None if text is None else self._database.decode(text, f"column layers.{column}", build)

    def _save_json(self, name: str, column: str, values: Mapping[str, Any] | None) -> None:
        text = None if values is None else json.dumps(values)
        identity = self._id(name)
        with self._database.transaction() as connection:
            connection.execute(f"UPDATE layers SET {column} = ? WHERE id = ?", (text, identity))

    def _record(
        self,
        name: str,
        n_neurons: int,
        stem: str,
        weights_sha256: str,
        preprocessing: str,
        pooling: Pooling,
        precision: Precision,
        created: str,
        versions: str,
        origin: str | None,
        n_done: int,
    ) -> LayerRecord:
        decode = self._database.decode
        return LayerRecord(
            name=name,
            n_neurons=n_neurons,
            n_images=self._n_images,
            n_done=n_done,
            binding=LayerBinding(
                weights_sha256,
                decode(preprocessing, "column layers.preprocessing", preprocessing_of_json),
                pooling,
                precision,
            ),
            file=self._database.folder / ACTIVATIONS_FOLDER / (stem + SUFFIX),
            created=created,
            versions=decode(versions, "column layers.versions", dict[str, str]),
            origin=None if origin is None else decode(origin, "column layers.origin", LayerOrigin.from_dict),
        )


def layer_id(database: ProjectDatabase, name: str) -> int:
    """Return the number of a layer in the database.

    Raises
    ------
    ProjectError
        If the project has no such layer.
    """
    rows = database.query("SELECT id FROM layers WHERE name = ?", (name,))
    if not rows:
        raise ProjectError(f"The project {database.folder} has no activations of a layer '{name}'.")
    return int(rows[0][0])


def now() -> str:
    """Return the present time in UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def software_versions(packages: Iterable[str] = _RECORDED_SOFTWARE) -> dict[str, str]:
    """Return the versions of packages (by default of those that activations depend on) that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
