"""What the ranks of a run that died have left: put on record where it is sound, and removed."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backend.activations.distributed.rank_journal import JournalReader, JournalRecord
from backend.activations.distributed.rank_plan import RankPlan
from backend.activations.distributed.rank_signs import (
    RANKS_FOLDER,
    RUN_SETTING,
    journal_file,
    remove_ranks_folder,
)
from backend.activations.store import open_activations
from backend.errors import ProjectError

if TYPE_CHECKING:
    from backend.project_folder.layer_record import LayerRecord
    from backend.project_folder.project_results import ProjectResults

_log = logging.getLogger(__name__)


def keep_left_work(project: ProjectResults) -> int:
    """Put on record the blocks that ranks of a run that died have written, and remove the run's files.

    A block counts only if the database knows of the run, which a recovered one does not, and if its rows
    have the checksum that the journal tells.

    Parameters
    ----------
    project
        Just opened for writing.

    Returns
    -------
    int
        Number of blocks put on record.
    """
    folder = project.path / RANKS_FOLDER
    if not folder.is_dir():
        return 0
    plan = RankPlan.read(folder)
    n_kept = 0
    if plan is not None and plan.run == project.get_setting(RUN_SETTING):
        layers = {record.name: record for record in project.layers}
        lacking = {name: _lacking_starts(project, name) for name in layers}
        # No other journals: they would be of an earlier run, and of other images or another network.
        for number, name in plan.members.items():
            for record in JournalReader(journal_file(folder, number, name)).read():
                n_kept += _keep(project, layers, lacking, record)
        project.set_setting(RUN_SETTING, None)
        _log.info("%d blocks of a run that died were kept in %s", n_kept, project.path)
    remove_ranks_folder(folder)
    return n_kept


def _lacking_starts(project: ProjectResults, layer: str) -> set[int]:
    recorded = {block.start for block in project.extracted_layers.blocks(layer)}
    return set(range(0, project.n_images, project.block_rows)) - recorded


def _keep(
    project: ProjectResults,
    layers: Mapping[str, LayerRecord],
    lacking: Mapping[str, set[int]],
    record: JournalRecord,
) -> bool:
    """Put one block on record, for the layers that lack it; return whether there were any."""
    crc32 = {
        name: value for name, value in record.crc32.items() if record.start in lacking.get(name, frozenset())
    }
    rows = range(record.start, min(record.start + project.block_rows, project.n_images))
    sound = all(_checksum(layers[name], rows) == value for name, value in crc32.items())
    if not crc32 or record.stop != rows.stop or not sound:
        return False
    project.extracted_layers.record_block(rows.start, rows.stop, crc32, record.skipped, record.states)
    for name in crc32:
        lacking[name].discard(record.start)
    return True


def _checksum(layer: LayerRecord, rows: range) -> int | None:
    try:
        activations = open_activations(layer.file, layer.n_images, layer.n_neurons)
    except ProjectError:
        return None
    return zlib.crc32(activations[rows.start : rows.stop].tobytes())
