"""One small member of each of torchvision's classification families: listed, read, compared."""

from typing import NamedTuple

import numpy as np
import pytest
import torch

from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_listing import choose_poolings, example_input, list_layers
from backend.networks.layer_reader import LayerReader, module_of_layer
from tests.backend.small_networks import loaded, outputs_of, torchvision_network

_WITHOUT_HEADS = {"init_weights": False, "aux_logits": False}


class _Family(NamedTuple):
    member: str
    arguments: dict[str, object]
    input_size: int  # the smallest that the family takes
    middle: str
    deep: str


FAMILIES = [
    _Family("resnet18", {}, 32, "layer2.0", "layer4.1.conv2"),
    _Family("vgg11", {}, 32, "features.10", "classifier.4"),
    _Family("densenet121", {}, 32, "features.denseblock2.denselayer3", "features.norm5"),
    _Family("inception_v3", _WITHOUT_HEADS, 75, "Mixed_6a.branch3x3", "Mixed_7b"),
    _Family("googlenet", _WITHOUT_HEADS, 32, "inception4a.branch2", "inception5b"),
    _Family("mobilenet_v2", {}, 32, "features.7", "features.18"),
    _Family("mobilenet_v3_small", {}, 32, "features.4.block.2.fc1", "classifier.1"),
    _Family("shufflenet_v2_x0_5", {}, 32, "stage2.1.branch2.3", "conv5"),
    _Family("squeezenet1_1", {}, 32, "features.6.expand3x3", "classifier.1"),
    _Family("efficientnet_b0", {}, 32, "features.4.1", "features.8"),
    _Family("regnet_y_400mf", {}, 32, "trunk_output.block2", "trunk_output.block4.block4-2"),
    _Family("convnext_tiny", {}, 32, "features.3.1.block.2", "features.7"),
    _Family("mnasnet0_5", {}, 32, "layers.9.1", "layers.16"),
    _Family("vit_b_32", {"image_size": 32}, 32, "conv_proj", "encoder.layers.encoder_layer_11"),
    _Family("swin_t", {}, 32, "features.3.1.norm1", "features.7"),
    _Family("maxvit_t", {"input_size": (224, 224)}, 224, "blocks.0.layers.0.layers.MBconv", "blocks.3"),
]


def _pooled(output: np.ndarray) -> np.ndarray:
    """Pool with NumPy: the mean over space, the class token, or the vector itself."""
    if output.ndim == 2:
        return output
    if output.ndim == 3:
        return output[:, 0]
    is_channels_last = output.shape[1] == output.shape[2] != output.shape[3]
    return output.astype(np.float64).mean(axis=(1, 2) if is_channels_last else (2, 3))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.member)
def test_layers_are_listed_and_give_what_plain_hooks_give(family: _Family) -> None:
    network = torchvision_network(family.member, num_classes=7, **family.arguments)
    model = loaded(network, family.input_size)
    layers = (family.middle, family.deep)
    batch = example_input(model.preprocessing, 1 if family.input_size > 100 else 2, seed=3)
    outputs = outputs_of(network, layers, batch)

    listed = {info.name: info for info in list_layers(model)}
    assert set(dict(network.named_modules())) - {""} <= set(listed)
    for layer in layers:
        assert listed[layer].supported
        assert listed[layer].output_shape == outputs[layer].shape[1:]
        assert listed[layer].n_neurons == _pooled(outputs[layer]).shape[1]

    poolings = choose_poolings(model, layers)
    assert poolings == {layer: listed[layer].default_pooling for layer in layers}
    for module in (network, prepare_for_inference(model, layers, poolings)):
        values = LayerReader(module, layers, poolings).read(batch)
        for layer in layers:
            expected = _pooled(outputs[layer])
            scale = float(np.abs(expected).max())
            assert scale > 1e-4
            np.testing.assert_allclose(values[layer], expected, rtol=0, atol=1e-4 * scale)


@pytest.mark.parametrize(
    "family", [FAMILIES[i] for i in (0, 2, 3, 7, 11, 13, 14)], ids=lambda family: family.member
)
def test_operations_have_the_names_and_values_of_torchvisions_nodes(family: _Family) -> None:
    from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

    network = torchvision_network(family.member, num_classes=7, **family.arguments)
    model = loaded(network, family.input_size)
    batch = example_input(model.preprocessing, 2, seed=3)
    operations = [info for info in list_layers(model) if module_of_layer(network, info.name) is None]
    assert {info.name for info in operations} <= set(
        get_graph_node_names(network, suppress_diff_warning=True)[1]
    )
    for info in {operations[0], operations[-1]} if operations else ():
        # Alone, as what follows in torchvision's extractor may change the output in place.
        with torch.no_grad():
            output = create_feature_extractor(network, [info.name])(batch)[info.name].numpy()
        assert output.shape[1:] == info.output_shape
        scale = float(np.abs(expected := _pooled(output)).max())
        values = LayerReader(network, [info.name, family.deep]).read(batch)
        np.testing.assert_allclose(values[info.name], expected, rtol=0, atol=1e-5 * scale)
