"""The parts of a dendrogram in their places (axis, tree, threshold, leaves), and what of it is shown."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, Slot
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QWidget

from widgets.dendrogram.dendrogram_hit import nearest_node
from widgets.dendrogram.dendrogram_item import DendrogramItem
from widgets.dendrogram.dendrogram_state import HEADROOM, DendrogramState
from widgets.dendrogram.height_axis import HeightAxis
from widgets.dendrogram.leaf_strip import LeafStrip
from widgets.dendrogram.threshold_item import ThresholdItem
from widgets.dendrogram.threshold_steps import round_to_resolution
from widgets.images.thumbnails import ThumbnailLoader
from widgets.images.visible_pictures import VisiblePictures

Zone = Literal["axis", "tree", "strip", "none"]

ZOOM_STEP = 1.25
MOST_HEIGHT_ZOOM = 200
_FEWEST_SLOTS = 4.0
_NEAR = 7.0
"""A line of the tree is pointed at within this many pixels."""


class DendrogramCanvas(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """Paints a :class:`DendrogramState`; the axis stays in sight whatever part of the tree is shown."""

    # The base class changes its own palette before there is anything to paint.
    _is_built = False

    def __init__(
        self, state: DendrogramState, thumbnails: ThumbnailLoader | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._thumbnails = thumbnails
        self._view = pg.ViewBox(enableMenu=False, enableMouse=False)
        self._axis = HeightAxis(state)
        self._tree = DendrogramItem(state)
        self._line = ThresholdItem(state, self._view)
        self._strip = LeafStrip(state, self._view, thumbnails)
        self._pictures = VisiblePictures(thumbnails, self) if thumbnails is not None else None
        self._arrange()
        self._take_palette()
        self._is_built = True

    def _arrange(self) -> None:
        layout = self.ci.layout
        layout.setContentsMargins(0, 4, 4, 2)
        layout.setSpacing(0)
        self.addItem(self._axis, row=0, col=0)
        self.addItem(self._view, row=0, col=1)
        self.addItem(self._strip, row=1, col=1)
        layout.setRowStretchFactor(0, 1)
        layout.setColumnStretchFactor(1, 1)
        self._axis.linkToView(self._view)
        self._view.disableAutoRange()
        self._view.addItem(self._tree, ignoreBounds=True)
        self._view.sigRangeChanged.connect(self._on_view_changed)
        self._view.sigResized.connect(self._on_view_changed)
        if self._pictures is not None:
            self._pictures.arrived.connect(self.viewport().update)
        self.setMinimumSize(220, 120)
        self.setAccessibleName("Dendrogram")

    # --- what is shown ----------------------------------------------------------------------------

    def show_tree(self) -> None:
        """Show the state's tree from its leaves to its root."""
        self._tree.tree_changed()
        self._strip.labels_changed()
        self.zoom_to_fit()
        self.refresh()

    def axis_changed(self) -> None:
        """Show the same leaves on another axis, from its lowest to its highest merge."""
        self._tree.tree_changed()
        low, high = self._state.axis_range
        self._view.setYRange(low, high, padding=0)
        self._axis.picture = None
        self._axis.update()
        self.refresh()

    def labels_changed(self) -> None:
        """Paint what became of each leaf anew."""
        self._strip.labels_changed()

    def refresh(self) -> None:
        """Paint the state as it is now."""
        self._tree.update()
        self._line.update()
        self._strip.fit_height()
        self._strip.update()
        n_chosen = int(self._state.chosen.sum())
        chosen = f"; {n_chosen} images selected" if n_chosen else ""
        self.setAccessibleDescription(
            f"{self._state.n_clusters} clusters at the distance threshold {self._state.threshold:.6g}{chosen}"
        )

    def refresh_pictures(self) -> None:
        """Make room for the pictures of the leaves, and ask for those in sight."""
        self._strip.fit_height()
        self._strip.update()
        self._request_pictures()

    def _take_palette(self) -> None:
        palette = self.palette()
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        self._axis.apply_palette(palette)
        self._axis.apply_font(self.font())

    @Slot()
    def _on_view_changed(self) -> None:
        self._strip.fit_height()
        self._tree.update()
        self._line.update()
        self._strip.labels_changed()
        self._request_pictures()

    def _request_pictures(self) -> None:
        if self._pictures is None:
            return
        layout, paths, size = self._state.layout, self._state.paths, self._strip.thumbnail_size
        if layout is None or paths is None or not size or not self.isVisible():
            self._pictures.want_nothing()
            return
        visible = [paths[int(layout.order[slot])] for slot in self._strip.visible_slots()]
        self._pictures.want(visible, size, self.devicePixelRatioF())

    # --- zoom and pan -----------------------------------------------------------------------------

    def _whole_range(self) -> tuple[float, float]:
        n_leaves = self._state.layout.n_leaves if self._state.layout is not None else 1
        return -0.5, n_leaves - 0.5

    def zoom_to_fit(self) -> None:
        """Show every leaf and the whole height."""
        low, high = self._state.axis_range
        left, right = self._whole_range()
        self._view.setRange(xRange=(left, right), yRange=(low, high), padding=0)

    def zoom_leaves(self, factor: float, around: float | None = None) -> None:
        """Show ``factor`` times fewer leaves, keeping the slot ``around`` (the middle) where it is."""
        (left, right), _ = self._view.viewRange()
        whole = self._whole_range()
        around = (left + right) / 2 if around is None else around
        fewest = min(_FEWEST_SLOTS, whole[1] - whole[0])
        width = min(max((right - left) / factor, fewest), whole[1] - whole[0])
        share = (around - left) / (right - left)
        self._set_leaves(around - share * width, width)

    def pan_leaves(self, slots: float) -> None:
        """Move to leaves further right (positive) or left."""
        (left, right), _ = self._view.viewRange()
        self._set_leaves(left + slots, right - left)

    def _set_leaves(self, left: float, width: float) -> None:
        whole = self._whole_range()
        left = min(max(left, whole[0]), whole[1] - width)
        self._view.setXRange(left, left + width, padding=0)

    def zoom_to_node(self, node: int) -> None:
        """Show a subtree, from its leaves to a little above its merge."""
        layout = self._state.layout
        if layout is None or node < 0:
            return
        self._show_slots(int(layout.first[node]), int(layout.size[node]))
        if node >= layout.n_leaves:
            bottom, top = self._state.axis_range
            height = self._state.height_to_axis(float(layout.height[node])) - bottom
            length = min(max(height * (1 + HEADROOM), (top - bottom) / MOST_HEIGHT_ZOOM), top - bottom)
            self._set_heights(bottom, length)

    def zoom_to_chosen(self) -> None:
        """Show all that is selected: the smallest subtree that holds it."""
        layout, chosen = self._state.layout, self._state.chosen
        if layout is None or not chosen.any():
            return
        slots = layout.slot[self._state.chosen_leaves]
        ends = layout.first + layout.size
        spans = np.flatnonzero((layout.first <= slots.min()) & (ends > slots.max()))
        self.zoom_to_node(int(spans[np.argmin(layout.size[spans])]))

    def bring_into_sight(self, leaves: NDArray[np.int64]) -> None:
        """Move to the first of some leaves, if all of them are out of sight."""
        layout = self._state.layout
        if layout is None or not len(leaves):
            return
        (left, right), _ = self._view.viewRange()
        slots = layout.slot[leaves]
        if not ((slots > left) & (slots < right)).any():
            self._set_leaves(float(slots.min()) - (right - left) / 2, right - left)

    def _show_slots(self, first: int, count: int) -> None:
        whole = self._whole_range()
        width = min(max(float(count), _FEWEST_SLOTS), whole[1] - whole[0])
        self._set_leaves(first + (count - 1 - width) / 2, width)

    def zoom_height(self, factor: float, around: float) -> None:
        """Show a ``factor`` times smaller part of the axis, keeping ``around`` where it is."""
        _, (low, high) = self._view.viewRange()
        bottom, top = self._state.axis_range
        length = min(max((high - low) / factor, (top - bottom) / MOST_HEIGHT_ZOOM), top - bottom)
        share = (around - low) / (high - low)
        self._set_heights(around - share * length, length)

    def _set_heights(self, low: float, length: float) -> None:
        bottom, top = self._state.axis_range
        low = min(max(low, bottom), top - length)
        self._view.setYRange(low, low + length, padding=0)

    # --- places -----------------------------------------------------------------------------------

    def to_view(self, point: QPointF) -> QPointF:
        """Return a point of the viewport in pixels of the view box."""
        scene = self.viewportTransform().inverted()[0].map(point)
        return QPointF(self._view.mapFromScene(scene))

    def zone(self, point: QPointF) -> Zone:
        """Return what part of the dendrogram a point of the viewport is in."""
        if self._state.layout is None:
            return "none"
        place, rect = self.to_view(point), self._view.rect()
        if place.y() > rect.bottom():
            inside = (
                0 <= place.x() <= rect.right() and place.y() <= rect.bottom() + self._strip.rect().height()
            )
            return "strip" if inside else "none"
        if place.x() < 0:
            return "axis"
        return "tree" if place.x() <= rect.right() else "none"

    def node_at(self, point: QPointF) -> int:
        """Return the node pointed at: the nearest line, or the subtree whose ground this is; −1 for none."""
        zone = self.zone(point)
        layout, place = self._state.layout, self.to_view(point)
        if layout is None or zone in ("axis", "none"):
            return -1
        if zone == "strip":
            slot = self._strip.slot_at(place.x())
            return int(layout.order[slot]) if slot >= 0 else -1
        data = self._view.mapToView(place)
        pixel = self._view.viewPixelSize()
        return nearest_node(
            layout, self._state.to_axis(layout.height), data.x(), data.y(), pixel[0], pixel[1], _NEAR
        )

    def height_at(self, point: QPointF) -> float:
        """Return the merge height at a point of the viewport, rounded to what a pixel can tell apart."""
        axis = float(self._view.mapToView(self.to_view(point)).y())
        low, high = self._state.axis_range
        axis = min(max(axis, low), high)
        pixel = float(self._view.viewPixelSize()[1])
        height, next_height = self._state.from_axis(axis), self._state.from_axis(axis + pixel)
        rounded = round_to_resolution(height, next_height - height)
        return max(rounded, self._state.lowest_shown)

    def is_near_line(self, point: QPointF) -> bool:
        """Tell whether a press at a point of the viewport takes hold of the threshold."""
        return self.zone(point) == "tree" and self._line.is_near(self.to_view(point))

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for the pictures that were not wanted while the tree was out of sight."""
        super().showEvent(event)
        self._request_pictures()

    def event(self, event: QEvent) -> bool:
        """Ask for sharper pictures on a screen of another scale."""
        handled = bool(super().event(event))
        if self._is_built and event.type() == QEvent.Type.DevicePixelRatioChange:
            self._request_pictures()
        return handled

    def changeEvent(self, event: QEvent) -> None:
        """Take another palette or font."""
        super().changeEvent(event)
        if self._is_built and event.type() in (
            QEvent.Type.PaletteChange,
            QEvent.Type.ApplicationPaletteChange,
            QEvent.Type.FontChange,
        ):
            self._take_palette()
            self._strip.labels_changed()
            self.refresh()
