"""The choice of how a layer's output becomes one value for each neuron."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget

from backend.networks.model_source import Pooling
from widgets.number_boxes import ChoiceBox

_NAMES: dict[Pooling, str] = {
    "mean": "mean over space",
    "max": "max over space",
    "class_token": "class token",
    "token_mean": "mean of tokens",
    "none": "none",
}
_EXPLANATIONS: dict[Pooling, str] = {
    "mean": "How much of the image shows it: the mean over all positions of the feature map, as published.",
    "max": "Whether it is anywhere in the image, however small: the largest value over all positions.",
    "class_token": "What the network gathers of the whole image: its class token alone.",
    "token_mean": "How much of the image shows it: the mean over the image's patches, without class and "
    "register tokens.",
    "none": "The layer gives one value for each neuron already.",
}
_MAX_OF_TOKENS = "max over tokens"


def pooling_name(pooling: Pooling, offered: Sequence[Pooling] = ()) -> str:
    """Return what a pooling is called among those that a layer offers."""
    if pooling == "max" and "token_mean" in offered:
        return _MAX_OF_TOKENS
    return _NAMES[pooling]


class PoolingBox(ChoiceBox):
    """Chooses one of the poolings that a layer offers.

    Signals
    -------
    pooling_chosen(str, str)
        The layer, and its pooling from now on.

    Parameters
    ----------
    layer
        Its name.
    offered
        What can be chosen, the default first.
    pooling
        What is chosen.
    """

    pooling_chosen = Signal(str, str)

    def __init__(
        self, layer: str, offered: Sequence[Pooling], pooling: Pooling, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._layer = layer
        for one in offered:
            self.add_choice(pooling_name(one, offered), one, _EXPLANATIONS[one])
        self.choose(pooling)
        self.setAccessibleName(f"Pooling of {layer}")
        explained = "\n".join(f"{pooling_name(one, offered)}: {_EXPLANATIONS[one]}" for one in offered)
        self.setToolTip(f"How a neuron of {layer} gets one value for an image.\n{explained}")
        self.currentIndexChanged.connect(self._report)

    def pooling(self) -> Pooling:
        """Return the pooling as chosen."""
        return cast(Pooling, self.choice())

    @Slot()
    def _report(self) -> None:
        self.pooling_chosen.emit(self._layer, self.pooling())
