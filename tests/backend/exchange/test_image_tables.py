import csv
import io
from dataclasses import replace

import numpy as np
import pytest

from backend.exchange.image_tables import (
    MAX_PROJECTING_COLUMNS,
    MEMBER_COLUMNS,
    CsvTable,
    max_projecting_rows,
    member_rows,
)
from tests.app.planted_project import LAYER, TWO_CLUSTERS


def read(columns, rows):
    file = io.BytesIO()
    CsvTable(file, columns).add(rows)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8"), newline="")))


def test_members_have_one_row_an_image(project, analyse):
    analysis = analyse(0, replace(TWO_CLUSTERS, outlier_radius_squared=0.01))
    rows = read(MEMBER_COLUMNS, member_rows(analysis, project.image_paths, {0: "red things"}))
    result = analysis.disentanglement
    assert len(rows) == 30
    assert [int(row["label"]) for row in rows] == result.labels.tolist()
    assert -1 in result.labels
    assert [row["image"] for row in rows] == [project.image_paths[row] for row in result.top.images]
    assert [int(row["rank"]) for row in rows] == list(range(1, 31))
    column = np.asarray(project.activations(LAYER))[result.top.images, 0]
    np.testing.assert_array_equal(np.float32([row["activation"] for row in rows]), column)
    assert {row["concept"] for row in rows if row["label"] == "0"} == {"red things"}
    assert {row["concept"] for row in rows if row["label"] != "0"} == {""}
    assert {(row["layer"], row["neuron"]) for row in rows} == {(LAYER, "0")}


def test_max_projecting_images_follow_the_neuron_then_its_concepts(project, analyse):
    analysis = analyse(0, n_max_projecting=20)
    rows = read(MAX_PROJECTING_COLUMNS, max_projecting_rows(analysis, project.image_paths))
    assert [row["direction"] for row in rows] == ["neuron"] * 20 + ["0"] * 20 + ["1"] * 20
    activations = np.asarray(project.activations(LAYER), dtype=np.float64)
    for cluster, concept in enumerate(analysis.disentanglement.concepts):
        mine = [row for row in rows if row["direction"] == str(cluster)]
        expected = np.sort(activations @ concept.vector)[::-1][:20]
        np.testing.assert_allclose([float(row["projection"]) for row in mine], expected, rtol=1e-5)
        members = {project.image_paths[row] for row in analysis.disentanglement.member_rows(concept)}
        assert {row["image"] for row in mine if row["member"] == "yes"} == members
        assert [int(row["rank"]) for row in mine] == list(range(1, 21))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_is_never_a_formula(text):
    ((row),) = read(("text",), [(text,)])
    assert row["text"] == "'" + text


def test_numbers_stay_numbers_and_texts_stay_whole():
    hard = ['a "quoted", text', "two\nlines", "Ünï 图", "a;b", " -1"]
    rows = read(("text", "number"), [(text, -1.5) for text in hard])
    assert [row["text"] for row in rows] == hard
    assert {row["number"] for row in rows} == {"-1.5"}


def test_a_dead_neuron_has_no_members(project, analyse):
    assert list(member_rows(analyse(5), project.image_paths)) == []
