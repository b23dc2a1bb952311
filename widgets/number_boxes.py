"""Spin and combo boxes for parameters: exact numbers, and no change by a wheel that only scrolls past."""

from __future__ import annotations

import math
import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel, QValidator, QWheelEvent
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QSpinBox, QWidget

_LARGEST = sys.float_info.max
_SIGNIFICANT_DIGITS = 6
_DECIMALS = 12  # kept by the box; what is shown is shorter


class WholeNumberBox(QSpinBox):
    """A spin box that reports a typed whole number at Enter, or when the focus leaves."""

    def __init__(self, lowest: int, highest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(lowest, highest)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only for who has the focus here."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class PreciseNumberBox(QDoubleSpinBox):
    """A spin box that keeps a number in double precision and shows six significant digits of it.

    Leaving the box, or Enter, without a change of the text leaves the number as it is.
    """

    def __init__(
        self,
        lowest: float = 0.0,
        highest: float = _LARGEST,
        *,
        whole: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        self._whole = whole
        super().__init__(parent)
        self.setDecimals(0 if whole else _DECIMALS)
        self.setRange(lowest, highest)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only for who has the focus here."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def textFromValue(self, value: float) -> str:
        """Return the number with six significant digits, or all of them if it is whole."""
        if value >= _LARGEST:
            return "∞"
        if self._whole:
            return f"{value:.0f}"
        text = f"{value:.{_SIGNIFICANT_DIGITS}g}"
        if "e+" in text and value < 1e15:
            return f"{value:.0f}"
        return text

    def valueFromText(self, text: str) -> float:
        """Return the number that a text means; the exact one for the text on show."""
        if text.strip() == self.textFromValue(self.value()):
            return self.value()
        number = _number(text)
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """Accept numbers in range, with a decimal point or comma."""
        number = _number(text)
        if number is not None:
            whole_enough = not self._whole or number == int(min(number, 2**53))
            in_range = self.minimum() <= number <= self.maximum()
            state = QValidator.State.Acceptable if in_range and whole_enough else QValidator.State.Invalid
            return state, text, position
        unfinished = all(character in "0123456789.,eE+-∞inf " for character in text)
        return (QValidator.State.Intermediate if unfinished else QValidator.State.Invalid), text, position


class ChoiceBox(QComboBox):
    """A combo box of named choices, some of which may be out of the question, with the reason.

    Each item's data is the value that stands for it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn only for who has the focus here."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def add_choice(self, text: str, value: str, tooltip: str = "") -> None:
        """Add one choice."""
        self.addItem(text, value)
        self.setItemData(self.count() - 1, tooltip, Qt.ItemDataRole.ToolTipRole)
        self.setItemData(self.count() - 1, tooltip, Qt.ItemDataRole.UserRole + 1)

    def choice(self) -> str:
        """Return the value of the current choice."""
        return str(self.currentData())

    def choose(self, value: str) -> None:
        """Make this the current choice, without a signal."""
        self.blockSignals(True)
        self.setCurrentIndex(self.findData(value))
        self.blockSignals(False)

    def forbid(self, value: str, reason: str) -> None:
        """Make a choice selectable (no reason) or not selectable, with the reason as its tooltip."""
        row = self.findData(value)
        model = self.model()
        if row < 0 or not isinstance(model, QStandardItemModel):
            raise ValueError(f"there is no choice {value!r}")
        model.item(row).setEnabled(not reason)
        tooltip = reason or self.itemData(row, Qt.ItemDataRole.UserRole + 1)
        self.setItemData(row, tooltip, Qt.ItemDataRole.ToolTipRole)

    def is_allowed(self, value: str) -> bool:
        """Return whether a choice can be selected."""
        model = self.model()
        return isinstance(model, QStandardItemModel) and model.item(self.findData(value)).isEnabled()


def _number(text: str) -> float | None:
    text = text.strip().replace(",", ".")
    if text in ("∞", "inf"):
        return _LARGEST
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
