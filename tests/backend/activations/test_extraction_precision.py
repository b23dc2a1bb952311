"""Extraction in the precision ``fast``: kept with the layer, never mixed, gone on with to the same bytes."""

import contextlib
import json
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from backend.activations import precision
from backend.activations.extraction import extract, layers_without_precision_check
from backend.activations.precision_check import check_precision, check_project_precision
from backend.activations.precision_check_result import LayerOverlap, PrecisionCheck
from backend.errors import ExtractionError, ProjectError
from backend.project import Project, ProjectDamagedError
from backend.task import Cancelled, SilentTask
from tests.backend.small_projects import make_project, network

CHECK = PrecisionCheck(
    n_images=44,
    top_n=2,
    layers=(LayerOverlap("early", 6, 6, 0.9, 3, 0.5), LayerOverlap("late", 10, 9, 0.8, 4, 0.0)),
    float32_images_per_second=10.0,
    fast_images_per_second=20.0,
    decoding_images_per_second=100.0,
)


@pytest.fixture(autouse=True)
def bfloat16(monkeypatch):
    """Every processor can compute in it, most of them slowly."""
    monkeypatch.setattr(precision, "_instructions", lambda: {"avx512_bf16": True})


@pytest.fixture(scope="module")
def loaded():
    return network()


def small_project(folder, n_classes=4, **options):
    """11 images a class in blocks of 8."""
    return make_project(folder, n_classes=n_classes, per_class=11, block_rows=8, **options)


@pytest.fixture
def project(tmp_path):
    with small_project(tmp_path) as project:
        yield project


def bits(project):
    return {path.name: path.read_bytes() for path in (project.path / "activations").iterdir()}


class Stopping(SilentTask):
    def __init__(self, after):
        self.left = after

    def check_cancelled(self):
        self.left -= 1
        if self.left < 0:
            raise Cancelled


class TestValues:
    def test_fast_is_another_precision_near_float32_which_stays_as_it_is(self, tmp_path, project, loaded):
        extract(project, loaded, ["late"], precision="fast")
        fast = np.array(project.activations("late"))
        found = {}
        for name, options in (("default", {}), ("named", {"precision": "float32"})):
            with small_project(tmp_path / name) as other:
                extract(other, loaded, ["late"], **options)
                assert other.layer("late").binding.precision == "float32"
                found[name] = np.array(other.activations("late"))
        assert found["default"].tobytes() == found["named"].tobytes()
        assert project.layer("late").binding.precision == "fast"
        assert fast.dtype == np.float32
        error = np.abs(fast - found["default"]).max() / found["default"].max()
        assert 1e-5 < error < 0.02

    def test_layers_of_both_precisions_are_extracted_by_one_call(self, tmp_path, project, loaded):
        with pytest.raises(Cancelled):
            extract(project, loaded, ["early"], precision="float32", task=Stopping(8))
        assert 0 < project.layer("early").n_done < 44
        with pytest.raises(Cancelled):
            extract(project, loaded, ["late"], precision="fast", task=Stopping(8))
        assert 0 < project.layer("late").n_done < 44
        result = extract(project, loaded)
        assert result.layers == ("early", "late")
        assert result.n_computed <= 44
        expected = {}
        for name, which in (("early", "float32"), ("late", "fast")):
            assert project.layer(name).complete
            with small_project(tmp_path / name) as other:
                extract(other, loaded, [name], precision=which)
                expected |= bits(other)
        assert bits(project) == expected


class TestContinuing:
    def test_killed_at_every_step_it_ends_with_the_same_bytes(self, tmp_path, loaded):
        with small_project(tmp_path / "killed", 1, precision="fast") as project:
            folder = project.path
        script = (
            "import sys\n"
            "from backend.activations import precision\n"
            "from tests.backend.activations.killed_extraction import main\n"
            "precision._instructions = lambda: {'avx512_bf16': True}\n"
            "main(sys.argv[1])\n"
        )
        words = [sys.executable, "-c", script, str(folder)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        runs = [json.loads(line) for line in done.stdout.splitlines()]
        assert sum(run["killed"] for run in runs) >= 5
        with Project.open(folder) as killed, small_project(tmp_path / "whole", 1) as whole:
            extract(whole, loaded, ["early", "late"], precision="fast")
            assert {one.binding.precision for one in killed.layers} == {"fast"}
            assert bits(killed) == bits(whole)

    def test_a_layer_keeps_the_precision_it_was_begun_in(self, project, loaded):
        with pytest.raises(Cancelled):
            extract(project, loaded, ["late"], precision="fast", task=Stopping(8))
        before = bits(project)
        with pytest.raises(ProjectError, match=r"late .* another precision \(fast, not float32\)"):
            extract(project, loaded, ["late"], precision="float32")
        assert bits(project) == before
        extract(project, loaded)
        assert project.layer("late").complete
        assert project.layer("late").binding.precision == "fast"

    def test_a_float32_layer_is_not_gone_on_with_in_fast(self, project, loaded):
        extract(project, loaded, ["late"])
        with pytest.raises(ProjectError, match=r"another precision \(float32, not fast\)"):
            extract(project, loaded, ["late"], precision="fast")
        extract(project, loaded, ["early"], precision="fast")
        assert [one.binding.precision for one in project.layers] == ["float32", "fast"]

    def test_what_was_planned_holds_until_another_is_named(self, tmp_path, loaded):
        with small_project(tmp_path, layers=["early"], precision="fast") as project:
            extract(project, loaded)
            extract(project, loaded, ["late"], precision="float32")
            assert [one.binding.precision for one in project.layers] == ["fast", "float32"]

    def test_a_machine_without_fast_says_so_and_changes_nothing(self, tmp_path, loaded, monkeypatch):
        with small_project(tmp_path, layers=["late"], precision="fast") as project:
            with pytest.raises(Cancelled):
                extract(project, loaded, task=Stopping(8))
            before = bits(project)
            monkeypatch.setattr(precision, "_instructions", dict)
            with pytest.raises(ExtractionError, match="does not compute in bfloat16"):
                extract(project, loaded)
            assert bits(project) == before


class TestCheckInTheProject:
    def test_before_the_extraction_and_with_its_layer(self, tmp_path, loaded):
        with small_project(tmp_path, layers=["early", "late"], precision="fast") as project:
            folder = project.path
            assert project.precision_check("late") is None
            for layer in ("early", "late"):
                project.save_precision_check(layer, CHECK)
        with Project.open(folder) as project:
            assert project.precision_check("late") == CHECK.of_layer("late")
            extract(project, loaded)
            assert project.precision_check("late") == CHECK.of_layer("late")
        with contextlib.closing(sqlite3.connect(folder / "project.sqlite")) as database:
            texts = dict(database.execute("SELECT name, precision_check FROM layers"))
        assert json.loads(texts["late"])["layers"][0]["worst_neuron"] == 4
        assert json.loads(texts["early"])["top_n"] == 2

    def test_a_layer_in_float32_takes_no_check_with_it(self, project, loaded):
        project.save_precision_check("late", CHECK)
        extract(project, loaded, ["late"], precision="float32")
        assert project.precision_check("late") is None

    def test_a_check_after_the_extraction(self, project, loaded):
        extract(project, loaded, ["late"], precision="fast")
        assert project.precision_check("late") is None
        project.save_precision_check("late", CHECK)
        assert project.precision_check("late") == CHECK.of_layer("late")

    @pytest.mark.parametrize(
        "damage",
        [
            "UPDATE layers SET precision_check = '{'",
            "UPDATE layers SET precision_check = '{\"layers\": []}'",
            "INSERT OR REPLACE INTO project VALUES ('planned_precision_checks', '[1]')",
            "INSERT OR REPLACE INTO project VALUES ('planned_precision_checks', '{\"late\": 3}')",
        ],
    )
    def test_damage_is_noticed_on_opening(self, tmp_path, loaded, damage):
        with small_project(tmp_path) as project:
            extract(project, loaded, ["late"], precision="fast")
            project.save_precision_check("late", CHECK)
            folder = project.path
        with contextlib.closing(sqlite3.connect(folder / "project.sqlite", isolation_level=None)) as database:
            database.execute(damage)
        with pytest.raises(ProjectDamagedError):
            Project.open(folder)
        with Project.open(folder, recover=True) as project:
            assert project.precision_check("late") == CHECK.of_layer("late")

    def test_only_what_is_to_be_computed_in_fast_is_measured_and_once(self, project, loaded):
        extract(project, loaded, ["late"])
        assert layers_without_precision_check(project) == ()
        # The float32 layer will be refused, not measured.
        assert layers_without_precision_check(project, ["early", "late"], "fast") == ("early",)
        assert check_project_precision(project, loaded, ["early"]) is None
        found = check_project_precision(project, loaded, ["early"], precision="fast", n_workers=1)
        assert found is not None
        assert (found.n_images, found.top_n) == (44, 2)
        assert project.precision_check("early") == found
        assert check_project_precision(project, loaded, ["early"], precision="fast") is None
        paths = [project.image_path(row) for row in range(44)]
        again = check_precision(loaded, paths, ["early"], {"early": "mean"}, n_workers=2)
        assert again.layers == found.layers

    def test_a_layer_that_is_complete_is_not_measured(self, project, loaded):
        extract(project, loaded, ["late"], precision="fast")
        assert layers_without_precision_check(project) == ()
