"""The command line takes adjustments and exclusions from the project, and says so."""

import json
import shutil

import numpy as np
import pytest

from app.command_line import main
from backend.method.adjustments import Adjustments
from backend.project import Project
from tests.app.commands.toy_world import analyse

WORDS = ("--neuron", "3", "--top", "20", "--d-max", "1.5", "--outlier-radius", "inf")


@pytest.fixture
def project_path(world, tmp_path):
    return shutil.copytree(world / "toy.prism", tmp_path / "toy.prism")


@pytest.fixture
def strongest(project_path):
    """The rows of the images that activate neuron 3 most, by NumPy."""
    column = np.load(project_path / "activations" / "1.npy")[:, 3]
    return np.argsort(-np.nan_to_num(column, nan=-np.inf), kind="stable").tolist()


def test_analyse_honours_what_was_adjusted_unless_told_not_to(project_path, strongest, capsys):
    plain = analyse(project_path, *WORDS, capsys=capsys)
    with Project.open(project_path) as project:
        project.save_adjustments("1", 3, Adjustments((tuple(strongest[:2]),), (strongest[2],)))
    adjusted = analyse(project_path, *WORDS, capsys=capsys)
    assert adjusted["adjusted_by_hand"]
    assert adjusted["labels"][:3] == [adjusted["n_clusters"]] * 2 + [-3]
    assert adjusted["concepts"][-1]["members"] == [0, 1]
    alone = analyse(project_path, *WORDS, "--no-adjustments", capsys=capsys)
    assert alone == plain
    assert main(["analyse", str(project_path), "--layer", "1", "--quiet", *WORDS]) == 0
    summary = capsys.readouterr().out
    assert "1 left out, adjusted by hand" in summary
    assert "1: 2 images made by hand" in summary


def test_excluded_images_are_nowhere(project_path, strongest, capsys):
    with Project.open(project_path) as project:
        project.set_excluded_images(strongest[:2])
        paths = project.image_paths
    document = analyse(project_path, *WORDS, capsys=capsys)
    assert document["top_images"] == [paths[row] for row in strongest[2:22]]
    assert document["excluded_images"] == [paths[row] for row in sorted(strongest[:2])]
    del document["excluded_images"]
    assert not any(paths[row] in json.dumps(document) for row in strongest[:2])
    assert main(["analyse", str(project_path), "--layer", "1", "--quiet", *WORDS]) == 0
    assert "Without 2 images excluded by hand." in capsys.readouterr().out


def test_info_lists_both(project_path, strongest, capsys):
    with Project.open(project_path) as project:
        project.set_excluded_images(strongest[:1])
        project.save_adjustments("1", 3, Adjustments(left_out=(strongest[4],)))
        path = project.image_paths[strongest[0]]
    assert main(["info", str(project_path)]) == 0
    text = capsys.readouterr().out
    assert f"1 excluded by hand:\n  {path}\n" in text
    assert "Adjusted by hand in 1: neuron 3" in text
    assert main(["info", str(project_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["excluded_images"] == [{"row": strongest[0], "path": path}]
    assert document["adjusted_neurons"] == {"1": [3]}
