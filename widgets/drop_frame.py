"""The frame around what takes a drop, while something is dragged over it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPalette, QPen
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
