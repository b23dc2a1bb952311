"""The controls of the projection maps: a button, and a bar with their colours, opacity and a sentence."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QWidget

from widgets import theme
from widgets.images.projection_map_display import LEAST_OPACITY, ProjectionMapDisplay
from widgets.images.projection_overlay import paint_color_scale
from widgets.labels import ElidedLabel, secondary_label

_Role = QPalette.ColorRole
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_SCALE_SIZE = QSize(72, 10)

SHOW_TIP = (
    "Show where in each picture its concept is: the projection on the concept vector at each position of the "
    "layer (H)"
)
LEGEND_TIP = (
    "Colour: the projection of each position on the band's direction, in units of activation, from 0 to the "
    "largest value among the band's pictures.\n"
    "No colour: 0 or less. A ring marks the largest value of a picture; "
    "what the network did not see is veiled.\n"
    "Outliers and other images without a concept are looked through for the neuron itself."
)


class ProjectionMapButton(QToolButton):
    """Shows or hides the maps; where there can be none it is disabled and says why."""

    def __init__(self, display: ProjectionMapDisplay, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        theme.set_icon(self, "where")
        self.setText("&Where")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setCheckable(True)
        self.setAutoRaise(True)
        self.setAccessibleName("Show where in the pictures the concept is")
        self.clicked.connect(display.set_on)
        display.switched.connect(self._show)
        display.status_changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        self.setChecked(self._display.is_on)
        self.setEnabled(not self._display.obstacle)
        self.setToolTip(self._display.obstacle or SHOW_TIP)


class ColorScale(QWidget):
    """The colours of the maps from 0 to the end of the scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(_SCALE_SIZE)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the colours."""
        painter = QPainter(self)
        paint_color_scale(painter, self.rect(), self.palette().color(_Role.Mid))
        painter.end()


class ProjectionMapBar(QWidget):
    """What the colours mean, how opaque they are, and what is to be said; visible while maps are shown."""

    def __init__(self, display: ProjectionMapDisplay, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._legend = QWidget()
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._sentence = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self._build()
        self._slider.valueChanged.connect(self._on_opacity)
        display.switched.connect(self._show)
        display.status_changed.connect(self._show)
        display.opacity_changed.connect(self._show)
        display.changed.connect(self._show_sentence)
        self._show()

    def _build(self) -> None:
        legend = QHBoxLayout(self._legend)
        legend.setContentsMargins(0, 0, 0, 0)
        legend.setSpacing(6)
        legend.addWidget(_plain_label("0"))
        legend.addWidget(ColorScale())
        legend.addWidget(_plain_label("largest projection in the band"))
        self._legend.setToolTip(LEGEND_TIP)
        self._legend.setAccessibleName("Colours from projection 0 to the largest in the band")
        self._slider.setRange(round(LEAST_OPACITY * 100), 100)
        self._slider.setPageStep(10)
        self._slider.setFixedWidth(96)
        self._slider.setAccessibleName("Opacity of the colours")
        opacity = QLabel("Op&acity")
        opacity.setBuddy(self._slider)
        self._opacity = opacity
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, 2, theme.SPACING, 0)
        layout.setSpacing(theme.SPACING)
        layout.addWidget(self._legend)
        layout.addWidget(opacity)
        layout.addWidget(self._slider)
        layout.addWidget(self._sentence, 1)

    def sentence(self) -> str:
        """Return what is said in words: an obstacle, what is being done, else the ends of the scales."""
        ranges = " · ".join(f"{title}: 0 to {scale_text(scale)}" for title, scale in self._display.ranges())
        return self._display.obstacle or self._display.note or ranges

    @Slot()
    def _show_sentence(self) -> None:
        if self._sentence.text() != self.sentence():
            self._sentence.setText(self.sentence())

    @Slot()
    def _show(self) -> None:
        display, possible = self._display, not self._display.obstacle
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(display.opacity * 100))
        self._slider.setToolTip(f"Opacity of the colours: {display.opacity * 100:.0f} %")
        for part in (self._legend, self._opacity, self._slider):
            part.setVisible(possible)
        self._show_sentence()
        self.setVisible(display.is_on)

    @Slot(int)
    def _on_opacity(self, percent: int) -> None:
        self._display.set_opacity(percent / 100)


def scale_text(scale: float) -> str:
    """Return the value that has the last colour, in units of activation."""
    return f"{scale:.3g}"


def band_scale_width(scale: float, font: QFont) -> int:
    """Return how wide :func:`paint_band_scale` paints."""
    metrics = QFontMetrics(font)
    return (
        metrics.horizontalAdvance("0")
        + metrics.horizontalAdvance(scale_text(scale))
        + 12
        + _SCALE_SIZE.width()
    )


def paint_band_scale(painter: QPainter, rect: QRect, scale: float, palette: QPalette, font: QFont) -> None:
    """Paint "0 ▬▬▬ 4.2" at the left of a rectangle."""
    metrics = QFontMetrics(font)
    painter.setFont(font)
    painter.setPen(palette.color(_Role.Text))
    painter.drawText(rect, _LEFT, "0")
    left = rect.x() + metrics.horizontalAdvance("0") + 6
    bar = QRect(
        left, rect.center().y() - _SCALE_SIZE.height() // 2 + 1, _SCALE_SIZE.width(), _SCALE_SIZE.height()
    )
    paint_color_scale(painter, bar, palette.color(_Role.Mid))
    painter.drawText(rect.adjusted(bar.right() + 6 - rect.x(), 0, 40, 0), _LEFT, scale_text(scale))


def _plain_label(text: str) -> QLabel:
    label = secondary_label()
    label.setWordWrap(False)
    label.setText(text)
    return label
