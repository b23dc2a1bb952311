import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.cluster import AgglomerativeClustering

from backend.errors import ExportError
from backend.exchange.analysis_json import analysis_bytes, analysis_document, write_analysis
from tests.app.planted_project import LAYER, TWO_CLUSTERS


@pytest.fixture
def document(project, analysis):
    return json.loads(analysis_bytes(analysis, project.image_paths), parse_constant=pytest.fail)


def test_top_images_are_those_of_a_plain_sort(project, document):
    column = np.asarray(project.activations(LAYER))[:, 0]
    order = sorted(range(len(column)), key=lambda row: (-column[row], row))[:30]
    assert document["top_images"] == [project.image_paths[row] for row in order]
    np.testing.assert_array_equal(np.float32(document["activations"]), column[order])
    assert document["layer"] == LAYER
    assert document["neuron"] == 0
    assert document["parameters"] == TWO_CLUSTERS.to_dict()


def test_tree_and_labels_are_scikit_learns(project, document):
    rows = [project.image_paths.index(path) for path in document["top_images"]]
    vectors = np.asarray(project.activations(LAYER), dtype=np.float64)[rows]
    np.testing.assert_allclose(document["merge_heights"], np.sort(linkage(vectors, "ward")[:, 2]))
    clustering = AgglomerativeClustering(None, distance_threshold=12.0).fit(vectors)
    assert document["n_clusters"] == clustering.n_clusters_ == 2
    # Within the planted classes k-means from the tree changes nothing, so the tree's labels remain.
    first = {label: place for place, label in reversed(list(enumerate(clustering.labels_)))}
    order = sorted(first, key=first.get)
    expected = [order.index(label) for label in clustering.labels_]
    centroids = [vectors[np.array(expected) == label].mean(axis=0) for label in (0, 1)]
    assert ((vectors - np.array(centroids)[expected]) ** 2).sum(axis=1).max() < 10.0
    assert document["labels"] == expected


def test_concepts_are_normalised_means_with_their_projections_and_cosines(project, document):
    activations = np.asarray(project.activations(LAYER), dtype=np.float64)
    rows = np.array([project.image_paths.index(path) for path in document["top_images"]])
    for concept in document["concepts"]:
        members = rows[concept["members"]]
        assert concept["size"] == len(members) == 15
        assert [document["labels"][place] for place in concept["members"]] == [concept["cluster"]] * 15
        mean = activations[members].mean(axis=0)
        vector = mean / np.linalg.norm(mean)
        np.testing.assert_allclose(concept["vector"], vector, atol=1e-6)
        projections = activations @ vector
        order = np.argsort(-projections, kind="stable")
        best = concept["max_projecting"]
        np.testing.assert_allclose([one["projection"] for one in best], projections[order], rtol=1e-5)
        assert {one["path"] for one in best[:15]} == {project.image_paths[row] for row in order[:15]}
        held_out = {one["path"] for one in concept["max_projecting_held_out"]}
        assert held_out == set(project.image_paths) - {project.image_paths[row] for row in members}
        cosines = activations[members] @ vector / np.linalg.norm(activations[members], axis=1)
        assert concept["mean_cosine"] == pytest.approx(cosines.mean())
        assert concept["mean_cosine_null"] < concept["mean_cosine"]
        own = activations[members, 0] / np.linalg.norm(activations[members], axis=1)
        assert concept["neuron_mean_cosine"] == pytest.approx(own.mean())


def test_outliers_and_dropped_clusters_have_their_labels(project, analyse):
    tight = analyse(0, replace(TWO_CLUSTERS, outlier_radius_squared=0.01))
    document = analysis_document(tight, project.image_paths)
    assert -1 in document["labels"]
    dropped = analyse(0, replace(TWO_CLUSTERS, min_cluster_size=16))
    document = analysis_document(dropped, project.image_paths)
    assert set(document["labels"]) == {-2}
    assert document["dropped"] == [0, 1]
    assert document["concepts"] == []


def test_a_dead_neuron_is_valid_json_and_says_so(project, analyse):
    document = json.loads(analysis_bytes(analyse(5), project.image_paths), parse_constant=pytest.fail)
    assert document["status"] == "dead"
    assert "dead" in document["message"]
    assert document["labels"] == document["merge_heights"] == document["concepts"] == []


def test_what_is_not_a_number_is_null(project, analysis):
    nothing = replace(analysis.similarities[0], mean_cosine_null=math.nan, centred_cosine=math.inf)
    changed = replace(analysis, similarities=(nothing, analysis.similarities[1]))
    text = analysis_bytes(changed, project.image_paths)
    document = json.loads(text, parse_constant=pytest.fail)
    assert document["concepts"][0]["mean_cosine_null"] is None
    assert document["concepts"][0]["centred_cosine"] is None


def test_names_and_paths_of_any_script_survive(project, analysis):
    paths = [f"Ünïcode/图片 {index} \udcff.png" for index in range(project.n_images)]
    text = analysis_bytes(analysis, paths, {1: 'a "name"\n'})
    document = json.loads(text.decode("utf-8"))
    assert document["concepts"][1]["name"] == 'a "name"\n'
    assert document["concepts"][0]["name"] == ""
    assert document["top_images"][0] == paths[analysis.disentanglement.top.images[0]]


def test_it_is_written_whole_or_not_at_all(project, analysis, tmp_path):
    path = tmp_path / "new" / "analysis.json"
    write_analysis(path, analysis, project.image_paths)
    assert path.read_bytes() == analysis_bytes(analysis, project.image_paths)
    assert [one.name for one in path.parent.iterdir()] == ["analysis.json"]
    with pytest.raises(ExportError, match="it is a folder"):
        write_analysis(path.parent, analysis, project.image_paths)
