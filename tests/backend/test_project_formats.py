"""What docs/formats.md promises: a project is read with NumPy, sqlite3 and json alone."""

import csv
import hashlib
import importlib.metadata
import json
import re
import sqlite3
import struct
import urllib.parse
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.activations.activation_import import import_activations
from backend.activations.extraction import extract
from backend.activations.import_plan import ImportRequest, plan_import
from backend.evaluation.neuron_analysis import analyse_neuron
from backend.exchange.analysis_json import analysis_bytes
from backend.exchange.export import ExportOptions, export_project
from backend.images import find_images
from backend.method.parameters import PUBLISHED, Parameters, Suggestion
from backend.named_concepts import NamedConcept
from backend.networks.model_source import ModelSource
from backend.project import Project
from tests.backend.small_projects import BINDING, add_layer, make_project, network

FORMATS = Path(__file__).parents[2] / "docs" / "formats.md"
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


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A project with a file of three pages, an image that is skipped, and an extracted and an imported layer.

    Returns the project's folder and the imported array, float64 (6, 4) with a row that is not finite.
    """
    folder = tmp_path_factory.mktemp("mixed")
    images = folder / "images"
    (images / "a").mkdir(parents=True)
    rng = np.random.default_rng(3)
    pages = [Image.fromarray(rng.integers(0, 256, (20, 20, 3), np.uint8)) for _ in range(5)]
    pages[0].save(images / "a" / "stack.tif", save_all=True, append_images=pages[1:3])
    pages[3].save(images / "a" / "one.png")
    pages[4].save(images / "z.png")
    (images / "broken.png").write_bytes(b"not an image")
    path = folder / "mixed.prism"
    with Project.create(path, ModelSource("small.py:network"), find_images(images)) as project:
        extract(project, network(), ["late"])
        values = rng.normal(size=(project.n_images, 4))
        values[2, 1] = np.inf
        np.savez(folder / "elsewhere.npz", acts=values, paths=np.array(project.image_paths))
        request = ImportRequest(folder / "elsewhere.npz", None, None, "from elsewhere")
        import_activations(project, plan_import(request, project))
    return path, values


def test_pages_skipped_images_and_imported_layers_are_read_without_this_program(mixed):
    folder, values = mixed
    with closing(sqlite3.connect(f"file:{folder}/project.sqlite?mode=ro", uri=True)) as database:
        images = database.execute("SELECT path, label, skip_reason, size FROM images ORDER BY row").fetchall()
        layers = {
            name: (file, n_neurons, weights, preprocessing, pooling, precision, origin)
            for name, file, n_neurons, weights, preprocessing, pooling, precision, origin in database.execute(
                "SELECT name, file, n_neurons, weights_sha256, preprocessing, pooling, precision, origin"
                " FROM layers"
            )
        }
        about = {key: json.loads(value) for key, value in database.execute("SELECT key, value FROM project")}
        (versions,) = database.execute("SELECT versions FROM layers WHERE name = 'late'").fetchone()
        covered = database.execute("SELECT layer, sum(stop - start) FROM blocks GROUP BY layer").fetchall()

    stack = [f"a/stack.tif#page={page}" for page in (1, 2, 3)]
    assert [path for path, *_ in images] == ["a/one.png", *stack, "broken.png", "z.png"]
    assert [label for _, label, *_ in images] == ["a", "a", "a", "a", None, None]
    root = Path(about["images_root"])
    assert {size for path, _, _, size in images if "#" in path} == {(root / "a" / "stack.tif").stat().st_size}
    (reason,) = [reason for path, _, reason, _ in images if path == "broken.png"]
    assert "broken.png" in reason
    assert [rows for _, rows in covered] == [6, 6]

    file, n_neurons, weights, preprocessing, pooling, precision, origin = layers["late"]
    assert (n_neurons, pooling, precision, origin) == (10, "mean", "float32", None)
    assert weights == about["weights_sha256"]
    assert json.loads(preprocessing) == about["preprocessing"]
    extracted = np.load(folder / "activations" / f"{file}.npy", mmap_mode="r")
    assert np.isnan(extracted).all(axis=1).tolist() == [False] * 4 + [True, False]
    assert len({row.tobytes() for row in np.asarray(extracted[1:4])}) == 3  # each page is an image of its own

    recorded = json.loads(versions)
    assert recorded.keys() >= {"torch", "torchvision", "timm", "numpy", "pillow", "pydicom"}
    assert recorded == {package: importlib.metadata.version(package) for package in recorded}

    file, n_neurons, weights, preprocessing, pooling, precision, origin = layers["from elsewhere"]
    assert file == "from%20elsewhere"
    assert (n_neurons, weights, json.loads(preprocessing)) == (4, "", None)
    assert (pooling, precision) == ("none", "unknown")
    described = json.loads(origin)
    source = folder.parent / "elsewhere.npz"
    assert (described["file"], described["path"]) == ("elsewhere.npz", str(source))
    assert described["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (described["size"], described["mtime_ns"]) == (source.stat().st_size, source.stat().st_mtime_ns)
    assert (described["array"], described["dtype"], described["shape"]) == ("acts", "float64", [6, 4])
    assert (described["n_not_finite"], described["first_not_finite"]) == (1, 2)
    assert (described["pooling"], described["network_check"]) == (None, None)
    imported = np.load(folder / "activations" / f"{file}.npy", mmap_mode="r")
    assert imported.dtype == np.dtype("<f4")
    values = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.nan)
    np.testing.assert_array_equal(imported, values.astype(np.float32))
    with np.load(folder / "activations" / f"{file}.index.npz") as index:
        assert (int(index["n_images"]), int(index["n_invalid"])) == (5, 1)
        assert 2 not in index["top_images"]


def test_every_column_and_value_of_the_database_is_described(mixed):
    folder, _ = mixed
    text = FORMATS.read_text(encoding="utf-8")
    with closing(sqlite3.connect(f"file:{folder}/project.sqlite?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names = {
            column
            for table in tables
            if not table.startswith("sqlite_")
            for _, column, *_ in database.execute(f"PRAGMA table_info({table})")
        }
        names |= {key for (key,) in database.execute("SELECT key FROM project")}
        (origin,) = database.execute("SELECT origin FROM layers WHERE origin IS NOT NULL").fetchone()
    names |= json.loads(origin).keys()
    assert {name for name in names if f"`{name}`" not in text} == set()


def test_every_file_of_an_export_is_described_and_read_without_this_program(mixed, tmp_path):
    folder, _ = mixed
    parameters = Parameters(top_n=5, distance_threshold=1e9, outlier_radius_squared=1e9, min_cluster_size=1)
    with Project.open(folder, read_only=True) as project:
        options = ExportOptions(parameters=parameters, n_max_projecting=3)
        result = export_project(project, tmp_path / "out", layer="from elsewhere", options=options)
        index = project.neuron_index("from elsewhere")
        activations = np.array(project.activations("from elsewhere"))
        analysis = analyse_neuron("from elsewhere", activations, 1, parameters, index=index)
        document = json.loads(analysis_bytes(analysis, project.image_paths))
    text = FORMATS.read_text(encoding="utf-8")
    for file in result.files:
        assert file.name.replace("from%20elsewhere", "LAYER") in text or file.suffix == ".npz"

    content = (tmp_path / "out" / "concept_vectors.from%20elsewhere.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    begin, end = header["vectors"]["data_offsets"]
    vectors = np.frombuffer(content[8 + length :][begin:end], "<f4").reshape(header["vectors"]["shape"])
    texts = header["__metadata__"]
    with np.load(tmp_path / "out" / "concept_vectors.from%20elsewhere.npz") as same:
        np.testing.assert_array_equal(same["vectors"], vectors)
        assert {key: str(same[key]) for key in same.files if key != "vectors"} == texts
    assert {key for key in texts if f"`{key}`" not in text} == set()
    assert (texts["model"], texts["weights_sha256"], json.loads(texts["preprocessing"])) == (
        "imported",
        "",
        None,
    )
    assert json.loads(texts["origin"])["sha256"]
    # One cluster of all top images: its vector is their mean, of norm 1.
    row = json.loads(texts["neurons"]).index(1)
    valid = np.flatnonzero(np.isfinite(activations).all(axis=1))
    mean = activations[valid].mean(axis=0)
    np.testing.assert_allclose(vectors[row], mean / np.linalg.norm(mean), rtol=1e-5)

    for name in ("members.csv", "max_projecting.csv"):
        with (tmp_path / "out" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {column for column in rows[0] if f"`{column}`" not in text} == set()
        strongest = next(row for row in rows if row["neuron"] == "1" and row["rank"] == "1")
        assert strongest["layer"] == "from elsewhere"
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report
    assert not re.search(r"""(?:src|href)=["'](?!#|data:)""", report)
    assert {key for key in document if f"`{key}`" not in text} == set()
    keys = document["concepts"][0].keys()
    assert {key for key in keys if f"`{key}`" not in text and not key.endswith("_null")} == set()
