"""``neuronprism import``: new projects, further layers, networks, continuing, and what is refused."""

import json
import os
import shutil
from functools import partial

import numpy as np
import pytest

from app.command_line import main
from app.commands.command_progress import CommandTask
from backend.activations.activation_import import create_import_project
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.project import Project
from tests.app.commands.toy_world import expected_activations, sentence


@pytest.fixture
def acts(world, tmp_path):
    """What the toy network computes, by NumPy alone, with a list; as another program would write them."""
    with Project.open(world / "toy.prism", read_only=True) as project:
        paths = [path for path in project.image_paths if path != "red/broken.png"]
    np.save(tmp_path / "acts.npy", expected_activations(world / "images", paths))
    (tmp_path / "list.csv").write_text("path,label\n" + "\n".join(f"{path},all" for path in paths))
    return tmp_path


def words(world, folder, *more, layer="1", project="new.prism"):
    given = {
        "--activations": folder / "acts.npy",
        "--image-list": folder / "list.csv",
        "--images": world / "images",
        "--layer": layer,
    }
    options = [str(word) for pair in given.items() for word in pair]
    return ["import", str(folder / project), *options, "--quiet", *map(str, more)]


def network(world, name="make"):
    return ["--model", f"{world / 'net.py'}:{name}", "--yes-run-code"]


def test_a_new_project_that_everything_works_with(world, acts, capsys):
    assert main(words(world, acts)) == 0
    out = capsys.readouterr().out
    assert "1: 6 neurons, suggested d_max" in out
    assert "90 of 90 rows imported now" in out
    assert "The values are float64, rounded to float32." in out
    assert out.strip().splitlines()[-1] == str(acts / "new.prism")
    with Project.open(acts / "new.prism", read_only=True) as project:
        np.testing.assert_array_equal(project.activations("1"), np.load(acts / "acts.npy").astype(np.float32))
        assert set(project.image_labels) == {"all"}
    analyse = ["analyse", str(acts / "new.prism"), "--layer", "1", "--neuron", "0", "--quiet", "--json", "-"]
    assert main(analyse) == 0
    assert json.loads(capsys.readouterr().out)["status"] in ("ok", "few_active")


def test_info_names_the_file_and_says_when_it_changed(world, acts, capsys):
    assert main(words(world, acts)) == 0
    capsys.readouterr()

    def info():
        assert main(["info", str(acts / "new.prism")]) == 0
        return capsys.readouterr().out

    text = info()
    assert "activations computed elsewhere" in text
    assert "weights" not in text
    assert "1 was imported from acts.npy (SHA-256 " in text
    assert "float64, 90 × 6" in text
    assert "changed" not in text
    os.utime(acts / "acts.npy", ns=(5, 5))
    assert "changed" not in info()  # another date alone is none
    values = np.load(acts / "acts.npy")
    values[0, 0] += 1
    np.save(acts / "acts.npy", values)
    assert "acts.npy was changed since: the layer holds what it was before." in info()
    (acts / "acts.npy").unlink()
    assert "acts.npy is not there now; the project does not need it." in info()
    assert main(["info", str(acts / "new.prism"), "--json"]) == 0
    (layer,) = json.loads(capsys.readouterr().out)["layers"]
    assert (layer["origin"]["file"], layer["origin"]["shape"]) == ("acts.npy", [90, 6])


def test_exports_carry_the_origin(world, acts, capsys):
    assert main(words(world, acts)) == 0
    out = acts / "out"
    assert main(["export", str(acts / "new.prism"), "--out", str(out), "--neurons", "0", "--quiet"]) == 0
    for name in ("concept_vectors.1.safetensors", "concept_vectors.1.npz"):
        vectors = load_concept_vectors(out / name)
        assert (vectors.model, vectors.weights_sha256, vectors.preprocessing) == ("imported", "", None)
        assert (vectors.origin["file"], vectors.origin["dtype"]) == ("acts.npy", "float64")
        assert str(acts) not in json.dumps(vectors.origin)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "activations computed elsewhere" in report
    assert "1 was imported from acts.npy" in report


def test_a_network_is_believed_if_it_gives_them(world, acts, capsys):
    assert main(words(world, acts, *network(world))) == 0
    assert "The network gives it: on 32 images mean cosine 1.0000" in capsys.readouterr().out
    with Project.open(acts / "new.prism", read_only=True) as project:
        assert project.model_source.architecture == f"{world / 'net.py'}:make"
        assert project.layer("1").binding.weights_sha256 == project.weights_sha256
        with Project.open(world / "toy.prism", read_only=True) as extracted:
            assert project.weights_sha256 == extracted.weights_sha256


def test_a_network_that_gives_others_is_refused_and_nothing_is_made(world, acts, capsys):
    values = np.load(acts / "acts.npy")
    np.save(acts / "acts.npy", values[::-1])
    assert main(words(world, acts, *network(world))) == 1
    text = sentence(capsys)
    assert "does not give these activations at 1: on 32 images mean cosine" in text
    assert "relative error" in text
    assert not (acts / "new.prism").exists()


def test_the_network_may_be_named_afterwards(world, acts, capsys):
    assert main(words(world, acts)) == 0
    name = ["import", str(acts / "new.prism"), "--layer", "1", "--quiet", *network(world)]
    assert main(name) == 0
    assert "gives these activations: on 32 images" in capsys.readouterr().out
    # From then on the network's other layers can be extracted, and the imported one stays as it is.
    more = ["extract", str(acts / "new.prism"), "--layers", "0", "--yes-run-code", "--quiet"]
    assert main(more) == 0
    with Project.open(acts / "new.prism", read_only=True) as project:
        assert [record.name for record in project.layers] == ["1", "0"]
        positive = np.maximum(project.activations("0"), 0)
        assert positive.shape == project.activations("1").shape


def test_without_a_network_extract_says_why_it_cannot(world, acts, capsys):
    assert main(words(world, acts)) == 0
    capsys.readouterr()
    assert main(["extract", str(acts / "new.prism"), "--layers", "0", *network(world), "--quiet"]) == 1
    assert "computed elsewhere, and no network is known" in sentence(capsys)


def test_a_layer_is_added_to_an_extracted_project(world, acts, toy, capsys):
    with Project.open(toy, read_only=True) as project:
        paths = project.image_paths
    np.savez(acts / "more.npz", more=np.ones((len(paths), 4), np.float32), paths=np.array(paths))
    given = ["import", str(toy), "--activations", str(acts / "more.npz"), "--layer", "more", "--quiet"]
    assert main(given) == 0
    capsys.readouterr()
    np.savez(acts / "more.npz", more=np.ones((len(paths), 4), np.float32), paths=np.array(paths[::-1]))
    given[-2] = "again"
    assert main(given) == 1
    assert "same images in another order" in sentence(capsys)


def test_ctrl_c_keeps_what_was_imported_and_the_command_goes_on(world, acts, capsys, monkeypatch):
    in_small_blocks = partial(create_import_project, block_rows=32)
    with monkeypatch.context() as patch:
        patch.setattr(CommandTask, "partial", lambda self, result: self._cancelled.set())
        patch.setattr("app.commands.command_import.create_import_project", in_small_blocks)
        assert main(words(world, acts)) == 130
    with Project.open(acts / "new.prism", read_only=True) as project:
        assert project.layer("1").n_done == 32
    capsys.readouterr()
    assert main(["info", str(acts / "new.prism")]) == 0
    assert f"Continue with “neuronprism import {acts / 'new.prism'}”" in capsys.readouterr().out
    assert main(["import", str(acts / "new.prism"), "--quiet"]) == 0
    assert "58 of 90 rows imported now" in capsys.readouterr().out
    assert main(["import", str(acts / "new.prism"), "--quiet"]) == 1
    assert "no import to continue" in sentence(capsys)


def test_images_are_located_later(world, acts, tmp_path, capsys):
    given = [word for word in words(world, acts) if word not in ("--images", str(world / "images"))]
    assert main(given) == 0
    capsys.readouterr()
    with Project.open(acts / "new.prism", read_only=True) as project:
        assert not project.images_root.exists()
    where = ["import", str(acts / "new.prism"), "--quiet", "--images"]
    assert main([*where, str(tmp_path / "nowhere")]) == 1
    assert "does not hold the project's images" in sentence(capsys)
    assert main([*where, str(world / "images")]) == 0
    with Project.open(acts / "new.prism", read_only=True) as project:
        assert project.image_path(0).is_file()


def test_images_that_are_not_there_are_counted(world, acts, tmp_path, capsys):
    shutil.copytree(world / "images", tmp_path / "some")
    (tmp_path / "some" / "red" / "00.png").unlink()
    given = words(world, acts, "--images", tmp_path / "some")
    assert main(given) == 0
    assert "1 of 90 images that were looked for are not in" in sentence(capsys)


def test_a_damaged_layer_is_mended_from_its_file(world, acts, capsys):
    assert main(words(world, acts)) == 0
    file = acts / "new.prism" / "activations" / "1.npy"
    before = file.read_bytes()
    file.write_bytes(before[:-50])
    capsys.readouterr()
    assert main(["info", str(acts / "new.prism")]) == 0
    assert f"neuronprism import {acts / 'new.prism'} --layer 1" in capsys.readouterr().out
    assert main(["import", str(acts / "new.prism"), "--layer", "1", "--quiet"]) == 0
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--pooling", "mean"], "nothing to pool"),
        (["--array", "a"], "without a name"),
        (["--image-list", "nothing.txt"], "no list of images"),
        (["--images", "nothing"], "There is no folder"),
        (["--activations", "nothing.npy"], "There is no file"),
        (["--neuron-names", "nothing.txt"], "cannot be read"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_made(world, acts, capsys, options, said):
    assert main(words(world, acts, *options)) == 1
    assert said in sentence(capsys)
    assert not (acts / "new.prism").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--array", "a"],
        ["--pooling", "max"],
        ["--model", "resnet18"],
        ["--activations", "acts.npy"],
        ["--pooling", "median"],
    ],
)
def test_options_that_say_too_little_are_wrong_usage(options, capsys):
    assert main(["import", "new.prism", *options]) == 2
    assert "usage:" in capsys.readouterr().err
