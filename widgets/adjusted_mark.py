"""The line that says that a result was changed by hand, and leads back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from widgets import theme
from widgets.labels import ElidedLabel, Pictogram
from widgets.quantity_text import count_text


class AdjustedMark(QWidget):
    """Says what a person adjusted in the neuron and excluded from the project; hidden while there is nothing.

    Signals
    -------
    reset_requested()
        The user wants the neuron's concepts as the method found them.
    excluded_requested()
        The user wants to see the excluded images.
    """

    reset_requested = Signal()
    excluded_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = Pictogram("move", 16, QPalette.ColorRole.Accent)
        self._text = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self.reset_button = _button("&Reset", "Return to the method's own concepts (can be undone)")
        self.reset_button.clicked.connect(lambda _checked=False: self.reset_requested.emit())
        self.excluded_button = _button("", "Show the images that are excluded from the project's analysis")
        self.excluded_button.clicked.connect(lambda _checked=False: self.excluded_requested.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING)
        for widget in (self._sign, self._text, self.reset_button, self.excluded_button):
            layout.addWidget(widget, 1 if widget is self._text else 0)
        self.show_adjustments("", n_excluded=0)

    def text(self) -> str:
        """Return the sentence on show; empty if there is none."""
        return self._text.text()

    def show_adjustments(self, text: str, *, n_excluded: int) -> None:
        """Show what was adjusted in the neuron, and how many images the project's analysis leaves out."""
        excluded = f"{count_text(n_excluded, 'image')} excluded"
        self._text.setText(text or (f"{excluded} from the project's analysis" if n_excluded else ""))
        self.setAccessibleName(self._text.text())
        self.reset_button.setVisible(bool(text))
        self.excluded_button.setText(f"{excluded}…" if text else "Show…")
        self.excluded_button.setAccessibleName(f"Show the excluded images ({n_excluded:,})")
        self.excluded_button.setVisible(n_excluded > 0)
        self.setVisible(bool(text) or n_excluded > 0)


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tooltip)
    return button
