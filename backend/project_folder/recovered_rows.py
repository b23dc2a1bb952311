"""Rows of a project that was recovered from a backup: only those that the backup tells of are believed."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterator

from backend.activations.store import DTYPE
from backend.project_folder.layer_record import LayerRecord, StoredBlock
from backend.project_folder.project_layers import LayerTable

_log = logging.getLogger(__name__)


def forget_other_rows(layers: LayerTable) -> None:
    """Take blocks as not extracted whose rows have another checksum on disk than the backup tells.

    A backup may be older than the activations: rows may have been computed again since, of changed images or
    with another network. Every row that is on record is read once. The neuron indices go too.

    Raises
    ------
    ProjectError
        If a neuron index cannot be removed.
    """
    for record in layers.records():
        record.forget_index()
        others = list(_starts_of_other_rows(record, layers.blocks(record.name)))
        layers.forget_blocks(record.name, others)
        if others:
            _log.warning("%d blocks of %s are not those of the backup", len(others), record.file)


def _starts_of_other_rows(record: LayerRecord, blocks: tuple[StoredBlock, ...]) -> Iterator[int]:
    row_bytes = record.n_neurons * DTYPE.itemsize
    first = record.n_bytes - record.n_images * row_bytes
    try:
        with record.file.open("rb") as file:
            for block in blocks:
                file.seek(first + block.start * row_bytes)
                if zlib.crc32(file.read((block.stop - block.start) * row_bytes)) != block.crc32:
                    yield block.start
    except OSError as error:
        _log.warning("%s cannot be read (%s): none of it counts", record.file, error)
        yield from (block.start for block in blocks)
