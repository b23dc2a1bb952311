import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax
from torch import nn

from backend.errors import ImageError, ModelError
from backend.evaluation.concept_effect import concept_effect
from backend.evaluation.concept_effect_result import ConceptEffect
from backend.models import LayerReader, normalise
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.task import Cancelled, SilentTask

SIDE = 16
D = 6


class Classifier(nn.Module):
    """Layer ``features`` is averaged over space; behind it a linear head, or one with a bend."""

    def __init__(self, bend: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Sequential(nn.Conv2d(3, D, 3, padding=1), nn.ReLU())
        self.bend = nn.Sequential(nn.Linear(D, D), nn.Tanh()) if bend else nn.Identity()
        self.head = nn.Linear(D, 4)

    def forward(self, x):
        # In place, as many networks go on after a layer.
        maps = self.features(x).mul_(1.0)
        return self.head(self.bend(maps.mean(dim=(2, 3))))


def loaded(module):
    chosen = Preprocessing.from_dict({"input_size": SIDE, "mean": [0.5] * 3, "std": [0.25] * 3})
    return LoadedModel(module.eval().requires_grad_(False), chosen, "0" * 64, ModelSource("test"), None)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    found = []
    for number in range(11):
        found.append(folder / f"{number}.png")
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(found[-1])
    return found


@pytest.fixture(scope="module")
def vector():
    values = np.random.default_rng(5).random(D)
    return values / np.linalg.norm(values)


def pooled(model, layer, paths):
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])
    batch = normalise(pixels, model.preprocessing)
    return LayerReader(model.module, [layer]).read(batch)[layer].numpy().astype(np.float64)


def weights_of(linear):
    return linear.weight.numpy().astype(np.float64), linear.bias.numpy().astype(np.float64)


def test_a_linear_head_follows_the_concept_as_its_weights_say(paths, vector):
    model = loaded(Classifier(bend=False))
    effect = concept_effect(model, "features", paths, vector, n_null=3)
    weight, bias = weights_of(model.module.head)
    np.testing.assert_allclose(effect.sensitivities, weight @ vector, rtol=1e-4)
    np.testing.assert_array_equal(effect.positive_shares, (weight @ vector > 0).astype(float))
    activations = pooled(model, "features", paths)
    probabilities = softmax(activations @ weight.T + bias, axis=1).mean(axis=0)
    np.testing.assert_allclose(effect.probabilities, probabilities, rtol=1e-5)
    assert effect.n_images == 11


def test_a_bent_head_is_differentiated_at_each_image(paths, vector):
    model = loaded(Classifier(bend=True))
    effect = concept_effect(model, "features", paths, vector, n_null=0)
    (inner, inner_bias), (weight, _) = weights_of(model.module.bend[0]), weights_of(model.module.head)
    hidden = np.tanh(pooled(model, "features", paths) @ inner.T + inner_bias)
    each = ((1 - hidden**2) * (inner @ vector)) @ weight.T
    np.testing.assert_allclose(effect.sensitivities, each.mean(axis=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(effect.positive_shares, (each > 0).mean(axis=0))


def test_projecting_out_takes_the_component_from_every_position(paths, vector):
    class Linear(Classifier):
        def forward(self, x):
            return self.head(self.features(x).mean(dim=(2, 3)))

    model = loaded(Linear(bend=False))
    effect = concept_effect(model, "features", paths, vector, n_null=0)
    weight, bias = weights_of(model.module.head)
    activations = pooled(model, "features", paths)
    changed = activations - np.outer(activations @ vector, vector)
    expected = softmax(changed @ weight.T + bias, axis=1).mean(axis=0)
    np.testing.assert_allclose(effect.probabilities_without, expected, rtol=1e-4)


def test_the_null_is_made_of_the_shuffled_vector(paths, vector):
    model = loaded(Classifier(bend=False))
    with torch.no_grad():
        # For the first class every neuron counts alike, so that shuffling changes nothing; for the second one
        # neuron alone does, so that the null spans the components.
        model.module.head.weight[0] = 2.0
        model.module.head.weight[1] = 0.0
        model.module.head.weight[1, int(vector.argmax())] = 1.0
    effect = concept_effect(model, "features", paths, vector, n_null=200, seed=3)
    expected = 2 * vector.sum()
    np.testing.assert_allclose([effect.null_low[0], effect.null_high[0]], expected, rtol=1e-4)
    assert effect.null_low[1] == pytest.approx(vector.min(), rel=1e-4)
    assert effect.null_high[1] == pytest.approx(vector.max(), rel=1e-4)
    assert not effect.beyond_null(1)
    again = concept_effect(model, "features", paths, vector, n_null=200, seed=3)
    np.testing.assert_array_equal(again.null_high, effect.null_high)


def test_an_operation_that_is_no_module(paths, vector):
    class Rectified(Classifier):
        def forward(self, x):
            return self.head(torch.relu_(self.features[0](x) + 0.0).mean(dim=(2, 3)))

    model = loaded(Rectified(bend=False))
    effect = concept_effect(model, "add", paths, vector, n_null=0)
    weight, _ = weights_of(model.module.head)
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])
    with torch.no_grad():
        maps = model.module.features(normalise(pixels, model.preprocessing)).numpy().astype(np.float64)
    awake = (maps > 0).mean(axis=(2, 3))
    np.testing.assert_allclose(
        effect.sensitivities, (awake * vector).mean(axis=0) @ weight.T, rtol=1e-4, atol=1e-7
    )


def test_the_class_token_alone_is_moved(paths):
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(2)
            self.class_token = nn.Parameter(torch.zeros(1, 1, 3))
            self.blocks = nn.Identity()
            self.head = nn.Linear(3, 2)

        def forward(self, x):
            tokens = x[:, :, ::4, ::4].flatten(2).transpose(1, 2)
            tokens = self.blocks(torch.cat([self.class_token.expand(len(x), -1, -1), tokens], dim=1))
            return self.head(tokens[:, 0] + 10 * tokens[:, 1])

    model = loaded(Tokens())
    direction = np.array([0.6, 0.0, 0.8])
    weight, _ = weights_of(model.module.head)
    token = concept_effect(model, "blocks", paths, direction, pooling="class_token", n_null=0)
    np.testing.assert_allclose(token.sensitivities, weight @ direction, rtol=1e-4)
    others = concept_effect(model, "blocks", paths, direction, pooling="token_mean", n_null=0)
    np.testing.assert_allclose(others.sensitivities, 10 * weight @ direction, rtol=1e-4)


def test_nothing_is_left_behind(paths, vector):
    model = loaded(Classifier(bend=True))
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    np.random.seed(0)
    number = np.random.random()
    np.random.seed(0)
    concept_effect(model, "features", paths, vector, n_null=2)
    assert torch.equal(torch.rand(1), expected) and np.random.random() == number
    assert not any(module._forward_hooks for module in model.module.modules())
    assert all(parameter.grad is None for parameter in model.module.parameters())


class TestWhatCannotBeMeasured:
    def test_images_that_cannot_be_read_are_passed_over(self, paths, vector, tmp_path):
        model = loaded(Classifier(bend=False))
        bad = tmp_path / "bad.png"
        bad.write_bytes(b"nothing")
        effect = concept_effect(model, "features", [bad, paths[0]], vector, n_null=0)
        assert effect.n_images == 1
        with pytest.raises(ImageError, match="None of the concept's images"):
            concept_effect(model, "features", [bad], vector)

    def test_a_vector_of_another_layer(self, paths):
        with pytest.raises(ModelError, match=r"9 components.*6 neurons"):
            concept_effect(loaded(Classifier(bend=False)), "features", paths, np.ones(9))

    def test_a_network_without_classes(self, paths, vector):
        network = nn.Sequential(nn.Conv2d(3, D, 1), nn.ReLU())
        with pytest.raises(ModelError, match="each class"):
            concept_effect(loaded(network), "0", paths, vector)

    def test_cancelling(self, paths, vector):
        class Stopped(SilentTask):
            def check_cancelled(self):
                raise Cancelled

        with pytest.raises(Cancelled):
            concept_effect(loaded(Classifier(bend=False)), "features", paths, vector, task=Stopped())


def test_rankings():
    effect = ConceptEffect(
        n_images=1,
        sensitivities=np.array([0.1, -2.0, 3.0, 0.0]),
        positive_shares=np.zeros(4),
        null_low=np.full(4, -1.0),
        null_high=np.full(4, 1.0),
        n_null=10,
        probabilities=np.array([0.5, 0.2, 0.2, 0.1]),
        probabilities_without=np.array([0.45, 0.3, 0.0, 0.25]),
    )
    assert effect.most_raised(2).tolist() == [2, 0]
    assert effect.most_lowered(2).tolist() == [1, 3]
    assert effect.most_changed(2).tolist() == [2, 3]
    assert [effect.beyond_null(output) for output in range(4)] == [False, True, True, False]
    assert effect.output_names(("a", "b", "c", "d")) == ("a", "b", "c", "d")
    assert effect.output_names(("a",))[3] == "output 3"
