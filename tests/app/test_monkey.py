"""Random input to the whole window: nothing breaks, nothing is left behind, the project is whole."""

import pytest

import app.embedding_control
import app.new_project_dialog
import app.project_actions
import app.visualization_control
from app.main_window import MainWindow
from backend.project import Project
from tests.app.fault_watch import FaultWatch
from tests.app.instant_workers import InstantProcess, instant_rendering
from tests.app.monkey import Monkey
from tests.app.monkey_keeper import FileDialogs, Keeper, activation_bytes, project_problems

N_EVENTS = 2000
SEED = 4


@pytest.fixture
def small_world(monkeypatch, tmp_path, project_path):
    """Nothing slow, nothing of the network, nothing outside the test's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(app.new_project_dialog, "list_torchvision_names", lambda task: ("resnet18",))
    monkeypatch.setattr(app.new_project_dialog, "list_timm_names", lambda task: ())
    monkeypatch.setattr(app.embedding_control, "EmbeddingProcess", InstantProcess)
    monkeypatch.setattr(app.visualization_control, "visualise", instant_rendering)
    monkeypatch.setattr(app.project_actions, "open_demo", lambda task: Project.open(project_path))
    monkeypatch.setattr(app.project_actions, "demo_path", lambda: project_path)


def test_random_input_breaks_nothing_and_leaves_nothing(qapp, small_world, settings, project_path, planted):
    before = activation_bytes(project_path)
    pictures = {file: file.read_bytes() for file in (planted.parent / "images").rglob("*.png")}
    monkey = Monkey(SEED)
    with FileDialogs(None), FaultWatch() as watch:
        keeper = Keeper(lambda: MainWindow(settings), project_path, monkey, watch)
        keeper.play(N_EVENTS)
    assert not watch.faults, "\n\n".join(watch.faults)
    assert keeper.n_windows > 1
    assert project_problems(project_path, before) == []
    assert {file: file.read_bytes() for file in (planted.parent / "images").rglob("*.png")} == pictures
