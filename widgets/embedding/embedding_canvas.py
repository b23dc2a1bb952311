"""The plane of an embedding in its place: what of it is in sight, how it moves, and what is at a pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QAbstractAnimation,
    QEasingCurve,
    QEvent,
    QPointF,
    QRectF,
    QSizeF,
    Qt,
    QVariantAnimation,
    Slot,
)
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from widgets.dendrogram.cached_layer import CachedLayer
from widgets.embedding.embedding_state import EmbeddingState
from widgets.embedding.plane_transform import PlaneTransform, Points
from widgets.embedding.point_painter import PointPainter
from widgets.images.thumbnails import ThumbnailLoader
from widgets.images.visible_pictures import VisiblePictures
from widgets.motion import prefers_reduced_motion

MOVE_MILLISECONDS = 350
"""How long points take from one picture to the next, where things may move."""

PREVIEW_SIZE = 112
"""Longest side in pixels of the picture beside the point that is pointed at."""

_TILE_SIZES = (160, 128, 96, 80, 64, 48, 40, 32)
_USUAL_SIGNS = ((200, 13), (600, 10))
_SMALLEST_SIGN, _LARGEST_SIGN = 8, 18
_Role = QPalette.ColorRole


class EmbeddingCanvas(QWidget):
    """Shows an :class:`EmbeddingState`: signs of concepts, or pictures where there is room."""

    def __init__(
        self, state: EmbeddingState, thumbnails: ThumbnailLoader | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._thumbnails = thumbnails
        self._tiles = VisiblePictures(thumbnails, self) if thumbnails is not None else None
        self._preview = VisiblePictures(thumbnails, self) if thumbnails is not None else None
        self._transform = PlaneTransform()
        self._pixels: Points = np.empty((0, 2))
        self._start: Points | None = None
        self._points = PointPainter(state, thumbnails)
        self._painted = CachedLayer()
        self._lasso = QPolygonF()
        self._uses_keys = False
        self._shown_rows: tuple[int, ...] = ()
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(MOVE_MILLISECONDS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._on_moved)
        self._animation.finished.connect(self._on_arrived)
        if self._tiles is not None and self._preview is not None:
            self._tiles.arrived.connect(self._paint_anew)
            self._preview.arrived.connect(self.update)
        self.setMinimumSize(200, 90)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Embedding")

    # --- what is shown ----------------------------------------------------------------------------

    def points_changed(self, *, moved: bool, animate: bool = True) -> None:
        """Show the state's points, all of them if they ``moved``; points that stay glide to their places."""
        before = dict(zip(self._shown_rows, self.shown_pixels(), strict=True))
        self.finish_motion()
        self._shown_rows = self._state.rows
        self._points.take_looks(self.palette(), self.font())
        if moved:
            self._transform.set_positions(self._state.positions)
        self._pixels = self._transform.to_pixels(self._state.positions)
        known = [row for row in self._shown_rows if row in before]
        if moved and animate and known and self.isVisible() and not prefers_reduced_motion():
            self._start = self._pixels.copy()
            for point, row in enumerate(self._shown_rows):
                if row in before:
                    self._start[point] = before[row]
            self._animation.start()
        self.refresh()

    def refresh(self) -> None:
        """Paint the state as it is now, and ask for the pictures that it needs."""
        self._painted.invalidate()
        self.pointed_changed()

    @Slot()
    def pointed_changed(self) -> None:
        """Paint what is pointed at over the points, which stay as they are."""
        self._request_pictures()
        self.update()

    def finish_motion(self) -> None:
        """Put the points where they are going."""
        if self._animation.state() != QAbstractAnimation.State.Stopped:
            self._animation.stop()
        self._start = None

    def is_moving(self) -> bool:
        """Tell whether points are on their way."""
        return self._start is not None

    @Slot()
    def _on_moved(self) -> None:
        self.update()

    @Slot()
    def _paint_anew(self) -> None:
        self._painted.invalidate()
        self.update()

    @Slot()
    def _on_arrived(self) -> None:
        self._start = None
        self.refresh()

    # --- places -----------------------------------------------------------------------------------

    def shown_pixels(self) -> Points:
        """Return float64 (N, 2): where the points are painted, on their way too."""
        if self._start is None:
            return self._pixels
        share = float(self._animation.currentValue() or 0.0)
        shown: Points = (1 - share) * self._start + share * self._pixels
        return shown

    @property
    def tile_size(self) -> int:
        """Longest side of the pictures in pixels; 0 where points are signs."""
        if self._thumbnails is None:
            return 0
        room = 1.25 * self._state.spacing * self._transform.scale
        return next((size for size in _TILE_SIZES if size <= room), 0)

    @property
    def sign_diameter(self) -> float:
        """Diameter of the signs in pixels: larger with fewer points, and where they are further apart."""
        n, spacing = len(self._state), self._state.spacing * self._transform.scale
        usual = next((size for most, size in _USUAL_SIGNS if n <= most), _SMALLEST_SIGN)
        # In a tight group signs hide each other: better small ones than a blot.
        smallest = min(max(2 * spacing, _SMALLEST_SIGN), usual)
        return float(round(min(max(0.8 * spacing, smallest), _LARGEST_SIGN)))

    def point_at(self, place: QPointF) -> int:
        """Return the nearest point whose sign or picture is at a pixel, or −1."""
        if not len(self._state):
            return -1
        away = self.shown_pixels() - (place.x(), place.y())
        reach = self.tile_size / 2 if self.tile_size else self.sign_diameter / 2 + 2
        distance = np.hypot(away[:, 0], away[:, 1])
        distance[np.abs(away).max(axis=1) > reach] = np.inf
        nearest = int(distance.argmin())
        return nearest if np.isfinite(distance[nearest]) else -1

    def points_within(self, polygon: QPolygonF) -> NDArray[np.int64]:
        """Return int64 (m,): the points whose middle lies inside a polygon.

        Its last corner is joined to its first; where it crosses itself, all that it goes around is inside.
        """
        inside = [
            point
            for point, (x, y) in enumerate(self.shown_pixels())
            if polygon.containsPoint(QPointF(x, y), Qt.FillRule.WindingFill)
        ]
        return np.array(inside, dtype=np.int64)

    def _visible_points(self) -> NDArray[np.int64]:
        """Return the points in sight, the strongest image first."""
        reach = max(self.tile_size, self.sign_diameter)
        pixels = self._pixels
        inside = ((pixels >= -reach) & (pixels <= (self.width() + reach, self.height() + reach))).all(axis=1)
        return np.flatnonzero(inside)

    # --- zoom and pan -----------------------------------------------------------------------------

    def zoom_to_fit(self) -> None:
        """Show all points."""
        self._transform.fit()
        self._view_changed()

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Show the points ``factor`` times further apart; what is at a pixel (the middle) stays there."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._transform.zoom(factor, middle if around is None else around)
        self._view_changed()

    def pan_by(self, pixels: QPointF) -> None:
        """Move the points by this many pixels."""
        self._transform.pan(pixels)
        self._view_changed()

    def bring_into_sight(self, point: int) -> None:
        """Move the picture as little as needed for a point to be seen."""
        reach = max(self.tile_size, self.sign_diameter)
        x, y = self._pixels[point]
        to_x = min(max(x, reach), max(reach, self.width() - reach))
        to_y = min(max(y, reach), max(reach, self.height() - reach))
        if (to_x, to_y) != (x, y):
            self.pan_by(QPointF(to_x - x, to_y - y))

    def _view_changed(self) -> None:
        self.finish_motion()
        self._pixels = self._transform.to_pixels(self._state.positions)
        self.refresh()

    # --- pictures ---------------------------------------------------------------------------------

    def _request_pictures(self) -> None:
        if self._tiles is None or self._preview is None:
            return
        size, ratio = self.tile_size, self.devicePixelRatioF()
        if not self.isVisible() or self.is_moving():
            self._tiles.want_nothing()
            self._preview.want_nothing()
            return
        if size:
            self._tiles.want([self._state.items[i].path for i in self._visible_points()], size, ratio)
        else:
            self._tiles.want_nothing()
        pointed = self._previewed()
        if pointed >= 0:
            self._preview.want([self._state.items[pointed].path], PREVIEW_SIZE, ratio)
        else:
            self._preview.want_nothing()

    def _previewed(self) -> int:
        """Return the point whose picture is shown beside it, or −1."""
        state = self._state
        pointed = state.current if self._uses_keys and self.hasFocus() else state.hovered
        return pointed if self._thumbnails is not None and self.tile_size < PREVIEW_SIZE // 2 else -1

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the points, what is drawn around them, and the frame that says where the keys go."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(_Role.Base))
        if self.is_moving():
            self.paint_points(painter)
        else:
            self._painted.paint(painter, QSizeF(self.size()), self.paint_points)
        self._paint_pointed(painter)
        self._paint_lasso(painter)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().color(_Role.Accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def paint_points(self, painter: QPainter, *, as_shapes: bool = False) -> None:
        """Paint every point in sight.

        Parameters
        ----------
        painter
            Of the widget, or of a picture of the same size.
        as_shapes
            Paint signs as shapes, for a file, rather than copying what was painted once for the screen.
        """
        in_sight = self._visible_points() if self._start is None else np.arange(len(self._state))
        pixels, points = self.shown_pixels(), self._points.in_order(in_sight)
        if self.tile_size:
            self._points.paint_tiles(painter, pixels, points, self.tile_size)
        elif as_shapes:
            self._points.paint_signs(painter, pixels, points, self.sign_diameter)
        else:
            self._points.paint_sprites(painter, pixels, points, self.sign_diameter)

    def _paint_pointed(self, painter: QPainter) -> None:
        """Paint the ring of the point that the keyboard is at, and a picture beside the one pointed at."""
        state, pixels = self._state, self.shown_pixels()
        if state.current >= 0 and self.hasFocus():
            x, y = pixels[state.current]
            reach = (self.tile_size or self.sign_diameter) / 2 + 6
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().color(_Role.Text), 1.2, Qt.PenStyle.DotLine))
            painter.drawEllipse(QPointF(x, y), reach, reach)
        pointed = self._previewed()
        if pointed < 0 or self.is_moving():
            return
        frame = self._preview_rect(painter, pointed, QPointF(*pixels[pointed]))
        palette, group = self.palette(), state.group(pointed)
        painter.fillRect(frame.adjusted(-5, -5, 5, 5), palette.color(_Role.Base))
        painter.setPen(QPen(group.color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame.adjusted(-4, -4, 4, 4))
        self._points.paint_picture(painter, pointed, frame, PREVIEW_SIZE)

    def _preview_rect(self, painter: QPainter, point: int, middle: QPointF) -> QRectF:
        """Return a place beside a point: left of it, so that the tooltip finds room, else right."""
        rect = self._points.picture_rect(painter, point, QPointF(0, 0), PREVIEW_SIZE)
        away = max(self.tile_size, self.sign_diameter) / 2 + 14
        left = middle.x() - away - rect.width()
        rect.moveLeft(left if left >= 6 else middle.x() + away)
        top = min(max(middle.y() - rect.height() / 2, 6.0), max(6.0, self.height() - rect.height() - 6))
        rect.moveTop(top)
        return QRectF(rect.toRect())

    def _paint_lasso(self, painter: QPainter) -> None:
        if self._lasso.size() < 2:
            return
        accent = self.palette().color(_Role.Accent)
        inside = QColor(accent)
        inside.setAlphaF(0.14)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(accent, 1.5, Qt.PenStyle.DashLine))
        painter.setBrush(inside)
        painter.drawPolygon(self._lasso, Qt.FillRule.WindingFill)

    # --- events -----------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the room that there is."""
        super().resizeEvent(event)
        self._transform.set_size(QSizeF(self.size()))
        self._view_changed()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the pictures in sight."""
        super().showEvent(event)
        self._request_pictures()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing more, and stand still."""
        super().hideEvent(event)
        self.finish_motion()
        self._request_pictures()

    def changeEvent(self, event: QEvent) -> None:
        """Take another palette or font."""
        super().changeEvent(event)
        if event.type() in (
            QEvent.Type.PaletteChange,
            QEvent.Type.ApplicationPaletteChange,
            QEvent.Type.FontChange,
        ):
            self._points.take_looks(self.palette(), self.font())
            self._paint_anew()
