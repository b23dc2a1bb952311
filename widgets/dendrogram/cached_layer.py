"""A part of a picture that stays the same while other parts move: painted once, then copied."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPixmap


class CachedLayer:
    """A transparent layer at the resolution of the screen.

    It is painted anew after :meth:`invalidate`, at another size, or on a screen of another scale.
    """

    def __init__(self) -> None:
        self._pixmap: QPixmap | None = None
        self._key: tuple[float, float, float] | None = None

    def invalidate(self) -> None:
        """Forget what was painted."""
        self._key = None

    def paint(self, painter: QPainter, size: QSizeF, paint: Callable[[QPainter], None]) -> None:
        """Paint the layer at the origin of a painter.

        Parameters
        ----------
        painter
            Where the layer goes.
        size
            Of the layer, in device-independent pixels.
        paint
            Paints the layer; called only when it has to be painted anew.
        """
        ratio = painter.device().devicePixelRatioF()
        key = (size.width(), size.height(), ratio)
        if key != self._key or self._pixmap is None:
            pixels = (size * ratio).toSize()
            pixmap = QPixmap(max(1, pixels.width()), max(1, pixels.height()))
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            layer = QPainter(pixmap)
            paint(layer)
            layer.end()
            self._pixmap, self._key = pixmap, key
        painter.drawPixmap(QPointF(0, 0), self._pixmap)
