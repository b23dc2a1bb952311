"""What docs/formats.md promises: a project is read with NumPy, sqlite3 and json alone."""

import json
import sqlite3
import urllib.parse
from contextlib import closing

import numpy as np

from backend.method.parameters import PUBLISHED, Suggestion
from backend.named_concepts import NamedConcept
from tests.backend.small_projects import BINDING, add_layer, make_project

ACTIVATIONS = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


def test_a_project_is_read_without_this_program(tmp_path):
    vector = np.array([0, 0.6, 0, 0.8, 0], np.float32)
    with make_project(tmp_path, layers=["blocks/11.mlp"], settings={"theme": ["dark"]}) as project:
        add_layer(project, ACTIVATIONS, "blocks/11.mlp")
        project.neuron_index("blocks/11.mlp")
        project.set_neuron_name("blocks/11.mlp", 4, "Äpfel")
        project.save_parameters("blocks/11.mlp", PUBLISHED)
        project.save_suggestion("blocks/11.mlp", Suggestion(7.5, 3.0, 100, 64, "Because."))
        concept = NamedConcept("blocks/11.mlp", 4, "apples", "red", (2, 5), vector, PUBLISHED)
        project.save_named_concept(concept)

    folder = tmp_path / "Prüfung.prism"
    assert sorted(path.name for path in folder.iterdir()) == [
        "activations",
        "project.lock",
        "project.sqlite",
        "project.sqlite.backup",
    ]
    with closing(sqlite3.connect(folder / "project.sqlite")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (3,)
        assert database.execute("PRAGMA application_id").fetchone() == (0x4E50524D,)
        about = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM project")}
        images = database.execute("SELECT row, path, label, skip_reason FROM images ORDER BY row").fetchall()
        ((layer, name, n_neurons, stem, parameters, suggestion),) = database.execute(
            "SELECT id, name, n_neurons, file, parameters, suggestion FROM layers"
        )
        blocks = database.execute("SELECT layer, start, stop FROM blocks").fetchall()
        names = database.execute("SELECT layer, neuron, name FROM neuron_names").fetchall()
        ((members, blob, notes),) = database.execute(
            "SELECT member_images, vector, notes FROM named_concepts WHERE name = 'apples'"
        )
        settings = dict(database.execute("SELECT key, value FROM settings"))

    assert about["name"] == "Prüfung"
    assert about["weights_sha256"] == BINDING.weights_sha256
    assert about["preprocessing"]["input_size"] == 16
    assert about["model_source"]["architecture"] == "mobilenet_v2"
    assert about["images_root"] == str(tmp_path / "images")
    assert about["images_root_relative"] == "../images"
    assert images[5] == (5, "class 1 ü/画像 001.png", "class 1 ü", None)
    assert (tmp_path / "images" / images[5][1]).is_file()
    assert blocks == [(layer, 0, 12)]
    assert names == [(layer, 4, "Äpfel")]
    assert json.loads(parameters) == PUBLISHED.to_dict()
    assert json.loads(suggestion)["distance_threshold"] == 7.5
    assert (json.loads(members), notes) == ([2, 5], "red")
    np.testing.assert_array_equal(np.frombuffer(blob, "<f4"), vector)
    assert json.loads(settings["theme"]) == ["dark"]

    assert (stem, urllib.parse.unquote(stem)) == ("blocks%2F11.mlp", name)
    activations = np.load(folder / "activations" / f"{stem}.npy", mmap_mode="r")
    assert (activations.dtype, activations.shape) == (np.float32, (12, n_neurons))
    np.testing.assert_array_equal(activations, ACTIVATIONS)

    with np.load(folder / "activations" / f"{stem}.index.npz") as index:
        np.testing.assert_array_equal(index["top_images"], np.argsort(-ACTIVATIONS, axis=0).T)
        np.testing.assert_array_equal(index["top_activations"], np.sort(ACTIVATIONS, axis=0)[::-1].T)
        np.testing.assert_array_equal(index["maximum"], ACTIVATIONS.max(axis=0))
        np.testing.assert_allclose(index["mean"], ACTIVATIONS.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(index["standard_deviation"], ACTIVATIONS.std(axis=0), rtol=1e-5)
        np.testing.assert_allclose(index["active_fraction"], (ACTIVATIONS > 0).mean(axis=0), rtol=1e-6)
        assert (int(index["n_images"]), int(index["n_invalid"]), int(index["format"])) == (12, 0, 1)


def test_the_backup_reads_the_same(tmp_path):
    with make_project(tmp_path) as project:
        add_layer(project, ACTIVATIONS)
        project.set_neuron_name("features.18", 4, "apples")
    with closing(sqlite3.connect(tmp_path / "Prüfung.prism" / "project.sqlite.backup")) as backup:
        assert backup.execute("SELECT neuron, name FROM neuron_names").fetchall() == [(4, "apples")]
