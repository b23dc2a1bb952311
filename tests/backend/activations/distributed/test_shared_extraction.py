"""An extraction by several processes against that of one: the same bytes, whoever dies on the way."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.activations import inference
from backend.activations.extraction import extract
from backend.project import Project
from backend.task import Cancelled, SilentTask
from tests.backend.small_projects import make_project, network

TWO_LAYERS = ["early", "late"]
BROKEN = (3, 17, 40)


def broken_project(folder):
    """44 images in blocks of 4, three of them broken."""
    project = make_project(folder, n_classes=4, per_class=11, block_rows=4)
    for row in BROKEN:
        project.image_path(row).write_bytes(b"broken")
    return project


def contents(project):
    """Return every byte of activations and indices, and what is on record of the images."""
    files = {path.name: path.read_bytes() for path in (project.path / "activations").iterdir()}
    skipped = [(image.row, Path(image.reason).name) for image in project.skipped_images()]
    states = [state.size if state else None for state in project.images.states(0, project.n_images)]
    blocks = {
        name: [(block.start, block.stop, block.crc32) for block in project.extracted_layers.blocks(name)]
        for name in TWO_LAYERS
    }
    return files, skipped, states, blocks


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What a single process makes of the same images."""
    with broken_project(tmp_path_factory.mktemp("alone")) as project:
        extract(project, network(), TWO_LAYERS)
        return contents(project)


@pytest.fixture
def path(tmp_path):
    with broken_project(tmp_path) as project:
        return project.path


@pytest.fixture(scope="module")
def launch():
    """Launch ranks in processes of their own; returns what each has told, by rank."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.backend.activations.distributed.rank_processes"],
        cwd=Path(__file__).parents[4],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def run(path, count, **how):
        process.stdin.write(json.dumps({"path": str(path), "count": count, **how}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    yield run
    process.stdin.close()
    assert process.wait(30) == 0
    process.stdout.close()


def test_three_ranks_make_what_one_makes(launch, path, undisturbed):
    told = launch(path, 3)
    assert [one["said"] for one in told] == ["", "", ""]
    # 11 blocks of 4 images in turn.
    assert [len(one["read"]) for one in told] == [16, 16, 12]
    assert len({name for one in told for name in one["read"]}) == 44
    assert told[0]["n_computed"] == 44
    assert told[0]["last"] == [44, 44]
    assert not (path / "ranks").exists()
    with Project.open(path) as project:
        assert contents(project) == undisturbed
        assert project.get_setting("distributed_run") is None


# Six steps are a block: two halves of each of two layers, and before and after its record.
@pytest.mark.parametrize(("step", "stop"), [(0, False), (4, True), (5, False), (6, False), (13, True)])
def test_a_rank_that_dies_fails_the_run_and_one_process_goes_on(launch, path, undisturbed, step, stop):
    told = launch(path, 2, deaths={"1": step}, stop=stop)
    assert told[1]["signal"] == 9
    assert told[0]["said"].startswith("ExtractionError: Rank 1 of 2 (process ")
    assert "died: the process is no longer there. Everything extracted so far is kept" in told[0]["said"]
    with Project.open(path) as project:
        assert not (path / "ranks").exists()
        n_done = project.layer("late").n_done
        assert n_done % 4 == 0
        assert n_done >= 4 * ((step + 1) // 6)
        result = extract(project, network(), TWO_LAYERS)
        assert result.n_computed == 44 - n_done
        assert contents(project) == undisturbed


def test_rank_0_dies_and_more_ranks_go_on(launch, path, undisturbed):
    # Its third block is on disk, but not on record; the other rank's are in the journal.
    told = launch(path, 2, deaths={"0": 9})
    assert told[0]["signal"] == 9
    assert told[1]["said"].startswith("ExtractionError: Rank 0 of 2 (process ")
    assert "died" in told[1]["said"]
    assert (path / "ranks").is_dir()
    told = launch(path, 3)
    assert [one["said"] for one in told] == ["", "", ""]
    assert told[0]["n_computed"] == sum(len(one["read"]) for one in told) < 44
    with Project.open(path) as project:
        assert contents(project) == undisturbed


def test_a_layer_is_added_by_several_ranks(launch, path, undisturbed):
    with Project.open(path) as project:
        extract(project, network(), ["late"])
    told = launch(path, 2)
    assert [one["said"] for one in told] == ["", ""]
    # Images that were skipped are not looked at again.
    assert sum(len(one["read"]) for one in told) == 41
    with Project.open(path) as project:
        assert contents(project) == undisturbed
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(project.activations("early")[:, 0])), BROKEN)


def test_layers_of_two_precisions_are_computed_one_after_the_other(launch, path, tmp_path, monkeypatch):
    class StopAfterTwoBlocks(SilentTask):
        def progress(self, done, total, message=""):
            self.enough = "Extracting" in message and done >= 8

        def check_cancelled(self):
            if self.enough:
                raise Cancelled

    # Any processor can imitate bfloat16, slowly.
    monkeypatch.setattr(inference, "require_precision", lambda *_: None)
    with Project.open(path) as project, pytest.raises(Cancelled):
        extract(project, network(), ["early"], precision="fast", task=StopAfterTwoBlocks())
    alone = shutil.copytree(path, tmp_path / "alone.prism")
    with Project.open(alone) as project:
        assert 0 < project.layer("early").n_done < 44
        extract(project, network(), TWO_LAYERS)
        assert [record.binding.precision for record in project.layers] == ["fast", "float32"]
        expected = contents(project)
    told = launch(path, 2)
    assert [one["said"] for one in told] == ["", ""]
    with Project.open(path) as project:
        assert contents(project) == expected


def test_ranks_with_nothing_to_do_go_home(launch, path, undisturbed):
    with Project.open(path) as project:
        extract(project, network(), TWO_LAYERS)
    told = launch(path, 2)
    assert [(one["said"], one["read"]) for one in told] == [("", []), ("", [])]
    assert not (path / "ranks").exists()
    with Project.open(path) as project:
        assert contents(project) == undisturbed


def test_more_ranks_than_blocks(launch, tmp_path):
    with make_project(tmp_path, n_classes=1, per_class=5, block_rows=4) as project:
        path = project.path
    told = launch(path, 4)
    assert [one["said"] for one in told] == [""] * 4
    assert [len(one["read"]) for one in told] == [4, 1, 0, 0]
    with Project.open(path) as project:
        assert project.layer("late").complete


def test_a_block_that_is_not_what_its_rank_reports_is_computed_by_rank_0(launch, path, undisturbed):
    told = launch(path, 2, liar=1)
    assert [one["said"] for one in told] == ["", ""]
    # Rank 1's first block, the second of all, was computed twice.
    assert [len(one["read"]) for one in told] == [24 + 4, 20]
    assert set(told[0]["read"]) & set(told[1]["read"]) == set(told[1]["read"][:4])
    with Project.open(path) as project:
        assert contents(project) == undisturbed


def test_a_rank_with_another_network_fails_the_run(launch, path, undisturbed):
    told = launch(path, 2, stranger=1)
    assert "is another here than rank 0's" in told[1]["said"]
    assert told[0]["said"].startswith("ExtractionError: Rank 1 of 2 (process ")
    assert "failed: The model small.py:network is another here than rank 0's" in told[0]["said"]
    assert told[1]["read"] == []
    with Project.open(path) as project:
        extract(project, network(), TWO_LAYERS)
        assert contents(project) == undisturbed
