"""Synthetic activations like a pooled ReLU layer's: sparse, non-negative, several concepts a neuron."""

import numpy as np
from numpy.typing import NDArray


def realistic_activations(
    n_images: int = 3000, n_neurons: int = 256, n_concepts: int = 40, seed: int = 0
) -> NDArray[np.float32]:
    """float32 (images, neurons): each image shows one concept, each concept drives a fifth of the neurons."""
    rng = np.random.default_rng(seed)
    drive = rng.gamma(1.0, 1.0, (n_concepts, n_neurons)) * (rng.random((n_concepts, n_neurons)) < 0.2)
    shown = rng.integers(n_concepts, size=n_images)
    strength = rng.uniform(0.5, 1.5, (n_images, 1))
    noise = rng.normal(-0.1, 0.35, (n_images, n_neurons))
    return np.maximum(drive[shown] * strength + noise, 0).astype(np.float32)
