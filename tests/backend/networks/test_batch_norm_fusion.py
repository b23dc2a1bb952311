import copy

import pytest
import torch
from torch import Tensor, nn

from backend.errors import ModelError
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_reader import LayerReader
from tests.backend.small_networks import (
    FAMILIES,
    WithBranches,
    loaded,
    torchvision_network,
    with_trained_batch_norm,
)


def _n_batch_norms(network: nn.Module) -> int:
    return sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def _assert_equal_values(
    network: nn.Module, prepared: nn.Module, layers: tuple[str, ...], batch: Tensor
) -> None:
    expected, values = LayerReader(network, layers).read(batch), LayerReader(prepared, layers).read(batch)
    for layer in layers:
        assert expected[layer].abs().max() > 1e-3
        torch.testing.assert_close(
            values[layer], expected[layer], rtol=0, atol=1e-4 * float(expected[layer].abs().max())
        )


# Number of batch norms that stay: in ResNet that behind layer2.1.conv2, which is read itself; in DenseNet
# those that come before a convolution rather than behind one, and that behind the convolution that is read.
@pytest.mark.parametrize(
    ("name", "n_before", "n_after"),
    [
        ("resnet18", 20, 1),
        ("mobilenet_v2", 52, 0),
        ("squeezenet1_1", 0, 0),
        ("shufflenet_v2_x0_5", 56, 1),
        ("densenet121", 121, 62),
    ],
)
def test_fused_layers_give_the_values_of_the_original(name: str, n_before: int, n_after: int) -> None:
    network = torchvision_network(name)
    prepared = prepare_for_inference(loaded(network), FAMILIES[name])
    assert (_n_batch_norms(network), _n_batch_norms(prepared)) == (n_before, n_after)
    assert [path for path, _ in prepared.named_modules()] == [path for path, _ in network.named_modules()]
    _assert_equal_values(network, prepared, FAMILIES[name], torch.randn(3, 3, 64, 64))


def test_inception_gives_the_values_of_the_original() -> None:
    network = torchvision_network("inception_v3", init_weights=False, aux_logits=False, transform_input=True)
    prepared = prepare_for_inference(loaded(network, input_size=107), ["Mixed_7b"])
    assert _n_batch_norms(network) == 94
    assert _n_batch_norms(prepared) == 0
    _assert_equal_values(network, prepared, ("Mixed_7b",), torch.randn(2, 3, 107, 107))


def test_only_a_batch_norm_that_is_the_convolutions_sole_user_is_fused() -> None:
    network = WithBranches()
    layers = ("head", "fusible_norm", "shared_norm_1")
    prepared = prepare_for_inference(loaded(network), layers)
    replaced = {path for path, module in prepared.named_modules() if type(module) is nn.Identity}
    assert replaced == {"fusible_norm"}
    _assert_equal_values(network, prepared, layers, torch.randn(3, 3, 64, 64))


@pytest.mark.parametrize("layer", ["0", "0.0"])
def test_a_convolution_whose_own_output_is_read_keeps_it(layer: str) -> None:
    network = with_trained_batch_norm(
        nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 4, 3)), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)
        )
    ).eval()
    prepared = prepare_for_inference(loaded(network), [layer])
    assert type(prepared.get_submodule("1")) is nn.BatchNorm2d
    assert type(prepared.get_submodule("3")) is nn.Identity
    _assert_equal_values(network, prepared, (layer,), torch.randn(2, 3, 64, 64))


class _DependsOnMemoryFormat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4 * 64 * 64, 3)
        with_trained_batch_norm(self)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.norm(self.convolution(images))
        return self.head(maps.view(len(images), -1))  # fails unless the maps are contiguous


class _CannotBeCopied(nn.Sequential):
    def __deepcopy__(self, memo: object) -> nn.Module:
        raise TypeError("cannot pickle this")


class _ReadsOwnNorm(nn.Module):
    """Computes with its batch norm's numbers itself, which no list of uses of an output shows."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Identity()
        with_trained_batch_norm(self)

    def forward(self, images: Tensor) -> Tensor:
        scale = self.convolution.weight.abs().sum()
        return self.head(self.norm(self.convolution(images)) * scale)


@pytest.mark.parametrize(
    ("network", "layer"),
    [
        (_DependsOnMemoryFormat(), "head"),
        (
            _CannotBeCopied(with_trained_batch_norm(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))),
            "0.1",
        ),
        (_ReadsOwnNorm(), "head"),
    ],
)
def test_a_model_that_would_fail_or_change_is_read_as_it_is(network: nn.Module, layer: str) -> None:
    prepared = prepare_for_inference(loaded(network), [layer])
    assert _n_batch_norms(prepared) == 1
    _assert_equal_values(network.eval(), prepared, (layer,), torch.randn(2, 3, 64, 64))


def test_the_original_stays_as_it_is_and_can_be_differentiated() -> None:
    network = torchvision_network("resnet18")
    before = copy.deepcopy(network.state_dict())
    prepare_for_inference(loaded(network), ["layer3"])
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert network.conv1.weight.is_contiguous()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    images = torch.randn(1, 3, 64, 64, requires_grad=True)
    network(images)[0, 0].backward()
    assert images.grad is not None


def test_the_copy_is_channels_last_and_frozen() -> None:
    prepared = prepare_for_inference(loaded(torchvision_network("resnet18")), ["layer3"])
    weight = prepared.get_submodule("layer1.0.conv1").weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not any(parameter.requires_grad for parameter in prepared.parameters())
    assert not prepared.training


def test_a_layer_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModelError, match=r"no layer 'layer9'; did you mean 'layer\d'"):
        prepare_for_inference(loaded(torchvision_network("resnet18")), ["layer9"])
