"""Packed convolutions against PyTorch's own, on machines where oneDNN is there; elsewhere nothing changes."""

import pytest
import torch
from torch import nn

from backend.activations.inference import _copies
from backend.networks import packed_convolutions
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_reader import LayerReader
from backend.networks.packed_convolutions import PackedConvolution, pack_convolutions
from tests.backend.small_networks import FAMILIES, loaded, torchvision_network

AVAILABLE = torch.backends.mkldnn.is_available()


def packed_paths(network):
    return [path for path, module in network.named_modules() if isinstance(module, PackedConvolution)]


def pack(network, batch):
    with torch.no_grad():
        return pack_convolutions(network, lambda: {"out": network(batch)})


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3},
        {"kernel_size": 1, "bias": False},
        {"kernel_size": (1, 5), "padding": (0, 2)},
        {"kernel_size": 3, "stride": 2, "padding": 1},
        {"kernel_size": 3, "dilation": 2},
        {"kernel_size": 3, "groups": 16},
        {"kernel_size": 3, "groups": 4, "bias": False},
    ],
)
@pytest.mark.parametrize("memory_format", [torch.channels_last, torch.contiguous_format])
def test_it_computes_the_convolution_for_batches_of_every_size(options, memory_format):
    torch.manual_seed(0)
    convolution = nn.Conv2d(16, 32, **options).requires_grad_(False)
    network = nn.Sequential(convolution).to(memory_format=memory_format)
    batches = [torch.randn(n, 16, 11, 9).to(memory_format=memory_format) for n in (4, 1, 3, 7)]
    expected = [
        torch.conv2d(batch.double(), convolution.weight.double(), **_arguments(convolution))
        for batch in batches
    ]
    assert pack(network, batches[0]) == AVAILABLE
    assert len(packed_paths(network)) == AVAILABLE
    for batch, values in zip(batches, expected, strict=True):
        torch.testing.assert_close(
            network(batch).double(), values, rtol=0, atol=1e-5 * float(values.abs().max())
        )


def _arguments(convolution):
    bias = None if convolution.bias is None else convolution.bias.double()
    names = ("stride", "padding", "dilation", "groups")
    return {"bias": bias} | {name: getattr(convolution, name) for name in names}


@pytest.mark.parametrize("name", FAMILIES)
def test_networks_give_the_values_of_the_original(name):
    network = torchvision_network(name)
    layers = FAMILIES[name]
    batch = torch.randn(3, 3, 64, 64)
    expected = LayerReader(network, layers).read(batch)
    prepared = prepare_for_inference(loaded(network), layers)
    reader = LayerReader(prepared, layers)
    assert pack_convolutions(prepared, lambda: reader.read(batch)) == AVAILABLE
    copied = LayerReader(_copies(prepared, 2)[1], layers).read(batch)
    for layer in layers:
        tolerance = 1e-4 * float(expected[layer].abs().max())
        torch.testing.assert_close(copied[layer], expected[layer], rtol=0, atol=tolerance)
    assert not packed_paths(network)


def test_bfloat16_weights_are_computed_in_bfloat16():
    torch.manual_seed(0)
    convolution = nn.Conv2d(8, 8, 3).to(torch.bfloat16).requires_grad_(False)
    network = nn.Sequential(convolution, nn.ReLU())
    batch = torch.randn(2, 8, 12, 12)
    expected = convolution(batch.to(torch.bfloat16)).relu().float()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        # Whether this processor has the operation decides whether it is used, not what comes out.
        packed = pack_convolutions(network, lambda: {"out": network(batch).float()})
        values = network(batch)
    assert values.dtype == torch.bfloat16
    assert len(packed_paths(network)) == packed
    torch.testing.assert_close(values.float(), expected, rtol=0, atol=0.02 * float(expected.abs().max()))


def test_what_is_no_plain_convolution_stays():
    class Scaled(nn.Conv2d):
        def forward(self, maps):
            return 2 * super().forward(maps)

    reflecting = nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect")
    hooked = nn.Conv2d(3, 3, 1)
    hooked.register_forward_hook(lambda _module, _arguments, output: output + 1)
    network = nn.Sequential(Scaled(3, 3, 1), reflecting, hooked, nn.Conv2d(3, 3, 3, padding="same"))
    before = list(network.modules())
    assert not pack(network.requires_grad_(False), torch.randn(1, 3, 8, 8))
    assert list(network.modules()) == before


@pytest.mark.parametrize("failure", ["missing operation", "other values", "not a number"])
def test_a_network_stays_as_it_is_where_packing_fails(monkeypatch, failure):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 1)).requires_grad_(False)
    convolutions = list(network)
    batch = torch.randn(2, 3, 8, 8)
    expected = network(batch)

    def wrong(module, maps):
        if failure == "missing operation":
            raise NotImplementedError("no such operation on this processor")
        weights = torch.zeros(4, maps.shape[1], 1, 1)
        return torch.conv2d(maps, weights) + (torch.nan if failure == "not a number" else 1.0)

    monkeypatch.setattr(packed_convolutions.PackedConvolution, "forward", wrong)
    assert not pack(network, batch)
    assert list(network) == convolutions
    torch.testing.assert_close(network(batch), expected, rtol=0, atol=0)


def test_without_onednn_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    network = nn.Sequential(nn.Conv2d(3, 4, 3)).requires_grad_(False)
    assert not pack_convolutions(network, lambda: pytest.fail("the network was run"))
    assert type(network[0]) is nn.Conv2d
