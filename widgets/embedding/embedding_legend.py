"""Which sign stands for which concept; a click selects its images."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QPalette
from PySide6.QtWidgets import QToolButton, QWidget

from widgets import theme
from widgets.embedding.embedding_state import EmbeddingState, PointGroup
from widgets.embedding.embedding_symbols import symbol_pixmap
from widgets.flow_layout import FlowLayout

SIGN_SIDE = 20
SIGN_DIAMETER = 15.0
_LONGEST_TITLE = 28


class LegendEntry(QToolButton):
    """Sign, name and number of images of one group."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.shown_group: PointGroup | None = None
        self.setAutoRaise(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(SIGN_SIDE, SIGN_SIDE))

    def show_group(self, group: PointGroup, n_points: int) -> None:
        """Show a group of which ``n_points`` have a place."""
        self.shown_group = group
        self.setText(legend_text(group, n_points))
        images = "1 image" if n_points == 1 else f"{n_points} images"
        self.setToolTip(f"{group.title}: {images}. Click to select them.")
        self.setAccessibleName(f"{group.title}, sign {group.marker}, {images}")
        self.refresh()

    def refresh(self) -> None:
        """Draw the sign for the palette and the screen that there are."""
        if self.shown_group is not None:
            ground = self.palette().color(QPalette.ColorRole.Window)
            ratio = self.devicePixelRatioF()
            pixmap = symbol_pixmap(
                self.shown_group, SIGN_DIAMETER, ratio, ground, self.font(), side=SIGN_SIDE
            )
            self.setIcon(QIcon(pixmap))


class EmbeddingLegend(QWidget):
    """A row of entries, in the order of the groups; groups without a point have none.

    Signals
    -------
    group_chosen(int)
        Key of the group that was clicked.
    """

    group_chosen = Signal(int)

    def __init__(self, state: EmbeddingState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._entries: list[LegendEntry] = []
        self._flow = FlowLayout(self, theme.SPACING // 2)

    def points_changed(self) -> None:
        """Show the state's groups."""
        shown = groups_with_points(self._state)
        while len(self._entries) < len(shown):
            entry = LegendEntry(self)
            entry.clicked.connect(self._on_clicked)
            self._flow.insertWidget(len(self._entries), entry)
            self._entries.append(entry)
        for number, entry in enumerate(self._entries):
            entry.setVisible(number < len(shown))
            if number < len(shown):
                entry.show_group(*shown[number])

    def entries(self) -> list[LegendEntry]:
        """Return the entries on show."""
        return [entry for entry in self._entries if not entry.isHidden()]

    @Slot()
    def _on_clicked(self) -> None:
        entry = self.sender()
        if isinstance(entry, LegendEntry) and entry.shown_group is not None:
            self.group_chosen.emit(entry.shown_group.key)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the signs anew in another palette."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            for entry in self._entries:
                entry.refresh()


def groups_with_points(state: EmbeddingState) -> list[tuple[PointGroup, int]]:
    """Return the groups that have points, and how many."""
    counts = np.bincount(state.group_of, minlength=len(state.groups))
    return [(group, int(n)) for group, n in zip(state.groups, counts, strict=True) if n]


def legend_text(group: PointGroup, n_points: int) -> str:
    """Return "apples 42", a long name shortened."""
    title = group.title
    if len(title) > _LONGEST_TITLE:
        title = title[: _LONGEST_TITLE - 1] + "…"
    return f"{title}  {n_points}"
