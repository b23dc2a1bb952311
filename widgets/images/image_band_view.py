"""The view behind the grids: pictures in bands, of which only those in sight are painted and decoded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QEvent,
    QPoint,
    QRect,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QWidget

from widgets.images.band_header import paint_band_header
from widgets.images.banded_item_view import Arrangement, BandedItemView
from widgets.images.image_delegate import ImageDelegate
from widgets.images.image_grid_model import ImageGridModel
from widgets.images.projection_map_display import ProjectionMapDisplay
from widgets.images.thumbnails import ThumbnailLoader
from widgets.images.visible_pictures import VisiblePictures

MOST_MAPS_AHEAD = 300
"""Of the pictures out of sight, this many are looked through too: a band's colours mean the same in all."""

MIN_THUMBNAIL, MAX_THUMBNAIL, THUMBNAIL_STEP = 32, 320, 8


class ImageBandView(BandedItemView):
    """Bands of pictures below or beside each other, with one selection through all of them.

    The header of a band stays in sight while the band is scrolled through.

    Signals
    -------
    item_hovered(int)
        The picture under the pointer, by its number in the model; −1 for none.
    item_opened(int)
        Double click or Enter on a picture.
    preview_requested(int)
        Space on a picture.
    find_requested(int)
        F on a picture.
    band_clicked(int, bool)
        Click on the header of a band, by its number, and whether Ctrl was down.
    menu_wanted(int, object)
        Right click on a picture, or the menu key: its number, and the place on the screen as a QPoint.
    thumbnail_size_wanted(int)
        Ctrl + wheel asked for another size in pixels.
    """

    item_hovered = Signal(int)
    item_opened = Signal(int)
    preview_requested = Signal(int)
    find_requested = Signal(int)
    band_clicked = Signal(int, bool)
    menu_wanted = Signal(int, object)
    thumbnail_size_wanted = Signal(int)

    def __init__(
        self,
        model: ImageGridModel,
        thumbnails: ThumbnailLoader,
        arrangement: Arrangement = "stacked",
        parent: QWidget | None = None,
        maps: ProjectionMapDisplay | None = None,
    ) -> None:
        super().__init__(model, ImageDelegate(thumbnails, maps=maps), arrangement, parent)
        self._maps = maps
        self._delegate.setParent(self)
        self._pictures = VisiblePictures(thumbnails, self)
        self._hovered = -1
        self._rubber_band = QRect()
        self._request_timer = QTimer(self)
        self._request_timer.setSingleShot(True)
        self._request_timer.timeout.connect(self.request_visible)
        self.setModel(model)
        self.setFrameShape(QAbstractItemView.Shape.NoFrame)
        self.viewport().setMouseTracking(True)
        self._pictures.arrived.connect(self.viewport().update)
        if maps is not None:
            maps.changed.connect(self.viewport().update)
            maps.switched.connect(self.request_visible)

    def set_thumbnail_size(self, pixels: int) -> None:
        """Show pictures at this size; the picture in the middle of the view stays in sight."""
        pixels = max(MIN_THUMBNAIL, min(MAX_THUMBNAIL, pixels))
        if pixels == self._delegate.thumbnail_size:
            return
        anchor = self.middle_item()
        self._delegate.thumbnail_size = pixels
        self._relayout()
        if anchor >= 0:
            self.scrollTo(self._images.index(anchor), QAbstractItemView.ScrollHint.PositionAtCenter)

    def thumbnail_size(self) -> int:
        """Return the size of the pictures in pixels."""
        return self._delegate.thumbnail_size

    def reset(self) -> None:
        """Lay out anew: the model has other pictures."""
        self._selected = None
        super().reset()
        self._hovered = -1
        self._relayout()

    def _relayout(self) -> None:
        self._geometry = None
        self.updateGeometries()
        self.viewport().update()
        self._request_timer.start()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint anew at another place, and ask for what came into sight."""
        # Headers stay in place while the pictures move: blitting the old contents would smear them.
        self.viewport().update()
        self._request_timer.start()

    @Slot()
    def request_visible(self) -> None:
        """Ask for the pictures in sight, and after them for one more screen below."""
        if not self.isVisible():
            self._pictures.want_nothing()
            self._want_maps(())
            return
        view, geometry, items = self.viewport().rect(), self.geometry_of_bands(), self._images.items
        visible = self.visible_items()
        below = geometry.items_in(self.content_box(view.translated(0, view.height())))
        self._pictures.want(
            [items[i].path for i in visible],
            self._delegate.thumbnail_size,
            self.devicePixelRatioF(),
            ahead=[items[i].path for i in below if i not in set(visible)],
        )
        self._want_maps(visible)

    def _want_maps(self, visible: Sequence[int]) -> None:
        """Say which projection maps are needed: of what is in sight, then of the pictures nearest to it."""
        if self._maps is None:
            return
        images, indices = self._images, list(visible)
        if not self._maps.is_on:
            indices = []
        elif indices:
            first, last = indices[0], indices[-1]
            others = [i for i in range(len(images.items)) if i < first or i > last]
            others.sort(key=lambda i: max(first - i, i - last))
            indices += others[:MOST_MAPS_AHEAD]
        self._maps.want(self, [(images.band(i).key, images.item(i).row) for i in indices])

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the pictures in sight, then the headers over them."""
        geometry = self.geometry_of_bands()
        painter = QPainter(self.viewport())
        area = self.content_box(event.rect())
        if self._maps is not None:
            self._maps.begin_frame()
        self._paint_items(painter, geometry.items_in(area))
        for band in geometry.bands_in(self.content_box(self.viewport().rect())):
            box = geometry.header_box(band, self.verticalOffset())
            shown = self._images.bands[band]
            scale = self._maps.scale(shown.key) if self._maps is not None and self._maps.is_on else 0.0
            paint_band_header(painter, self.viewport_rect(box), shown, self.palette(), self.font(), scale)
        if self._rubber_band.isValid():
            accent = self.palette().color(QPalette.ColorRole.Accent)
            painter.setPen(QPen(accent, 1))
            accent.setAlphaF(0.15)
            painter.setBrush(accent)
            painter.drawRect(self._rubber_band)
        painter.end()

    def _paint_items(self, painter: QPainter, items: Iterable[int]) -> None:
        style = self._delegate.style(self.font(), self.palette())
        geometry, images, delegate = self.geometry_of_bands(), self._images, self._delegate
        frames = [(item, self.viewport_rect(geometry.cell_box(item))) for item in items]
        selected = set(self.selected_items())
        current = self.currentIndex().row() if self.hasFocus() else -1
        for item, frame in frames:
            if item in selected:
                delegate.paint_selected(painter, style, frame)
            elif item == self._hovered:
                painter.fillRect(frame, style.hovered_ground)
            if item == current:
                delegate.paint_current(painter, style, frame)
            delegate.paint_picture(painter, style, frame, images.item(item), images.band(item))
        painter.setFont(style.caption_font)
        painter.setPen(style.text)
        for item, frame in frames:
            delegate.paint_caption(painter, style, frame, images.item(item).caption)

    # --- events -----------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select; a press on a header chooses the band, a press on empty ground begins a rubber band."""
        point = event.position().toPoint()
        band = self.header_at(point)
        if band >= 0:
            if event.button() == Qt.MouseButton.LeftButton:
                control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
                self.band_clicked.emit(band, control)
            event.accept()
            return
        if event.button() == Qt.MouseButton.LeftButton and not self.indexAt(point).isValid():
            self._rubber_start = QPoint(
                point.x() + self.horizontalOffset(), point.y() + self.verticalOffset()
            )
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer: hover, or draw the rubber band."""
        point = event.position().toPoint()
        self._set_hovered(-1 if event.buttons() else self.indexAt(point).row())
        super().mouseMoveEvent(event)
        if self._rubber_start is not None and event.buttons() & Qt.MouseButton.LeftButton:
            start = self._rubber_start - QPoint(self.horizontalOffset(), self.verticalOffset())
            self._rubber_band = QRect(start, point).normalized()
            self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a rubber band."""
        super().mouseReleaseEvent(event)
        self._rubber_start = None
        self._rubber_band = QRect()
        self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open a picture."""
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and index.isValid():
            self.item_opened.emit(index.row())
            event.accept()
        else:
            self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, Space previews, F finds elsewhere, H shows where; arrows as in every list."""
        current = self.currentIndex().row()
        key = event.key()
        if key == Qt.Key.Key_Escape and self.selectionModel().hasSelection():
            self.clearSelection()
        elif current >= 0 and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.item_opened.emit(current)
        elif current >= 0 and key == Qt.Key.Key_Space and not event.modifiers():
            self.preview_requested.emit(current)
        elif current >= 0 and key == Qt.Key.Key_F and not event.modifiers():
            self.find_requested.emit(current)
        elif self._maps is not None and key == Qt.Key.Key_H and not event.modifiers():
            self._maps.toggle()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl change the size of the pictures."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            steps = event.angleDelta().y() / 120
            change = round(steps * 2 * THUMBNAIL_STEP)
            if change:
                self.thumbnail_size_wanted.emit(self.thumbnail_size() + change)
            event.accept()
            return
        super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the picture under the pointer, or of the one that the keyboard is at."""
        event.accept()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            where = self.viewport().mapToGlobal(self.visualRect(index).center())
        else:
            index, where = self.indexAt(event.pos()), event.globalPos()
        if index.isValid():
            self.menu_wanted.emit(index.row(), where)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        self._set_hovered(-1)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out for another width; what was in the middle stays in sight."""
        narrower = event.oldSize().width() != event.size().width()
        anchor = -1
        if narrower and self._geometry is not None and self.verticalOffset() > 0:
            anchor = self.middle_item()
        super().resizeEvent(event)
        self._relayout()
        if anchor >= 0:
            self.scrollTo(self._images.index(anchor), QAbstractItemView.ScrollHint.PositionAtCenter)

    def changeEvent(self, event: QEvent) -> None:
        """Lay out for another font; paint in another palette."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._relayout()
        elif event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ApplicationPaletteChange):
            self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the pictures that come into sight."""
        super().showEvent(event)
        self._request_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing while out of sight."""
        super().hideEvent(event)
        self._pictures.want_nothing()
        self._want_maps(())

    def _set_hovered(self, item: int) -> None:
        if item != self._hovered:
            self._hovered = item
            self.item_hovered.emit(item)
            self.viewport().update()
