"""The frame around what takes a drop, while something is dragged over it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QWidget

_WIDTH = 3  # pixels
_RADIUS = 12


def draw_drop_frame(widget: QWidget, margin: int = 0) -> None:
    """Draw a dashed frame, ``margin`` pixels inside a widget that is being painted."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(widget.palette().color(QPalette.ColorRole.Accent), _WIDTH, Qt.PenStyle.DashLine))
    inset = margin + (_WIDTH + 1) // 2
    painter.drawRoundedRect(widget.rect().adjusted(inset, inset, -inset, -inset), _RADIUS, _RADIUS)


class DropFrame(QWidget):
    """A frame around a widget whose contents reach up to its edges; hidden until it is shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        # The pointer, and what it drags, is over what lies beneath.
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def show_around(self, widget: QWidget, margin: int) -> None:
        """Show the frame ``margin`` pixels outside a widget with the same parent."""
        self.setGeometry(widget.geometry().adjusted(-margin, -margin, margin, margin))
        self.raise_()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame."""
        draw_drop_frame(self)
