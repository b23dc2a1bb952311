"""Networks for tests: torchvision's own with random weights, and small ones of rare kinds."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.networks.torchvision_import import import_torchvision

# Batches here are too small for threads, which on a busy machine wait for each other a hundred times longer.
torch.set_num_threads(1)

FAMILIES = {
    # A layer in the middle and one near the end, both nodes of torchvision's feature extraction under these
    # names.
    "resnet18": ("layer1.0.relu_1", "layer2.1.conv2", "layer4"),
    "mobilenet_v2": ("features.7", "features.18"),
    "squeezenet1_1": ("features.5", "classifier.1"),
    "shufflenet_v2_x0_5": ("stage2.1.branch2.3", "conv5"),
    "densenet121": ("features.denseblock2.denselayer3.conv2", "features.norm5"),
}


def torchvision_network(name: str, seed: int = 0, **arguments: object) -> nn.Module:
    """Build a torchvision model with random weights whose batch norms do something."""
    torch.manual_seed(seed)
    network = import_torchvision().models.get_model(name, weights=None, **arguments)
    return with_trained_batch_norm(network).eval()


def with_trained_batch_norm(network: nn.Module) -> nn.Module:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
    return network


def outputs_of(network: nn.Module, layers: Sequence[str], batch: Tensor) -> dict[str, np.ndarray]:
    """Return what modules give at their first run, by plain forward hooks on the network as it is."""
    outputs: dict[str, np.ndarray] = {}

    def hook(layer: str) -> Callable[[nn.Module, object, Tensor], None]:
        def keep(_module: nn.Module, _arguments: object, output: Tensor) -> None:
            outputs.setdefault(layer, output.numpy().copy())

        return keep

    handles = [network.get_submodule(layer).register_forward_hook(hook(layer)) for layer in layers]
    with torch.no_grad():
        network(batch)
    for handle in handles:
        handle.remove()
    return outputs


def loaded(network: nn.Module, input_size: int = 64, channels: int = 3) -> LoadedModel:
    """Wrap a network as if it had been loaded for inputs of one size."""
    values = {"input_size": input_size, "channels": channels, "mean": 0.5, "std": 0.25}
    return LoadedModel(
        network.eval().requires_grad_(False),
        Preprocessing.from_dict(values),
        "0" * 64,
        ModelSource("network"),
    )


class WithBranches(nn.Module):
    """Has batch norms that may be fused into their convolution, and some that may not."""

    def __init__(self) -> None:
        super().__init__()
        self.fusible = nn.Conv2d(3, 8, 3, padding=1)
        self.fusible_norm = nn.BatchNorm2d(8)
        self.also_added = nn.Conv2d(8, 8, 3, padding=1)
        self.also_added_norm = nn.BatchNorm2d(8)
        self.changed_in_place = nn.Conv2d(8, 8, 1)
        self.changed_in_place_norm = nn.BatchNorm2d(8)
        self.shared = nn.Conv2d(8, 8, 1)
        self.shared_norm = nn.BatchNorm2d(8)
        self.head = nn.Conv2d(8, 5, 1)
        with_trained_batch_norm(self)

    def forward(self, images: Tensor) -> Tensor:
        maps = torch.relu(self.fusible_norm(self.fusible(images)))
        raw = self.also_added(maps)
        maps = torch.relu(self.also_added_norm(raw) + raw)
        if float(maps.mean()) > -1.0:  # depends on the data: cannot be traced symbolically
            changed = self.changed_in_place(maps)
            changed.mul_(2.0)
            maps = self.changed_in_place_norm(changed)
        for _ in range(2):
            maps = self.shared_norm(self.shared(maps))
        return self.head(maps).mean(dim=(2, 3))
