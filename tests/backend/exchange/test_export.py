import csv
import json

import numpy as np
import pytest
from safetensors import safe_open

from backend.errors import ExportError, ProjectError
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.exchange.export import ExportOptions, export_project
from backend.layer_parameters import layer_parameters
from backend.method.parameters import Parameters
from backend.named_concepts import NamedConcept
from backend.task import Cancelled, SilentTask
from tests.app.planted_project import DEEP_LAYER, LAYER, TWO_CLUSTERS, add_layer


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_whole_project_comes_out(project, tmp_path):
    result = export_project(project, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {path.name for path in result.files}
    assert names == {
        f"concept_vectors.{LAYER}.safetensors",
        f"concept_vectors.{LAYER}.npz",
        f"concept_vectors.{DEEP_LAYER}.safetensors",
        f"concept_vectors.{DEEP_LAYER}.npz",
        "members.csv",
        "max_projecting.csv",
        "report.html",
    }
    assert result.n_neurons == 12
    vectors = load_concept_vectors(tmp_path / "out" / f"concept_vectors.{LAYER}.npz")
    deep = load_concept_vectors(tmp_path / "out" / f"concept_vectors.{DEEP_LAYER}.npz")
    assert result.n_concepts == len(vectors.concepts) + len(deep.concepts)
    assert vectors.weights_sha256 == project.weights_sha256
    assert vectors.preprocessing == project.preprocessing.to_dict()
    assert all(concept.parameters == TWO_CLUSTERS.to_dict() for concept in vectors.concepts)


def test_vectors_are_the_normalised_means_of_the_members_in_the_file(project, tmp_path):
    export_project(project, tmp_path, layer=LAYER)
    activations = np.asarray(project.activations(LAYER), dtype=np.float64)
    with safe_open(tmp_path / f"concept_vectors.{LAYER}.safetensors", "np") as file:
        vectors, metadata = file.get_tensor("vectors"), file.metadata()
    members = json.loads(metadata["members"])
    assert len(members) == len(vectors) >= 3
    for vector, paths in zip(vectors, members, strict=True):
        mean = activations[[project.image_paths.index(path) for path in paths]].mean(axis=0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    # Neuron 0 is the planted one: a concept of the red, one of the green images.
    ours = [
        paths for paths, neuron in zip(members, json.loads(metadata["neurons"]), strict=True) if neuron == 0
    ]
    assert [{path.partition("/")[0] for path in paths} for paths in ours] in (
        [{"red"}, {"green"}],
        [{"green"}, {"red"}],
    )


def test_tables_and_vectors_agree(project, tmp_path):
    export_project(project, tmp_path, layer=LAYER)
    concepts = load_concept_vectors(tmp_path / f"concept_vectors.{LAYER}.npz").concepts
    rows = rows_of(tmp_path / "members.csv")
    for concept in concepts:
        mine = [
            row["image"]
            for row in rows
            if row["neuron"] == str(concept.neuron) and row["label"] == str(concept.cluster)
        ]
        assert tuple(mine) == concept.members
    projecting = rows_of(tmp_path / "max_projecting.csv")
    directions = {(row["neuron"], row["direction"]) for row in projecting if row["direction"] != "neuron"}
    assert directions == {(str(concept.neuron), str(concept.cluster)) for concept in concepts}


def test_chosen_neurons_alone(project, tmp_path):
    options = ExportOptions(parameters=Parameters(top_n=20, distance_threshold=1e9), n_max_projecting=5)
    result = export_project(project, tmp_path, layer=LAYER, neurons=(1, 0), options=options)
    assert result.n_neurons == 2
    vectors = load_concept_vectors(tmp_path / f"concept_vectors.{LAYER}.npz")
    assert [concept.neuron for concept in vectors.concepts] == [1, 0]
    assert {concept.parameters["top_n"] for concept in vectors.concepts} == {20}
    rows = rows_of(tmp_path / "max_projecting.csv")
    assert len(rows) == 2 * (5 + 5)


def test_named_concepts_leave_as_they_were_named(project, analyse, tmp_path):
    result = analyse(0).disentanglement
    concept = result.concepts[0]
    rows = tuple(result.member_rows(concept).tolist())
    vector = concept.vector.astype(np.float32)
    project.save_named_concept(NamedConcept(LAYER, 0, "-discs", "=notes", rows, vector, result.parameters))
    other = ExportOptions(parameters=Parameters(top_n=30, distance_threshold=1e9))
    export_project(project, tmp_path, layer=LAYER, options=other)
    (named,) = load_concept_vectors(tmp_path / f"named_concepts.{LAYER}.safetensors").concepts
    np.testing.assert_array_equal(named.vector, vector)
    assert (named.name, named.notes, named.neuron) == ("-discs", "=notes", 0)
    assert named.members == tuple(project.image_paths[row] for row in rows)
    assert named.parameters == TWO_CLUSTERS.to_dict()
    export_project(project, tmp_path, layer=LAYER)
    names = {
        concept.name for concept in load_concept_vectors(tmp_path / f"concept_vectors.{LAYER}.npz").concepts
    }
    assert names == {"-discs", ""}
    assert "'-discs" in {row["concept"] for row in rows_of(tmp_path / "members.csv")}


def test_the_report_keeps_to_the_named_and_the_most_divided(project, tmp_path):
    project.set_neuron_name(LAYER, 5, "the dead one")
    export_project(project, tmp_path, layer=LAYER, options=ExportOptions(n_reported=2))
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 of the 6 exported neurons" in html
    assert f'id="{LAYER}-neuron-5"' in html
    assert html.count('class="neuron"') == 2
    export_project(project, tmp_path / "none", layer=LAYER, options=ExportOptions(report=False))
    assert not (tmp_path / "none" / "report.html").exists()


def test_parameters_are_the_users_else_the_suggested(project):
    assert layer_parameters(project, LAYER) == TWO_CLUSTERS
    assert project.suggestion(DEEP_LAYER) is None
    parameters = layer_parameters(project, DEEP_LAYER)
    assert parameters == project.suggestion(DEEP_LAYER).parameters()
    assert parameters.distance_threshold == project.suggestion(DEEP_LAYER).distance_threshold


def test_progress_counts_neurons_and_cancelling_leaves_no_torn_table(project, tmp_path):
    class Stops(SilentTask):
        done = 0

        def progress(self, done, total, message=""):
            if message.startswith("Exporting"):
                self.done = done
                assert total == 6

        def check_cancelled(self):
            if self.done == 3:
                raise Cancelled

    with pytest.raises(Cancelled):
        export_project(project, tmp_path / "out", layer=LAYER, task=Stops())
    assert list((tmp_path / "out").iterdir()) == []


def test_what_cannot_be_exported_is_said(project, tmp_path):
    with pytest.raises(ProjectError, match="nosuch"):
        export_project(project, tmp_path, layer="nosuch")
    with pytest.raises(ProjectError, match=f"no neuron 6 in {LAYER}: its neurons are 0 to 5"):
        export_project(project, tmp_path, layer=LAYER, neurons=(0, 6))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="is a file, not a folder"):
        export_project(project, tmp_path / "file", layer=LAYER)


def test_layers_of_alike_names_have_files_of_their_own(project, tmp_path):
    activations = np.asarray(project.activations(LAYER))
    layers = ("a/b", "a_b", "a*b", "A_B")
    for shift, layer in enumerate(layers):
        add_layer(project, layer, np.roll(activations, shift, axis=1), project.layer(LAYER).binding)
    options = ExportOptions(parameters=TWO_CLUSTERS, report=False)
    export_project(project, tmp_path / "all", options=options)
    files = sorted((tmp_path / "all").glob("concept_vectors.*.npz"))
    assert {load_concept_vectors(file).layer for file in files} == {LAYER, DEEP_LAYER, *layers}
    assert len({file.name.casefold() for file in files}) == 6
    export_project(project, tmp_path / "one", layer="A_B", options=options)
    (file,) = (tmp_path / "one").glob("concept_vectors.*.npz")
    assert file.read_bytes() == (tmp_path / "all" / file.name).read_bytes()


def test_an_earlier_export_leaves_nothing_that_contradicts_the_new_one(project, analyse, tmp_path):
    result = analyse(0).disentanglement
    concept = result.concepts[0]
    rows = tuple(result.member_rows(concept).tolist())
    vector = concept.vector.astype(np.float32)
    saved = project.save_named_concept(NamedConcept(LAYER, 0, "discs", "", rows, vector, result.parameters))
    other = tmp_path / f"named_concepts.{DEEP_LAYER}.npz"
    for own in (other, tmp_path / "notes.txt"):
        own.write_bytes(b"of somebody else")
    first = export_project(project, tmp_path, layer=LAYER)
    assert sum(file.name.startswith("named_concepts.") for file in first.files) == 2
    project.delete_named_concept(saved.id)
    second = export_project(project, tmp_path, layer=LAYER, options=ExportOptions(report=False))
    left = {path for path in tmp_path.iterdir() if path.is_file()}
    assert left == {*second.files, other, tmp_path / "notes.txt"}
