"""A window that shows one picture large; arrows move on to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from widgets import theme
from widgets.images.image_grid_model import ImageItem
from widgets.images.picture_canvas import ZOOM_STEP, PictureCanvas
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnails import ThumbnailLoader
from widgets.images.viewed_map import ViewedMap
from widgets.labels import ElidedLabel, secondary_label

LONGEST_SIDE = 2048
"""Pictures are decoded at most this large, in pixels."""


class ImageViewer(QDialog):
    """Shows pictures one at a time, with zoom, caption and the reason if one cannot be read.

    Left and right (also Page Up and Down, Home, End) move on; +, − and 0 or the wheel zoom; H shows
    where the concept is, C only the part that responds most; Esc or Space closes.

    Parameters
    ----------
    thumbnails
        Where the pictures come from.
    maps
        Where in the pictures the concepts are.

    Signals
    -------
    row_shown(int)
        The dataset row of the picture on show, whenever it becomes another one.
    """

    row_shown = Signal(int)

    def __init__(
        self,
        thumbnails: ThumbnailLoader,
        parent: QWidget | None = None,
        maps: ProjectionMapDisplay | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self._thumbnails = thumbnails
        self._items: Sequence[ImageItem] = ()
        self._bands: Sequence[int] = ()
        self._index = -1
        self._shown: object = None
        self._map = ViewedMap(maps) if maps is not None else None
        self._canvas = PictureCanvas()
        self._name = ElidedLabel()
        self._caption = QLabel()
        self._details = secondary_label()
        self._zoom = QLabel()
        self._place = QLabel()
        self._build()
        thumbnails.ready.connect(self._on_ready)
        self._canvas.zoom_changed.connect(self._show_zoom)
        if self._map is not None:
            self._map.changed.connect(self._on_map_changed)

    def _build(self) -> None:
        self.setWindowTitle("Picture")
        self._caption.setFont(theme.scaled_font(self.font(), 1.0, bold=True))
        for label in (self._zoom, self._place):
            label.setForegroundRole(self._details.foregroundRole())
        self._previous = self._button("back", "Previous picture (←)", lambda: self._step(-1))
        self._next = self._button("forward", "Next picture (→)", lambda: self._step(1))
        buttons = (
            self._button("zoom-out", "Smaller (−)", lambda: self._canvas.zoom_by(1 / ZOOM_STEP)),
            self._button("zoom-fit", "Whole picture (0)", self._canvas.zoom_to_fit),
            self._button("zoom-in", "Larger (+)", lambda: self._canvas.zoom_by(ZOOM_STEP)),
        )
        bar = QHBoxLayout()
        bar.setSpacing(theme.SPACING // 2)
        bar.addWidget(self._previous)
        bar.addWidget(self._next)
        bar.addWidget(self._place)
        bar.addSpacing(theme.SPACING)
        bar.addWidget(self._name, 1)
        bar.addWidget(self._zoom)
        for button in buttons:
            bar.addWidget(button)
        if self._map is not None:
            bar.addSpacing(theme.SPACING)
            bar.addWidget(self._map.map_button)
            bar.addWidget(self._map.crop_button)
        foot = QVBoxLayout()
        foot.setSpacing(2)
        foot.addWidget(self._caption)
        foot.addWidget(self._details)
        if self._map is not None:
            foot.addWidget(self._map)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.SPACING, theme.SPACING, theme.SPACING, theme.SPACING)
        layout.addLayout(bar)
        layout.addWidget(self._canvas, 1)
        layout.addLayout(foot)
        self._canvas.setAccessibleName("Picture")

    def _button(self, icon: str, tip: str, pressed: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        theme.set_icon(button, icon)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        # Keys belong to the picture: focus stays with the window.
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked=False: pressed())
        return button

    def show_items(self, items: Sequence[ImageItem], index: int, bands: Sequence[int] = ()) -> None:
        """Show picture ``index`` of these; the others are reached from it.

        ``bands`` are the keys of their bands, whose directions maps are about; none: there are no maps.

        Raises
        ------
        IndexError
            If there is no such picture.
        """
        if not 0 <= index < len(items):
            raise IndexError(f"there are {len(items)} pictures, and none of number {index}")
        self._items, self._bands = items, bands
        self._index = -1
        self._go(index)
        self.show()
        self.raise_()
        self.activateWindow()

    def current_row(self) -> int | None:
        """Return the dataset row of the picture on show, or None."""
        return self._items[self._index].row if self._index >= 0 else None

    def failure_text(self) -> str:
        """Return the sentence shown instead of a picture; empty while there is a picture."""
        return self._canvas.message()

    def zoom(self) -> float:
        """Return the zoom: screen pixels (device-independent) to one pixel of the picture."""
        return self._canvas.zoom()

    def _step(self, step: int) -> None:
        self._go(min(max(self._index + step, 0), len(self._items) - 1))

    def _go(self, index: int) -> None:
        if index == self._index or not 0 <= index < len(self._items):
            return
        self._index = index
        item = self._items[index]
        self.setWindowTitle(item.path.name)
        self._name.setText(str(item.path))
        self._caption.setText(item.caption)
        self._caption.setVisible(bool(item.caption))
        self._details.setText(item.tooltip)
        self._place.setText(f"{index + 1:,} of {len(self._items):,}")
        self._previous.setEnabled(index > 0)
        self._next.setEnabled(index < len(self._items) - 1)
        self._shown = None
        self._request()
        if self._map is not None:
            self._map.show_image(self._bands[index] if self._bands else None, item.row)
        self._show_picture()
        self.row_shown.emit(item.row)

    def _request(self) -> None:
        nearby = [self._items[i] for i in (self._index - 1, self._index + 1) if 0 <= i < len(self._items)]
        wanted = [item.path for item in (*nearby, self._items[self._index])]
        self._thumbnails.keep_requests(self, wanted)
        for path in wanted:
            self._thumbnails.request(path, LONGEST_SIDE, client=self, enlarge=False)

    def _show_picture(self) -> None:
        path = self._items[self._index].path
        pixmap = self._thumbnails.cached(path, LONGEST_SIDE, enlarge=False)
        reason = self._thumbnails.failure(path)
        if pixmap is not None:
            # A thumbnail stands in until the picture itself is here; then the view stays as it was.
            part = self._map.part() if self._map is not None else None
            picture = self._map.cut(pixmap) if self._map is not None else pixmap
            self._canvas.show_pixmap(picture, keep_view=self._shown == (path, part))
            self._canvas.set_overlay(self._map.overlay(picture) if self._map is not None else None)
            self._shown = path, part
        else:
            self._canvas.show_message(reason or "Reading the picture …")

    @Slot(str)
    def _on_ready(self, path: str) -> None:
        if self.isVisible() and self._index >= 0 and path == str(self._items[self._index].path):
            self._show_picture()

    @Slot()
    def _on_map_changed(self) -> None:
        if self.isVisible() and self._index >= 0:
            self._show_picture()

    @Slot(float)
    def _show_zoom(self, zoom: float) -> None:
        self._zoom.setText(f"{zoom * 100:.0f} %" if self._canvas.has_picture() else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move on, zoom, or close."""
        key = event.key()
        if key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageDown):
            self._step(1)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_PageUp):
            self._step(-1)
        elif key == Qt.Key.Key_Home:
            self._go(0)
        elif key == Qt.Key.Key_End:
            self._go(len(self._items) - 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._canvas.zoom_by(ZOOM_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self._canvas.zoom_by(1 / ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self._canvas.zoom_to_fit()
        elif key == Qt.Key.Key_Space:
            self.close()
        elif not self._map_key(key):
            super().keyPressEvent(event)

    def _map_key(self, key: int) -> bool:
        """Do what a key of the projection maps does; returns whether it is one."""
        if self._map is None or key not in (Qt.Key.Key_H, Qt.Key.Key_C):
            return False
        if key == Qt.Key.Key_H:
            self._map.toggle_map()
        else:
            self._map.toggle_crop()
        return True

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing while out of sight."""
        super().hideEvent(event)
        self._thumbnails.keep_requests(self, ())
