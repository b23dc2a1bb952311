"""``neuronprism extract``, against the network recomputed in NumPy."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from app.command_line import main
from app.commands.command_progress import CommandTask
from backend.method.suggestion import suggest
from backend.project import Project
from tests.app.commands.toy_world import BIAS, WEIGHTS, expected_activations, extract_words, sentence

SUM_NETWORK = """
from torch import nn


class Twice(nn.Module):
    def forward(self, images):
        return images + images


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Twice()
        self.head = nn.Conv2d(3, 2, 1)

    def forward(self, images):
        return self.head(self.block(images))


def make():
    return Network(), {"input_size": 32, "mean": 0.0, "std": 1.0}
"""


def test_extract_computes_what_the_network_does(world):
    with Project.open(world / "toy.prism", read_only=True) as project:
        activations = np.asarray(project.activations("1"))
        broken = project.image_paths.index("red/broken.png")
        valid = np.delete(np.arange(project.n_images), broken)
        expected = expected_activations(world / "images", [project.image_paths[row] for row in valid])
        assert project.n_images == 91
        assert [one.path for one in project.skipped_images()] == ["red/broken.png"]
        suggestion = project.suggestion("1")
        assert suggestion == suggest(project.activations("1"), project.neuron_index("1"))
    assert np.isnan(activations[broken]).all()
    np.testing.assert_allclose(activations[valid], expected, atol=1e-5)


def test_extract_says_what_it_did(world, tmp_path, capsys):
    assert main(extract_words(world, tmp_path / "new", "make", "--per-class", "3", "--seed", "1")) == 0
    out = capsys.readouterr().out
    assert "1: 6 neurons, suggested d_max" in out
    assert "images computed now" in out
    assert out.strip().splitlines()[-1] == str(tmp_path / "new.prism")
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        assert project.n_images == 18
        assert {label: project.image_labels.count(label) for label in project.image_labels} == dict.fromkeys(
            ("blue", "green", "grey", "red", "white", "yellow"), 3
        )


def test_extract_again_changes_nothing(world, toy, capsys):
    with Project.open(toy) as project:
        before = np.array(project.activations("1"))
    for words in (extract_words(world, toy), ["extract", str(toy), "--yes-run-code", "--quiet"]):
        assert main(words) == 0
        assert "0 of 91 images computed now" in capsys.readouterr().out
    with Project.open(toy) as project:
        np.testing.assert_array_equal(project.activations("1"), before)


def test_extract_adds_a_layer(world, toy):
    assert main(["extract", str(toy), "--layers", "0", "--yes-run-code", "--quiet"]) == 0
    with Project.open(toy, read_only=True) as project:
        assert {record.name: record.complete for record in project.layers} == {"1": True, "0": True}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--model", "resnet18"),
        ("--size", "64"),
        ("--per-class", "3"),
        ("--seed", "5"),
        ("--images", "."),
    ],
)
def test_extract_refuses_what_contradicts_the_project(toy, capsys, option, value):
    assert main(["extract", str(toy), option, value, "--yes-run-code", "--quiet"]) == 1
    text = sentence(capsys)
    assert str(toy) in text
    assert f"made with {option}" in text
    assert f"leave {option} out" in text


def test_extract_follows_images_that_moved(world, toy, tmp_path):
    moved = shutil.copytree(world / "images", tmp_path / "elsewhere")
    with Project.open(toy) as project:
        there = project.images_root
    hidden = there.rename(there.with_name("hidden"))
    try:
        assert main(["extract", str(toy), "--images", str(moved), "--yes-run-code", "--quiet"]) == 0
        with Project.open(toy, read_only=True) as project:
            assert project.images_root == moved
    finally:
        hidden.rename(there)


def test_extract_refuses_other_weights(world, toy, tmp_path, capsys):
    import torch

    state = {"0.weight": torch.zeros(6, 3, 1, 1), "0.bias": torch.zeros(6)}
    state |= {"3.weight": torch.zeros(2, 6144), "3.bias": torch.zeros(2)}
    torch.save(state, tmp_path / "other.pth")
    words = ["extract", str(toy), "--weights", str(tmp_path / "other.pth"), "--yes-run-code", "--quiet"]
    assert main(words) == 1
    assert "belongs to another model" in sentence(capsys)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("--layers", "9"), "no layer '9'"),
        (("--layers", "1,2,x"), "no layer 'x'"),
        (("--images", "nowhere"), "does not exist"),
        (("--model", "NET:fails"), "no such checkpoint"),
        (("--model", "NET:nothing"), "no callable 'nothing'"),
        (("--model", "mobilenet_v22"), "did you mean"),
        (("--weights", "absent.pth"), "absent.pth"),
    ],
)
def test_extract_tells_what_is_wrong_and_leaves_nothing_behind(world, tmp_path, capsys, change, says):
    words = extract_words(world, tmp_path / "new.prism")
    option, value = change
    value = value.replace("NET", str(world / "net.py"))
    if option in words:
        words[words.index(option) + 1] = value
    else:
        words += [option, value]
    assert main(words) == 1
    assert says in sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_extract_of_a_new_project_needs_to_know_of_what(tmp_path, capsys):
    assert main(["extract", str(tmp_path / "new"), "--model", "mobilenet_v2"]) == 2
    assert "a new project needs --images, --layers" in capsys.readouterr().err


def test_each_layer_is_pooled_as_was_asked(world, tmp_path, capsys):
    words = extract_words(world, tmp_path / "new.prism", "make", "--per-class", "3")
    words[words.index("--layers") + 1] = "0,1"
    assert main([*words, "--pooling", "1=max"]) == 0
    capsys.readouterr()
    assert main(["info", str(tmp_path / "new.prism")]) == 0
    text = capsys.readouterr().out
    assert "\n1 holds the largest value over space of each neuron." in text
    assert "\n0 holds" not in text
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        assert {record.name: record.binding.pooling for record in project.layers} == {"0": "mean", "1": "max"}
        paths = project.image_paths
        readable = [row for row, path in enumerate(paths) if "broken" not in path]
        images = [Image.open(world / "images" / paths[row]).convert("RGB") for row in readable]
        pixels = np.stack([np.asarray(image, dtype=np.float64) / 255 for image in images])
        responses = pixels @ WEIGHTS.T.astype(np.float64) + BIAS
        np.testing.assert_allclose(
            project.activations("1")[readable], np.maximum(responses, 0).max(axis=(1, 2)), atol=1e-5
        )
        np.testing.assert_allclose(project.activations("0")[readable], responses.mean(axis=(1, 2)), atol=1e-5)
    capsys.readouterr()
    again = ["extract", str(tmp_path / "new.prism"), "--yes-run-code", "--quiet", "--pooling"]
    assert main([*again, "1=mean"]) == 1
    assert "made with --pooling 1=max, not 1=mean" in sentence(capsys)
    assert main([*again, "1=max"]) == 0


def test_the_pooling_that_was_planned_outlives_an_interruption(world, tmp_path, monkeypatch):
    words = extract_words(world, tmp_path / "new.prism", "make", "--per-class", "3", "--pooling", "1=max")

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("app.commands.command_extract._extract", interrupted)
    assert main(words) == 130
    monkeypatch.undo()
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        assert project.layers == ()
    assert main(["extract", str(tmp_path / "new.prism"), "--yes-run-code", "--quiet"]) == 0
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        assert project.layer("1").binding.pooling == "max"


@pytest.mark.parametrize(
    ("poolings", "status", "says"),
    [
        (("1",), 2, "'1' is not LAYER=POOLING"),
        (("1=median",), 2, "a pooling is one of mean, max, class_token, token_mean, none"),
        (("0=max",), 2, "0 is not among the layers to extract"),
        (("1=max", "1=mean"), 2, "1 cannot be pooled by max and by mean"),
        (("1=class_token",), 1, "cannot be pooled by 'class_token'"),
    ],
)
def test_a_pooling_that_cannot_be(world, tmp_path, capsys, poolings, status, says):
    options = [word for pooling in poolings for word in ("--pooling", pooling)]
    assert main(extract_words(world, tmp_path / "new.prism", "make", *options)) == status
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_grey_values_are_scaled_by_the_rule_that_was_asked_for(world, tmp_path, capsys):
    values = np.full((32, 32), 1600, np.uint16)
    (tmp_path / "scans").mkdir()
    Image.fromarray(values).save(tmp_path / "scans" / "scan.png")
    for rule, grey in (("full_range", 1600 >> 8), ("twelve_bit", 1600 >> 4)):
        words = extract_words(world, tmp_path / f"{rule}.prism", "make", "--grey-scaling", rule)
        words[words.index("--images") + 1] = str(tmp_path / "scans")
        assert main(words) == 0
        with Project.open(tmp_path / f"{rule}.prism", read_only=True) as project:
            expected = np.maximum(WEIGHTS.sum(axis=1) * grey / 255 + BIAS, 0)
            np.testing.assert_allclose(project.activations("1")[0], expected, atol=1e-5)
            assert project.model_source.grey_scaling == rule
    capsys.readouterr()
    again = ["extract", str(tmp_path / "twelve_bit.prism"), "--yes-run-code", "--quiet", "--grey-scaling"]
    assert main([*again, "min_max"]) == 1
    assert "made with --grey-scaling twelve_bit, not min_max" in sentence(capsys)
    assert main([*again, "twelve_bit"]) == 0
    assert main([*again, "brightest"]) == 2


def test_a_weights_file_that_moved_leaves_the_rule_for_grey_values_as_it_is(world, tmp_path):
    import torch

    state = {"0.weight": torch.ones(6, 3, 1, 1), "0.bias": torch.zeros(6)}
    state |= {"3.weight": torch.zeros(2, 6144), "3.bias": torch.zeros(2)}
    torch.save(state, tmp_path / "here.pth")
    words = extract_words(world, tmp_path / "new.prism", "make", "--per-class", "2")
    assert main([*words, "--weights", str(tmp_path / "here.pth"), "--grey-scaling", "min_max"]) == 0
    (tmp_path / "here.pth").rename(tmp_path / "there.pth")
    words = ["extract", str(tmp_path / "new.prism"), "--yes-run-code", "--quiet", "--layers", "0"]
    assert main([*words, "--weights", str(tmp_path / "there.pth")]) == 0


def test_a_python_file_does_not_run_unasked(world, tmp_path, capsys, monkeypatch):
    words = [word for word in extract_words(world, tmp_path / "new.prism") if word != "--yes-run-code"]
    assert main(words) == 1
    assert "--yes-run-code" in sentence(capsys)
    assert not (tmp_path / "new.prism").exists()

    class Terminal:
        def __init__(self, answer):
            self.answer = answer

        def isatty(self):
            return True

        def readline(self):
            return self.answer

    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    assert main(words) == 1
    error = capsys.readouterr().err
    assert f"Python file {world / 'net.py'}" in error
    assert "was not run" in error
    assert not (tmp_path / "new.prism").exists()
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert main(words) == 0
    assert (tmp_path / "new.prism").is_dir()


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(world, tmp_path):
    words = [sys.executable, "-m", "app", *extract_words(world, tmp_path / "slow.prism", "make_slow")]
    words.remove("--quiet")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stderr=pipe, stdout=pipe, text=True, env=environment)
    seen = ""
    while "Extracting" not in seen:
        character = process.stderr.read(1)
        assert character, seen
        seen += character
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "continue with the same command" in error
    assert "Traceback" not in seen + error
    with Project.open(tmp_path / "slow.prism", read_only=True) as project:
        assert not any(record.complete for record in project.layers)


def test_an_interrupted_project_is_finished_by_the_same_command(world, tmp_path, capsys, monkeypatch):
    words = extract_words(world, tmp_path / "new.prism")
    monkeypatch.setattr(CommandTask, "partial", lambda self, result: self._cancelled.set())
    assert main(words) == 130
    assert "Interrupted" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(words) == 0
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        valid = [row for row, path in enumerate(project.image_paths) if "broken" not in path]
        expected = expected_activations(world / "images", [project.image_paths[row] for row in valid])
        np.testing.assert_allclose(project.activations("1")[valid], expected, atol=1e-5)


def test_an_operation_that_is_listed_can_be_extracted(world, tmp_path, capsys):
    (tmp_path / "sum.py").write_text(SUM_NETWORK)
    model = f"{tmp_path / 'sum.py'}:make"
    assert main(["layers", model, "--yes-run-code", "--quiet"]) == 0
    assert "block.add" in [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    words = extract_words(world, tmp_path / "new.prism", "make", "--per-class", "2")
    words[words.index("--model") + 1] = model
    words[words.index("--layers") + 1] = "block.add"
    assert main(words) == 0
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        paths = [project.image_paths[row] for row in range(project.n_images)]
        readable = [row for row, path in enumerate(paths) if "broken" not in path]
        pixels = [np.asarray(Image.open(world / "images" / paths[row]).convert("RGB")) for row in readable]
        expected = 2 * np.stack(pixels).mean(axis=(1, 2)) / 255
        np.testing.assert_allclose(project.activations("block.add")[readable], expected, atol=1e-5)


def test_extract_of_a_damaged_project_names_the_remedy(toy, capsys):
    (toy / "project.sqlite").write_bytes(b"damaged" * 100)
    assert main(["extract", str(toy), "--yes-run-code", "--quiet"]) == 1
    assert f"neuronprism info {toy} --recover" in sentence(capsys)


def test_extract_follows_images_away_from_an_empty_mount_point(world, toy, tmp_path, capsys):
    images = shutil.copytree(world / "images", tmp_path / "elsewhere")
    with Project.open(toy) as project:
        there = project.images_root
    hidden = there.rename(there.with_name("hidden"))
    there.mkdir()
    try:
        words = ["extract", str(toy), "--layers", "0", "--yes-run-code", "--quiet"]
        assert main(words) == 1
        assert "say where it is now (--images DIR" in sentence(capsys)
        assert main([*words, "--images", str(images)]) == 0
        with Project.open(toy, read_only=True) as project:
            assert project.images_root == images
            assert project.layer("0").complete
    finally:
        there.rmdir()
        hidden.rename(there)
