"""SIGKILL at twenty random moments of one extraction, which is continued each time."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.project import Project
from tests.backend.activations.killed_at_random import LARGEST_BATCH, LAYERS, N_WORKERS
from tests.backend.small_projects import make_project

BLOCK_ROWS = 8
N_KILLS = 20

# What is decoded and computed at most before its block's turn.
AHEAD = (N_WORKERS + 2) * LARGEST_BATCH


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A project that was killed 20 times, an undisturbed one, and what the children did."""
    folder = tmp_path_factory.mktemp("killed")
    with make_project(folder, n_classes=4, per_class=60, block_rows=BLOCK_ROWS) as project:
        path = project.path
    undisturbed = folder / "undisturbed.prism"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.backend.activations.killed_at_random",
            path,
            undisturbed,
            str(N_KILLS),
            "7",
        ],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return path, undisturbed, [json.loads(line) for line in done.stdout.splitlines()]


def test_twenty_were_killed_at_different_moments_and_one_got_through(folders):
    _, _, children = folders
    assert [child["killed"] for child in children] == [True] * N_KILLS + [False]
    moments = {tuple(child["moment"]) for child in children[:-1]}
    assert len(moments) >= N_KILLS - 1
    assert {phase for phase, _ in moments} == {"preparing", "extracting"}
    # Some died before their first block was on record, some after it.
    gained = [
        len(child["after"].get("late", [])) - len(child["before"].get("late", [])) for child in children
    ]
    assert 0 in gained[:-1]
    assert BLOCK_ROWS in gained[:-1]


def test_the_files_are_byte_for_byte_those_of_an_undisturbed_extraction(folders):
    path, undisturbed, _ = folders
    files = sorted(file.name for file in (path / "activations").iterdir())
    assert files == sorted(f"{layer}{suffix}" for layer in LAYERS for suffix in (".npy", ".index.npz"))
    for name in files:
        assert (path / "activations" / name).read_bytes() == (undisturbed / "activations" / name).read_bytes()
    with Project.open(path) as project:
        assert all(record.complete for record in project.layers)
        assert project.skipped_images() == project.changed_images() == ()


def test_nothing_on_record_is_computed_again_and_a_kill_costs_a_block_at_most(folders):
    _, _, children = folders
    for child in children:
        before, after = (set(child[when].get("late", [])) for when in ("before", "after"))
        assert child["before"].get("early", []) == child["before"].get("late", [])
        assert before <= after
        decoded = child["decoded"]
        assert len(set(decoded)) == len(decoded)
        assert not before & set(decoded)
        # The block at work, and the batches under way behind it.
        lost = set(decoded) - after
        assert len(lost) <= BLOCK_ROWS + AHEAD
        at_work = {row // BLOCK_ROWS for row in lost if row < max(lost) - AHEAD + 1}
        assert len(at_work) <= 2
