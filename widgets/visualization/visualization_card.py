"""One card of the feature visualisation: a direction's picture, its objective and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QImage,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from backend.visualization.visualization_result import FeatureVisualization
from widgets import theme
from widgets.palette import blend, text_color_on
from widgets.quantity_text import activation_text

PICTURE_SIZES = 150, 288
"""Smallest and largest side of a card's picture on screen, in pixels."""

PADDING = 10
_SWATCH = 20
_CURVE = 30


@dataclass(frozen=True)
class VisualizationCard:
    """One card: the key of its direction, a title, and the concept's colour and marker letter."""

    key: str
    title: str
    color: QColor | None = None
    marker: str = ""
    caption: str = ""


def owned_image(pixels: NDArray[np.uint8]) -> QImage:
    """Return a QImage that owns its memory, from uint8 (H, W, 3).

    Raises
    ------
    ValueError
        If the array has another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"A picture is uint8 (H, W, 3), not {pixels.dtype} {pixels.shape}.")
    height, width, _ = pixels.shape
    contiguous = np.ascontiguousarray(pixels)
    borrowed = QImage(contiguous.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return borrowed.copy()


class VisualizationCardView(QWidget):
    """A picture with a title above it and the objective's curve below.

    Signals
    -------
    save_requested(str, str)
        Key of the card, and the PNG file that the user chose.
    """

    save_requested = Signal(str, str)

    def __init__(self, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = key
        self._card = VisualizationCard(key, key)
        self._image: QImage | None = None
        self._objective: NDArray[np.float32] = np.zeros(0, dtype=np.float32)
        self._n_steps = 0
        self._fit = ""
        self._picture = PICTURE_SIZES[1]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)

    # --- content -------------------------------------------------------------------------------------

    def set_card(self, card: VisualizationCard) -> None:
        """Show another title and colour over the same picture."""
        self._card = card
        self._describe()
        self.update()

    def show_result(self, result: FeatureVisualization, position: int) -> None:
        """Show one direction of a result, the one at ``position`` among its keys."""
        self._image = owned_image(result.images[position])
        self._objective = result.objective[position]
        self._n_steps = result.n_steps
        self._fit = _fit_text(result, position)
        self._describe()
        self.update()

    def clear(self) -> None:
        """Take the picture off."""
        self._image, self._fit = None, ""
        self._objective = np.zeros(0, dtype=np.float32)
        self._describe()
        self.update()

    def set_picture_size(self, side: int) -> None:
        """Show the picture at this side length in pixels, within :data:`PICTURE_SIZES`."""
        side = min(max(side, PICTURE_SIZES[0]), PICTURE_SIZES[1])
        if side != self._picture:
            self._picture = side
            self.updateGeometry()
            self.update()

    def image(self) -> QImage | None:
        """Return the picture, None while there is none."""
        return self._image

    def fit_text(self) -> str:
        """Return how the finished picture projects on its own direction and on the others."""
        return self._fit

    def _describe(self) -> None:
        progress = f"step {len(self._objective)} of {self._n_steps}" if self._image else "no picture yet"
        self.setAccessibleName(f"Feature visualisation of {self._card.title}, {progress}")
        lines = [self._card.title, self._card.caption, progress]
        if len(self._objective):
            lines.append(f"objective {activation_text(float(self._objective[-1]))}")
        if self._fit:
            lines.append(
                "Put through the network unchanged, the picture projects on its own direction and, at most, "
                f"on another of these cards: {self._fit}"
            )
        self.setToolTip("\n".join(line for line in lines if line))

    # --- menu ----------------------------------------------------------------------------------------

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        self.menu().popup(self.mapToGlobal(position))

    def menu(self) -> QMenu:
        """Return the card's menu; its entries need a picture."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        save = menu.addAction("Save picture as PNG…")
        save.triggered.connect(self._choose_file)
        copy = menu.addAction("Copy picture")
        copy.triggered.connect(self._copy)
        for action in (save, copy):
            action.setEnabled(self._image is not None)
        return menu

    @Slot()
    def _choose_file(self) -> None:
        name = "".join(c if c.isalnum() or c in " -_" else "-" for c in self._card.title).strip() or self._key
        chosen, _ = QFileDialog.getSaveFileName(self, "Save picture", f"{name}.png", "PNG image (*.png)")
        if chosen:
            path = Path(chosen)
            self.save_requested.emit(self._key, str(path if path.suffix else path.with_suffix(".png")))

    @Slot()
    def _copy(self) -> None:
        if self._image is not None:
            QGuiApplication.clipboard().setImage(self._image)

    # --- painting ------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        """Ask for the picture, a line above and the curve with two lines below."""
        line = self.fontMetrics().height()
        height = self._picture + 2 * PADDING + _SWATCH + 2 * theme.SPACING + _CURVE + 2 * line
        return QSize(self._picture + 2 * PADDING, height)

    def minimumSizeHint(self) -> QSize:
        """Stay as large as the picture."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        frame = palette.color(QPalette.ColorRole.Accent if self.hasFocus() else QPalette.ColorRole.Mid)
        painter.setPen(QPen(frame, 2 if self.hasFocus() else 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        self._draw_title(painter)
        picture = QRectF(PADDING, PADDING + _SWATCH + theme.SPACING, self._picture, self._picture)
        self._draw_picture(painter, picture)
        self._draw_footer(painter, QRectF(PADDING, picture.bottom() + theme.SPACING, self._picture, _CURVE))

    def _draw_title(self, painter: QPainter) -> None:
        x = float(PADDING)
        if self._card.color is not None:
            swatch = QRectF(x, PADDING, _SWATCH, _SWATCH)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._card.color)
            painter.drawRoundedRect(swatch, 5, 5)
            painter.setPen(text_color_on(self._card.color))
            painter.setFont(theme.scaled_font(self.font(), 0.9, bold=True))
            painter.drawText(swatch, int(Qt.AlignmentFlag.AlignCenter), self._card.marker)
            x += _SWATCH + theme.SPACING
        title = QRectF(x, PADDING, self.width() - x - PADDING, _SWATCH)
        font = theme.scaled_font(self.font(), 1.0, bold=True)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        shown = QFontMetrics(font).elidedText(
            self._card.title, Qt.TextElideMode.ElideRight, int(title.width())
        )
        painter.drawText(title, int(Qt.AlignmentFlag.AlignVCenter), shown)

    def _draw_picture(self, painter: QPainter, place: QRectF) -> None:
        if self._image is None:
            text, base = (self.palette().color(r) for r in (QPalette.ColorRole.Text, QPalette.ColorRole.Base))
            painter.fillRect(place, blend(text, base, 0.06))
            painter.setFont(self.font())
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), "not rendered yet")
            return
        size = QSize(self._image.size())
        size.scale(place.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        target = QRectF(0, 0, size.width(), size.height())
        target.moveCenter(place.center())
        painter.drawImage(target, self._image)

    def _draw_footer(self, painter: QPainter, place: QRectF) -> None:
        quiet = self.palette().color(QPalette.ColorRole.PlaceholderText)
        if len(self._objective) > 1:
            self._draw_curve(painter, place)
        painter.setFont(theme.scaled_font(self.font(), 0.88))
        painter.setPen(quiet)
        height = painter.fontMetrics().height()
        line = QRectF(place.x(), place.bottom() + 4, place.width(), height)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if self._image is None:
            painter.drawText(line, int(left), self._card.caption)
            return
        painter.drawText(line, int(left), f"step {len(self._objective)} of {self._n_steps}")
        if len(self._objective):
            painter.drawText(line, int(right), f"objective {activation_text(float(self._objective[-1]))}")
        painter.drawText(line.translated(0, height), int(left), self._fit or self._card.caption)

    def _draw_curve(self, painter: QPainter, place: QRectF) -> None:
        values = self._objective[np.isfinite(self._objective)].astype(np.float64)
        if len(values) < 2:
            return
        span = float(values.max() - values.min()) or 1.0
        steps = np.arange(len(values)) / max(self._n_steps - 1, 1)
        xs = place.x() + steps * place.width()
        ys = place.bottom() - 1 - (values - values.min()) / span * (place.height() - 3)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawLine(place.bottomLeft(), place.bottomRight())
        color = self._card.color or self.palette().color(QPalette.ColorRole.Accent)
        painter.setPen(QPen(color, 1.6))
        points = [QPointF(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
        painter.drawPolyline(QPolygonF(points))


def _fit_text(result: FeatureVisualization, position: int) -> str:
    """Say how the picture projects on its own direction, and on the other one that it fits best."""
    if result.projections is None:
        return ""
    row = result.projections[position]
    text = f"own {activation_text(float(row[position]))}"
    if len(row) > 1:
        best = float(np.max(np.delete(row, position)))
        text += f" · best other {activation_text(best)}"
    return text
