"""Paints an embedding: signs of concepts, or pictures where there is room."""

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
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from widgets.embedding.embedding_state import EmbeddingState, PointGroup
from widgets.embedding.embedding_symbols import paint_symbol, symbol_pixmap
from widgets.embedding.plane_transform import PlaneTransform, Points
from widgets.images.image_delegate import paint_broken_picture, paint_chip
from widgets.images.thumbnails import ThumbnailLoader
from widgets.images.visible_pictures import VisiblePictures
from widgets.motion import prefers_reduced_motion
from widgets.palette import blend
from widgets.theme import scaled_font

MOVE_MILLISECONDS = 350
"""How long points take from one picture to the next, where things may move."""

PREVIEW_SIZE = 112
"""Longest side in pixels of the picture beside the point that is pointed at."""

_TILE_SIZES = (160, 128, 96, 80, 64, 48, 40, 32)
_SMALLEST_SIGNS = ((200, 13), (600, 10))
_SMALLEST_SIGN, _LARGEST_SIGN = 8, 18
_FAINT_TILE = 0.4
_Role = QPalette.ColorRole


class EmbeddingCanvas(QWidget):
    """Paints an :class:`EmbeddingState`: what is left out faintly, what is selected with a ring, on top."""

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
        self._sprites: dict[tuple[int, float, bool, float], QPixmap] = {}
        self._lasso = QPolygonF()
        self._shown_rows: tuple[int, ...] = ()
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(MOVE_MILLISECONDS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._on_moved)
        self._animation.finished.connect(self._on_arrived)
        for pictures in (self._tiles, self._preview):
            if pictures is not None:
                pictures.arrived.connect(self.update)
        self.setMinimumSize(220, 120)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Embedding")

    # --- what is shown ----------------------------------------------------------------------------

    def points_changed(self, *, moved: bool, animate: bool = True) -> None:
        """Show the state's points, all of them if they ``moved``; points that stay glide to their places."""
        before = dict(zip(self._shown_rows, self.shown_pixels(), strict=True))
        self.finish_motion()
        self._shown_rows = self._state.rows
        self._sprites.clear()
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
        n = len(self._state)
        smallest = next((size for most, size in _SMALLEST_SIGNS if n <= most), _SMALLEST_SIGN)
        room = 0.8 * self._state.spacing * self._transform.scale
        return float(min(max(round(room), smallest), _LARGEST_SIGN))

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
        pointed = state.hovered if state.hovered >= 0 else state.current if self.hasFocus() else -1
        return pointed if self._thumbnails is not None and self.tile_size < PREVIEW_SIZE // 2 else -1

    # --- painting ---------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the points, what is drawn around them, and the frame that says where the keys go."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.palette().color(_Role.Base))
        self.paint_points(painter)
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
        state, pixels = self._state, self.shown_pixels()
        points = self._visible_points() if self._start is None else np.arange(len(state))
        kept = np.array([group.is_kept for group in state.groups], dtype=np.bool_)
        # Later ones lie on top: what is left out, what is kept, what is selected; weaker images first.
        level = kept[state.group_of[points]].astype(np.int64) + 2 * state.chosen[points]
        size = self.tile_size
        for point in points[np.lexsort((-points, level))].tolist():
            middle = QPointF(float(pixels[point, 0]), float(pixels[point, 1]))
            if size:
                self._paint_tile(painter, middle, point, size)
            elif as_shapes:
                self._paint_sign(painter, middle, point)
            else:
                self._paint_sprite(painter, middle, point)

    def _halo(self, point: int) -> QColor | None:
        return self.palette().color(_Role.Accent) if self._state.chosen[point] else None

    def _paint_sign(self, painter: QPainter, middle: QPointF, point: int) -> None:
        ground = self.palette().color(_Role.Base)
        group = self._state.group(point)
        paint_symbol(painter, middle, self.sign_diameter, group, ground=ground, halo=self._halo(point))

    def _paint_sprite(self, painter: QPainter, middle: QPointF, point: int) -> None:
        diameter, chosen = self.sign_diameter, bool(self._state.chosen[point])
        ratio = painter.device().devicePixelRatioF()
        key = (int(self._state.group_of[point]), diameter, chosen, ratio)
        if key not in self._sprites:
            self._sprites[key] = symbol_pixmap(
                self._state.group(point),
                diameter,
                ratio,
                self.palette().color(_Role.Base),
                self.font(),
                halo=self._halo(point),
            )
        sprite = self._sprites[key]
        side = sprite.deviceIndependentSize().width()
        painter.drawPixmap(middle - QPointF(side / 2, side / 2), sprite)

    def _paint_tile(self, painter: QPainter, middle: QPointF, point: int, size: int) -> None:
        group, chosen = self._state.group(point), bool(self._state.chosen[point])
        frame = self._picture_rect(point, middle, size)
        painter.save()
        if not group.is_kept and not chosen:
            painter.setOpacity(_FAINT_TILE)
        palette = self.palette()
        if chosen:
            painter.fillRect(frame.adjusted(-7, -7, 7, 7), palette.color(_Role.Accent))
        painter.fillRect(frame.adjusted(-4, -4, 4, 4), palette.color(_Role.Base))
        painter.fillRect(frame.adjusted(-2, -2, 2, 2), group.color)
        self._paint_picture(painter, point, frame, size)
        self._paint_letter(painter, frame, group)
        painter.restore()

    def _paint_letter(self, painter: QPainter, frame: QRectF, group: PointGroup) -> None:
        side = 15.0
        chip = QRectF(frame.left() - 2, frame.top() - 2, side + 7 * (len(group.marker) - 1), side)
        paint_chip(painter, chip, group.marker, group.color, scaled_font(self.font(), 0.8, bold=True))

    def _picture_rect(self, point: int, middle: QPointF, size: int) -> QRectF:
        """Return where a picture of this longest side goes, in its own proportions."""
        pixmap = self._pixmap(point, size)
        shown = QSizeF(size, size)
        if pixmap is not None:
            shown = QSizeF(pixmap.size()).scaled(shown, Qt.AspectRatioMode.KeepAspectRatio)
        rect = QRectF(QPointF(0, 0), shown)
        rect.moveCenter(middle)
        return QRectF(rect.toRect())

    def _pixmap(self, point: int, size: int) -> QPixmap | None:
        if self._thumbnails is None:
            return None
        return self._thumbnails.cached(self._state.items[point].path, size, self.devicePixelRatioF())

    def _paint_picture(self, painter: QPainter, point: int, frame: QRectF, size: int) -> None:
        pixmap = self._pixmap(point, size)
        if pixmap is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(frame.toRect(), pixmap)
            return
        palette = self.palette()
        painter.fillRect(frame, blend(palette.color(_Role.Text), palette.color(_Role.Base), 0.07))
        if self._thumbnails is not None and self._thumbnails.failure(self._state.items[point].path):
            paint_broken_picture(painter, frame.toRect(), palette.color(_Role.PlaceholderText))

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
        frame = self._preview_rect(pointed, QPointF(*pixels[pointed]))
        palette, group = self.palette(), state.group(pointed)
        painter.fillRect(frame.adjusted(-5, -5, 5, 5), palette.color(_Role.Base))
        painter.setPen(QPen(group.color, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame.adjusted(-4, -4, 4, 4))
        self._paint_picture(painter, pointed, frame, PREVIEW_SIZE)

    def _preview_rect(self, point: int, middle: QPointF) -> QRectF:
        """Return a place beside a point: left of it, so that the tooltip finds room, else right."""
        rect = self._picture_rect(point, QPointF(0, 0), PREVIEW_SIZE)
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
            self._sprites.clear()
            self.update()
