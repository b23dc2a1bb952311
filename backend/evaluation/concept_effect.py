"""What a concept does to a classifier's outputs: derivatives along its vector, and its removal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.errors import ImageError, ModelError
from backend.evaluation.concept_effect_result import ConceptEffect
from backend.image_files.image_preprocessing import preprocess_image
from backend.networks.layer_pooling import LayerPooling, unsupported_reason
from backend.networks.layer_reader import LayerOutputs
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling
from backend.networks.normalisation import normalise
from backend.task import SilentTask, Task

N_NULL = 100
"""Random directions that a sensitivity is compared with."""

_BATCH = 8


def concept_effect(
    loaded: LoadedModel,
    layer: str,
    images: Sequence[Path],
    vector: NDArray[np.floating],
    *,
    pooling: Pooling | None = None,
    n_null: int = N_NULL,
    seed: int = 0,
    task: Task | None = None,
) -> ConceptEffect:
    """Measure how a classifier's outputs follow a concept vector, and what they are without it.

    Parameters
    ----------
    loaded
        A classifier. It stays as it is.
    layer, pooling
        Where the vector belongs, and how the layer was pooled (None: the default of its output).
    images
        The concept's members; those that cannot be read are passed over.
    vector
        float (d,): the concept vector v, of norm 1.
    n_null
        Number of random directions; see :class:`ConceptEffect`.
    seed
        Of the random directions.
    task
        Progress and cancellation.

    Raises
    ------
    ModelError
        If there is no such layer, the vector does not belong to it, or the network gives no class outputs.
    ImageError
        If none of the images can be read.
    Cancelled
        If the task was asked to stop.

    Notes
    -----
    One forward pass gives all derivatives: the gradient of u · logits at the layer is linear in u, so that
    its product with a direction, differentiated by u, is the derivative of every logit along it.
    Source: Kim et al., "Interpretability Beyond Feature Attribution: Quantitative Testing with Concept
    Activation Vectors", 2018, section 3.3.
    """
    task = task or SilentTask()
    directions = np.concatenate(
        [np.asarray(vector, dtype=np.float32)[np.newaxis], _shuffled(vector, n_null, seed)]
    )
    probe = _Probe(loaded, layer, pooling)
    along, before, without = [], [], []
    for done, pixels in _decoded(images, loaded):
        task.check_cancelled()
        task.progress(done, len(images), "Following the concept to the classes")
        batch = normalise(pixels, loaded.preprocessing)
        logits, derivatives = probe.derivatives(batch, torch.from_numpy(directions), task)
        along.append(derivatives)
        before.append(logits.softmax(dim=1).numpy())
        without.append(probe.without(batch, torch.from_numpy(directions[0])).softmax(dim=1).numpy())
    if not along:
        raise ImageError(
            "None of the concept's images can be read: connect their drive, or locate the images."
        )
    each = np.concatenate(along, axis=1).astype(np.float64)  # (1 + n_null, images, K)
    averages = each.mean(axis=1)
    low, high = (
        np.percentile(averages[1:], (2.5, 97.5), axis=0) if n_null else np.zeros((2, averages.shape[1]))
    )
    return ConceptEffect(
        n_images=each.shape[1],
        sensitivities=averages[0],
        positive_shares=(each[0] > 0).mean(axis=0),
        null_low=low,
        null_high=high,
        n_null=n_null,
        probabilities=np.concatenate(before).mean(axis=0, dtype=np.float64),
        probabilities_without=np.concatenate(without).mean(axis=0, dtype=np.float64),
    )


def _shuffled(vector: NDArray[np.floating], n: int, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    directions = [rng.permutation(vector) for _ in range(n)]
    return np.array(directions, dtype=np.float32).reshape(n, len(vector))


def _decoded(images: Sequence[Path], loaded: LoadedModel) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield how many images were taken before, and the pixels of the next few that can be read."""
    for start in range(0, len(images), _BATCH):
        pixels = []
        for path in images[start : start + _BATCH]:
            try:
                pixels.append(preprocess_image(path, loaded.preprocessing))
            except ImageError:
                continue  # its row is missing from the layer's activations for the same reason
        if pixels:
            yield start, np.stack(pixels)


class _Probe:
    """The part of a network behind one layer, looked at from that layer."""

    def __init__(self, loaded: LoadedModel, layer: str, pooling: Pooling | None) -> None:
        self._layer = layer
        self._pooling = pooling
        self._outputs = LayerOutputs(loaded.module, (layer,))
        self._layer_pooling = LayerPooling(loaded.module)

    def derivatives(
        self, batch: Tensor, directions: Tensor, task: Task
    ) -> tuple[Tensor, NDArray[np.float32]]:
        """Return the logits (B, K), and the derivative of each along each direction, (directions, B, K)."""
        at_layer: list[Tensor] = []

        def replace(_layer: str, output: object) -> Tensor:
            at_layer.append(self._checked(output, len(batch), directions.shape[1]).detach())
            at_layer[0].requires_grad_(True)
            # The network may change it in place, which a leaf does not allow.
            return at_layer[0].clone()

        with torch.enable_grad():
            logits = self._logits(self._outputs.run_through(batch, replace), len(batch))
            weights = torch.ones_like(logits, requires_grad=True)
            (gradient,) = torch.autograd.grad(logits, at_layer[0], weights, create_graph=True)
            # (B, d): what one more unit of each neuron does, at all positions alike.
            pooled = self._over_positions(gradient)
            found = []
            for direction in directions:
                task.check_cancelled()
                (along,) = torch.autograd.grad((pooled @ direction).sum(), weights, retain_graph=True)
                found.append(along.detach().numpy())
        return logits.detach(), np.stack(found)

    def without(self, batch: Tensor, direction: Tensor) -> Tensor:
        """Return the logits (B, K) with a direction projected out of the layer's activations."""

        def replace(_layer: str, output: object) -> Tensor:
            assert isinstance(output, Tensor)
            changed = output.clone()
            # A view: the channels last, without the tokens that were not pooled.
            positions = self._positions(changed)
            positions -= (positions @ direction)[..., None] * direction
            return changed

        with torch.no_grad():
            return self._logits(self._outputs.run_through(batch, replace), len(batch))

    def _over_positions(self, gradient: Tensor) -> Tensor:
        positions = self._positions(gradient)
        return positions.flatten(1, -2).sum(dim=1) if positions.dim() > 2 else positions

    def _positions(self, output: Tensor) -> Tensor:
        """Return a view of what is pooled, (B, …, d)."""
        return self._layer_pooling.pooled_part(output, self._pooling)

    def _checked(self, output: object, n_images: int, n_components: int) -> Tensor:
        if reason := unsupported_reason(output, n_images):
            raise ModelError(f"The layer '{self._layer}' cannot be followed to the classes: it {reason}.")
        assert isinstance(output, Tensor)
        n_neurons = self._positions(output).shape[-1]
        if n_neurons != n_components:
            raise ModelError(
                f"The concept vector has {n_components} components, but the layer '{self._layer}' has "
                f"{n_neurons} neurons: they belong to another layer or model."
            )
        return output

    def _logits(self, output: object, n_images: int) -> Tensor:
        if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != n_images:
            raise ModelError(
                "The network's output is not one value for each class and image, so that a concept cannot be "
                "followed to classes."
            )
        return output
