"""A neuron's images as points of a plane, coloured by concept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPalette, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QStackedLayout, QVBoxLayout, QWidget

from backend.evaluation.embedding_result import METHOD_NAMES, Embedding
from widgets import theme
from widgets.embedding.embedding_bar import EmbeddingBar, EmbeddingChoice
from widgets.embedding.embedding_legend import EmbeddingLegend
from widgets.embedding.embedding_picture import PictureFormat, picture_bytes, picture_image
from widgets.embedding.embedding_plot import ZOOM_STEP, EmbeddingPlot
from widgets.embedding.embedding_state import EmbeddingState, PointGroup
from widgets.images.image_menu import PictureClipboard, picture_menu
from widgets.images.image_viewer import ImageViewer
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import ElidedLabel, EmptyState, MessageLabel
from widgets.tab_order import visit_after

_LEGEND_FROM, _STATUS_FROM = 18, 12
"""Height of the view, in lines of text, from which there is room for them."""

_FILES = {"png": "PNG image (*.png)", "svg": "SVG drawing (*.svg)"}


class EmbeddingView(QWidget):
    """Points to look at, encircle and zoom into, with their legend and the choice of the method.

    Setters send no signals. A click selects a point, a lasso all that it goes around (Ctrl toggles, Shift
    adds); zoomed in, points are pictures. Double click, Enter and Space open a picture large by themselves.

    Parameters
    ----------
    thumbnails
        Where the pictures come from.

    Signals
    -------
    choice_changed(EmbeddingChoice)
        The user wants another method, seed or set of images.
    rows_selected(object)
        The user selected other images: a tuple of dataset rows, the strongest first.
    row_hovered(int)
        Dataset row of the image under the pointer, −1 for none.
    row_activated(int)
        An image has been opened large.
    group_chosen(int)
        Key of the group whose entry in the legend was clicked.
    menu_requested(object, object)
        A QMenu that is about to be shown, and the tuple of dataset rows that it is for: add to it.
    save_requested(str)
        The user chose a file for the picture, PNG or SVG by its suffix: see :meth:`picture`.
    shown()
        The view came into sight.
    """

    choice_changed = Signal(object)
    rows_selected = Signal(object)
    row_hovered = Signal(int)
    row_activated = Signal(int)
    group_chosen = Signal(int)
    menu_requested = Signal(object, object)
    save_requested = Signal(str)
    shown = Signal()

    def __init__(self, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._state = EmbeddingState()
        self._embedding: Embedding | None = None
        self._caption = ""
        self._clipboard = PictureClipboard(thumbnails, self)
        self._viewer: ImageViewer | None = None
        self.bar = EmbeddingBar(ZOOM_STEP)
        self.plot = EmbeddingPlot(self._state, thumbnails)
        self.legend = EmbeddingLegend(self._state)
        self._preparing = QLabel(self.plot)
        self._problem = MessageLabel()
        self._status = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self._empty = EmptyState("embedding")
        self._arrange()
        self._connect()
        self.set_message("")

    def _arrange(self) -> None:
        self._preparing.setAutoFillBackground(True)
        self._preparing.setContentsMargins(theme.SPACING, 3, theme.SPACING, 3)
        self._preparing.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._preparing.move(theme.SPACING, theme.SPACING)
        self._preparing.hide()
        self._status.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._status.setFont(theme.scaled_font(self._status.font(), 0.92))
        self._problem.setContentsMargins(theme.SPACING, 0, theme.SPACING, theme.SPACING // 2)
        foot = QVBoxLayout()
        foot.setContentsMargins(theme.SPACING, 2, theme.SPACING, 3)
        foot.setSpacing(0)
        foot.addWidget(self.legend)
        foot.addWidget(self._status)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self._problem)
        column.addWidget(self.plot, 1)
        column.addLayout(foot)
        self._content = content
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._empty)
        self._pages.addWidget(content)
        self.setFocusProxy(self.plot)
        visit_after(self.plot, self.bar)

    def _connect(self) -> None:
        self.bar.choice_changed.connect(self.choice_changed)
        self.bar.pan_wanted.connect(self.plot.set_pans)
        self.bar.zoom_wanted.connect(self._zoom)
        self.legend.group_chosen.connect(self.group_chosen)
        self.plot.points_picked.connect(self._on_picked)
        self.plot.point_hovered.connect(self._on_hovered)
        self.plot.point_activated.connect(self._open_large)
        self.plot.current_changed.connect(self._show_status)
        self.plot.menu_requested.connect(self._show_menu)

    # --- what is shown ----------------------------------------------------------------------------

    def set_points(
        self, groups: Sequence[PointGroup], rows: Sequence[int], embedding: Embedding, caption: str = ""
    ) -> None:
        """Show images in a plane.

        Selection, current point and zoom stay where the same embedding is given again (with other groups);
        with another one, points of images that stay move to their new places.

        Parameters
        ----------
        groups
            The images with their pictures, colours and signs.
        rows
            Dataset rows of the images that were put into the plane.
        embedding
            Their places, parallel to ``rows``.
        caption
            What a saved picture says that it shows: layer and neuron.
        """
        same = embedding is self._embedding and self._pages.currentWidget() is self._content
        self._embedding, self._caption = embedding, caption
        self._state.set_points(groups, rows, embedding.positions)
        self._problem.show_message("")
        self.plot.points_changed(moved=not same)
        self.legend.points_changed()
        self._pages.setCurrentWidget(self._content)
        self._show_status()

    def set_preparing(self, text: str) -> None:
        """Say over the points what is on its way; empty: nothing is."""
        self._preparing.setText(text)
        self._preparing.adjustSize()
        self._preparing.setVisible(bool(text))

    def preparing(self) -> str:
        """Return what is said to be on its way."""
        return self._preparing.text()

    def set_problem(self, text: str) -> None:
        """Say above the points why they are not what was asked for; without points, in their place."""
        self.set_preparing("")
        if self._embedding is None:
            self.set_message(text, "No embedding")
        else:
            self._problem.show_message(text, "warning")

    def problem(self) -> str:
        """Return the sentence above the points."""
        return self._problem.text()

    def set_message(self, text: str, title: str = "Nothing to show") -> None:
        """Show a sentence instead of points; an empty one asks for a neuron."""
        self._embedding = None
        self._state.set_points((), (), np.empty((0, 2)))
        self.plot.points_changed(moved=True, animate=False)
        self.set_preparing("")
        self._problem.show_message("")
        self._empty.show_state("embedding", title, text or "Choose a neuron to see its images in a plane.")
        self._pages.setCurrentWidget(self._empty)

    def message(self) -> str:
        """Return the sentence shown instead of points; empty while there are points."""
        return "" if self._pages.currentWidget() is self._content else self._empty.text()

    def rows(self) -> tuple[int, ...]:
        """Return the dataset rows of the points on show."""
        return self._state.rows

    def embedding(self) -> Embedding | None:
        """Return the embedding on show."""
        return self._embedding

    def choice(self) -> EmbeddingChoice:
        """Return what the user wants to see."""
        return self.bar.choice()

    def set_choice(self, choice: EmbeddingChoice) -> None:
        """Show another choice in the bar."""
        self.bar.set_choice(choice)

    # --- selection --------------------------------------------------------------------------------

    def set_selected_rows(self, rows: Collection[int]) -> None:
        """Select these images where they have a point."""
        self._state.choose_rows(rows)
        self.plot.refresh()
        self._show_status()

    def scroll_to_row(self, row: int) -> bool:
        """Bring an image's point into sight; returns whether it has one."""
        if row not in self._state.rows:
            return False
        self.plot.bring_into_sight(self._state.rows.index(row))
        return True

    def selected_rows(self) -> tuple[int, ...]:
        """Return the dataset rows of the selected points, the strongest image first."""
        return self._state.chosen_rows

    @Slot(object, object)
    def _on_picked(self, points: NDArray[np.int64], modifiers: Qt.KeyboardModifier) -> None:
        before = self._state.chosen.copy()
        self._state.choose(
            points,
            toggle=bool(modifiers & Qt.KeyboardModifier.ControlModifier),
            add=bool(modifiers & Qt.KeyboardModifier.ShiftModifier),
        )
        if (before != self._state.chosen).any():
            self.plot.refresh()
            self._show_status()
            self.rows_selected.emit(self._state.chosen_rows)

    @Slot(int)
    def _on_hovered(self, point: int) -> None:
        self.row_hovered.emit(self._state.items[point].row if point >= 0 else -1)

    # --- what the user does -----------------------------------------------------------------------

    @Slot(float)
    def _zoom(self, factor: float) -> None:
        if factor:
            self.plot.zoom_by(factor)
        else:
            self.plot.zoom_to_fit()

    @Slot(int)
    def _open_large(self, point: int) -> None:
        if self._viewer is None:
            self._viewer = ImageViewer(self._thumbnails, self)
        self._viewer.show_items(self._state.items, point)
        self.row_activated.emit(self._state.items[point].row)

    @Slot(int, object)
    def _show_menu(self, point: int, where: QPoint) -> None:
        menu = self._picture_menu(point) if point >= 0 else QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if point >= 0:
            menu.addSeparator()
        fit = menu.addAction("Show all images\t0")
        theme.set_icon(fit, "zoom-fit")
        fit.triggered.connect(self.plot.zoom_to_fit)
        menu.addSeparator()
        copy = menu.addAction("Copy the embedding as a picture")
        copy.triggered.connect(self._copy_picture)
        save = menu.addAction("Save the embedding as a picture…")
        theme.set_icon(save, "save")
        save.triggered.connect(self._choose_file)
        for action in (fit, copy, save):
            action.setEnabled(bool(len(self._state)))
        menu.popup(where)

    def _picture_menu(self, point: int) -> QMenu:
        """Return the menu of the images selected, or of the one clicked if it is not among them."""
        state = self._state
        if not state.chosen[point]:
            self._on_picked(np.array([point]), Qt.KeyboardModifier.NoModifier)
        others = [state.items[i] for i in np.flatnonzero(state.chosen) if i != point]
        items = [state.items[point], *others]
        menu = picture_menu(items, self._clipboard, lambda: self._open_large(point), self)
        self.menu_requested.emit(menu, tuple(item.row for item in items))
        return menu

    # --- the picture ------------------------------------------------------------------------------

    def picture(self, kind: PictureFormat) -> bytes:
        """Return the file of a picture of what is on show, with its legend and how it was made."""
        return picture_bytes(self.plot, self._state, self.caption(), kind)

    def caption(self) -> str:
        """Return what a saved picture says about itself."""
        made = self._embedding.settings_text if self._embedding is not None else ""
        return " · ".join(part for part in (self._caption, made) if part)

    @Slot()
    def _copy_picture(self) -> None:
        QGuiApplication.clipboard().setImage(picture_image(self.plot, self._state, self.caption()))

    @Slot()
    def _choose_file(self) -> None:
        name = "".join(c if c.isalnum() or c in " -_." else "-" for c in self._caption).strip() or "embedding"
        method = METHOD_NAMES[self._embedding.method] if self._embedding is not None else ""
        chosen, kind = QFileDialog.getSaveFileName(
            self, "Save the embedding as a picture", f"{name} {method}".strip(), ";;".join(_FILES.values())
        )
        if chosen:
            path = Path(chosen)
            suffix = "svg" if kind == _FILES["svg"] else "png"
            known = path.suffix.lower().lstrip(".") in _FILES
            self.save_requested.emit(str(path if known else path.with_name(f"{path.name}.{suffix}")))

    # --- looks ------------------------------------------------------------------------------------

    @Slot()
    def _show_status(self) -> None:
        state, embedding = self._state, self._embedding
        if embedding is None:
            self._status.setText("")
            return
        n, chosen = len(state), int(state.chosen.sum())
        parts = ["1 image" if n == 1 else f"{n:,} images"]
        if chosen:
            parts.append(f"{chosen:,} selected")
        parts.append(embedding.note or embedding.settings_text)
        self._status.setText(" · ".join(parts))
        if state.current >= 0:
            item = state.items[state.current]
            parts.append(f"at {item.path.name}, {state.group(state.current).title}")
        self.plot.setAccessibleDescription(", ".join(parts))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave what room there is to the points."""
        super().resizeEvent(event)
        lines = self.height() / self.fontMetrics().height()
        self.legend.setVisible(lines >= _LEGEND_FROM)
        self._status.setVisible(lines >= _STATUS_FROM)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that there is somebody to look."""
        super().showEvent(event)
        self.shown.emit()
