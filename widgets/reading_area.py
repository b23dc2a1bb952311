"""A scroll area for what is only read: the keys scroll it, so it takes the focus, and shows that."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QFocusEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

_EDGE = 2


class ReadingArea(QScrollArea):
    """Scrolls a widget that fills its width; around it is a frame while it has the focus."""

    def __init__(self, content: QWidget, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setViewportMargins(_EDGE, _EDGE, _EDGE, _EDGE)
        self.setAccessibleName(name)
        self.setWidget(content)

    def event(self, event: QEvent) -> bool:
        """Paint the frame beside the viewport: what is painted in it, the content covers."""
        handled = bool(super().event(event))
        if event.type() == QEvent.Type.Paint and self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), _EDGE))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
            painter.end()
        return handled

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the frame."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the frame away."""
        super().focusOutEvent(event)
        self.update()
