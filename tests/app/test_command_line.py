"""The commands, run in process on a small project whose activations are recomputed in NumPy."""

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.cluster import AgglomerativeClustering, KMeans

from app.command_line import main
from app.command_parameters import chosen_parameters
from app.command_parser import build_parser
from app.command_progress import CommandTask
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.exchange.repeat_command import analyse_command
from backend.method.parameters import PUBLISHED, Parameters
from backend.method.suggestion import suggest
from backend.project import Project
from tests.app.planted_project import write_images

WEIGHTS = np.array([[4, 0, 0], [0, 4, 0], [0, 0, 4], [3, 3, -1], [-2, -2, 5], [0, 0, -9]], dtype=np.float32)
BIAS = np.array([-0.5, -0.5, -0.5, -1.0, 0.0, -1.0], dtype=np.float32)

NETWORK = f"""
import time
import torch
from torch import nn


def make():
    convolution = nn.Conv2d(3, 6, 1)
    convolution.weight.data = torch.tensor({WEIGHTS.tolist()}).view(6, 3, 1, 1)
    convolution.bias.data = torch.tensor({BIAS.tolist()})
    network = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.Linear(6 * 32 * 32, 2))
    return network, {{"input_size": 32, "mean": 0.0, "std": 1.0}}


class Slow(nn.Module):
    def __init__(self):
        super().__init__()
        self.colours = make()[0][:2]

    def forward(self, images):
        deadline = time.monotonic() + 0.3
        while time.monotonic() < deadline:
            pass
        return self.colours(images)


def make_slow():
    return Slow(), {{"input_size": 32, "mean": 0.0, "std": 1.0}}


def fails():
    raise ValueError("no such checkpoint")
"""


def expected_activations(folder, paths):
    """Return float64 (images, 6): what the network computes, by NumPy alone."""
    pixels = [np.asarray(Image.open(folder / path).convert("RGB"), dtype=np.float64) / 255 for path in paths]
    responses = np.maximum(np.stack(pixels) @ WEIGHTS.T.astype(np.float64) + BIAS, 0)
    return responses.mean(axis=(1, 2))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder with images, a network's Python file, and a project extracted by the command."""
    folder = tmp_path_factory.mktemp("world")
    write_images(folder / "images")
    (folder / "images" / "red" / "broken.png").write_bytes(b"not an image")
    (folder / "net.py").write_text(NETWORK)
    assert main(extract_words(folder, folder / "toy.prism")) == 0
    return folder


def extract_words(world, project, callable_name="make", *more):
    words = [
        "extract",
        str(project),
        "--images",
        str(world / "images"),
        "--layers",
        "1" if callable_name == "make" else "colours.1",
    ]
    return [*words, "--model", f"{world / 'net.py'}:{callable_name}", "--yes-run-code", "--quiet", *more]


@pytest.fixture
def toy(world, tmp_path):
    """A copy of the project of one's own."""
    return shutil.copytree(world / "toy.prism", tmp_path / "toy.prism")


def sentence(capsys):
    """Return the one line on standard error."""
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


# extract


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
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
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


# analyse


def analyse(project, *words, capsys):
    capsys.readouterr()
    status = main(["analyse", str(project), "--layer", "1", "--quiet", "--json", "-", *words])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    return json.loads(captured.out, parse_constant=pytest.fail)


def test_analyse_gives_pure_json_that_scikit_learn_confirms(world, capsys):
    document = analyse(world / "toy.prism", "--neuron", "3", "--top", "40", "--d-max", "1.5", capsys=capsys)
    with Project.open(world / "toy.prism", read_only=True) as project:
        paths = [path for path in project.image_paths if "broken" not in path]
        stored = np.asarray(project.activations("1"))
        rows = {path: row for row, path in enumerate(project.image_paths)}
    activations = expected_activations(world / "images", paths)
    top = [paths.index(path) for path in document["top_images"]]
    np.testing.assert_allclose(document["activations"], np.sort(activations[:, 3])[::-1][:40], atol=1e-5)
    vectors = stored[[rows[path] for path in document["top_images"]]].astype(np.float64)
    tree = AgglomerativeClustering(None, distance_threshold=1.5).fit(vectors)
    assert document["n_clusters"] == tree.n_clusters_ > 1
    starts = np.stack([vectors[tree.labels_ == label].mean(axis=0) for label in range(tree.n_clusters_)])
    means = KMeans(tree.n_clusters_, init=starts, n_init=1).fit(vectors)
    assert len({*zip(means.labels_, kmeans_labels(document), strict=True)}) == tree.n_clusters_
    for concept in document["concepts"]:
        members = vectors[concept["members"]]
        vector = members.mean(axis=0) / np.linalg.norm(members.mean(axis=0))
        np.testing.assert_allclose(concept["vector"], vector, atol=1e-6)
        best = max(range(len(paths)), key=lambda index: activations[index] @ vector)
        first = concept["max_projecting"][0]
        assert first["projection"] == pytest.approx(activations[best] @ vector, rel=1e-4)
    assert len(top) == 40


def kmeans_labels(document):
    """Labels before outliers were taken out, as far as the document tells: none was, at this radius."""
    assert min(document["labels"]) >= 0 or document["dropped"]
    return document["labels"]


def test_the_published_preset_is_the_papers(world, capsys):
    document = analyse(
        world / "toy.prism", "--neuron", "0", "--preset", "published", "--top", "60", capsys=capsys
    )
    assert document["parameters"] == replace(PUBLISHED, top_n=60).to_dict()


def test_without_a_preset_the_suggestion_counts_and_options_change_it(toy, capsys):
    with Project.open(toy, read_only=True) as project:
        suggestion = project.suggestion("1")
        index, activations = project.neuron_index("1"), project.activations("1")
        of_40 = suggest(activations, index, parameters=Parameters(top_n=40))
        single = suggest(activations, index, parameters=Parameters(linkage="single"))
    plain = analyse(toy, "--neuron", "0", capsys=capsys)["parameters"]
    assert plain == suggestion.parameters().to_dict()
    changed = analyse(toy, "--neuron", "0", "--d-max", "0.25", "--seed", "3", capsys=capsys)["parameters"]
    assert changed == replace(suggestion.parameters(), distance_threshold=0.25, seed=3).to_dict()
    fewer = analyse(toy, "--neuron", "0", "--top", "40", capsys=capsys)["parameters"]
    assert fewer == of_40.parameters().to_dict()
    other = analyse(toy, "--neuron", "0", "--linkage", "single", capsys=capsys)["parameters"]
    assert other == single.parameters(Parameters(linkage="single")).to_dict()
    unlimited = analyse(toy, "--neuron", "0", "--outlier-radius", "inf", capsys=capsys)
    assert unlimited["parameters"]["outlier_radius_squared"] is None
    assert -1 not in unlimited["labels"]


def test_what_was_chosen_in_the_window_counts_before_the_suggestion(toy, capsys):
    chosen = Parameters(top_n=50, distance_threshold=2.5, outlier_radius_squared=3.5)
    with Project.open(toy) as project:
        project.save_parameters("1", chosen)
        suggested = project.suggestion("1").parameters()
    assert analyse(toy, "--neuron", "0", capsys=capsys)["parameters"] == chosen.to_dict()
    document = analyse(toy, "--neuron", "0", "--preset", "suggested", capsys=capsys)
    assert document["parameters"] == suggested.to_dict()


def test_analyse_writes_a_file_and_says_the_outcome(world, tmp_path, capsys):
    file = tmp_path / "deep" / "neuron.json"
    words = ["analyse", str(world / "toy"), "--layer", "1", "--neuron", "3", "--json", str(file), "--quiet"]
    assert main(words) == 0
    out = capsys.readouterr().out
    document = json.loads(file.read_text(encoding="utf-8"))
    assert f"neuron 3: {document['n_clusters']} cluster" in out
    for concept in document["concepts"]:
        assert f"{concept['size']} images, cosine {concept['mean_cosine']:.2f}" in out
    assert out.strip().endswith(str(file))


def test_a_dead_neuron_is_an_answer(world, capsys):
    document = analyse(world / "toy.prism", "--neuron", "5", capsys=capsys)
    assert document["status"] == "dead"
    assert main(["analyse", str(world / "toy.prism"), "--layer", "1", "--neuron", "5", "--quiet"]) == 0
    assert "is dead" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--layer", "nosuch", "--neuron", "0"), "no activations of a layer 'nosuch'"),
        (("--layer", "1", "--neuron", "6"), "no neuron 6"),
        (("--layer", "1", "--neuron", "-1"), "no neuron -1"),
        (("--layer", "1", "--neuron", "0", "--top", "1"), "top_n must be"),
        (("--layer", "1", "--neuron", "0", "--metric", "cosine"), "Ward"),
        (("--layer", "1", "--neuron", "0", "--d-max", "nan"), "distance_threshold"),
        (("--layer", "1", "--neuron", "0", "--json", "/"), "it is a folder"),
    ],
)
def test_analyse_tells_what_is_wrong(world, capsys, words, says):
    assert main(["analyse", str(world / "toy.prism"), "--quiet", *words]) == 1
    assert says in sentence(capsys)


def test_a_project_that_is_open_elsewhere_can_be_analysed(toy, capsys):
    with Project.open(toy):
        assert main(["analyse", str(toy), "--layer", "1", "--neuron", "0", "--quiet"]) == 0
        assert main(["extract", str(toy), "--quiet"]) == 1
    assert "open" in capsys.readouterr().err


@pytest.mark.parametrize(
    "parameters",
    [
        PUBLISHED,
        Parameters(),
        Parameters(top_n=7, distance_threshold=1 / 3, outlier_radius_squared=1e-9, seed=12),
        Parameters(linkage="average", metric="cosine", distance_threshold=0.1, min_cluster_size=2),
        Parameters(
            kmeans_start="random", kmeans_restarts=9, kmeans_max_iter=50, outlier_radius_squared=float("inf")
        ),
    ],
)
def test_the_command_in_a_report_repeats_the_analysis_exactly(world, parameters):
    command = analyse_command("toy.prism", "a layer's name", 12, parameters)
    words = shlex.split(command)
    assert words[0] == "neuronprism"
    arguments = build_parser(dict.fromkeys(ALL_COMMANDS, print)).parse_args(words[1:])
    assert (str(arguments.project), arguments.layer, arguments.neuron) == ("toy.prism", "a layer's name", 12)
    with Project.open(world / "toy.prism", read_only=True) as project:
        assert chosen_parameters(project, "1", arguments, task=CommandTask(quiet=True)) == parameters


# export and info


def test_export_writes_what_analyse_says(world, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["export", str(world / "toy.prism"), "--out", str(out), "--neurons", "3,0-1", "--quiet"]
    assert main([*words, "--max-projecting", "7"]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert {Path(line).name for line in lines[1:]} == {path.name for path in out.iterdir()}
    vectors = load_concept_vectors(out / "concept_vectors.1.safetensors")
    assert lines[0] == f"3 neurons, {len(vectors.concepts)} concept vectors"
    document = analyse(world / "toy.prism", "--neuron", "3", capsys=capsys)
    mine = [concept for concept in vectors.concepts if concept.neuron == 3]
    assert [concept.cluster for concept in mine] == [concept["cluster"] for concept in document["concepts"]]
    for ours, theirs in zip(mine, document["concepts"], strict=True):
        np.testing.assert_allclose(ours.vector, theirs["vector"], atol=1e-6)
        assert list(ours.members) == [document["top_images"][place] for place in theirs["members"]]
    with (out / "max_projecting.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["neuron"] == "3" and row["direction"] == "0"]
    expected = [one["path"] for one in document["concepts"][0]["max_projecting"][:7]]
    assert [row["image"] for row in rows] == expected
    assert "<!DOCTYPE html>" in (out / "report.html").read_text(encoding="utf-8")


def test_export_without_a_report_or_with_other_parameters(world, tmp_path, capsys):
    words = ["export", str(world / "toy.prism"), "--out", str(tmp_path), "--neurons", "0", "--quiet"]
    assert main([*words, "--no-report", "--d-max", "1e9"]) == 0
    assert not (tmp_path / "report.html").exists()
    (concept,) = load_concept_vectors(tmp_path / "concept_vectors.1.npz").concepts
    assert concept.parameters["distance_threshold"] == 1e9


def test_export_to_an_impossible_place_is_said(world, tmp_path, capsys):
    (tmp_path / "file").write_bytes(b"")
    assert main(["export", str(world / "toy.prism"), "--out", str(tmp_path / "file"), "--quiet"]) == 1
    assert "is a file, not a folder" in sentence(capsys)
    assert main(["export", str(world / "toy.prism"), "--out", "x", "--neurons", "a"]) == 2


def test_info_says_what_is_there(world, capsys):
    assert main(["info", str(world / "toy.prism")]) == 0
    text = capsys.readouterr().out
    for part in (
        "91",
        "6 classes",
        "red/broken.png",
        "net.py:make",
        "32 pixels",
        "suggested",
        str(world / "images"),
    ):
        assert part in text
    assert main(["info", str(world / "toy.prism"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_images"] == 91
    assert [one["path"] for one in document["skipped_images"]] == ["red/broken.png"]
    assert document["layers"][0]["complete"] is True
    assert document["suggestions"]["1"]["top_n"] == 100


def test_info_of_an_unfinished_project_says_how_to_go_on(world, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(CommandTask, "partial", lambda self, result: self._cancelled.set())
    main(extract_words(world, tmp_path / "new.prism"))
    capsys.readouterr()
    assert main(["info", str(tmp_path / "new.prism")]) == 0
    assert f"neuronprism extract {tmp_path / 'new.prism'}" in capsys.readouterr().out


def test_a_missing_or_damaged_project_is_said_and_recovered(toy, tmp_path, capsys):
    assert main(["info", str(tmp_path / "nothing")]) == 1
    assert "no Neuron Prism project" in sentence(capsys)
    with Project.open(toy) as project:
        project.set_neuron_name("1", 0, "red")
    (toy / "project.sqlite").write_bytes(b"damaged" * 100)
    assert main(["info", str(toy)]) == 1
    assert f"neuronprism info {toy} --recover" in sentence(capsys)
    assert main(["info", str(toy), "--recover"]) == 0
    assert "Recovered from the backup" in capsys.readouterr().out
    with Project.open(toy, read_only=True) as project:
        assert project.neuron_names("1") == {0: "red"}


# layers, demo, help


def test_layers_are_listed_with_their_sizes(world, capsys):
    assert main(["layers", f"{world / 'net.py'}:make", "--yes-run-code", "--quiet"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.strip().splitlines()]
    assert [line[0] for line in lines] == ["0", "1", "2", "3"]
    assert lines[1] == ["1", "ReLU", "6×32×32", "6", "neurons"]


def test_the_demo_without_a_display_writes_its_report_instead(tmp_path, capsys, monkeypatch):
    import app.display
    from backend.demo import demo_report

    asked = []
    monkeypatch.setattr(app.display, "has_display", lambda *_: False)
    monkeypatch.setattr(
        demo_report, "write_demo_report", lambda folder, task: asked.append(folder) or folder / "report.html"
    )
    assert main(["demo"]) == 0
    captured = capsys.readouterr()
    assert asked == [Path("demo-report")]
    assert captured.out.strip() == str(Path("demo-report") / "report.html")
    assert len(captured.err.strip().splitlines()) == 1
    assert main(["demo", "--report", str(tmp_path)]) == 0
    assert asked[1] == tmp_path
    assert capsys.readouterr().err == ""


ALL_COMMANDS = ("demo", "layers", "extract", "analyse", "export", "info")


@pytest.mark.parametrize("command", ["", *ALL_COMMANDS])
def test_help_has_examples(capsys, command):
    assert main([*command.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"neuronprism {command}" in text.partition("examples:")[2]


@pytest.mark.parametrize(
    "words", [[], ["nosuch"], ["analyse", "x"], ["info"], ["analyse", "x", "--layer", "a", "--neuron", "b"]]
)
def test_wrong_usage_is_status_2(capsys, words):
    assert main(words) == 2
    assert "usage:" in capsys.readouterr().err


def test_the_examples_are_understood():
    parser = build_parser(dict.fromkeys(ALL_COMMANDS, print))
    n_examples = 0
    for command in ALL_COMMANDS:
        epilog = parser.parse_args(MINIMAL[command]).parser.epilog
        for line in epilog.replace("\\\n", " ").splitlines():
            if line.strip().startswith("neuronprism"):
                words = shlex.split(line.partition("|")[0].partition("     ")[0])
                assert parser.parse_args(words[1:]).command == command
                n_examples += 1
    assert n_examples >= 15


MINIMAL = {
    "demo": ["demo"],
    "layers": ["layers", "m"],
    "extract": ["extract", "p"],
    "analyse": ["analyse", "p", "--layer", "l", "--neuron", "0"],
    "export": ["export", "p", "--out", "o"],
    "info": ["info", "p"],
}


def test_help_waits_for_neither_qt_nor_torch():
    code = (
        "import sys; from app.command_line import main; main(['analyse', '--help']);"
        "sys.exit(' '.join({'torch', 'PySide6', 'sklearn', 'torchvision'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.returncode == 0


def test_commands_need_no_qt(world):
    code = (
        "import sys; from app.command_line import main;"
        f"main(['analyse', {str(world / 'toy.prism')!r}, '--layer', '1', '--neuron', '0', '--quiet']);"
        "sys.exit(str([name for name in sys.modules if name.startswith('PySide6')] or ''))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert "neuron 0" in ran.stdout


def test_a_reader_that_has_seen_enough_is_no_failure_to_tell(world):
    read_end, write_end = os.pipe()
    os.close(read_end)
    words = [sys.executable, "-m", "app", "info", str(world / "toy.prism"), "--json"]
    ran = subprocess.run(words, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert ran.returncode == 1
    assert ran.stderr == ""


def test_progress_goes_to_standard_error_alone(toy, capsys):
    assert main(["extract", str(toy), "--layers", "0", "--yes-run-code"]) == 0
    captured = capsys.readouterr()
    assert "Extracting 0" in captured.err
    assert "Extracting" not in captured.out
