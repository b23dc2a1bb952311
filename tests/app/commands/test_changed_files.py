"""Commands on a project whose images or network changed: said, marked in what they write, computed again."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from app.command_line import main
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.project import Project
from tests.app.commands.toy_world import analyse, expected_activations, sentence


@pytest.fixture
def own(world, tmp_path):
    """A world of one's own: images, network and a project that belongs to these."""
    shutil.copytree(world / "images", tmp_path / "images")
    shutil.copy(world / "net.py", tmp_path / "net.py")
    words = ["--images", str(tmp_path / "images"), "--layers", "1", "--model", f"{tmp_path / 'net.py'}:make"]
    assert main(["extract", str(tmp_path / "own.prism"), *words, "--yes-run-code", "--quiet"]) == 0
    return tmp_path


def change_images(own):
    """Give one image another content, touch one, remove one; return their paths."""
    images = own / "images"
    changed, touched, gone = "red/03.png", "green/04.png", "blue/05.png"
    Image.new("RGB", (32, 32), "white").save(images / changed)
    os.utime(images / touched, ns=(1, 1))
    (images / gone).unlink()
    return changed, touched, gone


def extract(own, *words):
    return main(["extract", str(own / "own.prism"), "--yes-run-code", "--quiet", *words])


def rows_of(project, *paths):
    return [project.image_paths.index(path) for path in paths]


def test_info_says_what_changed_and_the_remedy(own, capsys):
    changed, touched, gone = change_images(own)
    capsys.readouterr()
    assert main(["info", str(own / "own.prism"), "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "Outdated: 2 of 91 images were changed" in text
    assert f"neuronprism extract {own / 'own.prism'} --recompute-changed" in text
    assert "3 files are not as they were" in text
    assert f"{gone}: not there" in text
    assert main(["info", str(own / "own.prism"), "--json", "--quiet"]) == 0
    freshness = json.loads(capsys.readouterr().out)["freshness"]
    assert freshness["outdated"] is True
    assert sorted(freshness["changed_images"]) == sorted([changed, touched])
    assert freshness["gone_images"] == [gone]


def test_info_of_a_project_that_is_as_it_was_says_nothing(own, capsys):
    capsys.readouterr()
    assert main(["info", str(own / "own.prism"), "--json", "--quiet"]) == 0
    freshness = json.loads(capsys.readouterr().out)["freshness"]
    assert (freshness["outdated"], freshness["sentences"]) == (False, [])


def test_content_is_recorded_and_compared(own, capsys):
    assert extract(own, "--check-content") == 0
    assert "Content of 91 images put on record" in capsys.readouterr().out
    changed, _, gone = change_images(own)
    assert main(["info", str(own / "own.prism"), "--json", "--check-content", "--quiet"]) == 0
    freshness = json.loads(capsys.readouterr().out)["freshness"]
    assert (freshness["changed_images"], freshness["gone_images"]) == ([changed], [gone])
    assert freshness["images_compared_by_content"] == 90
    assert extract(own, "--check-content") == 0
    captured = capsys.readouterr()
    assert "90 images compared by content" in captured.out
    assert "1 of 91 images was changed" in captured.err


def test_what_changed_is_computed_again_and_nothing_else(own, capsys):
    before = np.load(own / "own.prism" / "activations" / "1.npy")
    changed, _, gone = change_images(own)
    capsys.readouterr()
    assert extract(own, "--recompute-changed") == 0
    captured = capsys.readouterr()
    assert "3 changed or missing images are computed again" in captured.out
    assert "outdated" not in captured.err
    with Project.open(own / "own.prism", read_only=True) as project:
        now = np.array(project.activations("1"))
        row_changed, row_gone = rows_of(project, changed, gone)
        assert [image.path for image in project.skipped_images()] == [gone, "red/broken.png"]
        assert not project.check_freshness().is_outdated
    assert np.isnan(now[row_gone]).all()
    np.testing.assert_allclose(
        now[row_changed], expected_activations(own / "images", [changed])[0], rtol=1e-4
    )
    others = np.delete(np.arange(91), [row_changed, row_gone])
    assert np.array_equal(now[others], before[others], equal_nan=True)


def test_with_a_changed_network_everything_is_computed_again(own, capsys):
    network = (own / "net.py").read_text()
    (own / "net.py").write_text(network.replace("4.0, 0.0, 0.0", "2.0, 0.0, 0.0"))
    capsys.readouterr()
    assert extract(own) == 1
    assert "belongs to another model" in sentence(capsys)
    assert extract(own, "--recompute-changed") == 0
    assert "Everything is computed again, for the network is another: its weights" in capsys.readouterr().out
    with Project.open(own / "own.prism", read_only=True) as project:
        activations = np.array(project.activations("1"))
        good = np.isfinite(activations).all(axis=1)
        paths = [path for path, is_good in zip(project.image_paths, good, strict=True) if is_good]
        assert not project.check_freshness().is_outdated
    halved = expected_activations(own / "images", paths)
    assert not np.allclose(activations[good][:, 0], halved[:, 0], rtol=1e-3), "the network is another"
    np.testing.assert_allclose(activations[good][:, 1:], halved[:, 1:], rtol=1e-4, atol=1e-6)


def test_a_remark_in_the_networks_file_changes_nothing(own, capsys):
    before = np.load(own / "own.prism" / "activations" / "1.npy")
    with (own / "net.py").open("a") as file:
        file.write("# a remark\n")
    capsys.readouterr()
    assert main(["info", str(own / "own.prism"), "--quiet"]) == 0
    assert "The Python file net.py was changed" in capsys.readouterr().out
    assert extract(own, "--recompute-changed") == 0
    assert "Nothing changed since the activations were computed" in capsys.readouterr().out
    after = np.load(own / "own.prism" / "activations" / "1.npy")
    assert np.array_equal(before, after, equal_nan=True)
    assert main(["info", str(own / "own.prism"), "--quiet"]) == 0
    assert "net.py was changed" not in capsys.readouterr().out


def test_an_analysis_of_outdated_activations_says_so(own, capsys):
    project = str(own / "own.prism")
    assert analyse(project, "--neuron", "3", capsys=capsys)["outdated"] == []
    change_images(own)
    (first, second) = analyse(project, "--neuron", "3", capsys=capsys)["outdated"]
    assert first.startswith("2 of 91 images were changed")
    assert second.startswith("1 of 91 images is not there any more")
    assert main(["analyse", project, "--layer", "1", "--neuron", "3", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert "outdated: 2 of 91 images were changed" in captured.err
    assert "outdated" not in captured.out


def test_an_export_of_outdated_activations_says_so_in_every_file(own, capsys):
    out = own / "out"
    words = ["export", str(own / "own.prism"), "--out", str(out), "--neurons", "3", "--quiet"]
    assert main(words) == 0
    assert not (out / "OUTDATED.txt").exists()
    change_images(own)
    capsys.readouterr()
    assert main(words) == 0
    assert "2 of 91 images were changed" in capsys.readouterr().err
    text = (out / "OUTDATED.txt").read_text()
    assert text.startswith("The results in this folder are outdated.\n2 of 91 images were changed")
    assert "Outdated: 2 of 91 images were changed" in (out / "report.html").read_text()
    for suffix in (".safetensors", ".npz"):
        vectors = load_concept_vectors(out / f"concept_vectors.1{suffix}")
        assert vectors.extraction["outdated"][0].startswith("2 of 91 images were changed")
    assert extract(own, "--recompute-changed") == 0
    assert main(words) == 0
    assert not (out / "OUTDATED.txt").exists()
    assert "Outdated" not in (out / "report.html").read_text()


def test_a_layer_that_is_not_complete_is_neither_analysed_nor_exported(own, capsys):
    with Project.open(own / "own.prism") as project:
        project.recompute_images([50])
    capsys.readouterr()
    assert main(["analyse", str(own / "own.prism"), "--layer", "1", "--neuron", "3", "--quiet"]) == 1
    assert "not complete yet" in sentence(capsys)
    words = ["--out", str(own / "out"), "--layer", "1", "--quiet"]
    assert main(["export", str(own / "own.prism"), *words]) == 1
    assert "not complete yet" in sentence(capsys)


def test_recomputing_takes_all_layers(own, capsys):
    assert extract(own, "--recompute-changed", "--layers", "1") == 2
    assert "leave --layers out" in capsys.readouterr().err
