"""A model ready to be read: what loading returns and everything that runs a model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    from backend.networks.model_source import ModelSource, Preprocessing


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in evaluation mode, float32, on the processor, its parameters not requiring gradients.

    Gradients with respect to the *input* can be taken through it.

    Parameters
    ----------
    module
        The network. Takes float32 (B, C, H, W).
    preprocessing
        How images become its input.
    weights_sha256
        SHA-256 (64 hexadecimal digits) over names and values of its parameters and buffers; it belongs to the
        contents, whichever file they came from.
    source
        Where it came from.
    class_names
        Names of the outputs of the classifier, or None if unknown.
    """

    module: nn.Module
    preprocessing: Preprocessing
    weights_sha256: str
    source: ModelSource
    class_names: tuple[str, ...] | None = None
