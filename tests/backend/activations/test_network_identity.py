"""Is a network the one that the stored activations came from? Told by weights, and by what it gives."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from backend.activations.extraction import extract
from backend.activations.network_identity import difference_of_network
from backend.errors import ExtractionError
from backend.networks.model_source import ModelSource
from tests.backend.small_projects import make_project, network


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "net.py"
    file.write_text("def make(): ...")
    return file


@pytest.fixture
def loaded(file):
    return replace(network(), source=ModelSource(f"{file}:make"))


@pytest.fixture
def project(tmp_path, loaded, monkeypatch):
    monkeypatch.setattr("tests.backend.small_projects.ModelSource", lambda name: loaded.source)
    with make_project(tmp_path, block_rows=4) as project:
        extract(project, loaded, ["early"])
        yield project


def other_code(loaded):
    """The same weights, used otherwise: what a change of the Python file alone can do."""
    forward = loaded.module.early.forward
    loaded.module.early.forward = lambda pixels: forward(pixels).sqrt()
    return loaded


def test_the_network_of_the_activations_differs_in_nothing(project, loaded):
    assert difference_of_network(project, loaded) == ""


def test_other_weights_and_another_preprocessing_are_named(project, loaded):
    assert difference_of_network(project, network(seed=1)).startswith("weights (")
    other = replace(loaded, preprocessing=replace(loaded.preprocessing, mean=(0.0, 0.0, 0.0)))
    assert difference_of_network(project, other).startswith("preprocessing (mean")


def test_other_code_with_the_same_weights_is_found_by_what_it_gives(project, loaded):
    assert difference_of_network(project, other_code(loaded)) == "activations at layer early"


def test_a_network_without_the_layer_is_another(project, loaded):
    module = torch.nn.Sequential()
    module.add_module("else", loaded.module.early)
    assert "early is not among them" in difference_of_network(project, replace(loaded, module=module))


def test_changed_images_are_not_compared_and_without_others_it_says_so(project, loaded):
    for row in range(11):
        project.image_path(row).write_bytes(b"changed")
    assert difference_of_network(project, loaded) == ""
    project.image_path(11).unlink()
    with pytest.raises(ExtractionError, match=r"none of the images .* is there as it was"):
        difference_of_network(project, loaded)


def test_a_changed_file_that_makes_the_same_network_is_taken(project, loaded, file):
    file.write_text("def make(): ...  # with a remark")
    assert project.check_freshness().is_outdated
    extract(project, loaded, ["late"])
    assert not project.check_freshness().is_outdated


def test_a_changed_file_that_makes_another_network_adds_nothing(project, loaded, file):
    file.write_text("def make(): return something_else")
    before = project.activations("early").copy()
    with pytest.raises(ExtractionError, match=r"net\.py was changed .* activations at layer early"):
        extract(project, other_code(loaded), ["late"])
    assert [record.name for record in project.layers] == ["early"]
    assert np.array_equal(project.activations("early"), before)
    assert project.check_freshness().is_outdated


def test_bfloat16_is_compared_with_room_for_its_rounding(project, loaded, monkeypatch):
    record = project.layer("early")
    rounded = np.array(project.activations("early"))
    rounded = torch.from_numpy(rounded).bfloat16().float().numpy()
    header = record.file.stat().st_size - rounded.nbytes
    with record.file.open("r+b") as opened:
        opened.seek(header)
        opened.write(rounded.tobytes())
    assert difference_of_network(project, loaded) == "activations at layer early"
    fast = SimpleNamespace(**vars(record), complete=True)
    fast.binding = replace(record.binding, precision="fast")
    monkeypatch.setattr(type(project), "layers", (fast,))
    assert difference_of_network(project, loaded) == ""
