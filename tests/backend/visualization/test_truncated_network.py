import pytest
import torch

from backend.errors import ModelError
from backend.visualization.truncated_network import TruncatedNetwork
from tests.backend.small_networks import torchvision_network


def _activations(name: str, layer: str, pooling: str | None = None, **arguments: object) -> torch.Tensor:
    network = torchvision_network(name, num_classes=3, **arguments).requires_grad_(False)
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    truncated = TruncatedNetwork(network, layer, pooling)  # type: ignore[arg-type]
    with truncated.attached():
        activations = truncated(images)
        activations.square().sum().backward()
    assert images.grad is not None
    assert images.grad.abs().max() > 0
    assert not any(module._forward_hooks for module in network.modules())
    return activations.detach()


def test_maps_come_with_their_channels_first() -> None:
    assert _activations("resnet18", "layer2").shape == (2, 128, 8, 8)
    assert _activations("convnext_tiny", "features.1.0.block.2").shape == (2, 96, 16, 16)
    assert _activations("resnet18", "fc").shape == (2, 3)


def test_an_operation_that_is_no_module_can_be_rendered() -> None:
    assert _activations("resnet18", "layer2.0.add").shape == (2, 128, 8, 8)


def test_of_a_transformer_its_class_token_or_its_tokens_are_rendered() -> None:
    layer = "encoder.layers.encoder_layer_2"
    by_default = _activations("vit_b_32", layer, image_size=64)
    tokens = _activations("vit_b_32", layer, "token_mean", image_size=64)
    assert by_default.shape == (2, 768)
    assert tokens.shape == (2, 768, 2, 2)
    assert not torch.allclose(tokens.mean((2, 3)), by_default)


def test_a_layer_that_cannot_be_rendered_is_named() -> None:
    for layer, message in (
        ("encoder.layers.encoder_layer_0.self_attention", "cannot be rendered: it gives a tuple"),
        ("encoder.layers.encoder_layer_99", "no layer"),
    ):
        with pytest.raises(ModelError, match=message):
            _activations("vit_b_32", layer, image_size=64)
