import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from backend.errors import ModelError
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.layer_graph import trace_layers
from backend.networks.layer_reader import LayerReader
from tests.backend.small_networks import WithBranches, loaded, torchvision_network

INCEPTION = {"init_weights": False, "aux_logits": False, "num_classes": 5}


def _by_torchvision(network: nn.Module, nodes: list[str], batch: Tensor) -> dict[str, np.ndarray]:
    from torchvision.models.feature_extraction import create_feature_extractor

    with torch.no_grad():
        outputs = create_feature_extractor(copy.deepcopy(network), nodes)(batch)
    return {node: functional.adaptive_avg_pool2d(outputs[node], 1).flatten(1).numpy() for node in nodes}


def test_nodes_of_torchvision_are_read_beside_modules() -> None:
    network = torchvision_network("inception_v3", **INCEPTION)
    batch = torch.randn(2, 3, 75, 75)
    nodes = ["Mixed_7b.cat_2", "Mixed_7b.cat", "Mixed_5b.avg_pool2d", "Mixed_6a.branch3x3.relu"]
    expected = _by_torchvision(network, nodes, batch)
    layers = [nodes[0], "Mixed_7b", *nodes[1:], "Mixed_7b.branch1x1.conv", "Mixed_6e"]
    values = LayerReader(network, layers).read(batch)
    assert list(values) == layers
    for node in nodes:
        assert np.abs(expected[node]).max() > 1e-3
        np.testing.assert_allclose(values[node], expected[node], rtol=1e-5, atol=1e-6)
    # Modules give the same beside nodes, when the graph runs, as on their own, by hooks.
    modules = [layer for layer in layers if layer not in nodes]
    for layer, alone in LayerReader(network, modules).read(batch).items():
        assert torch.equal(values[layer], alone)
    assert torch.equal(values["Mixed_7b"], values["Mixed_7b.cat_2"])


def test_nodes_of_a_prepared_network_give_the_same_and_its_copies_are_not_traced_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = torchvision_network("resnet18")
    layers = ["layer2.0.add", "layer2", "layer1.0.relu_1"]
    batch = torch.randn(2, 3, 64, 64)
    expected = LayerReader(network, layers).read(batch)
    torchs = _by_torchvision(network, ["layer2.1.relu_1", "layer1.0.relu_1"], batch)
    prepared = prepare_for_inference(loaded(network), layers)
    monkeypatch.setattr(
        "backend.networks.layer_graph.trace_layers", lambda network: pytest.fail("traced again")
    )
    for module in (prepared, copy.deepcopy(prepared)):
        values = LayerReader(module, layers).read(batch)
        for layer in layers:
            torch.testing.assert_close(values[layer], expected[layer], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(values["layer2"], torchs["layer2.1.relu_1"], rtol=1e-4, atol=1e-4)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in prepared.layer1.modules())
    assert "layer_graph" not in vars(network)


class _Several(nn.Module):
    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        return maps + 1, maps


class _Operations(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 1)
        self.inner = nn.Sequential(nn.Conv2d(4, 4, 1), nn.ReLU(inplace=True))
        self.several = _Several()

    def forward(self, images: Tensor, scale: float = 2.0, offset: Tensor | None = None) -> Tensor:
        maps = self.first(images) * scale
        if offset is not None:
            maps = maps + offset
        maps = maps + torch.full((1,), 3.0)
        maps = self.inner(maps).relu_()
        _, maps = self.several(maps)
        torch.sigmoid_(maps)
        maps = functional.max_pool2d(maps, 2)
        return maps.amax(3)


def test_arguments_keep_their_defaults_and_own_tensors_their_values() -> None:
    network = _Operations().eval().requires_grad_(False)
    batch = torch.randn(2, 3, 8, 8)
    first = network.first(batch)
    values = LayerReader(network, ["mul", "add", "inner", "first"]).read(batch)
    torch.testing.assert_close(values["mul"], (first * 2).mean((2, 3)))
    torch.testing.assert_close(values["add"], (first * 2 + 3).mean((2, 3)))
    torch.testing.assert_close(values["inner"], network.inner(first * 2 + 3).mean((2, 3)))
    assert set(vars(network)) == set(vars(_Operations()))


def test_values_are_taken_before_an_operation_in_place_changes_them() -> None:
    network = _Operations().eval()
    batch = torch.randn(2, 3, 8, 8)
    values = LayerReader(network, ["inner.0", "inner", "sigmoid_"]).read(batch)
    assert (values["inner.0"] < 0).any()
    assert (values["inner"] >= 0).all()
    assert (values["sigmoid_"] >= 0.5).all()


def test_what_lies_behind_the_deepest_node_is_not_computed() -> None:
    network = _Operations().eval()
    run: list[str] = []
    network.inner[0].register_forward_hook(lambda *_: run.append("inner.0"))
    batch = torch.randn(2, 3, 8, 8)
    LayerReader(network, ["mul", "first"]).read(batch)
    assert run == []
    LayerReader(network, ["add"]).read(batch)
    assert run == []
    LayerReader(network, ["max_pool2d"]).read(batch)
    assert run == ["inner.0"]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (["mull"], r"no layer 'mull'; did you mean 'mul'\?$"),
        (["max_pool2d_1"], "no layer 'max_pool2d_1'; did you mean 'max_pool2d'"),
        (["several", "mul"], "'several' cannot be read: it gives several values"),
        (["first", "mul", "first_1"], "'first_1' does not run in the model's forward pass"),
    ],
)
def test_a_node_that_is_not_there_is_named(layers: list[str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        LayerReader(_Operations().eval(), layers).read(torch.randn(2, 3, 8, 8))


def test_a_failure_of_the_graph_is_a_sentence() -> None:
    with pytest.raises(ModelError, match="fails on an input of shape 2×7×8×8: RuntimeError"):
        LayerReader(_Operations().eval(), ["mul"]).read(torch.randn(2, 7, 8, 8))


def test_a_network_that_cannot_be_traced_has_its_modules_alone() -> None:
    network = WithBranches().eval()
    assert trace_layers(network) is None
    assert LayerReader(network, ["head"]).read(torch.randn(2, 3, 8, 8))["head"].shape == (2, 5)
    with pytest.raises(ModelError, match=r"no layer 'add'\. \(It cannot be traced"):
        LayerReader(network, ["add"])


def test_others_run_networks_while_one_is_traced() -> None:
    """torch.fx replaces what calls a module for the whole process."""
    network = torchvision_network("resnet18").requires_grad_(False)
    batch = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        expected = network(batch)
    traced = threading.Event()
    begun = threading.Barrier(3)

    def run(copied: nn.Module) -> int:
        n_runs = 0
        begun.wait()
        with torch.no_grad():
            while not traced.is_set() or not n_runs:
                assert torch.equal(copied(batch), expected)
                n_runs += 1
        return n_runs

    with ThreadPoolExecutor(2) as pool:
        # One runs the very network that is traced, the other a copy of it.
        runs = [pool.submit(run, one) for one in (network, copy.deepcopy(network))]
        begun.wait()
        try:
            graphs = [trace_layers(network) for _ in range(8)]
        finally:
            traced.set()
    assert all(future.result() > 0 for future in runs)
    assert all(graph is not None and "layer1.0.add" in graph.operations for graph in graphs)
    assert nn.Module.__call__ is torch.nn.Conv2d.__call__
