"""Is what a project holds still that of the images and the network on disk?"""

import os
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.activations.extraction import extract
from backend.errors import ProjectError
from backend.networks.model_source import ModelSource
from backend.project import Project
from backend.project_folder import model_files
from tests.backend.small_projects import BINDING, add_layer, make_project, network


@pytest.fixture
def files(tmp_path):
    """A Python file and a weights file, as a project's model may come from."""
    python, weights = tmp_path / "net.py", tmp_path / "net.pth"
    python.write_text("def make(): ...")
    weights.write_bytes(b"some weights")
    return python, weights


@pytest.fixture
def project(tmp_path, files, monkeypatch):
    """A project with a complete layer of activations, from a model in two files."""
    python, weights = files
    source = ModelSource(f"{python}:make", str(weights))
    monkeypatch.setattr("tests.backend.small_projects.ModelSource", lambda name: source)
    with make_project(tmp_path, block_rows=4) as project:
        add_layer(project, np.ones((12, 3), np.float32))
        yield project


def touch(path):
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


def test_nothing_changed(project):
    found = project.check_freshness()
    assert not found.is_outdated
    assert found.sentences == found.outdated_sentences == ()
    assert found.mark == found.brief == ""


def test_changed_and_missing_images_are_named(project):
    Image.new("RGB", (5, 5)).save(project.image_path(2))
    project.image_path(9).unlink()
    project.image_path(10).unlink()
    found = project.check_freshness()
    paths = project.image_paths
    assert (found.changed, found.gone, found.rows) == ((paths[2],), (paths[9], paths[10]), (2, 9, 10))
    assert found.is_outdated
    assert found.sentences == (
        f"1 of 12 images was changed since its activations were computed ({paths[2]}).",
        f"2 of 12 images are not there any more ({paths[9]}, {paths[10]}).",
    )
    assert found.brief == "1 image was changed and 2 images are gone since the activations were computed."
    assert found.mark == "outdated"


def test_images_without_activations_are_not_outdated(tmp_path):
    with make_project(tmp_path, block_rows=4) as project:
        Image.new("RGB", (5, 5)).save(project.image_path(2))
        Image.new("RGB", (5, 5)).save(project.image_path(7))
        assert not project.check_freshness().is_outdated
        project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)
        project.extracted_layers.add("late", 3, BINDING)
        project.extracted_layers.record_block(0, 4, {"late": 0}, {}, {})
        assert project.check_freshness().rows == (2,)


def test_a_folder_that_is_away_makes_nothing_outdated(project):
    project.images_root.rename(project.images_root.with_name("away"))
    found = project.check_freshness()
    assert (found.images_found, found.is_outdated, found.gone) == (False, False, ())
    assert found.sentences == (f"The images folder {project.images_root} is not there at present.",)
    project.images_root.mkdir()  # an empty mount point
    assert not project.check_freshness().images_found


@pytest.mark.parametrize("number", [0, 1])
def test_a_changed_file_of_the_network_is_noticed(project, files, number):
    file = files[number]
    touch(file)
    assert project.check_freshness().model_files == (), "touched and equal is not changed"
    data = bytearray(file.read_bytes())
    data[3] ^= 1
    file.write_bytes(bytes(data))
    touch(file)
    found = project.check_freshness()
    assert [(one.path, one.change) for one in found.model_files] == [(str(file), "changed")]
    assert found.is_outdated
    assert file.name in found.sentences[0]
    assert "was changed since the activations were computed" in found.sentences[0]


def test_a_missing_file_of_the_network_is_said_and_outdates_nothing(project, files):
    files[1].unlink()
    found = project.check_freshness()
    assert [one.change for one in found.model_files] == ["gone"]
    assert not found.is_outdated
    assert found.outdated_sentences == ()
    assert len(found.sentences) == 1


def test_a_large_file_is_read_only_on_request(project, files, monkeypatch):
    monkeypatch.setattr(model_files, "CHEAP_BYTES", 5)
    touch(files[1])
    found = project.check_freshness()
    assert [one.change for one in found.model_files] == ["touched"]
    assert found.is_outdated
    assert found.mark == "perhaps outdated"
    assert (
        found.brief == "The weights file net.pth may have been changed since the activations were computed."
    )
    assert project.check_freshness(content=True).model_files == ()


def test_content_of_the_same_size_and_time_is_found_on_request(project, files):
    status = files[1].stat()
    files[1].write_bytes(b"SOME weights")
    os.utime(files[1], ns=(status.st_atime_ns, status.st_mtime_ns))
    assert not project.check_freshness().is_outdated
    assert [one.change for one in project.check_freshness(content=True).model_files] == ["changed"]


def test_going_on_with_the_same_weights_takes_their_file_as_it_is_and_the_python_file_as_it_was(
    project, files
):
    for file in files:
        file.write_bytes(file.read_bytes() + b" ")
    project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)
    assert [one.kind for one in project.check_freshness().model_files] == ["python"]
    project.confirm_model_files()
    assert project.check_freshness().model_files == ()
    project.close()
    with Project.open(project.path) as again:
        assert again.check_freshness().model_files == ()


def test_without_a_record_of_the_files_their_time_decides(project, files):
    project._database.write_values("project", {"model_files": []})
    for file, seconds in zip(files, (-60, 60), strict=True):
        moment = datetime.fromisoformat(project.layers[0].created).timestamp() + seconds
        os.utime(file, (moment, moment))
    project.close()
    with Project.open(project.path) as again:
        found = again.check_freshness().model_files
        assert [(one.kind, one.change) for one in found] == [("weights", "touched")]
        again.confirm_model_files()
        assert again.check_freshness().model_files == ()


@pytest.mark.parametrize(("number", "kind"), [(0, "python"), (1, "weights")])
def test_a_file_of_the_network_is_found_again_elsewhere(project, files, tmp_path, number, kind):
    (tmp_path / "elsewhere").mkdir()
    moved = files[number].rename(tmp_path / "elsewhere" / f"moved{files[number].suffix}")
    assert [one.change for one in project.check_freshness().model_files] == ["gone"]
    project.relocate_model_file(kind, moved)
    project.close()
    with Project.open(project.path) as again:
        assert again.check_freshness().model_files == ()
        source = again.model_source
    found = [source.python_file, source.weights and Path(source.weights)][number]
    assert found == moved
    assert source.python_callable == "make"


def test_another_file_is_not_taken_for_one_that_is_gone(project, files, tmp_path):
    (tmp_path / "other.pth").write_bytes(b"other weights")
    files[1].unlink()
    source = project.model_source
    with pytest.raises(ProjectError, match=r"other\.pth is not the weights file .* another content"):
        project.relocate_model_file("weights", tmp_path / "other.pth")
    with pytest.raises(ProjectError, match="cannot be read"):
        project.relocate_model_file("weights", tmp_path / "nowhere.pth")
    assert project.model_source == source


def test_recomputing_makes_it_fresh_again(tmp_path):
    loaded = network()
    with make_project(tmp_path, block_rows=4) as project:
        extract(project, loaded, ["late"])
        before = project.activations("late").copy()
        Image.new("RGB", (16, 16), "red").save(project.image_path(5))
        project.recompute_images(project.check_freshness().rows)
        extract(project, loaded, ["late"])
        assert not project.check_freshness().is_outdated
        differs = (project.activations("late") != before).any(axis=1)
        assert np.flatnonzero(differs).tolist() == [5]


def test_a_project_is_tied_to_another_network_with_all_of_its_rows_forgotten(tmp_path):
    first, second = network(), network(seed=1)
    with make_project(tmp_path, block_rows=4) as project:
        extract(project, first, ["late"])
        project.set_neuron_name("late", 3, "spots")
        project.rebind_model(second.weights_sha256, second.preprocessing)
        assert project.layer("late").n_done == 0
        assert project.weights_sha256 == second.weights_sha256
        extract(project, second, ["late"])
        with make_project(tmp_path / "other", block_rows=4) as other:
            extract(other, second, ["late"])
            assert np.array_equal(project.activations("late"), other.activations("late"))
        assert project.layer("late").binding.weights_sha256 == second.weights_sha256
        assert project.neuron_names("late") == {3: "spots"}


def test_everything_is_plain_json(project):
    import json

    project.image_path(9).unlink()
    values = json.loads(json.dumps(project.check_freshness().to_dict()))
    assert values["outdated"] is True
    assert values["gone_images"] == [project.image_paths[9]]
