"""``neuronprism extract`` in a process that a launcher started beside rank 0."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.command_model import load_confirmed
from app.commands.command_progress import CommandTask
from backend.activations.distributed.ranks import Rank
from backend.errors import ExtractionError, NeuronPrismError
from backend.task import Cancelled

if TYPE_CHECKING:
    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import ModelSource


def run_rank(folder: Path, rank: Rank, arguments: argparse.Namespace) -> int:
    """Compute this rank's blocks; return the exit status. Says nothing unless something is wrong."""
    from app.command_line import EXIT_INTERRUPTED
    from backend.activations.distributed.rank_work import work_for_rank_0

    task = CommandTask(silent=True)

    def load(source: ModelSource) -> LoadedModel:
        return load_confirmed(source, allow_code=arguments.yes_run_code, task=task)

    with task.interruptible():
        try:
            work_for_rank_0(folder, rank, load, task=task, device=arguments.device)
        except Cancelled:
            # Rank 0 says why, or whoever stopped all of them knows.
            return EXIT_INTERRUPTED
        except NeuronPrismError as error:
            title = f"{str(rank).capitalize()} on {socket.gethostname()}"
            raise ExtractionError(f"{title}: {error}") from error
    return 0
