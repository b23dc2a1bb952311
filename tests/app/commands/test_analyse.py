"""``neuronprism analyse``, against scikit-learn and NumPy."""

import json
import shlex
from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering, KMeans

from app.command_line import main
from app.commands.command_parameters import chosen_parameters
from app.commands.command_parser import build_parser
from app.commands.command_progress import CommandTask
from backend.exchange.repeat_command import analyse_command
from backend.method.parameters import PUBLISHED, Parameters
from backend.method.suggestion import suggest
from backend.project import Project
from tests.app.commands.toy_world import ALL_COMMANDS, analyse, expected_activations, sentence


def test_analyse_gives_pure_json_that_scikit_learn_confirms(world, capsys):
    words = (
        "--neuron",
        "3",
        "--top",
        "40",
        "--d-max",
        "1.5",
        "--outlier-radius",
        "inf",
        "--min-cluster-size",
        "1",
    )
    document = analyse(world / "toy.prism", *words, capsys=capsys)
    with Project.open(world / "toy.prism", read_only=True) as project:
        paths = [path for path in project.image_paths if "broken" not in path]
        stored = np.asarray(project.activations("1"))
        rows = [project.image_paths.index(path) for path in document["top_images"]]
    activations = expected_activations(world / "images", paths)
    np.testing.assert_allclose(document["activations"], np.sort(activations[:, 3])[::-1][:40], atol=1e-5)
    vectors = stored[rows].astype(np.float64)
    tree = AgglomerativeClustering(None, distance_threshold=1.5).fit(vectors)
    assert document["n_clusters"] == tree.n_clusters_ > 1
    first = [int(np.flatnonzero(tree.labels_ == label)[0]) for label in range(tree.n_clusters_)]
    starts = [vectors[tree.labels_ == tree.labels_[place]].mean(axis=0) for place in sorted(first)]
    means = KMeans(tree.n_clusters_, init=np.stack(starts), n_init=1, max_iter=1000).fit(vectors)
    assert document["labels"] == means.labels_.tolist()
    for concept in document["concepts"]:
        members = vectors[means.labels_ == concept["cluster"]]
        vector = members.mean(axis=0) / np.linalg.norm(members.mean(axis=0))
        np.testing.assert_allclose(concept["vector"], vector, atol=1e-6)
        projections = activations @ vector
        first = concept["max_projecting"][0]
        assert first["projection"] == pytest.approx(projections.max(), rel=1e-4)
        assert projections[paths.index(first["path"])] == pytest.approx(projections.max(), rel=1e-4)


def test_the_published_preset_is_the_papers(world, capsys):
    document = analyse(
        world / "toy.prism", "--neuron", "0", "--preset", "published", "--top", "60", capsys=capsys
    )
    assert document["parameters"] == replace(PUBLISHED, top_n=60).to_dict()


def test_without_a_preset_the_suggestion_counts_and_options_change_it(toy, capsys):
    with Project.open(toy, read_only=True) as project:
        suggestion = project.suggestion("1")
        index, activations = project.neuron_index("1"), project.activations("1")
        of_40 = suggest(activations, index, parameters=Parameters(top_n=40))
        single = suggest(activations, index, parameters=Parameters(linkage="single"))
    plain = analyse(toy, "--neuron", "0", capsys=capsys)["parameters"]
    assert plain == suggestion.parameters().to_dict()
    changed = analyse(toy, "--neuron", "0", "--d-max", "0.25", "--seed", "3", capsys=capsys)["parameters"]
    assert changed == replace(suggestion.parameters(), distance_threshold=0.25, seed=3).to_dict()
    fewer = analyse(toy, "--neuron", "0", "--top", "40", capsys=capsys)["parameters"]
    assert fewer == of_40.parameters().to_dict()
    other = analyse(toy, "--neuron", "0", "--linkage", "single", capsys=capsys)["parameters"]
    assert other == single.parameters(Parameters(linkage="single")).to_dict()
    unlimited = analyse(toy, "--neuron", "0", "--outlier-radius", "inf", capsys=capsys)
    assert unlimited["parameters"]["outlier_radius_squared"] is None
    assert -1 not in unlimited["labels"]


def test_what_was_chosen_in_the_window_counts_before_the_suggestion(toy, capsys):
    chosen = Parameters(top_n=50, distance_threshold=2.5, outlier_radius_squared=3.5)
    with Project.open(toy) as project:
        project.save_parameters("1", chosen)
        suggested = project.suggestion("1").parameters()
    assert analyse(toy, "--neuron", "0", capsys=capsys)["parameters"] == chosen.to_dict()
    document = analyse(toy, "--neuron", "0", "--preset", "suggested", capsys=capsys)
    assert document["parameters"] == suggested.to_dict()


def test_analyse_writes_a_file_and_says_the_outcome(world, tmp_path, capsys):
    file = tmp_path / "deep" / "neuron.json"
    file.parent.mkdir()
    words = ["analyse", str(world / "toy"), "--layer", "1", "--neuron", "3", "--json", str(file), "--quiet"]
    assert main(words) == 0
    out = capsys.readouterr().out
    document = json.loads(file.read_text(encoding="utf-8"))
    assert f"neuron 3: {document['n_clusters']} cluster" in out
    for concept in document["concepts"]:
        assert f"{concept['size']} images, cosine {concept['mean_cosine']:.2f}" in out
    assert out.strip().endswith(str(file))


def test_a_dead_neuron_is_an_answer(world, capsys):
    document = analyse(world / "toy.prism", "--neuron", "5", capsys=capsys)
    assert document["status"] == "dead"
    assert main(["analyse", str(world / "toy.prism"), "--layer", "1", "--neuron", "5", "--quiet"]) == 0
    assert "is dead" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--layer", "nosuch", "--neuron", "0"), "no activations of a layer 'nosuch'"),
        (("--layer", "1", "--neuron", "6"), "no neuron 6"),
        (("--layer", "1", "--neuron", "-1"), "no neuron -1"),
        (("--layer", "1", "--neuron", "0", "--top", "1"), "top_n must be"),
        (("--layer", "1", "--neuron", "0", "--metric", "cosine"), "Ward"),
        (("--layer", "1", "--neuron", "0", "--d-max", "nan"), "distance_threshold"),
        (("--layer", "1", "--neuron", "0", "--json", "/"), "it is a folder"),
    ],
)
def test_analyse_tells_what_is_wrong(world, capsys, words, says):
    assert main(["analyse", str(world / "toy.prism"), "--quiet", *words]) == 1
    assert says in sentence(capsys)


def test_a_project_that_is_open_elsewhere_can_be_analysed(toy, capsys):
    with Project.open(toy):
        assert main(["analyse", str(toy), "--layer", "1", "--neuron", "0", "--quiet"]) == 0
        assert main(["extract", str(toy), "--quiet"]) == 1
    assert "open" in capsys.readouterr().err


@pytest.mark.parametrize(
    "parameters",
    [
        PUBLISHED,
        Parameters(),
        Parameters(top_n=7, distance_threshold=1 / 3, outlier_radius_squared=1e-9, seed=12),
        Parameters(linkage="average", metric="cosine", distance_threshold=0.1, min_cluster_size=2),
        Parameters(kmeans_start="random", kmeans_restarts=9, kmeans_max_iter=50),
        Parameters(outlier_radius_squared=float("inf"), distance_threshold=float("inf")),
    ],
)
@pytest.mark.parametrize(
    "saved",
    [
        None,
        Parameters(
            top_n=9,
            linkage="complete",
            metric="cosine",
            min_cluster_size=3,
            kmeans_start="random",
            kmeans_restarts=4,
            kmeans_max_iter=77,
            seed=6,
        ),
    ],
)
def test_the_command_in_a_report_repeats_the_analysis_exactly(toy, parameters, saved):
    with Project.open(toy) as project:
        project.save_parameters("1", saved)
    command = analyse_command("toy.prism", "a layer's name", 12, parameters)
    words = shlex.split(command)
    assert words[0] == "neuronprism"
    arguments = build_parser(dict.fromkeys(ALL_COMMANDS, print)).parse_args(words[1:])
    assert (str(arguments.project), arguments.layer, arguments.neuron) == ("toy.prism", "a layer's name", 12)
    with Project.open(toy, read_only=True) as project:
        assert chosen_parameters(project, "1", arguments, task=CommandTask(quiet=True)) == parameters


def test_published_parameters_that_find_nothing_point_to_the_suggested_ones(world, capsys):
    words = ["analyse", str(world / "toy.prism"), "--layer", "1", "--neuron", "3", "--quiet"]
    with Project.open(world / "toy.prism", read_only=True) as project:
        suggested = project.suggestion("1").distance_threshold
    # A radius that no image is within: nothing is left.
    assert main([*words, "--preset", "published", "--outlier-radius", "0", "--min-cluster-size", "90"]) == 0
    captured = capsys.readouterr()
    assert "no concept" in captured.out or "0 concepts" in captured.out
    assert f"try --preset suggested (d_max {suggested:.4g})" in captured.err
    assert main([*words, "--preset", "suggested"]) == 0
    assert capsys.readouterr().err == ""


def test_json_goes_into_no_folder_that_is_not_there(world, tmp_path, capsys):
    file = tmp_path / "absent" / "neuron.json"
    words = ["analyse", str(world / "toy.prism"), "--layer", "1", "--neuron", "3", "--json", str(file)]
    assert main(words) == 1
    assert f"there is no folder {file.parent}" in sentence(capsys)
    assert not file.parent.exists()
