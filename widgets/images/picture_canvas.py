"""One picture, as large as wanted: zoom at the pointer, pan by dragging."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

ZOOM_STEP = 1.25
MAX_ZOOM = 64.0
_PIXELS_FROM = 12.0
"""From this zoom on the picture's own pixels are shown as squares."""


class PictureCanvas(QWidget):
    """Paints a pixmap; zoom is counted in device-independent pixels to one pixel of the picture.

    Signals
    -------
    zoom_changed(float)
        The zoom, also when it follows the size of the window.
    """

    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap: QPixmap | None = None
        self._overlay: QPixmap | None = None
        self._message = ""
        self._zoom: float | None = None
        self._centre = QPointF(0.5, 0.5)
        self._grabbed: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(160, 120)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)

    def sizeHint(self) -> QSize:
        """Return a comfortable size."""
        return QSize(640, 520)

    def show_pixmap(self, pixmap: QPixmap, *, keep_view: bool = False) -> None:
        """Show a picture, whole, or at the present zoom and place."""
        self._pixmap, self._message = pixmap, ""
        if not keep_view:
            self._zoom, self._centre = None, QPointF(0.5, 0.5)
        self._announce()

    def set_overlay(self, overlay: QPixmap | None) -> None:
        """Paint this over the picture, stretched to its size."""
        if overlay is not self._overlay:
            self._overlay = overlay
            self.update()

    def show_message(self, text: str) -> None:
        """Show a sentence instead of a picture."""
        self._pixmap, self._message = None, text
        self.update()

    def message(self) -> str:
        """Return the sentence on show, empty while there is a picture."""
        return self._message

    def has_picture(self) -> bool:
        """Tell whether a picture is on show."""
        return self._pixmap is not None

    def zoom(self) -> float:
        """Return the zoom."""
        return self._zoom if self._zoom is not None else self._fitting_zoom()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom, keeping the point of the picture at ``at`` (the middle by default) where it is."""
        if self._pixmap is None:
            return
        at = QPointF(self.rect().center()) if at is None else at
        before = self._picture_rect()
        share = QPointF((at.x() - before.x()) / before.width(), (at.y() - before.y()) / before.height())
        self._zoom = min(MAX_ZOOM, max(self._fitting_zoom() / 4, self.zoom() * factor))
        after = self._picture_rect()
        shift = QPointF(
            after.x() + share.x() * after.width() - at.x(), after.y() + share.y() * after.height() - at.y()
        )
        self._move_centre(shift)
        self._announce()

    def zoom_to_fit(self) -> None:
        """Show the whole picture, also when the window changes its size."""
        self._zoom, self._centre = None, QPointF(0.5, 0.5)
        self._announce()

    def _fitting_zoom(self) -> float:
        if self._pixmap is None:
            return 1.0
        ratio = min(self.width() / self._pixmap.width(), self.height() / self._pixmap.height())
        return max(0.01, ratio * 0.98)

    def _picture_rect(self) -> QRectF:
        if self._pixmap is None:
            return QRectF()
        width, height = self._pixmap.width() * self.zoom(), self._pixmap.height() * self.zoom()
        x = self.width() / 2 - self._centre.x() * width
        y = self.height() / 2 - self._centre.y() * height
        return QRectF(x, y, width, height)

    def _move_centre(self, shift: QPointF) -> None:
        rect = self._picture_rect()
        if rect.isEmpty():
            return
        x = self._centre.x() + shift.x() / rect.width()
        y = self._centre.y() + shift.y() / rect.height()
        # A side that fits stays centred; one that does not never leaves the window behind.
        margin_x = min(0.5, self.width() / 2 / rect.width())
        margin_y = min(0.5, self.height() / 2 / rect.height())
        self._centre = QPointF(min(1 - margin_x, max(margin_x, x)), min(1 - margin_y, max(margin_y, y)))

    def _announce(self) -> None:
        self._move_centre(QPointF(0, 0))
        pannable = self._zoom is not None and self._zoom > self._fitting_zoom()
        self.setCursor(Qt.CursorShape.OpenHandCursor if pannable else Qt.CursorShape.ArrowCursor)
        self.zoom_changed.emit(self.zoom())
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture, or the sentence."""
        painter = QPainter(self)
        if self._pixmap is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), int(flags), self._message)
            return
        smooth = self.zoom() < _PIXELS_FROM or self._zoom is None
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawPixmap(self._picture_rect(), self._pixmap, QRectF(self._pixmap.rect()))
        if self._overlay is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self._picture_rect(), self._overlay, QRectF(self._overlay.rect()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        steps = event.angleDelta().y() / 120
        if steps:
            self.zoom_by(ZOOM_STEP**steps, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the picture along."""
        if self._grabbed is not None:
            self._move_centre(self._grabbed - event.position())
            self._grabbed = event.position()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go of the picture."""
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go from the whole picture to one pixel for a pixel, and back."""
        if self._zoom is None:
            self.zoom_by(max(1.0, self.zoom() * 2) / self.zoom(), event.position())
        else:
            self.zoom_to_fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the whole picture in sight while it is to fit."""
        super().resizeEvent(event)
        self._announce()

    def changeEvent(self, event: QEvent) -> None:
        """Paint in another palette."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self.update()
