import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from backend.errors import ParameterError
from backend.visualization.visualization_result import Direction, FeatureVisualization, VisualizationSettings


def test_settings_survive_json_and_fill_in_defaults():
    settings = VisualizationSettings(steps=12, objective="dot_cosine", cosine_power=1.5, seed=7)
    assert VisualizationSettings.from_dict(settings.to_dict()) == settings
    assert VisualizationSettings.from_dict({"steps": 3}) == VisualizationSettings(steps=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 2.5},
        {"steps": True},
        {"image_size": 4},
        {"image_size": 5000},
        {"cosine_power": float("nan")},
        {"learning_rate": -1.0},
        {"objective": "loudness"},
        {"position": "corner"},
        {"parameterization": "wavelet"},
        {"seed": -1},
    ],
)
def test_a_wrong_setting_is_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        VisualizationSettings(**wrong)


def test_an_unknown_setting_is_named():
    with pytest.raises(ParameterError, match="stepz"):
        VisualizationSettings.from_dict({"stepz": 3})


def test_a_direction_is_either_a_neuron_or_a_vector():
    np.testing.assert_array_equal(Direction("n", neuron=2).unit_vector(4), [0, 0, 1, 0])
    np.testing.assert_allclose(Direction("v", vector=np.array([3.0, 4.0])).unit_vector(2), [0.6, 0.8])
    with pytest.raises(ParameterError, match="either a vector or a neuron"):
        Direction("both", vector=np.ones(2), neuron=0)
    with pytest.raises(ParameterError, match="either a vector or a neuron"):
        Direction("none")


@pytest.mark.parametrize(
    "vector", [np.zeros(3), np.array([1.0, np.nan]), np.ones((2, 2)), np.array([np.inf])]
)
def test_what_points_nowhere_is_no_direction(vector):
    with pytest.raises(ParameterError, match="one finite vector"):
        Direction("v", vector=vector)


def test_a_direction_of_another_layer_is_refused():
    with pytest.raises(ParameterError, match=r"2 entries, but the layer has 3"):
        Direction("v", vector=np.ones(2)).unit_vector(3)
    with pytest.raises(ParameterError, match=r"neurons 0 to 2, so neuron 3"):
        Direction("n", neuron=3).unit_vector(3)


def test_pictures_are_found_by_key_and_cannot_be_changed():
    pictures = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)
    result = FeatureVisualization(
        "layer", ("a", "b"), VisualizationSettings(), pictures, np.zeros((2, 1), np.float32), 1, 2
    )
    np.testing.assert_array_equal(result.image("b"), pictures[1])
    assert not result.done
    with pytest.raises(KeyError):
        result.image("c")
    with pytest.raises(ValueError, match="read-only"):
        result.images[0] = 0


def test_a_window_can_show_results_without_torch():
    code = "import sys, backend.visualization.visualization_result; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
