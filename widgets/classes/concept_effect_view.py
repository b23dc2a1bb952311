"""What the concepts of a neuron do to the classes: a card for each."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from widgets import theme
from widgets.classes.concept_effect_card import WIDTHS, ConceptCard, ConceptEffectCard
from widgets.classes.effect_bars import HEADINGS
from widgets.classes.effect_rows import EffectRows
from widgets.flow_layout import FlowLayout
from widgets.labels import EmptyState, MessageLabel, secondary_label
from widgets.reading_area import ReadingArea

WAITING = "Being computed…"

_EXPLANATION = (
    "Bars: how much each class's logit rises (to the right) or falls for each unit of activation along the "
    "concept, averaged over at most {n} of its images. Grey: 95 % of random directions. Filled bars with "
    "bold names lie beyond it, hollow ones within."
)


class ConceptEffectView(QWidget):
    """Cards with bars, or a sentence that says why there are none. Setters send no signals.

    Parameters
    ----------
    most_images
        How many images of a concept are looked at, for the sentence on top.

    Signals
    -------
    shown()
        The view came into sight.
    action_requested()
        The user pressed the button below the message.
    """

    shown = Signal()
    action_requested = Signal()

    def __init__(self, most_images: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("What the concept does to the classes")
        self._cards: list[ConceptEffectCard] = []
        self._keys: tuple[int, ...] = ()
        explanation = secondary_label(_EXPLANATION.format(n=most_images))
        explanation.setToolTip(HEADINGS)
        self._problem = MessageLabel()
        self._area = QWidget()
        self._flow = FlowLayout(self._area, spacing=theme.MARGIN)
        self._scroll = ReadingArea(self._area, "Effect of each concept on the classes")
        self.empty_state = EmptyState("network")
        self.empty_state.action_requested.connect(self.action_requested)
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        column.setContentsMargins(theme.MARGIN, theme.SPACING, theme.MARGIN, 0)
        column.setSpacing(theme.SPACING)
        column.addWidget(explanation)
        column.addWidget(self._problem)
        column.addWidget(self._scroll, 1)
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self.empty_state)
        self._pages.addWidget(self._content)
        self.set_message("")

    def set_cards(
        self, cards: Sequence[tuple[ConceptCard, EffectRows | None]], waiting: str = WAITING
    ) -> None:
        """Show a card for each concept; ``waiting`` stands where there is no effect (yet)."""
        while len(self._cards) > len(cards):
            self._flow.takeAt(len(self._cards) - 1)
            self._cards.pop().deleteLater()
        while len(self._cards) < len(cards):
            self._cards.append(ConceptEffectCard(self._area))
            self._flow.insertWidget(len(self._cards) - 1, self._cards[-1])
            self._cards[-1].show()
        for view, (card, rows) in zip(self._cards, cards, strict=True):
            view.show_card(card, rows, waiting)
        self._keys = tuple(card.key for card, _ in cards)
        self._pages.setCurrentWidget(self._content)
        self._fit()

    def card(self, key: int) -> ConceptEffectCard:
        """Return the card of a concept."""
        return self._cards[self._keys.index(key)]

    def concepts(self) -> tuple[int, ...]:
        """Return the concepts that have a card."""
        return self._keys

    def set_problem(self, text: str) -> None:
        """Say above the cards why effects are missing; empty: nothing is wrong."""
        self._problem.show_message(text, "warning")

    def problem(self) -> str:
        """Return the sentence above the cards."""
        return self._problem.text()

    def set_message(self, text: str, title: str = "Nothing to show", action: str = "") -> None:
        """Show a sentence instead of cards, and a button for what can be done; empty asks for a neuron."""
        sentence = text or "Choose a neuron to see what its concepts do to the network's classes."
        self.empty_state.show_state("network", title, sentence, action)
        self.set_problem("")
        self._keys = ()
        self._pages.setCurrentWidget(self.empty_state)

    def message(self) -> str:
        """Return the sentence shown instead of cards; empty while there are cards."""
        return "" if self._pages.currentWidget() is self._content else self.empty_state.text()

    def _fit(self) -> None:
        """Share the width among as many cards in a row as there is room for."""
        room = self.width() - 2 * theme.MARGIN - self._scroll.verticalScrollBar().sizeHint().width()
        least, most = WIDTHS
        in_row = max(1, min((room + theme.MARGIN) // (least + theme.MARGIN), max(len(self._cards), 1)))
        width = (room - (in_row - 1) * theme.MARGIN) // in_row
        for card in self._cards:
            card.setFixedWidth(max(260, min(width, most)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width anew."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that there is somebody to look."""
        super().showEvent(event)
        self.shown.emit()
