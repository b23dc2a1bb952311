"""The parameters that ``neuronprism export`` takes for each layer."""

from dataclasses import replace

from app.command_line import main
from backend.exchange.concept_vectors_file import load_concept_vectors
from backend.layer_parameters import layer_suggestion
from backend.method.parameters import Parameters
from backend.project import Project


def test_export_of_several_layers_takes_what_suits_each(toy, tmp_path, capsys):
    assert main(["extract", str(toy), "--layers", "0", "--yes-run-code", "--quiet"]) == 0
    with Project.open(toy) as project:
        suggested = {layer: layer_suggestion(project, layer).parameters() for layer in ("0", "1")}
        project.save_parameters("0", Parameters(seed=4))
    assert suggested["0"] != suggested["1"]
    words = ["export", str(toy), "--out", str(tmp_path / "out"), "--neurons", "0-2", "--no-report", "--quiet"]
    assert main([*words, "--preset", "suggested", "--seed", "7"]) == 0
    for layer, parameters in suggested.items():
        concepts = load_concept_vectors(tmp_path / "out" / f"concept_vectors.{layer}.npz").concepts
        assert concepts
        assert all(one.parameters == replace(parameters, seed=7).to_dict() for one in concepts)
    capsys.readouterr()
    assert main([*words, "--d-max", "3"]) == 2
    assert "give --layer too" in capsys.readouterr().err
    assert main([*words, "--d-max", "3", "--layer", "0"]) == 0
