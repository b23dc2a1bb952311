"""Who a process is among those of a launch, by the variables of torchrun and SLURM."""

import pytest

from backend.activations.distributed.ranks import Rank, find_rank
from backend.errors import ExtractionError

TORCHRUN = {
    "RANK": "5",
    "WORLD_SIZE": "8",
    "LOCAL_RANK": "1",
    "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node1",
    "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "none",
    "TORCHELASTIC_RESTART_COUNT": "0",
}
SRUN = {
    "SLURM_JOB_ID": "4711",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "6",
    "SLURM_STEP_NUM_TASKS": "7",
    "SLURM_NTASKS": "7",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "3",
    "SLURM_STEP_TASKS_PER_NODE": "2(x3),1",
    "SLURM_CPUS_PER_TASK": "8",
}
# As it was seen in a batch script with --ntasks=4: one process, outside of any step.
BATCH_SCRIPT = {
    "SLURM_JOB_ID": "4711",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
    "SLURM_NODEID": "0",
    "SLURM_NTASKS": "4",
    "SLURM_TASKS_PER_NODE": "1(x4)",
}


def test_a_process_without_a_launcher_is_alone():
    assert find_rank({}) is None
    assert find_rank({"RANK": "0"}) is None


@pytest.mark.parametrize(
    "environment",
    [
        {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"},
        {
            **SRUN,
            "SLURM_PROCID": "0",
            "SLURM_STEP_NUM_TASKS": "1",
            "SLURM_NODEID": "0",
            "SLURM_STEP_TASKS_PER_NODE": "1",
        },
        BATCH_SCRIPT,
    ],
    ids=["torchrun", "srun", "batch script"],
)
def test_a_launch_of_one_process_is_none(environment):
    assert find_rank(environment) is None


def test_torchrun():
    rank = find_rank(TORCHRUN)
    assert (rank.number, rank.count, rank.local_number, rank.local_count) == (5, 8, 1, 4)
    assert rank.cores is None
    assert str(rank) == "rank 5 of 8"


def test_srun():
    rank = find_rank(SRUN)
    assert (rank.number, rank.count, rank.local_number, rank.local_count, rank.cores) == (6, 7, 0, 1, 8)
    second = find_rank({**SRUN, "SLURM_PROCID": "5", "SLURM_NODEID": "2", "SLURM_LOCALID": "1"})
    assert (second.number, second.local_number, second.local_count) == (5, 1, 2)
    without = {name: value for name, value in SRUN.items() if "TASKS_PER_NODE" not in name}
    assert find_rank({**without, "SLURM_LOCALID": "1"}).local_count == 2


def test_the_variables_of_older_srun_do_too():
    older = {name: value for name, value in SRUN.items() if name != "SLURM_STEP_NUM_TASKS"}
    assert find_rank(older).count == 7


def test_torchrun_within_srun_counts():
    """One task of srun a node starts torchrun, whose processes inherit SLURM's variables."""
    assert find_rank({**SRUN, **TORCHRUN}) == find_rank(TORCHRUN)


def test_processes_of_a_launch_agree_on_its_name_and_others_do_not():
    assert find_rank(TORCHRUN).launch == find_rank({**TORCHRUN, "RANK": "0", "LOCAL_RANK": "0"}).launch
    restarted = {**TORCHRUN, "TORCHELASTIC_RESTART_COUNT": "1"}
    assert find_rank(TORCHRUN).launch != find_rank(restarted).launch
    assert find_rank(SRUN).launch != find_rank({**SRUN, "SLURM_STEP_ID": "1"}).launch


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"RANK": "8"}, "process 8 of 8"),
        ({"RANK": "-1"}, "process -1 of 8"),
        ({"LOCAL_RANK": "4"}, "4 of 4 on this machine"),
        ({"RANK": "five"}, "variable RANK is 'five'"),
        ({"WORLD_SIZE": ""}, "variable WORLD_SIZE is ''"),
    ],
)
def test_variables_that_cannot_be(change, says):
    with pytest.raises(ExtractionError, match=says):
        find_rank({**TORCHRUN, **change})


@pytest.mark.parametrize(
    ("rank", "n_available", "n_workers"),
    [
        (Rank(0, 8, 0, 4), 16, 4),
        (Rank(0, 8, 0, 4), 2, 1),
        # srun has bound the process to its cores already.
        (Rank(0, 8, 0, 4, cores=8), 8, 8),
        # It has not, and all cores of the machine are seen.
        (Rank(0, 8, 0, 4, cores=8), 64, 8),
    ],
)
def test_ranks_of_a_machine_share_its_cores(rank, n_available, n_workers):
    assert rank.n_workers(n_available) == n_workers
