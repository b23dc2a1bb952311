"""The axis of merge heights, linear or logarithmic."""

from __future__ import annotations

import math

import pyqtgraph as pg
from PySide6.QtGui import QFont, QFontMetricsF, QPalette
from PySide6.QtWidgets import QGraphicsSceneResizeEvent

from widgets.dendrogram.dendrogram_state import DendrogramState
from widgets.palette import blend
from widgets.theme import scaled_font

_SMALLER = 0.88
_TICK = 4
_EDGE = 3  # pixels to the left of the name: the frame of the focus is there


def axis_width(font: QFont) -> int:
    """Return the width in pixels of the axis in a font: its name, numbers of five characters, ticks."""
    metrics = QFontMetricsF(scaled_font(font, _SMALLER))
    return math.ceil(metrics.height() + metrics.horizontalAdvance("00.00") + 2 * _TICK + _EDGE)


class HeightAxis(pg.AxisItem):  # type: ignore[misc]
    """Left axis whose positions are those of :meth:`DendrogramState.to_axis`."""

    def __init__(self, state: DendrogramState) -> None:
        super().__init__("left")
        self._state = state
        self.setStyle(tickLength=-_TICK, autoReduceTextSpace=False)
        self.label.document().setDocumentMargin(0)
        self.enableAutoSIPrefix(False)

    def apply_palette(self, palette: QPalette) -> None:
        """Take the colours of a palette."""
        text = palette.color(QPalette.ColorRole.PlaceholderText)
        base = palette.color(QPalette.ColorRole.Base)
        self.setPen(blend(palette.color(QPalette.ColorRole.Text), base, 0.35))
        self.setTextPen(text)
        self.setLabel("merge height", color=text.name())

    def apply_font(self, font: QFont) -> None:
        """Take a font for the name and the ticks."""
        smaller = scaled_font(font, _SMALLER)
        self.setWidth(axis_width(font))
        self.setTickFont(smaller)
        self.label.setFont(smaller)
        self.resizeEvent()

    def resizeEvent(self, ev: QGraphicsSceneResizeEvent | None = None) -> None:
        """Put the name of the axis at its left edge, wholly in sight."""
        super().resizeEvent(ev)
        if self.label is not None:  # the base class drops it when it closes
            self.label.setPos(_EDGE, (self.size().height() + self.label.boundingRect().width()) / 2)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N803
        """Return the places of the ticks: round heights."""
        if not self._state.log_height:
            values: list[tuple[float, list[float]]] = super().tickValues(minVal, maxVal, size)
            return values
        return [(1.0, log_ticks(min(minVal, maxVal), max(minVal, maxVal)))]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Return the heights to write beside the ticks."""
        if not self._state.log_height:
            strings: list[str] = super().tickStrings(values, scale, spacing)
            return strings
        return [f"{10.0**value:.4g}" for value in values]


def log_ticks(low: float, high: float) -> list[float]:
    """Return decimal logarithms of round numbers (1, 2, 5 times a power of ten) between two of them.

    Over more than two decades only powers of ten; over less than half a decade every digit.
    """
    span = high - low
    if span > 2:
        factors: tuple[float, ...] = (1,)
    elif span > 0.5:
        factors = (1, 2, 5)
    else:
        factors = (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)
    exponents = range(math.floor(low), math.ceil(high) + 1)
    ticks = [exponent + math.log10(factor) for exponent in exponents for factor in factors]
    return [tick for tick in ticks if low <= tick <= high]
