"""The control for the size of pictures."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QSlider, QWidget

from widgets.images.image_band_view import MAX_THUMBNAIL, MIN_THUMBNAIL, THUMBNAIL_STEP
from widgets.labels import Pictogram


class ThumbnailSlider(QWidget):
    """A slider from small to large.

    Signals
    -------
    size_wanted(int)
        The user chose a size in pixels.
    """

    size_wanted = Signal(int)

    def __init__(self, pixels: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(MIN_THUMBNAIL // THUMBNAIL_STEP, MAX_THUMBNAIL // THUMBNAIL_STEP)
        self._slider.setPageStep(4)
        self._slider.setFixedWidth(120)
        self._slider.setToolTip("Size of the pictures in pixels (Ctrl + wheel)")
        self._slider.setAccessibleName("Size of the pictures")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(Pictogram("images", 12, self.foregroundRole()))
        layout.addWidget(self._slider)
        layout.addWidget(Pictogram("images", 18, self.foregroundRole()))
        self.set_size(pixels)
        self._slider.valueChanged.connect(self._on_value_changed)

    def set_size(self, pixels: int) -> None:
        """Show a size, without a signal."""
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(pixels / THUMBNAIL_STEP))

    @Slot(int)
    def _on_value_changed(self, value: int) -> None:
        self.size_wanted.emit(value * THUMBNAIL_STEP)
