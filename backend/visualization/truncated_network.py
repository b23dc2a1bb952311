"""A network that stops at the layer that is looked at, and that Lucent may put its hooks on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import nn

from backend.errors import ModelError
from backend.layer_pooling import channel_axis, unsupported_reason
from backend.layer_reader import find_layer
from backend.task import Cancelled
from backend.visualization.redirected_relu import RedirectRectifiers

TARGET = "target"
"""The name under which Lucent finds the layer."""

_REDIRECTED_STEPS = 16  # As in Lucid: the first steps, in which a random start may excite nothing.


class _ReachedLayer(BaseException):
    """Ends a forward pass at the layer that is wanted; a model's own error handling does not stop it."""


class TruncatedNetwork(nn.Module):
    """Runs a network up to one layer and passes that layer's activations through :attr:`target`.

    The network itself is no submodule of it: Lucent puts a hook on every submodule that it finds and never
    takes one away, and so finds nothing but ``target``. Use it within :meth:`attached`.

    While an image receives no gradient at all, and in the first steps, gradients pass through silent
    rectifiers (:mod:`backend.visualization.redirected_relu`).

    Parameters
    ----------
    network
        In evaluation mode.
    layer
        Name of one of its layers, as :func:`backend.models.list_layers` gives it.

    Raises
    ------
    ModelError
        If there is no such layer.
    """

    def __init__(self, network: nn.Module, layer: str) -> None:
        super().__init__()
        self.target = nn.Identity()
        self._hidden = (network,)
        self._name = layer
        self._address = find_layer(network, layer)
        self._activations: torch.Tensor | None = None
        self._n_runs = 0
        self._n_passes = 0
        self._silent = False

    @contextmanager
    def attached(self) -> Iterator[TruncatedNetwork]:
        """Keep the one hook on the layer for as long as this context lasts."""
        handle = self._hidden[0].get_submodule(self._address.module).register_forward_hook(self._stop)
        try:
            yield self
        finally:
            handle.remove()
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
        redirected = self._n_passes < _REDIRECTED_STEPS or self._silent
        self._n_passes += 1
        if images.requires_grad:
            images.register_hook(self._note_silence)  # type: ignore[no-untyped-call]
        self._activations, self._n_runs = None, 0
        try:
            with RedirectRectifiers() if redirected else nullcontext():
                self._hidden[0](images)
        except _ReachedLayer:
            pass
        except (ModelError, Cancelled):
            raise
        except Exception as error:
            # Lucent would take a RuntimeError for a picture that is too small, and go on.
            side = images.shape[-1]
            raise ModelError(f"The model fails on a picture of {side} × {side} pixels: {error}") from error
        return self._through_target()

    def _through_target(self) -> torch.Tensor:
        if self._activations is None:
            raise ModelError(f"The layer '{self._name}' does not run in the model's forward pass.")
        target: torch.Tensor = self.target(self._activations)
        return target

    def _stop(self, module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        self._n_runs += 1
        if self._n_runs <= self._address.run:
            return
        reason = unsupported_reason(output, len(output))
        if reason:
            raise ModelError(f"The layer '{self._name}' cannot be rendered: it {reason}.")
        self._activations = output.movedim(-1, 1) if channel_axis(output.shape) == 3 else output
        raise _ReachedLayer

    def _note_silence(self, gradient: torch.Tensor) -> None:
        self._silent = bool((gradient.flatten(1).abs().amax(dim=1) == 0).any())
