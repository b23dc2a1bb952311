"""Where in one large picture a concept is: the overlay, the part that responds most, what is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QPalette, QPixmap, QShowEvent
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from widgets import theme
from widgets.images.projection_map_bar import ProjectionMapBar, ProjectionMapButton
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.projection_overlay import WHOLE_PICTURE, Part, overlay_image
from widgets.labels import secondary_label

if TYPE_CHECKING:
    from backend.image_files.seen_region import Region
    from backend.visualization.projection_map import ProjectionMap

_LONGEST_OVERLAY = 512
"""Side in pixels: a map is smooth, and larger ones take longer than a frame to make."""

_WHOLE_INPUT = 0.999
CROP_TIP = "Show only the part that responds most: what one position of the layer sees, about the peak (C)"
WHOLE_INPUT = (
    "One position of this layer sees the network's whole input, so there is no smaller part to cut out: "
    "the ring marks the position that responds most, not the limits of what it sees."
)


class ViewedMap(QWidget):
    """The lines under a large picture that tell about its map; makes overlay and crop.

    Parameters
    ----------
    display
        The maps.

    Attributes
    ----------
    map_button, crop_button
        To be put where the viewer has its buttons.

    Signals
    -------
    changed()
        The picture is to be shown anew.
    """

    changed = Signal()

    def __init__(self, display: ProjectionMapDisplay, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._display = display
        self._band: int | None = None
        self._row = -1
        self.map_button = ProjectionMapButton(display)
        self.map_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        self.crop_button = QToolButton()
        theme.set_icon(self.crop_button, "crop")
        self.crop_button.setCheckable(True)
        self.crop_button.setAutoRaise(True)
        self.crop_button.setAccessibleName("Show only the part that responds most")
        for button in (self.map_button, self.crop_button):
            # Keys belong to the picture: focus stays with the window.
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._facts = secondary_label()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(ProjectionMapBar(display))
        layout.addWidget(self._facts)
        self.crop_button.toggled.connect(self._refresh)
        display.changed.connect(self._refresh)
        display.switched.connect(self._refresh)
        display.status_changed.connect(self._refresh)
        self._refresh()

    def show_image(self, band: int | None, row: int) -> None:
        """Turn to another picture; ``band`` None: there is no direction to look for."""
        self._band, self._row = band, row
        self._refresh()

    def toggle_crop(self) -> None:
        """Show the part that responds most, or the whole picture."""
        if self.crop_button.isEnabled():
            self.crop_button.toggle()

    def toggle_map(self) -> None:
        """Show the overlay, or hide it."""
        self._display.toggle()

    def facts(self) -> str:
        """Return what is said of the picture's map."""
        return self._facts.text()

    def part(self) -> Region | Part:
        """Return what of the picture is shown."""
        field, found = self._display.receptive_field, self._found()
        if not self._cropping or found is None or field is None or field >= _WHOLE_INPUT:
            return WHOLE_PICTURE
        return found.peak_region(field)

    def cut(self, picture: QPixmap) -> QPixmap:
        """Return the part of a picture that is to be shown."""
        part = self.part()
        if part is WHOLE_PICTURE:
            return picture
        width, height = picture.width(), picture.height()
        left, top = round(part.left * width), round(part.top * height)
        right, bottom = round(part.right * width), round(part.bottom * height)
        return picture.copy(QRect(left, top, max(1, right - left), max(1, bottom - top)))

    def overlay(self, shown: QPixmap) -> QPixmap | None:
        """Return what is painted over the shown part of the picture; None: nothing."""
        found = self._found()
        if found is None or self._band is None or not self._display.is_on:
            return None
        share = min(1.0, _LONGEST_OVERLAY / max(shown.width(), shown.height()))
        enlarged = max(1.0, _LONGEST_OVERLAY / 2 / max(shown.width(), shown.height()))
        size = (
            max(1, round(shown.width() * share * enlarged)),
            max(1, round(shown.height() * share * enlarged)),
        )
        outside = self.palette().color(QPalette.ColorRole.Base)
        scale = self._display.scale(self._band)
        return QPixmap.fromImage(
            overlay_image(found, scale, self._display.opacity, size, outside, self.part())
        )

    @property
    def _cropping(self) -> bool:
        return self.crop_button.isChecked()

    def _found(self) -> ProjectionMap | None:
        return self._display.map_of(self._band, self._row) if self._band is not None else None

    @Slot()
    def _refresh(self) -> None:
        display = self._display
        self.crop_button.setEnabled(not display.obstacle)
        self.crop_button.setToolTip(display.obstacle or CROP_TIP)
        self._want()
        text = self._said()
        self._facts.setText(text)
        self._facts.setVisible(bool(text))
        self.changed.emit()

    def _want(self) -> None:
        needed = self._band is not None and self.isVisible() and (self._display.is_on or self._cropping)
        wanted = [(self._band, self._row)] if needed and self._band is not None else []
        self._display.want(self, wanted, field=needed and self._cropping)

    def _said(self) -> str:
        display = self._display
        if not (display.is_on or self._cropping):
            return ""
        if display.obstacle:
            return display.obstacle if not display.is_on else ""
        direction = display.direction(self._band) if self._band is not None else None
        if direction is None:
            return "This picture belongs to no band, so there is no direction to look for."
        failure = display.failure(self._row)
        if failure:
            return failure
        found = self._found()
        if found is None:
            return display.note or "Looking where it is…"
        return " ".join(filter(None, (self._said_of_values(), self._said_of_crop())))

    def _said_of_values(self) -> str:
        found, band = self._found(), self._band
        if found is None or band is None:
            return ""
        direction, largest = self._display.direction(band), float(found.values.max())
        title = direction.title if direction is not None else ""
        if largest <= 0:
            return f"Nowhere does this picture project above 0 on {title}."
        return (
            f"Projection on {title}: at most {largest:.3g} here, colours from 0 to "
            f"{self._display.scale(band):.3g} (units of activation)."
        )

    def _said_of_crop(self) -> str:
        field = self._display.receptive_field
        if not self._cropping:
            return ""
        if field is None:
            return "Measuring how much one position of the layer sees…"
        if field >= _WHOLE_INPUT:
            return WHOLE_INPUT
        return f"Cut out: what the strongest position sees, {field * 100:.0f} % of the input's side."

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what is needed now."""
        super().showEvent(event)
        self._want()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing while out of sight."""
        super().hideEvent(event)
        self._display.want(self, ())
