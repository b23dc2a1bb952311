"""Which process this is of those that a launcher (torchrun, SLURM's srun) started together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backend.errors import ExtractionError

_TASKS: Final = re.compile(r"^(?P<tasks>\d+)(?:\(x(?P<nodes>\d+)\))?$")
_MOST_NODES: Final = 100_000


@dataclass(frozen=True)
class Rank:
    """A process's place among those of a launch.

    Attributes
    ----------
    number, count
        Its number from 0, and how many there are. Rank 0 keeps the project; the others compute for it.
    local_number, local_count
        The same among those on its machine.
    launch
        The same text for all processes of a launch, and hardly ever for those of another.
    cores
        Processor cores that the launcher set aside for it; None: it did not say.
    """

    number: int
    count: int
    local_number: int = 0
    local_count: int = 1
    launch: str = ""
    cores: int | None = None

    def __str__(self) -> str:
        return f"rank {self.number} of {self.count}"

    def n_workers(self, n_available: int) -> int:
        """Return how many threads should compute here, so that all ranks of a machine share its cores.

        Parameters
        ----------
        n_available
            Cores that the process may use, those of other ranks perhaps among them.
        """
        if self.cores is not None:
            return max(1, min(self.cores, n_available))
        return max(1, n_available // self.local_count)


def find_rank(environment: Mapping[str, str]) -> Rank | None:
    """Return this process's rank; None if it is the only one.

    Parameters
    ----------
    environment
        Variables of the environment. torchrun sets ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``; srun sets
        ``SLURM_PROCID``, ``SLURM_STEP_NUM_TASKS`` and ``SLURM_LOCALID``. In a batch script outside of srun
        there is one process, whatever ``SLURM_NTASKS`` says: SLURM gives it no step.

    Raises
    ------
    ExtractionError
        If the variables contradict each other.
    """
    if "RANK" in environment and "WORLD_SIZE" in environment:
        rank = _of_torchrun(environment)
    elif "SLURM_PROCID" in environment and "SLURM_STEP_ID" in environment:
        rank = _of_slurm(environment)
    else:
        return None
    if not (0 <= rank.number < rank.count and 0 <= rank.local_number < rank.local_count <= rank.count):
        raise ExtractionError(
            f"The launcher's variables contradict each other: process {rank.number} of {rank.count}, "
            f"{rank.local_number} of {rank.local_count} on this machine."
        )
    return rank if rank.count > 1 else None


def _of_torchrun(environment: Mapping[str, str]) -> Rank:
    names = ("TORCHELASTIC_RUN_ID", "MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RESTART_COUNT")
    local_number = _number(environment, "LOCAL_RANK", 0)
    return Rank(
        number=_number(environment, "RANK"),
        count=_number(environment, "WORLD_SIZE"),
        local_number=local_number,
        local_count=_number(environment, "LOCAL_WORLD_SIZE", local_number + 1),
        launch=" ".join(environment.get(name, "") for name in names),
    )


def _of_slurm(environment: Mapping[str, str]) -> Rank:
    names = ("SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT")
    local_number = _number(environment, "SLURM_LOCALID", 0)
    tasks = environment.get("SLURM_STEP_TASKS_PER_NODE", environment.get("SLURM_TASKS_PER_NODE", ""))
    count = "SLURM_STEP_NUM_TASKS" if "SLURM_STEP_NUM_TASKS" in environment else "SLURM_NTASKS"
    return Rank(
        number=_number(environment, "SLURM_PROCID"),
        count=_number(environment, count),
        local_number=local_number,
        local_count=_tasks_on_node(tasks, _number(environment, "SLURM_NODEID", 0)) or local_number + 1,
        launch=" ".join(environment.get(name, "") for name in names),
        cores=_number(environment, "SLURM_CPUS_PER_TASK", 0) or None,
    )


def _number(environment: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = environment.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError:
        raise ExtractionError(
            f"The launcher's variable {name} is {text!r}, not a whole number: start the processes by "
            "torchrun or srun, or unset it."
        ) from None


def _tasks_on_node(text: str, node: int) -> int | None:
    """Read SLURM's ``2(x3),1``: two tasks on each of the first three nodes, one on the fourth."""
    counts: list[int] = []
    for part in text.split(","):
        found = _TASKS.match(part.strip())
        if found is None or len(counts) > _MOST_NODES:
            return None
        counts += [int(found["tasks"])] * min(int(found["nodes"] or 1), _MOST_NODES)
    return counts[node] if 0 <= node < len(counts) else None
