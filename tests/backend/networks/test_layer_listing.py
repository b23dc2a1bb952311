import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.errors import ModelError
from backend.networks.layer_listing import choose_poolings, example_input, list_layers
from backend.networks.layer_reader import LayerReader
from tests.backend.small_networks import WithBranches, loaded, outputs_of, torchvision_network


def test_listing_gives_shapes_neurons_and_poolings() -> None:
    network = torchvision_network("resnet18")
    listed = {info.name: info for info in list_layers(loaded(network))}
    assert listed["layer4"].output_shape == (512, 2, 2)
    assert listed["layer4"].n_neurons == 512
    assert listed["layer4"].kind == "Sequential"
    assert listed["layer4"].poolings == ("mean", "max")
    assert listed["layer4"].default_pooling == "mean"
    assert listed["layer4.1.conv2"].kind == "Conv2d"
    assert listed["fc"].output_shape == (1000,)
    assert listed["fc"].poolings == ("none",)
    assert all(info.supported and not info.reason for info in listed.values())
    # A block's ReLU runs twice, and torchvision names the second run so too.
    assert listed["layer1.0.relu_1"].n_neurons == 64
    names = list(listed)
    assert names.index("layer1") < names.index("layer1.0") < names.index("layer1.0.conv1")
    assert set(dict(network.named_modules())) - {""} <= set(names)


def test_operations_that_compute_something_stand_behind_the_modules_beside_them() -> None:
    network = torchvision_network("resnet18")
    listed = {info.name: info for info in list_layers(loaded(network))}
    # The sum of a block's branches is computed in place; flatten gives only a view of what avgpool gives.
    assert (listed["layer1.0.add"].kind, listed["layer1.0.add"].output_shape) == ("add", (64, 16, 16))
    assert "flatten" not in listed
    names = list(listed)
    assert names.index("layer1.0.bn2") < names.index("layer1.0.add") == names.index("layer1.1") - 1
    modules = {info.name for info in list_layers(loaded(network), operations=False)}
    assert set(names) - modules == {f"layer{stage}.{block}.add" for stage in range(1, 5) for block in (0, 1)}


def test_operations_of_the_whole_network_come_last_and_views_are_left_out() -> None:
    class Views(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Conv2d(3, 4, 1))

        def forward(self, images: Tensor) -> Tensor:
            maps = self.inner(images)
            left, right = maps.chunk(2, dim=1)
            turned = maps.permute(0, 2, 3, 1).contiguous()
            maps += 1
            return (
                torch.cat([left.view(images.shape[0], 2, -1), right.flatten(2)], dim=1).mean(2) + turned.sum()
            )

    listed = list_layers(loaded(Views(), input_size=4))
    assert [(info.name, info.kind) for info in listed] == [
        ("inner", "Sequential"),
        ("inner.0", "Conv2d"),
        ("contiguous", "contiguous"),
        ("add", "add"),
        ("cat", "cat"),
        ("mean", "mean"),
        ("add_1", "add"),
    ]


def test_listed_layers_can_be_read_and_others_say_why_not() -> None:
    class Unused(WithBranches):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Linear(2, 2)

    network = Unused()
    listed = {info.name: info for info in list_layers(loaded(network, input_size=9))}
    assert not listed["unused"].supported
    assert listed["unused"].reason == "It does not run when the model is evaluated."
    assert (listed["unused"].poolings, listed["unused"].default_pooling) == ((), None)
    supported = [info for info in listed.values() if info.supported]
    values = LayerReader(network, [info.name for info in supported]).read(torch.randn(2, 3, 9, 9))
    assert [value.shape[1] for value in values.values()] == [info.n_neurons for info in supported]
    assert all(not module._forward_hooks for module in network.modules())


def test_a_model_that_cannot_be_traced_is_listed_by_its_modules() -> None:
    network = WithBranches()  # what it does depends on the data
    listed = list_layers(loaded(network, input_size=9))
    assert {info.name for info in listed} == {*dict(network.named_modules()), "shared_1", "shared_norm_1"} - {
        ""
    }


def test_listing_refuses_a_model_that_fails_at_its_input_size() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(7, 2))
    with pytest.raises(ModelError, match="fails on an input of shape 2×3×64×64"):
        list_layers(loaded(network))


def test_transformers_offer_their_class_token_first() -> None:
    network = loaded(torchvision_network("vit_b_32", image_size=64, num_classes=3))
    listed = {info.name: info for info in list_layers(network)}
    block = listed["encoder.layers.encoder_layer_11"]
    assert (block.output_shape, block.n_neurons) == ((5, 768), 768)
    assert block.poolings == ("class_token", "token_mean", "max")
    # Tokens before the class token is put in front, and the class token alone before the classifier.
    assert listed["conv_proj"].poolings == ("mean", "max")
    assert listed["heads.head"].poolings == ("none",)
    assert not listed["encoder.layers.encoder_layer_0.self_attention"].supported


def test_poolings_are_chosen_for_a_whole_extraction() -> None:
    network = loaded(torchvision_network("vit_b_32", image_size=64, num_classes=3))
    layers = ["heads", "conv_proj", "encoder.ln", "encoder.layers.encoder_layer_0.add"]
    wanted = {"conv_proj": "max", "layer of another model": "token_mean"}
    chosen = choose_poolings(network, layers, wanted)  # type: ignore[arg-type]
    assert chosen == {
        "heads": "none",
        "conv_proj": "max",
        "encoder.ln": "class_token",
        "encoder.layers.encoder_layer_0.add": "class_token",
    }
    assert list(chosen) == layers
    batch = example_input(network.preprocessing, 2)
    np.testing.assert_allclose(
        LayerReader(network.module, layers, chosen).read(batch)["conv_proj"],
        outputs_of(network.module, ["conv_proj"], batch)["conv_proj"].max(axis=(2, 3)),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("layers", "wanted", "message"),
    [
        (["encoder.ln"], {"encoder.ln": "mean"}, r"'encoder\.ln' cannot be pooled by 'mean'.*'class_token'"),
        (["encoder.lm"], {}, r"no layer 'encoder\.lm'; did you mean 'encoder\.ln'"),
        (["encoder.layers.encoder_layer_0.self_attention"], {}, "gives a tuple, not a tensor"),
        ([], {}, "No layer is chosen"),
    ],
)
def test_poolings_that_cannot_be_are_said(layers: list[str], wanted: dict[str, str], message: str) -> None:
    network = loaded(torchvision_network("vit_b_32", image_size=32, num_classes=3), input_size=32)
    with pytest.raises(ModelError, match=message):
        choose_poolings(network, layers, wanted)  # type: ignore[arg-type]
