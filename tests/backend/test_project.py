"""A project: made, opened, changed, closed; what bad input gets."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from backend.errors import ProjectError
from backend.images import ImageSet, find_images
from backend.method.parameters import PUBLISHED, Parameters, Suggestion
from backend.named_concepts import NamedConcept
from backend.networks.model_source import ModelSource
from backend.project import Project, ProjectInUseError
from tests.backend.small_projects import BINDING, add_layer, make_project, write_images

RNG = np.random.default_rng(0)


@pytest.fixture
def project(tmp_path):
    with make_project(tmp_path, layers=["features.18"], settings={"seed": 3}) as project:
        yield project


@pytest.fixture
def filled(project):
    add_layer(project, RNG.normal(size=(12, 5)).astype(np.float32))
    return project


def concept(**changes):
    values = {
        "layer": "features.18",
        "neuron": 2,
        "name": "pommes & Äpfel",
        "notes": "round,\nred",
        "member_images": (1, 5, 7),
        "vector": np.array([0, 0.6, 0, 0.8, 0], np.float32),
        "parameters": PUBLISHED,
    }
    return NamedConcept(**{**values, **changes})


class TestCreating:
    def test_what_it_was_made_of_is_there_after_reopening(self, project, tmp_path):
        project.close()
        with Project.open(tmp_path / "Prüfung.prism") as again:
            assert again.name == "Prüfung"
            assert again.model_source == ModelSource("mobilenet_v2")
            assert again.planned_layers == ("features.18",)
            assert again.get_setting("seed") == 3
            assert again.images_root == tmp_path / "images"
            assert again.n_images == 12
            assert again.image_paths == find_images(tmp_path / "images").paths
            assert again.image_labels == tuple(f"class {i // 4} ü" for i in range(12))
            assert again.image_path(5) == tmp_path / "images" / "class 1 ü" / "画像 001.png"
            assert again.preprocessing is None
            assert again.layers == ()

    def test_what_was_planned_for_its_layers_is_kept(self, tmp_path):
        poolings = {"blocks.3": "max", "features.18": "mean"}
        make_project(
            tmp_path, layers=["features.18", "blocks.3"], poolings=poolings, precision="fast"
        ).close()
        with Project.open(tmp_path / "Prüfung.prism") as again:
            assert again.planned_layers == ("features.18", "blocks.3")
            assert again.planned_poolings == poolings
            assert again.planned_precision == "fast"

    def test_a_project_that_was_made_without_a_plan_for_poolings_has_none(self, tmp_path):
        make_project(tmp_path, layers=["features.18"]).close()
        file = tmp_path / "Prüfung.prism" / "project.sqlite"
        with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as database:
            database.execute("DELETE FROM project WHERE key IN ('planned_poolings', 'planned_precision')")
        with Project.open(tmp_path / "Prüfung.prism") as again:
            assert again.planned_poolings == {}
            assert again.planned_precision == "float32"

    def test_a_flat_folder_has_no_labels(self, tmp_path):
        with make_project(tmp_path, n_classes=0, per_class=3) as project:
            assert project.image_labels == (None, None, None)
            assert project.summary().n_classes == 0

    def test_files_passed_over_are_listed(self, tmp_path):
        write_images(tmp_path / "images")
        (tmp_path / "images" / "link.png").symlink_to(tmp_path / "nowhere.png")
        images = find_images(tmp_path / "images")
        with Project.create(tmp_path / "p.prism", ModelSource("vgg11"), images) as project:
            assert [file.path for file in project.unused_files()] == ["link.png"]
            assert project.unused_files()[0].reason == images.skipped[0].reason

    def test_an_existing_folder_is_not_touched(self, project, tmp_path):
        images = find_images(tmp_path / "images")
        with pytest.raises(ProjectError, match="exists already"):
            Project.create(project.path, ModelSource("vgg11"), images)
        assert project.model_source == ModelSource("mobilenet_v2")

    def test_an_empty_folder_is_taken(self, tmp_path):
        (tmp_path / "Prüfung.prism").mkdir()
        make_project(tmp_path).close()

    def test_no_images_are_refused(self, tmp_path):
        with pytest.raises(ProjectError, match="no images"):
            Project.create(tmp_path / "p.prism", ModelSource("vgg11"), ImageSet(tmp_path, (), ()))
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_cannot_be_written(self, tmp_path):
        images = find_images(write_images(tmp_path / "images"))
        (tmp_path / "file").write_text("")
        with pytest.raises(ProjectError, match="cannot be made"):
            Project.create(tmp_path / "file" / "p.prism", ModelSource("vgg11"), images)

    def test_a_full_disk_leaves_nothing_half_made(self, tmp_path, monkeypatch):
        def full(*_):
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr("backend.project_folder.project_creation.ImageTable.fill", full)
        images = find_images(write_images(tmp_path / "images"))
        with pytest.raises(sqlite3.OperationalError):
            Project.create(tmp_path / "p.prism", ModelSource("vgg11"), images)
        assert [path.name for path in tmp_path.iterdir()] == ["images"]


class TestOpening:
    def test_there_is_no_project(self, tmp_path):
        for path in (tmp_path, tmp_path / "missing.prism"):
            with pytest.raises(ProjectError, match="no Neuron Prism project"):
                Project.open(path)

    def test_the_database_stands_for_its_folder(self, project):
        project.close()
        with Project.open(project.path / "project.sqlite") as again:
            assert again.path == project.path

    def test_closed_projects_say_so(self, project):
        project.close()
        project.close()
        with pytest.raises(ProjectError, match="closed"):
            project.set_setting("a", 1)

    def test_a_second_opening_for_writing_is_refused_and_reading_is_not(self, project):
        with pytest.raises(ProjectInUseError, match="by this program itself"):
            Project.open(project.path)
        with Project.open(project.path, read_only=True) as reader:
            project.set_setting("seen", True)
            assert reader.get_setting("seen") is True

    def test_another_process_is_named(self, project):
        program = (
            "import sys; from backend.project import Project\n"
            "try: Project.open(sys.argv[1])\nexcept Exception as error: print(error)"
        )
        said = subprocess.run(
            [sys.executable, "-c", program, project.path], capture_output=True, text=True, check=True
        ).stdout
        assert f"process {os.getpid()} on " in said
        project.close()
        said = subprocess.run(
            [sys.executable, "-c", program, project.path], capture_output=True, text=True, check=True
        ).stdout
        assert said == ""

    def test_opening_and_reading_needs_no_torch(self, project):
        program = (
            "import sys; from backend.project import Project\n"
            "Project.open(sys.argv[1], read_only=True).summary()\n"
            "print([name for name in ('torch', 'sklearn', 'PIL', 'PySide6') if name in sys.modules])"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, project.path], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "[]"

    def test_read_only_refuses_every_change(self, filled):
        filled.close()
        with Project.open(filled.path, read_only=True) as reader:
            for change in (
                lambda: reader.set_setting("a", 1),
                lambda: reader.save_named_concept(concept()),
                lambda: reader.save_parameters("features.18", PUBLISHED),
                lambda: reader.set_neuron_name("features.18", 1, "x"),
            ):
                with pytest.raises(ProjectError, match="read-only"):
                    change()


class TestModelBinding:
    def test_the_model_is_remembered(self, filled):
        assert filled.weights_sha256 == BINDING.weights_sha256
        assert filled.preprocessing == BINDING.preprocessing

    def test_other_weights_or_preprocessing_are_refused_once_there_are_activations(self, project):
        from dataclasses import replace

        project.bind_model("cd" * 32, BINDING.preprocessing, ["cat", "dog"])
        assert project.class_names == ("cat", "dog")
        add_layer(project, np.zeros((12, 5), np.float32))
        with pytest.raises(ProjectError, match="another model: its weights"):
            project.bind_model("cd" * 32, BINDING.preprocessing)
        other = replace(BINDING, preprocessing=BINDING.preprocessing.with_input_size(8))
        with pytest.raises(ProjectError, match="input_size 16, not 8"):
            project.bind_model(other.weights_sha256, other.preprocessing)
        project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)


class TestLayers:
    def test_activations_and_index(self, project):
        activations = RNG.normal(size=(12, 5)).astype(np.float32)
        activations[3] = np.nan
        add_layer(project, activations)
        np.testing.assert_array_equal(project.activations("features.18"), activations)
        assert isinstance(project.activations("features.18"), np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            project.activations("features.18")[0] = 0
        index = project.neuron_index("features.18")
        assert (
            index.top(1, 3).images.tolist()
            == np.argsort(-np.nan_to_num(activations[:, 1], nan=-9))[:3].tolist()
        )
        assert project.neuron_index("features.18") is index

    def test_a_missing_layer_names_those_there_are(self, filled):
        with pytest.raises(ProjectError, match=r"no activations of a layer 'features.17'.*features\.18"):
            filled.activations("features.17")

    def test_a_lost_or_damaged_index_is_made_again(self, filled):
        filled.neuron_index("features.18")
        file = filled.layer("features.18").index_file
        expected = filled.neuron_index("features.18").top_images
        for damage in (file.unlink, lambda: file.write_bytes(b"x")):
            damage()
            filled.close()
            filled = Project.open(filled.path)
            np.testing.assert_array_equal(filled.neuron_index("features.18").top_images, expected)
            assert file.stat().st_size > 100
        filled.close()

    def test_the_index_of_other_activations_is_not_believed(self, filled, tmp_path):
        file = filled.layer("features.18").index_file
        filled.neuron_index("features.18")
        add_layer(filled, RNG.normal(size=(12, 7)).astype(np.float32), "other")
        filled.neuron_index("other")
        shutil.copy(file, filled.layer("other").index_file)
        filled.close()
        with Project.open(filled.path) as again:
            assert again.neuron_index("other").n_neurons == 7

    def test_an_unfinished_layer_is_read_only_as_partial(self, tmp_path):
        with make_project(tmp_path, block_rows=5) as project:
            activations = RNG.normal(size=(12, 3)).astype(np.float32)
            add_layer(project, activations)
            project.extracted_layers.forget_blocks("features.18", [10])
            assert (project.layer("features.18").n_done, project.layer("features.18").complete) == (10, False)
            with pytest.raises(ProjectError, match="not complete yet \\(10 of 12"):
                project.activations("features.18")
            with pytest.raises(ProjectError, match="not complete"):
                project.neuron_index("features.18")
            np.testing.assert_array_equal(project.activations("features.18", partial=True), activations[:10])
            assert project.neuron_index("features.18", partial=True).statistics.n_images == 10
            project.extracted_layers.forget_blocks("features.18", [0])
            assert len(project.activations("features.18", partial=True)) == 0

    @pytest.mark.parametrize("damage", ["missing", "truncated", "another shape"])
    def test_damaged_activations_are_named(self, filled, damage):
        file = filled.layer("features.18").file
        if damage == "missing":
            file.unlink()
        elif damage == "truncated":
            file.write_bytes(file.read_bytes()[:-8])
        else:
            np.save(file, np.zeros((12, 4), np.float32))
        with pytest.raises(ProjectError, match=r"features\.18\.npy"):
            filled.activations("features.18")

    def test_parameters_and_suggestion(self, filled):
        assert filled.parameters("features.18") is None
        assert filled.suggestion("features.18") is None
        parameters = Parameters(distance_threshold=7.25, min_cluster_size=3)
        suggestion = Suggestion(7.5, 3.25, 100, 64, "Twice the median distance.")
        filled.save_parameters("features.18", parameters)
        filled.save_suggestion("features.18", suggestion)
        filled.close()
        with Project.open(filled.path) as again:
            assert again.parameters("features.18") == parameters
            assert again.suggestion("features.18") == suggestion
            again.save_parameters("features.18", None)
            assert again.parameters("features.18") is None
            with pytest.raises(ProjectError, match="no activations of a layer"):
                again.save_parameters("nonesuch", parameters)


class TestAnnotations:
    def test_concepts_are_saved_changed_and_deleted(self, filled):
        saved = filled.save_named_concept(concept())
        assert saved.id is not None
        other = filled.save_named_concept(concept(neuron=4, name="nets"))
        assert filled.named_concepts("features.18", 2) == (saved,)
        assert filled.named_concepts() == (saved, other)
        assert filled.named_concepts("features.18", 3) == ()
        changed = filled.save_named_concept(
            NamedConcept(**{**vars(saved), "notes": "green too", "vector": saved.vector})
        )
        filled.close()
        with Project.open(filled.path) as again:
            assert again.named_concepts("features.18", 2) == (changed,)
            np.testing.assert_array_equal(again.named_concepts("features.18", 2)[0].vector, saved.vector)
            again.delete_named_concept(saved.id)
            again.delete_named_concept(saved.id)
            assert again.named_concepts() == (other,)

    def test_a_deletion_is_undone_under_the_same_id_which_is_never_given_twice(self, filled):
        saved = filled.save_named_concept(concept())
        filled.delete_named_concept(saved.id)
        newer = filled.save_named_concept(concept(name="newer"))
        assert newer.id != saved.id
        assert filled.save_named_concept(saved) == saved
        assert {found.name for found in filled.named_concepts()} == {"pommes & Äpfel", "newer"}

    @pytest.mark.parametrize(
        "change",
        [
            {"layer": "nonesuch"},
            {"neuron": 5},
            {"neuron": -1},
            {"vector": np.ones(4, np.float32)},
            {"member_images": (0, 12)},
        ],
    )
    def test_a_concept_of_something_else_is_refused(self, filled, change):
        with pytest.raises(ProjectError):
            filled.save_named_concept(concept(**change))
        assert filled.named_concepts() == ()

    def test_neuron_names(self, filled):
        filled.set_neuron_name("features.18", 3, "Äpfel")
        filled.set_neuron_name("features.18", 1, "coral")
        filled.set_neuron_name("features.18", 1, "coral, divers")
        filled.set_neuron_name("features.18", 4, "x")
        filled.set_neuron_name("features.18", 4, "")
        filled.close()
        with Project.open(filled.path, read_only=True) as again:
            assert again.neuron_names("features.18") == {1: "coral, divers", 3: "Äpfel"}
            assert again.neuron_names("nonesuch") == {}

    def test_a_neuron_that_is_not_there_gets_no_name(self, filled):
        with pytest.raises(ProjectError, match="0 to 4"):
            filled.set_neuron_name("features.18", 5, "x")

    def test_settings_hold_any_json(self, project):
        for value in (None, 1.5, "ü", [1, {"a": None}]):
            project.set_setting("key", value)
            assert project.get_setting("key") == value
        assert project.get_setting("nothing", 7) == 7


class TestThreads:
    def test_many_threads_write_and_read_at_once(self, filled):
        errors = []

        def work(number):
            try:
                for place in range(20):
                    filled.set_setting(f"{number}.{place}", place)
                    saved = filled.save_named_concept(concept(name=f"{number}.{place}"))
                    assert saved in filled.named_concepts("features.18", 2)
            except BaseException as error:  # noqa: BLE001  (shown by the assertion below)
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        names = {found.name for found in filled.named_concepts()}
        assert names == {f"{number}.{place}" for number in range(8) for place in range(20)}
        assert filled.get_setting("7.19") == 19


class TestSummary:
    def test_summary(self, filled):
        filled.save_named_concept(concept())
        filled.set_neuron_name("features.18", 0, "x")
        filled.neuron_index("features.18")
        summary = filled.summary()
        assert (summary.name, summary.n_images, summary.n_classes, summary.n_skipped) == ("Prüfung", 12, 3, 0)
        assert summary.architecture == "mobilenet_v2"
        assert summary.weights_sha256 == BINDING.weights_sha256
        assert summary.input_size == 16
        assert summary.images_found
        (layer,) = summary.layers
        assert (layer.name, layer.n_neurons, layer.n_done, layer.complete) == ("features.18", 5, 12, True)
        assert (layer.n_named_neurons, layer.n_named_concepts, summary.n_named_concepts) == (1, 1, 1)
        on_disk = sum(file.stat().st_size for file in (filled.path / "activations").iterdir())
        assert summary.n_bytes == on_disk
        assert "numpy" in summary.versions
        assert json.loads(json.dumps(summary.to_dict()))["layers"][0]["name"] == "features.18"

    def test_summary_before_the_first_extraction(self, project):
        summary = project.summary()
        assert (summary.layers, summary.weights_sha256, summary.n_bytes) == ((), None, 0)
        assert summary.planned_layers == ("features.18",)
        shutil.rmtree(project.images_root)
        assert not project.summary().images_found
        assert isinstance(summary.path, Path)
