import threading

import numpy as np
import pytest
import torch
from torch import nn

from backend.errors import ModelError, ParameterError
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.task import Cancelled, SilentTask
from backend.visualization import feature_visualization
from backend.visualization.feature_visualization import visualize
from backend.visualization.visualization_result import Direction, FeatureVisualization, VisualizationSettings

RED, GREEN, BLUE = np.eye(3, dtype=np.float32)
FEW = VisualizationSettings(steps=6)


def loaded(module, size=32, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4)):
    preprocessing = Preprocessing(size, size, mean, std, channels=len(mean))
    module.eval().requires_grad_(False)
    return LoadedModel(module, preprocessing, "0" * 64, ModelSource("toy.py:make"))


class ColourDetector(nn.Module):
    """A 1×1 convolution whose channels are the red, green and blue of the normalised image.

    With ``opponent`` each has the other two taken away, so that the pure colour excites it most.
    """

    def __init__(self, opponent=0.0):
        super().__init__()
        self.colours = nn.Conv2d(3, 3, 1, bias=False)
        weights = (1 + opponent) * torch.eye(3) - opponent
        self.colours.weight.data = weights.view(3, 3, 1, 1)

    def forward(self, images):
        return self.colours(images).mean(dim=(2, 3))


class SmallNetwork(nn.Module):
    def __init__(self, channels=3, seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.features = nn.Sequential(
                nn.Conv2d(channels, 8, 3, padding=1, bias=False),
                nn.BatchNorm2d(8),
                nn.ReLU(inplace=True),
                nn.Conv2d(8, 6, 3, stride=2, padding=1),
                nn.ReLU(inplace=True),
            )
            self.head = nn.Linear(6, 4)
            for module in self.features:
                if isinstance(module, nn.BatchNorm2d):
                    module.running_mean.uniform_(-0.2, 0.2)
                    module.running_var.uniform_(0.5, 1.5)

    def forward(self, images):
        return self.head(self.features(images).mean(dim=(2, 3)))


class Clock:
    """Time that passes only when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Recorder(SilentTask):
    def __init__(self, cancel_after=None, clock=None):
        self.clock = clock or Clock()
        self.partials, self.steps, self.checks, self.times = [], [], 0, []
        self.cancel_after = cancel_after

    def progress(self, done, total, message=""):
        self.steps.append((done, total))

    def partial(self, result):
        self.partials.append(result)
        self.times.append(self.clock())

    def check_cancelled(self):
        if self.cancel_after is not None and len(self.steps) > self.cancel_after:
            raise Cancelled


def n_hooks(module):
    return sum(
        len(one._forward_hooks) + len(one._forward_pre_hooks) + len(one._backward_hooks)
        for one in module.modules()
    )


def opponent_colours():
    return loaded(ColourDetector(opponent=0.5), mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@pytest.mark.parametrize("objective", ["dot", "dot_cosine"])
def test_a_colour_detectors_picture_is_the_colour(objective):
    result = visualize(
        opponent_colours(),
        "colours",
        [Direction("red", vector=RED), Direction("blue", vector=3 * BLUE), Direction("green", neuron=1)],
        VisualizationSettings(steps=120, learning_rate=0.1, objective=objective),
    )
    middle = result.images[:, 8:-8, 8:-8].reshape(3, -1, 3).mean(axis=1) / 255
    for picture, wanted in ((middle[0], 0), (middle[1], 2), (middle[2], 1)):
        assert picture[wanted] > np.delete(picture, wanted).max() + 0.4
    assert result.done
    assert result.images.dtype == np.uint8
    assert result.keys == ("red", "blue", "green")


def test_the_cosine_reaches_the_largest_that_there_is():
    """Opponent channels sum to 0, and the vector nearest to an axis in that plane is at cosine √(2/3)."""
    settings = VisualizationSettings(steps=60, objective="cosine")
    result = visualize(opponent_colours(), "colours", [Direction("red", vector=RED)], settings)
    assert result.objective.max() <= np.sqrt(2 / 3) + 1e-5
    assert result.objective[0, -1] == pytest.approx(np.sqrt(2 / 3), abs=0.01)


def test_the_models_own_normalisation_is_used():
    """A detector of the image's mean counted in the model's units: its objective is known exactly."""
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    model = loaded(ColourDetector(), mean=mean, std=std)
    directions = [Direction("r", neuron=0), Direction("g", neuron=1), Direction("b", neuron=2)]
    settings = VisualizationSettings(steps=3, transforms=False)
    result = visualize(model, "colours", directions, settings)
    pixels = result.images.astype(np.float64).mean(axis=(1, 2)) / 255
    expected = (pixels - mean) / std
    np.testing.assert_allclose(result.projections, expected, atol=1e-5)


def test_no_hook_is_left_and_the_model_is_as_it_was():
    network = SmallNetwork()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    formats = [parameter.stride() for parameter in network.parameters()]
    model = loaded(network)
    for _ in range(20):
        visualize(model, "features.4", [Direction("n", neuron=0)], VisualizationSettings(steps=1))
    assert n_hooks(network) == 0
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert [parameter.stride() for parameter in network.parameters()] == formats
    assert all(parameter.grad is None for parameter in network.parameters())


def test_no_hook_is_left_on_a_model_that_cannot_be_copied():
    class Uncopyable(SmallNetwork):
        def __deepcopy__(self, memo):
            raise TypeError("cannot be copied")

    network = Uncopyable()
    visualize(loaded(network), "features.4", [Direction("n", neuron=0)], FEW)
    with pytest.raises(Cancelled):
        visualize(loaded(network), "features.4", [Direction("n", neuron=0)], FEW, task=Recorder(2))
    assert n_hooks(network) == 0


def test_global_random_states_are_neither_read_nor_changed():
    model, directions = loaded(SmallNetwork()), [Direction("n", neuron=1)]
    np.random.seed(1)
    torch.manual_seed(1)
    numpy_before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()
    first = visualize(model, "features.4", directions, FEW)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert torch.equal(torch.get_rng_state(), torch_before)
    np.random.seed(2)
    torch.manual_seed(2)
    again = visualize(model, "features.4", directions, FEW)
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.objective, again.objective)
    other = visualize(model, "features.4", directions, VisualizationSettings(steps=6, seed=1))
    assert (first.images != other.images).any()


def test_a_picture_does_not_depend_on_its_neighbours():
    model = loaded(SmallNetwork())
    directions = [Direction(f"v{i}", vector=np.random.default_rng(i).normal(size=6)) for i in range(3)]
    together = visualize(model, "features.4", directions, FEW)
    for index, direction in enumerate(directions):
        alone = visualize(model, "features.4", [direction], FEW)
        difference = alone.images[0].astype(int) - together.images[index].astype(int)
        assert np.abs(difference).max() <= 2  # batches of another size round differently
        np.testing.assert_allclose(alone.objective[0], together.objective[index], rtol=1e-3, atol=1e-5)


def test_the_objective_rises():
    model = loaded(SmallNetwork())
    direction = Direction("v", vector=np.random.default_rng(0).normal(size=6))
    result = visualize(model, "features.4", [direction], VisualizationSettings(steps=40, objective="cosine"))
    assert result.objective.shape == (1, 40)
    assert result.objective[0, -5:].mean() > result.objective[0, :3].mean() + 0.05


def test_cancelling_stops_within_one_step():
    task = Recorder(cancel_after=3)
    with pytest.raises(Cancelled):
        visualize(loaded(SmallNetwork()), "features.4", [Direction("n", neuron=0)], task=task)
    assert len(task.steps) == 4  # the fourth step's own report is the last that was heard


def test_a_cancelled_task_never_starts():
    network = SmallNetwork()
    calls = []
    network.register_forward_pre_hook(lambda *_: calls.append(1))
    with pytest.raises(Cancelled):
        visualize(loaded(network), "features.4", [Direction("n", neuron=0)], task=Recorder(cancel_after=-1))
    assert calls == []


def test_previews_come_at_once_and_at_least_every_second(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(feature_visualization.time, "monotonic", clock)

    class Slow(SmallNetwork):
        def forward(self, images):
            clock.now += 0.15
            return super().forward(images)

    task = Recorder(clock=clock)
    directions = [Direction("n", neuron=0), Direction("v", vector=np.ones(6))]
    result = visualize(loaded(Slow()), "features.4", directions, VisualizationSettings(steps=16), task=task)
    assert task.partials[0].step == 0
    assert all(isinstance(one, FeatureVisualization) and not one.done for one in task.partials)
    assert max(np.diff([*task.times, clock.now])) < 1.0
    assert all(one.keys == ("n", "v") and one.images.shape == (2, 32, 32, 3) for one in task.partials)
    assert [one.objective.shape[1] for one in task.partials] == [one.step + 1 for one in task.partials]
    assert task.steps[-1] == (16, 16)
    assert result.step == result.n_steps == 16


class Silent(ColourDetector):
    """Two rectifiers in a row that no even picture excites, only colours far from the mean."""

    def forward(self, images):
        return torch.relu(self.rectified(images)).mean(dim=(2, 3))

    def __init__(self):
        super().__init__()
        self.rectified = nn.Sequential(self.colours, nn.ReLU(inplace=True), nn.Conv2d(3, 3, 1), nn.ReLU())
        self.rectified[2].weight.data = torch.eye(3).view(3, 3, 1, 1)
        self.rectified[2].bias.data.fill_(-0.6)
        self.colours.bias = nn.Parameter(torch.full((3,), -0.6))


@pytest.mark.parametrize(
    "direction", [Direction("green", neuron=1), Direction("green", vector=GREEN)], ids=["neuron", "vector"]
)
@pytest.mark.parametrize("objective", ["dot", "cosine", "dot_cosine"])
def test_a_silent_start_does_not_stay_grey(direction, objective):
    settings = VisualizationSettings(
        steps=80, learning_rate=0.1, objective=objective, parameterization="pixel"
    )
    result = visualize(loaded(Silent()), "rectified", [direction], settings)
    assert result.objective[0, 0] == 0
    assert result.objective[0, -1] > 0.05
    colour = result.images[0, 8:-8, 8:-8].reshape(-1, 3).mean(axis=0)
    assert colour.argmax() == 1
    assert colour[1] > 180


def test_a_channel_that_hardly_matters_does_not_keep_the_others_asleep():
    """The lack of green speaks from the start with a hundredth of the weight; green itself is silent."""
    network = Silent()
    network.colours.weight.data[0, :, 0, 0] = torch.tensor([0.0, -1.0, 0.0])
    network.colours.bias.data[0] = network.rectified[2].bias.data[0] = 1.0
    direction = Direction("green", vector=np.array([0.01, 1.0, 0.0]))
    settings = VisualizationSettings(steps=80, learning_rate=0.1, objective="dot", parameterization="pixel")
    result = visualize(loaded(network), "rectified", [direction], settings)
    assert result.objective[0, 0] < 0.03
    assert result.objective[0, -1] > 0.3
    assert result.images[0, 8:-8, 8:-8].reshape(-1, 3).mean(axis=0)[1] > 180


def test_nothing_behind_the_layer_is_computed():
    behind = []

    class Watched(SmallNetwork):
        def __init__(self):
            super().__init__()
            self.head.register_forward_hook(lambda *_: behind.append(torch.is_grad_enabled()))

    visualize(loaded(Watched()), "features.4", [Direction("n", neuron=0)], FEW)
    assert True not in behind  # it may be looked at once, without gradients, before the first step


def test_grey_scale_models_and_small_inputs():
    model = loaded(SmallNetwork(channels=1), size=28, mean=(0.1,), std=(0.3,))
    result = visualize(model, "features.4", [Direction("n", neuron=0)], FEW)
    assert result.images.shape == (1, 28, 28, 3)
    assert (result.images[..., 0] == result.images[..., 1]).all()
    assert (result.images[..., 0] == result.images[..., 2]).all()


def test_the_model_sees_its_own_input_size_whatever_the_pictures():
    sizes = set()

    class Fixed(SmallNetwork):
        def forward(self, images):
            sizes.add(tuple(images.shape[1:]))
            return super().forward(images)

    settings = VisualizationSettings(steps=2, image_size=48)
    result = visualize(loaded(Fixed(), size=40), "features.4", [Direction("n", neuron=0)], settings)
    assert result.images.shape == (1, 48, 48, 3)
    assert sizes == {(3, 40, 40)}


def test_channels_at_the_end_are_channels():
    class ChannelsLast(nn.Module):
        def __init__(self):
            super().__init__()
            self.permute = nn.Identity()

        def forward(self, images):
            return self.permute(images.permute(0, 2, 3, 1))

    settings = VisualizationSettings(steps=80, objective="dot")
    result = visualize(loaded(ChannelsLast()), "permute", [Direction("g", neuron=1)], settings)
    assert result.images[0].reshape(-1, 3).mean(axis=0).argmax() == 1


def test_the_second_run_of_a_module_is_a_layer_of_its_own():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.step = nn.Conv2d(3, 3, 1, bias=False)
            self.step.weight.data = torch.eye(3)[[1, 2, 0]].view(3, 3, 1, 1).clone()

        def forward(self, images):
            return self.step(self.step(images))

    settings = VisualizationSettings(steps=80, objective="dot")
    for layer, colour in (("step", 1), ("step_1", 2)):
        result = visualize(loaded(Twice()), layer, [Direction("n", neuron=0)], settings)
        assert result.images[0].reshape(-1, 3).mean(axis=0).argmax() == colour


def test_pixels_and_other_sizes_of_step_can_be_chosen():
    model = loaded(ColourDetector())
    settings = VisualizationSettings(steps=60, parameterization="pixel", learning_rate=0.2, objective="dot")
    result = visualize(model, "colours", [Direction("r", neuron=0)], settings)
    assert result.images[0, 8:-8, 8:-8].reshape(-1, 3).mean(axis=0).argmax() == 0
    still = visualize(
        model, "colours", [Direction("r", neuron=0)], VisualizationSettings(steps=3, learning_rate=0)
    )
    assert np.ptp(still.images.astype(int)) < 40  # the start: nearly even noise


def test_it_runs_where_gradients_are_switched_off():
    with torch.inference_mode():
        result = visualize(loaded(SmallNetwork()), "features.4", [Direction("v", vector=np.ones(6))], FEW)
    assert np.ptp(result.objective) > 0


def test_it_runs_in_a_worker_thread():
    results = []
    model = loaded(SmallNetwork())
    thread = threading.Thread(
        target=lambda: results.append(visualize(model, "features.4", [Direction("n", neuron=0)], FEW))
    )
    thread.start()
    thread.join(30)
    assert results[0].done


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [("features.9", "no layer 'features.9'"), ("nothing", "nothing"), ("unused", "does not run")],
)
def test_a_layer_that_cannot_be_rendered_is_named(layer, sentence):
    network = SmallNetwork()
    network.unused = nn.Conv2d(3, 3, 1)
    with pytest.raises(ModelError, match=sentence):
        visualize(loaded(network), layer, [Direction("n", neuron=0)], FEW)


def test_a_direction_that_does_not_fit_the_layer_is_refused():
    model = loaded(SmallNetwork())
    with pytest.raises(ParameterError, match="6 neurons"):
        visualize(model, "features.4", [Direction("v", vector=np.ones(5))], FEW)
    with pytest.raises(ParameterError, match="at least one"):
        visualize(model, "features.4", [], FEW)
    with pytest.raises(ParameterError, match="same key"):
        visualize(model, "features.4", [Direction("n", neuron=0), Direction("n", neuron=1)], FEW)


def test_a_model_that_fails_says_so():
    class Fails(SmallNetwork):
        n_runs = 0

        def forward(self, images):
            if images.requires_grad:
                raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
            return super().forward(images)

    with pytest.raises(ModelError, match="fails on a picture of 32 × 32 pixels: mat1 and mat2"):
        visualize(loaded(Fails()), "features.4", [Direction("n", neuron=0)], FEW)


def test_a_model_that_cannot_be_differentiated_says_so():
    class Detached(SmallNetwork):
        def forward(self, images):
            return super().forward(images.detach())

    with pytest.raises(ModelError, match="cannot be differentiated"):
        visualize(loaded(Detached()), "features.4", [Direction("n", neuron=0)], FEW)


def test_numbers_that_are_not_finite_are_refused():
    class Divides(ColourDetector):
        def forward(self, images):
            return self.colours(images / (images.detach() * 0) if images.requires_grad else images)

    with pytest.raises(ModelError, match="not finite"):
        visualize(loaded(Divides()), "colours", [Direction("n", neuron=0)], FEW)


def test_an_interrupt_from_the_keyboard_is_not_swallowed():
    class Interrupts(Recorder):
        def check_cancelled(self):
            if len(self.steps) == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        visualize(loaded(SmallNetwork()), "features.4", [Direction("n", neuron=0)], FEW, task=Interrupts())
