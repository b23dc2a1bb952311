"""A network that stops at the layer that is looked at, and that Lucent may put its hooks on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from backend.errors import ModelError
from backend.networks.layer_pooling import LayerPooling, unsupported_reason
from backend.networks.layer_reader import LayerOutputs
from backend.networks.model_source import Pooling
from backend.task import Cancelled
from backend.visualization.redirected_relu import RedirectRectifiers

TARGET = "target"
"""The name under which Lucent finds the layer."""


class TruncatedNetwork(nn.Module):
    """Runs a network up to one layer and passes that layer's activations through :attr:`target`.

    The network itself is no submodule of it: Lucent puts a hook on every submodule that it finds and never
    takes one away, and so finds nothing but ``target``. Use it within :meth:`attached`.

    Gradients of pictures that are :attr:`asleep` pass through silent rectifiers
    (:mod:`backend.visualization.redirected_relu`).

    Parameters
    ----------
    network
        In evaluation mode.
    layer
        Name of one of its layers, as :func:`backend.models.list_layers` gives it.
    pooling
        Of a transformer's layer: its class token is rendered, or the image's tokens. None: the layer's
        default.

    Raises
    ------
    ModelError
        If there is no such layer.

    Attributes
    ----------
    asleep
        bool (B,), or None: the pictures to wake up in the next step. A backward pass adds those that received
        no gradient at all.
    """

    def __init__(self, network: nn.Module, layer: str, pooling: Pooling | None = None) -> None:
        super().__init__()
        self.target = nn.Identity()
        self._name = layer
        self._outputs = LayerOutputs(network, (layer,))
        self._layer_pooling = LayerPooling(network)
        self._pooling = pooling
        self._activations: torch.Tensor | None = None
        self.asleep: torch.Tensor | None = None

    @contextmanager
    def attached(self) -> Iterator[TruncatedNetwork]:
        """Forget the last activations when this context ends."""
        try:
            yield self
        finally:
            self._activations = None

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the layer's activations of a normalised batch.

        Parameters
        ----------
        images
            float32 (B, C, H, W).

        Returns
        -------
        activations
            (B, d, h, w) or (B, d).

        Raises
        ------
        ModelError
            If the model cannot run such a batch, never runs the layer, or the layer has no channels.
        """
        if images.requires_grad:
            images.register_hook(self._note_silence)  # type: ignore[no-untyped-call]
        self._activations = None
        try:
            with self._waking():
                self._outputs.run(images, self._take)
        except (ModelError, Cancelled):
            raise
        except Exception as error:
            # Lucent would take a RuntimeError for a picture that is too small, and go on.
            side = images.shape[-1]
            raise ModelError(f"The model fails on a picture of {side} × {side} pixels: {error}") from error
        target: torch.Tensor = self.target(self._activations)
        return target

    def _waking(self) -> AbstractContextManager[object]:
        if self.asleep is None or not bool(self.asleep.any()):
            return nullcontext()
        return RedirectRectifiers(self.asleep)

    def _take(self, _layer: str, output: object) -> None:
        n_images = len(output) if isinstance(output, torch.Tensor) and output.dim() else 0
        reason = unsupported_reason(output, n_images)
        if reason:
            raise ModelError(f"The layer '{self._name}' cannot be rendered: it {reason}.")
        assert isinstance(output, torch.Tensor)
        self._activations = self._layer_pooling.channels_first(output, self._pooling)

    def _note_silence(self, gradient: torch.Tensor) -> None:
        untouched = gradient.flatten(1).abs().amax(dim=1) == 0
        self.asleep = untouched if self.asleep is None else self.asleep | untouched
