"""The two charts of a concept's card: bars of its effect on classes, and what their probabilities become."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QLineF, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from widgets import theme
from widgets.classes.effect_rows import UNIT, EffectRows, signed_text
from widgets.palette import blend
from widgets.quantity_text import count_text, share_text

NAME_SHARE = 0.36
"""Of the width, for the names of the classes."""

_GAP = 8
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class EffectBars(QWidget):
    """One horizontal bar a class on a common scale from zero, over the grey range of random directions.

    Bars beyond that range are filled and named in bold, the others hollow. Up and Down walk along the
    classes and say each in full.

    Signals
    -------
    focus_changed()
        The keys go here now, or no longer.
    """

    focus_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: EffectRows | None = None
        self._color = QColor()
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_rows(self, rows: EffectRows, color: QColor) -> None:
        """Show classes in the colour of their concept."""
        if rows is not self._rows:
            self._current = -1
        self._rows, self._color = rows, color
        self.setAccessibleName(f"Effect on classes, {UNIT}")
        self.setAccessibleDescription(rows.description())
        self.updateGeometry()
        self.update()

    # --- geometry ---------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Take a line for the headings and one for each class."""
        n = 0 if self._rows is None else len(self._rows.classes) + self._rows.has_gap
        return QSize(320, (n + 1) * self._line())

    def minimumSizeHint(self) -> QSize:
        """Be as high as the classes, however narrow."""
        return QSize(200, self.sizeHint().height())

    def row_rect(self, row: int) -> QRectF:
        """Return the place of a class, the names and figures included."""
        assert self._rows is not None
        below = 1 + row + (self._rows.has_gap and row >= self._rows.n_before_gap)
        return QRectF(0, below * self._line(), self.width(), self._line())

    def bar_rect(self, row: int) -> QRectF:
        """Return a class's bar: from zero to its sensitivity."""
        assert self._rows is not None
        place = self.row_rect(row)
        return self._span(0.0, self._rows.classes[row].sensitivity, place.adjusted(0, 5, 0, -5))

    def null_rect(self, row: int) -> QRectF:
        """Return the grey range of the random directions of a class."""
        assert self._rows is not None
        one = self._rows.classes[row]
        return self._span(one.null_low, one.null_high, self.row_rect(row).adjusted(0, 1, 0, -1))

    def _line(self) -> int:
        return self.fontMetrics().height() + 6

    def _plot(self) -> tuple[float, float]:
        """Return where the bars begin and end."""
        metrics = QFontMetrics(theme.scaled_font(self.font(), 1.0, bold=True))
        figures = metrics.horizontalAdvance("−0.0000") + metrics.horizontalAdvance("100 %") + 2 * _GAP
        return self.width() * NAME_SHARE + _GAP, self.width() - figures - _GAP

    def _x(self, value: float) -> float:
        assert self._rows is not None
        values = [0.0]
        for one in self._rows.classes:
            values += [one.sensitivity, one.null_low, one.null_high]
        low, high = min(values), max(values)
        left, right = self._plot()
        return left + (value - low) / ((high - low) or 1.0) * (right - left)

    def _span(self, low: float, high: float, place: QRectF) -> QRectF:
        a, b = sorted((self._x(low), self._x(high)))
        return QRectF(a, place.y(), b - a, place.height())

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the headings and the classes."""
        if self._rows is None or not self._rows.classes:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_headings(painter)
        for row in range(len(self._rows.classes)):
            self._draw_row(painter, row)
        if self._rows.has_gap:
            self._draw_gap(painter, self._rows)
        zero, last = self._x(0.0), self.row_rect(len(self._rows.classes) - 1)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1))
        painter.drawLine(QLineF(zero, self._line(), zero, last.bottom()))

    def _draw_headings(self, painter: QPainter) -> None:
        painter.setFont(theme.scaled_font(self.font(), 0.85))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        place = QRectF(0, 0, self.width(), self._line())
        painter.drawText(place, int(_RIGHT), "TCAV")
        value = QRectF(0, 0, self._value_end(), self._line())
        shown = painter.fontMetrics().elidedText(UNIT, Qt.TextElideMode.ElideRight, int(value.width() - _GAP))
        painter.drawText(value, int(_RIGHT), shown)

    def _value_end(self) -> float:
        bold = QFontMetrics(theme.scaled_font(self.font(), 1.0, bold=True))
        return self.width() - bold.horizontalAdvance("100 %") - _GAP

    def _draw_row(self, painter: QPainter, row: int) -> None:
        assert self._rows is not None
        one, place, palette = self._rows.classes[row], self.row_rect(row), self.palette()
        base, text = (palette.color(role) for role in (QPalette.ColorRole.Base, QPalette.ColorRole.Text))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(blend(text, base, 0.16))
        painter.drawRect(self.null_rect(row))
        bar = self.bar_rect(row)
        painter.setPen(QPen(self._color, 1.4))
        painter.setBrush(self._color if one.beyond_null else Qt.BrushStyle.NoBrush)
        painter.drawRect(bar.adjusted(0.7, 0.7, -0.7, -0.7) if bar.width() > 2 else bar)
        painter.setFont(theme.scaled_font(self.font(), 1.0, bold=one.beyond_null))
        painter.setPen(text if one.beyond_null else palette.color(QPalette.ColorRole.PlaceholderText))
        name = QRectF(3, place.y(), self.width() * NAME_SHARE - 3, place.height())
        shown = painter.fontMetrics().elidedText(one.name, Qt.TextElideMode.ElideRight, int(name.width()))
        painter.drawText(name, int(_LEFT), shown)
        value = QRectF(0, place.y(), self._value_end(), place.height())
        painter.drawText(value, int(_RIGHT), signed_text(one.sensitivity))
        painter.drawText(place.adjusted(0, 0, -2, 0), int(_RIGHT), share_text(one.positive_share))
        if row == self._current and self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)

    def _draw_gap(self, painter: QPainter, rows: EffectRows) -> None:
        above = self.row_rect(rows.n_before_gap - 1)
        painter.setFont(theme.scaled_font(self.font(), 0.85))
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        n = count_text(rows.n_classes - len(rows.classes), "class", "classes")
        place = above.translated(3, self._line())
        place.setWidth(self.width() * NAME_SHARE - 3)
        painter.drawText(place, int(_LEFT), f"⋮ {n}")

    # --- one class --------------------------------------------------------------------------------

    def current_row(self) -> int:
        """Return the class that the keys walked to, −1 before."""
        return self._current

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Walk along the classes."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        n = 0 if self._rows is None else len(self._rows.classes)
        if step is None or not 0 <= self._current + step < n:
            super().keyPressEvent(event)  # the cards scroll on from the last one
            return
        self._current += step
        self.update()
        place = self.row_rect(self._current)
        self._say(self._current, QPoint(round(place.x()) + _GAP, round(place.bottom())))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the card to show its frame."""
        super().focusInEvent(event)
        self.focus_changed.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the card to show its frame no longer."""
        super().focusOutEvent(event)
        self.focus_changed.emit()

    def event(self, event: QEvent) -> bool:
        """Say the class under the pointer in full."""
        if isinstance(event, QHelpEvent) and self._rows is not None:
            for row in range(len(self._rows.classes)):
                if self.row_rect(row).contains(event.pos()):
                    self._say(row, event.pos())
                    return True
            QToolTip.showText(event.globalPos(), HEADINGS, self)
            return True
        return super().event(event)

    def _say(self, row: int, where: QPoint) -> None:
        assert self._rows is not None
        sentence = self._rows.classes[row].sentence(self._rows.n_images)
        self.setAccessibleName(sentence)
        QToolTip.showText(self.mapToGlobal(where), sentence, self)


HEADINGS = (
    f"Bars: {UNIT}, the change of the class's logit for moving the layer's pooled activations by one unit "
    "along the concept vector, averaged over the images.\nGrey: 95 % of 100 random directions; by chance, 5 "
    "in 100 classes lie beyond it.\nTCAV: share of the images in which the concept raises the class."
)


class ProbabilityRows(QWidget):
    """Classes and their probability before and after the concept is projected out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: EffectRows | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Softmax output, averaged over the images: as the network is → with the concept vector projected "
            "out of the layer's activations at each position, in per cent"
        )

    def set_rows(self, rows: EffectRows) -> None:
        """Show the changes of an effect."""
        self._rows = rows
        self.setAccessibleName("Probabilities without the concept")
        self.setAccessibleDescription(", ".join(f"{one.name}: {one.text()}" for one in rows.changes))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Take a line for each class."""
        n = 0 if self._rows is None else len(self._rows.changes)
        return QSize(320, n * (self.fontMetrics().height() + 3))

    def minimumSizeHint(self) -> QSize:
        """Be as high as the classes, however narrow."""
        return QSize(200, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw names and figures."""
        if self._rows is None:
            return
        painter = QPainter(self)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        metrics, line = painter.fontMetrics(), self.fontMetrics().height() + 3
        arrow = metrics.horizontalAdvance(" → ")
        figure = metrics.horizontalAdvance("< 0.1 %") + 4
        for row, change in enumerate(self._rows.changes):
            y, right = row * line, self.width() - 2
            name = QRectF(3, y, right - 2 * figure - arrow - _GAP, line)
            shown = metrics.elidedText(change.name, Qt.TextElideMode.ElideRight, int(name.width()))
            painter.drawText(name, int(_LEFT), shown)
            after = QRectF(right - figure, y, figure, line)
            painter.drawText(after, int(_RIGHT), share_text(change.after))
            middle = QRectF(after.x() - arrow, y, arrow, line)
            painter.drawText(middle, int(Qt.AlignmentFlag.AlignCenter), "→")
            painter.drawText(
                QRectF(middle.x() - figure, y, figure, line), int(_RIGHT), share_text(change.before)
            )
