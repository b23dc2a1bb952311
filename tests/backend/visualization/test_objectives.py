import numpy as np
import pytest
import torch

from backend.visualization import lucent_import  # noqa: F401  (makes lucent importable everywhere)
from backend.visualization.objectives import BatchObjective
from backend.visualization.visualization_result import Direction, VisualizationSettings

CPU = torch.device("cpu")


@pytest.fixture
def activations():
    return torch.rand(3, 5, 4, 4, generator=torch.Generator().manual_seed(0)) - 0.2


@pytest.fixture
def vector():
    return np.random.default_rng(0).normal(size=5)


def value(activations, vector, **settings):
    directions = [Direction(f"v{i}", vector=vector) for i in range(len(activations))]
    return BatchObjective(directions, 5, VisualizationSettings(**settings), CPU)(activations).numpy()


def test_dot_cosine_and_their_product_of_the_spatial_average(activations, vector):
    mean = activations.numpy().astype(np.float64).mean(axis=(2, 3))
    unit = vector / np.linalg.norm(vector)
    dot = mean @ unit
    cosine = dot / np.linalg.norm(mean, axis=1)
    np.testing.assert_allclose(value(activations, vector, objective="dot"), dot, rtol=1e-5)
    np.testing.assert_allclose(value(activations, vector, objective="cosine"), cosine, rtol=1e-5)
    np.testing.assert_allclose(
        value(activations, vector, objective="dot_cosine", cosine_power=3.0),
        dot * np.maximum(cosine, 0.01) ** 3,
        rtol=1e-5,
    )


def test_centre_reads_the_middle_of_the_map_alone(activations, vector):
    centre = activations[:, :, 2, 2].numpy()
    expected = centre @ (vector / np.linalg.norm(vector))
    np.testing.assert_allclose(
        value(activations, vector, objective="dot", position="centre"), expected, rtol=1e-5
    )


def test_the_cosine_at_every_position_is_lucents_direction(activations, vector):
    from lucent.optvis import objectives

    lucent = objectives.direction("layer", torch.from_numpy(vector).float())
    for index in range(3):
        ours = value(activations[index : index + 1], vector, objective="cosine", position="every")
        theirs = -lucent(lambda layer, index=index: activations[index : index + 1])
        np.testing.assert_allclose(ours[0], float(theirs), rtol=1e-5)


def test_the_dot_product_of_a_neuron_is_lucents_channel(activations):
    from lucent.optvis import objectives

    settings = VisualizationSettings(objective="dot")
    ours = BatchObjective([Direction("n", neuron=3)] * 3, 5, settings, CPU)(activations).mean()
    theirs = -objectives.channel("layer", 3)(lambda layer: activations)
    np.testing.assert_allclose(ours, float(theirs), rtol=1e-5)


def test_a_neuron_is_the_direction_of_its_axis(activations):
    axis = np.eye(5)[3]
    for kind in ("cosine", "dot", "dot_cosine"):
        settings = VisualizationSettings(objective=kind)
        neuron = BatchObjective([Direction("n", neuron=3)] * 3, 5, settings, CPU)(activations)
        np.testing.assert_allclose(neuron, value(activations, axis, objective=kind), rtol=1e-6)


def test_a_linear_layer_has_no_positions():
    activations = torch.tensor([[3.0, 4.0]])
    objective = BatchObjective(
        [Direction("v", vector=np.array([0.0, 2.0]))], 2, VisualizationSettings(objective="cosine"), CPU
    )
    np.testing.assert_allclose(objective(activations), [0.8], rtol=1e-6)


def test_silence_gives_a_finite_value_and_gradient(vector):
    silent = torch.zeros(1, 5, 2, 2, requires_grad=True)
    for kind in ("cosine", "dot", "dot_cosine"):
        objective = BatchObjective(
            [Direction("v", vector=vector)], 5, VisualizationSettings(objective=kind), CPU
        )
        (gradient,) = torch.autograd.grad(objective(silent).sum(), silent)
        assert torch.isfinite(gradient).all()
        assert gradient.any()


def test_a_picture_is_asleep_while_most_of_its_direction_is_silent():
    vector = np.array([0.6, 0.8, 0.0])
    directions = [Direction(str(index), vector=vector) for index in range(4)]
    objective = BatchObjective(directions, 3, VisualizationSettings(), CPU)
    activations = torch.zeros(4, 3, 2, 2)
    activations[0, 0, 1, 1] = 0.1  # 36 % of the squared weights
    activations[1, 1, 0, 0] = 0.1  # 64 %
    activations[2, 2] = 5.0  # none
    activations[3, :2] = -1.0  # a layer without a rectifier is never silent
    assert objective.asleep(activations).tolist() == [True, False, True, False]
    assert objective.asleep(activations.mean(dim=(2, 3))).tolist() == [True, False, True, False]


def test_activations_are_pooled_as_the_directions_were(activations, vector):
    directions = [Direction(str(index), vector=vector) for index in range(3)]
    settings = VisualizationSettings(objective="dot")
    unit = vector / np.linalg.norm(vector)
    for pooling, pooled in (("max", activations.amax(dim=(2, 3))), (None, activations.mean(dim=(2, 3)))):
        objective = BatchObjective(directions, 5, settings, CPU, pooling)
        np.testing.assert_allclose(objective(activations), pooled.numpy() @ unit, rtol=1e-4)
        np.testing.assert_allclose(objective.projections(activations)[:, 0], pooled.numpy() @ unit, rtol=1e-4)
