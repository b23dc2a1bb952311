"""What was changed by hand is said in every file."""

import csv
import json

import numpy as np
import pytest

from backend.exchange.analysis_json import analysis_document
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.exchange.export import ExportOptions, export_project
from backend.method.adjustments import Adjustments
from tests.app.planted_project import LAYER


@pytest.fixture
def adjusted(project, analyse):
    """Neuron 0: its strongest three images a concept of their own, the next left out, one image excluded."""
    top = analyse(0).disentanglement.top.images.tolist()
    project.save_adjustments(LAYER, 0, Adjustments((tuple(top[1:4]),), (top[4],)))
    project.set_excluded_images([top[0]])
    return project, top


def _rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_json_lists_what_was_moved_and_excluded(adjusted, analyse):
    project, top = adjusted
    paths = project.image_paths
    document = analysis_document(analyse(0, adjustments=project.adjustments(LAYER)[0]), paths)
    assert document["adjusted_by_hand"] is True
    assert document["adjustments"] == {
        "own_concepts": [[paths[row] for row in sorted(top[1:4])]],
        "left_out": [paths[top[4]]],
    }
    assert document["excluded_images"] == [paths[top[0]]]
    assert document["labels"][:4] == [document["n_clusters"]] * 3 + [-3]
    assert [one["by_hand"] for one in document["concepts"]] == ["adjusted neuron"] * 2 + ["own concept"]
    everywhere = json.dumps([document["top_images"], document["neuron_max"], document["concepts"]])
    assert paths[top[0]] not in everywhere
    vector = document["concepts"][-1]["vector"]
    mean = np.asarray(project.activations(LAYER))[top[1:4]].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_json_of_the_method_alone_says_so(project, analyse):
    document = analysis_document(analyse(0), project.image_paths)
    assert document["adjusted_by_hand"] is False
    assert document["adjustments"] == {"own_concepts": [], "left_out": []}
    assert document["excluded_images"] == []
    assert {one["by_hand"] for one in document["concepts"]} == {""}


def test_vectors_tables_and_report_say_it(adjusted, tmp_path):
    project, top = adjusted
    paths = project.image_paths
    export_project(project, tmp_path, layer=LAYER, options=ExportOptions(n_reported=2))
    for suffix in ("safetensors", "npz"):
        vectors = load_concept_vectors(tmp_path / f"concept_vectors.{LAYER}.{suffix}")
        assert vectors.excluded_images == (paths[top[0]],)
        marks = {(one.neuron, one.cluster): one.by_hand for one in vectors.concepts}
        assert [mark for (neuron, _), mark in marks.items() if neuron == 0] == [
            "adjusted neuron",
            "adjusted neuron",
            "own concept",
        ]
        assert {mark for (neuron, _), mark in marks.items() if neuron != 0} == {""}
    members = [row for row in _rows(tmp_path / "members.csv") if row["neuron"] == "0"]
    assert [row["by_hand"] for row in members[:5]] == ["own concept"] * 3 + ["left out", ""]
    assert members[3]["label"] == "-3"
    assert {row["adjusted"] for row in members} == {"yes"}
    others = [row for row in _rows(tmp_path / "max_projecting.csv") if row["neuron"] == "1"]
    assert {row["adjusted"] for row in others} == {"no"}
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Adjusted by hand: 3 images made a concept of its own and 1 image left out." in report
    assert "made by hand" in report and "Left out by hand" in report
    assert "90 (1 excluded by hand)" in report
    assert f"Taken out of the analysis by hand: {paths[top[0]]}." in report
