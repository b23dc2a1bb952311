"""``neuronprism export`` and ``info``."""

import csv
import json
from pathlib import Path

import numpy as np

from app.command_line import main
from app.commands.command_progress import CommandTask
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.project import Project
from tests.app.commands.toy_world import analyse, extract_words, sentence


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
    assert main([*words, "--no-report", "--d-max", "1e9", "--outlier-radius", "inf"]) == 0
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
    for part in ("91", "6 classes", "red/broken.png", "net.py:make", "32 pixels", "suggested"):
        assert part in text
    assert str(world / "images") in text
    assert main(["info", str(world / "toy.prism"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["n_images"] == 91
    assert [one["path"] for one in document["skipped_images"]] == ["red/broken.png"]
    assert document["layers"][0]["complete"] is True
    assert document["suggestions"]["1"]["top_n"] == 100


def test_a_project_is_found_from_within_it(toy, capsys, monkeypatch):
    def says(*words):
        assert main(["info", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)["n_images"]

    monkeypatch.chdir(toy)
    assert says(".") == says("project.sqlite") == says(f"../{toy.name}") == says("../toy") == 91
    monkeypatch.chdir(toy / "activations")
    assert says("..") == says("../.") == 91
    monkeypatch.chdir(toy.parent)
    assert main(["info", "."]) == 1
    assert "no Neuron Prism project" in sentence(capsys)
    assert main(["info", toy.anchor]) == 1
    assert "no Neuron Prism project" in sentence(capsys)


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


def test_truncated_activations_are_noticed_and_mended(toy, capsys):
    with Project.open(toy) as project:
        file, before = project.layer("1").file, np.array(project.activations("1"))
    file.write_bytes(file.read_bytes()[:-100])
    assert main(["info", str(toy)]) == 0
    out = capsys.readouterr().out
    assert f"{file} are damaged: 100 B of" in out
    assert f"neuronprism extract {toy} --layers 1" in out
    assert main(["info", str(toy), "--json"]) == 0
    assert "Extract the layer again" in json.loads(capsys.readouterr().out)["layers"][0]["problem"]
    assert main(["extract", str(toy), "--layers", "1", "--yes-run-code", "--quiet"]) == 0
    with Project.open(toy) as project:
        np.testing.assert_array_equal(project.activations("1"), before)


def test_a_report_without_its_images_says_so(toy, tmp_path, capsys):
    with Project.open(toy) as project:
        there = project.images_root
    hidden = there.rename(there.with_name("hidden"))
    try:
        assert main(["export", str(toy), "--out", str(tmp_path), "--neurons", "3", "--quiet"]) == 0
    finally:
        hidden.rename(there)
    text = sentence(capsys)
    assert f"could not be read from {there}" in text
    assert text.removeprefix("neuronprism: ") in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert main(["export", str(toy), "--out", str(tmp_path), "--neurons", "3", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
