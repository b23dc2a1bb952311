"""Feature visualisation: the neuron beside each of its concepts, each picture appearing as it is optimised."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class VisualizationCard:
    """One card: the key of its direction, a title, and the concept's colour and marker letter."""

    key: str
    title: str
    color: QColor | None = None
    marker: str = ""
    caption: str = ""


class FeatureVisualizationPanel(QWidget):
    """Settings, Start, Cancel and a card for each direction.

    Signals
    -------
    start_requested(VisualizationSettings), cancel_requested()
        What the user asks for.
    save_requested(str, str)
        Key of the card and the PNG file the user chose.
    """

    start_requested = Signal(object)
    cancel_requested = Signal()
    save_requested = Signal(str, str)

    def set_cards(self, cards: Sequence[VisualizationCard]) -> None:
        """Show these cards; pictures whose key stays are kept."""

    def update_images(self, result: object) -> None:
        """Show a FeatureVisualization, finished or on its way."""

    def set_running(self, running: bool) -> None: ...
    def set_message(self, text: str) -> None: ...
    def set_available(self, available: bool, reason: str = "") -> None: ...
    def image(self, key: str) -> object:
        """Return the picture of a card as QImage, or None."""
