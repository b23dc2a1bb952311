"""One concept's card: what it does to the classes, and what they are without it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from widgets import theme
from widgets.classes.effect_bars import EffectBars, ProbabilityRows
from widgets.classes.effect_rows import EffectRows
from widgets.labels import ElidedLabel, secondary_label
from widgets.palette import text_color_on

WIDTHS = 380, 620
"""Smallest and largest width of a card, in pixels."""


@dataclass(frozen=True)
class ConceptCard:
    """One card: the concept's key, title, colour and letter, and of how many members it has."""

    key: int
    title: str
    color: QColor
    marker: str
    size: int


class _Swatch(QWidget):
    """The concept's letter on its colour."""

    def __init__(self) -> None:
        super().__init__()
        self.color, self.marker = QColor(), ""
        self.setFixedSize(QSize(20, 20))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.color)
        painter.drawRoundedRect(QRectF(self.rect()), 5, 5)
        painter.setPen(text_color_on(self.color))
        painter.setFont(theme.scaled_font(self.font(), 0.9, bold=True))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.marker)


class ConceptEffectCard(QWidget):
    """Title, bars of the effect, and probabilities without the concept; waits for them at first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._card: ConceptCard | None = None
        self._rows: EffectRows | None = None
        self._swatch = _Swatch()
        self._title = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self._title.setFont(theme.scaled_font(self._title.font(), 1.0, bold=True))
        self._count = secondary_label()
        self._count.setWordWrap(False)
        self._waiting = secondary_label()
        self._without = secondary_label("Probability, as it is → with the concept projected out")
        self._without.setWordWrap(False)
        self.bars = EffectBars()
        self.probabilities = ProbabilityRows()
        self.bars.focus_changed.connect(self.update)
        self._arrange()

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(theme.SPACING)
        head.addWidget(self._swatch)
        head.addWidget(self._title, 1)
        head.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.MARGIN, theme.MARGIN - 2, theme.MARGIN, theme.MARGIN - 2)
        layout.setSpacing(theme.SPACING // 2)
        layout.addLayout(head)
        layout.addWidget(self._waiting)
        layout.addWidget(self.bars)
        layout.addSpacing(theme.SPACING // 2)
        layout.addWidget(self._without)
        layout.addWidget(self.probabilities)
        layout.addStretch(1)

    def show_card(self, card: ConceptCard, rows: EffectRows | None, waiting: str) -> None:
        """Show a concept and its effect, or without one a sentence that says why there is none (yet)."""
        self._card, self._rows = card, rows
        self._swatch.color, self._swatch.marker = card.color, card.marker
        self._swatch.update()
        self._title.setText(card.title)
        self._count.setText(_count_text(card.size, rows))
        self._count.setToolTip("The images of the concept that were put through the network")
        self._waiting.setText(waiting)
        self._waiting.setVisible(rows is None)
        for part in (self.bars, self._without, self.probabilities):
            part.setVisible(rows is not None)
        if rows is not None:
            self.bars.set_rows(rows, card.color)
            self.probabilities.set_rows(rows)
        self.setAccessibleName(f"What {card.title} does to the classes")
        self.setAccessibleDescription(waiting if rows is None else rows.description())
        self.updateGeometry()
        self.update()

    def rows(self) -> EffectRows | None:
        """Return what is listed, None while it is waited for."""
        return self._rows

    def waiting(self) -> str:
        """Return the sentence in the effect's place, "" where it is there."""
        return self._waiting.text() if self._rows is None else ""

    def title(self) -> str:
        """Return the concept's name."""
        return self._title.text()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card's ground, its frame strong while the keys go to it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, strong = self.palette(), self.bars.hasFocus()
        role = QPalette.ColorRole.Accent if strong else QPalette.ColorRole.Mid
        painter.setPen(QPen(palette.color(role), 2 if strong else 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)


def _count_text(size: int, rows: EffectRows | None) -> str:
    if rows is None or rows.n_images == size:
        return f"{size} images"
    return f"{rows.n_images} of {size} images"
