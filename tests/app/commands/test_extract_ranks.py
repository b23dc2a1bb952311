"""``neuronprism extract`` started by torchrun, and what each process says then."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.command_line import main
from app.commands.command_progress import CommandTask
from backend.errors import ExtractionError
from backend.images import find_images
from backend.networks.model_source import ModelSource
from backend.project import Project
from backend.task import Cancelled
from tests.app.commands.toy_world import sentence
from tests.backend.small_projects import write_images

# Of the processes that torchrun starts first, one dies in the first batch after it has noted a block.
NETWORK = """
import os
import signal
from pathlib import Path

import torch
from torch import nn


class Mortal(nn.Module):
    def forward(self, images):
        if (os.environ.get("RANK"), os.environ.get("TORCHELASTIC_RESTART_COUNT")) == ("1", "0"):
            journals = Path(os.environ["PROJECT"]).glob("ranks/rank-00001-*.journal")
            if any(journal.stat().st_size for journal in journals):
                os.kill(os.getpid(), signal.SIGKILL)
        return images


def make():
    torch.manual_seed(0)
    network = nn.Sequential(Mortal(), nn.Conv2d(3, 6, 3), nn.ReLU())
    return network, {"input_size": 16, "mean": 0.5, "std": 0.5}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two projects of 60 images in blocks of 4, a broken one among them."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "net.py").write_text(NETWORK)
    images = find_images(write_images(folder / "images", n_classes=2, per_class=30))
    (images.root / images.paths[21]).write_bytes(b"broken")
    for name in ("alone", "together"):
        source = ModelSource(f"{folder / 'net.py'}:make")
        Project.create(folder / f"{name}.prism", source, images, layers=["2"], block_rows=4).close()
    return folder


def extract_words(project):
    return ["extract", str(project), "--yes-run-code", "--quiet", "--device", "cpu"]


def contents(project):
    with Project.open(project, read_only=True) as opened:
        skipped = [(image.row, image.reason) for image in opened.skipped_images()]
        blocks = opened.extracted_layers.blocks("2")
    files = {file.name: file.read_bytes() for file in (project / "activations").iterdir()}
    return files, skipped, blocks


def test_of_two_processes_one_dies_and_torchrun_starts_both_anew(folder, capsys):
    alone, together = folder / "alone.prism", folder / "together.prism"
    assert main(extract_words(alone)) == 0
    capsys.readouterr()
    torchrun = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1"]
    done = subprocess.run(
        [sys.executable, "-m", *torchrun, "-m", "app", *extract_words(together)],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PROJECT": str(together)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    # Only rank 0 speaks: once when the other has died, once at the end.
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("neuronprism:")]
    assert "neuronprism: Rank 1 of 2 (process " in said
    assert "died: the process is no longer there. Everything extracted so far is kept" in said
    (line,) = [line for line in done.stdout.splitlines() if "images computed now" in line]
    # What was kept of the first attempt is not computed again.
    assert int(line.split()[0]) < 60
    assert contents(together) == contents(alone)
    assert not (together / "ranks").exists()


@pytest.fixture
def as_rank_1(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")


@pytest.mark.usefixtures("as_rank_1")
class TestAnotherRank:
    def test_an_error_is_said_with_the_rank(self, folder, capsys, monkeypatch):
        def failing(*arguments, **options):
            raise ExtractionError("The disk is full.")

        monkeypatch.setattr("backend.activations.distributed.rank_work.work_for_rank_0", failing)
        assert main(["extract", str(folder / "new.prism")]) == 1
        line = sentence(capsys)
        assert line.startswith("neuronprism: Rank 1 of 2 on ")
        assert line.endswith(": The disk is full.")

    def test_being_stopped_is_not_worth_a_word(self, folder, capsys, monkeypatch):
        def stopped(*arguments, **options):
            raise Cancelled

        monkeypatch.setattr("backend.activations.distributed.rank_work.work_for_rank_0", stopped)
        assert main(["extract", str(folder / "new.prism")]) == 130
        assert capsys.readouterr().err == ""

    def test_nobody_is_asked_whether_a_python_file_may_run(self, folder, capsys, monkeypatch):
        class Terminal:
            def isatty(self):
                return True

            def readline(self):
                pytest.fail("someone was asked")

        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr(
            "backend.activations.distributed.rank_work.work_for_rank_0",
            lambda folder, rank, load, **options: load(ModelSource(f"{folder / 'net.py'}:make")),
        )
        assert main(["extract", str(folder / "new.prism")]) == 1
        assert "give --yes-run-code" in sentence(capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("silent", [False, True])
def test_a_launcher_stops_the_work_as_ctrl_c_does(number, silent, capfd):
    before = signal.getsignal(number)
    task = CommandTask(silent=silent)
    with task.interruptible():
        task.check_cancelled()
        os.kill(os.getpid(), number)
        with pytest.raises(Cancelled):
            task.check_cancelled()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before
    assert ("Stopping at the next safe point" in capfd.readouterr().err) == (not silent)


def test_a_device_that_is_not_there_is_said_before_anything_is_computed(folder, capsys):
    project = folder / "alone.prism"
    words = [word if word != "cpu" else "cuda:7000" for word in extract_words(project)]
    assert main(words) == 1
    assert "no device 'cuda:7000'" in sentence(capsys)
