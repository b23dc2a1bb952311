"""The published experiment's loop over the images, rendered plainly: what extraction is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from backend.networks.model_source import Preprocessing
from backend.networks.torchvision_import import import_torchvision

BATCH = 32


def published_loop(
    network: nn.Module, layer: str, paths: Sequence[Path], preprocessing: Preprocessing, n_classes: int
) -> NDArray[np.float64]:
    """Run all of a network, eagerly in float32, and keep what the published experiment keeps.

    Batches of 32 images are decoded and transformed one by one in the main thread. The input asks for
    gradients, and so do the weights, as they do in a freshly built network; the loss of each batch is
    differentiated with respect to the layer's maps, and again with respect to what the classifier takes. Full
    maps are kept as float64, their gradients as float32.

    Returns
    -------
    ndarray of float64, shape (images, d)
        The layer's maps, averaged over space.
    """
    transform = _transform(preprocessing)
    seen: dict[str, torch.Tensor] = {}
    handles = [
        network.get_submodule(layer).register_forward_hook(lambda _m, _i, output: seen.update(maps=output)),
        _classifier(network).register_forward_pre_hook(
            lambda _m, arguments: seen.update(pooled=arguments[0])
        ),
    ]
    maps = gradients = pooled = predictions = None
    labels = np.random.default_rng(0).integers(n_classes, size=len(paths))
    try:
        for start in range(0, len(paths), BATCH):
            rows = slice(start, min(start + BATCH, len(paths)))
            images = torch.stack([transform(Image.open(path).convert("RGB")) for path in paths[rows]])
            outputs = network(images.requires_grad_(True))
            if maps is None:
                maps = np.zeros((len(paths), *seen["maps"].shape[1:]))
                gradients = np.zeros(maps.shape, np.float32)
                pooled = np.zeros((len(paths), seen["pooled"].shape[1]))
                predictions = np.zeros((len(paths), outputs.shape[1]))
            loss = nn.functional.cross_entropy(outputs, torch.from_numpy(labels[rows]))
            maps[rows] = seen["maps"].detach().numpy()
            predictions[rows] = outputs.softmax(dim=1).detach().numpy()
            gradients[rows] = torch.autograd.grad(loss, seen["maps"], retain_graph=True)[0].numpy()
            pooled[rows] = torch.autograd.grad(loss, seen["pooled"], retain_graph=True)[0].numpy()
    finally:
        for handle in handles:
            handle.remove()
    assert maps is not None
    return maps.mean(axis=(2, 3))


def _transform(preprocessing: Preprocessing) -> nn.Module:
    import_torchvision()
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.Resize(preprocessing.resize_size),
            transforms.CenterCrop(preprocessing.input_size),
            transforms.ToTensor(),
            transforms.Normalize(preprocessing.mean, preprocessing.std),
        ]
    )


def _classifier(network: nn.Module) -> nn.Linear:
    return [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
