"""Outdated activations are forgotten, no others; after the next extraction all belong together again."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from backend.activations.extraction import extract
from backend.activations.recomputation import Forgotten, forget_outdated, forget_outdated_images
from backend.errors import ExtractionError, ProjectError
from backend.networks.model_source import ModelSource
from tests.backend.small_projects import make_project, network


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("def make(): ...")
    return file


def loaded_from(file, seed=0):
    return replace(network(seed), source=ModelSource(f"{file}:make"))


@pytest.fixture
def project(tmp_path, file, monkeypatch):
    monkeypatch.setattr("tests.backend.small_projects.ModelSource", lambda name: ModelSource(f"{file}:make"))
    with make_project(tmp_path, block_rows=4) as project:
        extract(project, loaded_from(file), ["early"])
        yield project


def extracted_anew(tmp_path, loaded):
    """The activations of the images as they are now, in a project of its own."""
    from backend.images import find_images
    from backend.project import Project

    with Project.create(tmp_path / "fresh.prism", loaded.source, find_images(tmp_path / "images")) as fresh:
        extract(fresh, loaded, ["early"])
        return np.array(fresh.activations("early"))


def test_changed_images_are_computed_again_and_lost_ones_are_left_out(project, tmp_path, file):
    loaded = loaded_from(file)
    before = np.array(project.activations("early"))
    Image.new("RGB", (16, 16), "red").save(project.image_path(5))
    project.image_path(9).unlink()
    freshness = project.check_freshness()
    assert forget_outdated(project, loaded, freshness) == Forgotten(2)
    assert project.layer("early").n_done == 4
    extract(project, loaded, ["early"])
    now = project.activations("early")
    assert np.isnan(now[9]).all()
    others = np.delete(np.arange(12), 9)
    assert np.array_equal(now[others], extracted_anew(tmp_path, loaded))
    assert np.flatnonzero((now != before).any(axis=1)).tolist() == [5, 9]
    assert not project.check_freshness().is_outdated


def test_with_another_network_everything_is_computed_again(project, tmp_path, file):
    file.write_text("def make(): return 'another'")
    other = loaded_from(file, seed=1)
    freshness = project.check_freshness()
    with pytest.raises(ProjectError, match="its weights"):
        forget_outdated_images(project, other, freshness)
    assert project.layer("early").complete
    forgotten = forget_outdated(project, other, freshness)
    assert forgotten.n_images == 12
    assert forgotten.network.startswith("weights (")
    extract(project, other, ["early"])
    assert np.array_equal(project.activations("early"), extracted_anew(tmp_path, other))
    assert not project.check_freshness().is_outdated


def test_a_file_that_makes_the_same_network_forgets_nothing(project, file):
    file.write_text("def make(): ...  # a remark")
    index = project.layer("early").index_file.read_bytes()
    assert forget_outdated(project, loaded_from(file), project.check_freshness()) == Forgotten(0)
    assert project.layer("early").complete
    assert project.layer("early").index_file.read_bytes() == index
    assert not project.check_freshness().is_outdated


@pytest.mark.parametrize(("name", "says"), [("early", "has 7 neurons in it now"), ("other", "is not in it")])
def test_a_network_whose_layer_is_another_is_refused(project, file, name, says):
    file.write_text("def make(): return 'another'")
    module = torch.nn.Sequential()
    module.add_module(name, torch.nn.Conv2d(3, 7, 3))
    other = replace(loaded_from(file), module=module.eval(), weights_sha256="cd" * 32)
    with pytest.raises(ProjectError, match=says):
        forget_outdated(project, other, project.check_freshness())
    assert project.layer("early").complete
    assert project.check_freshness().is_outdated


def test_nothing_is_forgotten_for_another_network_while_the_images_are_gone(project, tmp_path, file):
    (tmp_path / "images").rename(tmp_path / "unplugged")
    with pytest.raises(ExtractionError, match="connect its drive"):
        forget_outdated(project, loaded_from(file, seed=1), project.check_freshness())
    assert project.layer("early").complete
