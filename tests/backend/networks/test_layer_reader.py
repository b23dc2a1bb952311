import gc

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.errors import ModelError
from backend.networks.layer_listing import example_input
from backend.networks.layer_reader import LayerReader
from backend.networks.torchvision_import import import_torchvision
from tests.backend.small_networks import FAMILIES, loaded, outputs_of, torchvision_network


@pytest.mark.parametrize("name", FAMILIES)
def test_values_are_those_of_torchvisions_feature_extractor(name: str) -> None:
    network = torchvision_network(name)
    batch = example_input(loaded(network).preprocessing, 3)
    import_torchvision()
    from torchvision.models.feature_extraction import create_feature_extractor

    extractor = create_feature_extractor(network, list(FAMILIES[name]))
    with torch.no_grad():
        expected = {
            node: functional.adaptive_avg_pool2d(output, 1).flatten(1)
            for node, output in extractor(batch).items()
        }
    values = LayerReader(network, FAMILIES[name]).read(batch)
    assert tuple(values) == FAMILIES[name]
    for layer in FAMILIES[name]:
        assert values[layer].dtype == torch.float32
        assert values[layer].abs().max() > 1e-3
        torch.testing.assert_close(values[layer], expected[layer], rtol=1e-5, atol=1e-6)


class _Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 5, 3)
        self.third = nn.Conv2d(5, 6, 3)
        self.unused = nn.Linear(2, 2)
        self.computed = 0

    def forward(self, images: Tensor) -> Tensor:
        maps = self.first(images)
        try:  # a model that handles its own errors must not handle the end of reading
            maps = self.second(maps)
        except Exception:  # noqa: BLE001
            maps = torch.zeros(1)
        self.computed += 1
        return self.third(maps)


def test_layers_behind_the_deepest_chosen_one_are_not_computed() -> None:
    network = _Counting().eval()
    values = LayerReader(network, ["second", "first"]).read(torch.randn(2, 3, 9, 9))
    assert list(values) == ["second", "first"]
    assert [tuple(value.shape) for value in values.values()] == [(2, 5), (2, 4)]
    assert network.computed == 0
    LayerReader(network, ["third", "first"]).read(torch.randn(2, 3, 9, 9))
    assert network.computed == 1


def test_no_hooks_remain_after_reading_nor_after_a_failure() -> None:
    network = _Counting().eval()
    LayerReader(network, ["first"]).read(torch.randn(1, 3, 9, 9))
    with pytest.raises(ModelError, match="fails on an input of shape 1×7×9×9"):
        LayerReader(network, ["first"]).read(torch.randn(1, 7, 9, 9))
    assert not any(module._forward_hooks for module in network.modules())


def test_values_are_taken_before_an_operation_in_place_changes_them() -> None:
    network = nn.Sequential(nn.Linear(4, 6), nn.ReLU(inplace=True), nn.Linear(6, 2)).eval()
    batch = torch.randn(5, 4)
    values = LayerReader(network, ["0", "2"]).read(batch)
    weights = network[0]
    assert (values["0"] < 0).any()
    torch.testing.assert_close(values["0"], functional.linear(batch, weights.weight, weights.bias).detach())


def test_channels_last_maps_are_pooled_over_space() -> None:
    network = torchvision_network("convnext_tiny")
    layers = ("features.1.0.block.2", "features.1")  # a LayerNorm on (B, H, W, C), a stage on (B, C, H, W)
    outputs: dict[str, Tensor] = {}
    for layer in layers:
        network.get_submodule(layer).register_forward_hook(
            lambda _module, _arguments, output, layer=layer: outputs.__setitem__(layer, output)
        )
    values = LayerReader(network, layers).read(torch.randn(2, 3, 64, 64))
    assert values[layers[0]].shape == values[layers[1]].shape == (2, 96)
    torch.testing.assert_close(values[layers[0]], outputs[layers[0]].detach().mean((1, 2)))
    torch.testing.assert_close(values[layers[1]], outputs[layers[1]].detach().mean((2, 3)))


def test_a_model_can_be_differentiated_after_it_was_read() -> None:
    network = torchvision_network("squeezenet1_1").requires_grad_(False)
    LayerReader(network, ["features.5"]).read(torch.randn(1, 3, 64, 64))
    images = torch.randn(1, 3, 64, 64, requires_grad=True)
    network(images)[0, 3].backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["secnd"], r"no layer 'secnd'; did you mean 'second'\?"),
        (["zzzzzzzz"], r"no layer 'zzzzzzzz'\."),
        (["unused"], "'unused' does not run"),
        (["first_1"], "'first_1' does not run"),
        ([""], "no layer ''"),
        ([], "No layer is chosen"),
    ],
)
def test_a_layer_that_cannot_be_read_is_named(layers: list[str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        LayerReader(_Counting().eval(), layers).read(torch.randn(1, 3, 9, 9))


def test_a_layer_without_a_channel_axis_is_refused_with_its_shape() -> None:
    network = nn.Sequential(nn.Unflatten(1, (1, 3)), nn.Conv3d(1, 2, 1)).eval()
    with pytest.raises(ModelError, match=r"'1'.*shape \(2, 2, 3, 8, 8\): no channel axis"):
        LayerReader(network, ["1"]).read(torch.randn(2, 3, 8, 8))
    transformer = torchvision_network("vit_b_32", image_size=32, num_classes=3)
    with pytest.raises(ModelError, match="gives a tuple, not a tensor"):
        LayerReader(transformer, ["encoder.layers.encoder_layer_0.self_attention"]).read(
            torch.randn(2, 3, 32, 32)
        )


def test_each_layer_is_pooled_as_chosen_and_the_others_by_default() -> None:
    network = torchvision_network("vit_b_32", image_size=64, num_classes=3)
    layers = ("conv_proj", "encoder.layers.encoder_layer_1", "encoder.ln", "heads")
    outputs = outputs_of(network, layers, batch := torch.randn(2, 3, 64, 64))
    tokens = outputs["encoder.layers.encoder_layer_1"]
    assert tokens.shape == (2, 5, 768)
    chosen = LayerReader(
        network, layers, {"conv_proj": "max", "encoder.layers.encoder_layer_1": "token_mean", "absent": "max"}
    ).read(batch)
    np.testing.assert_allclose(chosen["conv_proj"], outputs["conv_proj"].max(axis=(2, 3)), rtol=1e-5)
    np.testing.assert_allclose(
        chosen["encoder.layers.encoder_layer_1"], tokens[:, 1:].mean(axis=1), rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(chosen["encoder.ln"], outputs["encoder.ln"][:, 0], rtol=1e-5)
    np.testing.assert_allclose(chosen["heads"], outputs["heads"], rtol=1e-5)


def test_a_pooling_that_a_layer_does_not_offer_is_named() -> None:
    with pytest.raises(ModelError, match=r"'first' cannot be pooled by 'class_token'.*choose 'mean'"):
        LayerReader(_Counting().eval(), ["first"], {"first": "class_token"}).read(torch.randn(2, 3, 9, 9))


def test_reading_keeps_no_maps_in_memory() -> None:
    network = _Counting().eval()
    LayerReader(network, ["third"]).read(torch.randn(2, 3, 13, 13))
    gc.collect()
    shapes = [tuple(item.shape) for item in gc.get_objects() if type(item) is Tensor and item.dim() == 4]
    assert (2, 6, 7, 7) not in shapes
    assert (2, 4, 11, 11) not in shapes
