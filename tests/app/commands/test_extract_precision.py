"""``neuronprism extract --precision``: measured, said, kept, refused."""

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest
from safetensors import safe_open

from app.command_line import main
from backend.activations import precision
from backend.project import Project
from tests.app.commands.toy_world import extract_words, sentence


@pytest.fixture(autouse=True)
def bfloat16(monkeypatch):
    """Every processor can compute in it, most of them slowly."""
    monkeypatch.setattr(precision, "_instructions", lambda: {"avx512_bf16": True})


@pytest.fixture
def fast(world, tmp_path, capsys):
    """A project extracted in fast, and what the command said."""
    project = tmp_path / "fast.prism"
    assert main(extract_words(world, project, "make", "--precision", "fast")) == 0
    return project, capsys.readouterr().out


def test_the_price_is_measured_said_and_kept(fast):
    folder, out = fast
    with closing(sqlite3.connect(folder / "project.sqlite")) as database:
        ((kept_precision, text),) = database.execute("SELECT precision, precision_check FROM layers")
    check = json.loads(text)
    assert kept_precision == "fast"
    # 90 of the 91 images can be read.
    assert (check["n_images"], check["top_n"], check["device"]) == (90, 5, "cpu")
    with Project.open(folder, read_only=True) as project:
        kept = project.precision_check("1")
        assert project.planned_precision == "fast"
    first = out.splitlines()[0]
    assert first == kept.sentence
    assert first.startswith("On 90 of these images, this much of each neuron's top 5 stays the same")
    overlap = f"{100 * check['layers'][0]['mean_overlap']:.1f} % on average"
    assert overlap in first or "99.9 % on average" in first


def test_going_on_measures_and_says_nothing_again(fast, capsys):
    folder, _ = fast
    assert main(["extract", str(folder), "--yes-run-code", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "stays the same" not in out
    assert "0 of 91 images computed now" in out


def test_without_the_option_it_is_float32(world, toy, fast):
    with Project.open(toy, read_only=True) as plain, Project.open(fast[0], read_only=True) as other:
        assert plain.layer("1").binding.precision == "float32"
        assert plain.precision_check("1") is None
        error = np.abs(np.asarray(other.activations("1")) - np.asarray(plain.activations("1")))
        scale = np.nanmax(plain.activations("1"))
    assert 0 < np.nanmax(error) < 0.02 * scale


def test_info_and_export_say_it(fast, tmp_path, capsys):
    folder, out = fast
    said = out.splitlines()[0]
    assert main(["info", str(folder)]) == 0
    assert f"1 was computed in the precision “fast”. {said}" in capsys.readouterr().out
    assert main(["info", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["precision_checks"]["1"]["n_images"] == 90
    assert main(["export", str(folder), "--out", str(tmp_path / "out"), "--neurons", "0", "--quiet"]) == 0
    with safe_open(tmp_path / "out" / "concept_vectors.1.safetensors", "np") as file:
        extraction = json.loads(file.metadata()["extraction"])
    assert extraction["precision"] == "fast"
    assert extraction["precision_check"]["layers"][0]["layer"] == "1"
    assert "1 was computed in the precision “fast”" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_info_of_float32_is_silent_about_it(toy, capsys):
    assert main(["info", str(toy)]) == 0
    assert "precision" not in capsys.readouterr().out


@pytest.mark.parametrize(("made_with", "given"), [("fast", "float32"), ("float32", "fast")])
def test_another_precision_is_refused(toy, fast, capsys, made_with, given):
    folder = {"fast": fast[0], "float32": toy}[made_with]
    assert main(["extract", str(folder), "--precision", given, "--yes-run-code", "--quiet"]) == 1
    assert sentence(capsys) == (
        f"neuronprism: The project {folder} was made with --precision {made_with}, not {given}: leave "
        "--precision out to continue it, or make a new project."
    )


def test_a_machine_without_fast_says_so_and_makes_no_project(world, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precision, "_instructions", dict)
    assert main(extract_words(world, tmp_path / "new", "make", "--precision", "fast")) == 1
    assert "this processor does not compute in bfloat16" in sentence(capsys)
    assert list(tmp_path.iterdir()) == []


def test_there_are_two_precisions(world, tmp_path, capsys):
    assert main(extract_words(world, tmp_path / "new", "make", "--precision", "half")) == 2
    assert "choose from" in capsys.readouterr().err
