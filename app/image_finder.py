"""Finds images in every panel: selects them, and brings them into sight wherever they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget

from app.neuron_workspace import NeuronWorkspace
from app.session import Session


class _ShowsImages(Protocol):
    def scroll_to_row(self, row: int) -> bool: ...

    def isVisible(self) -> bool: ...


class ImageFinder(QObject):
    """What "Find it in the other panels" does.

    A panel behind another tab follows when its tab is chosen, as long as the image is still selected.
    """

    def __init__(self, workspace: NeuronWorkspace, session: Session) -> None:
        super().__init__(workspace)
        self._session = session
        self._dendrogram = workspace.dendrogram
        self._panels: tuple[tuple[QWidget, _ShowsImages], ...] = tuple(
            (panel, panel) for panel in (workspace.members, workspace.max_projecting, workspace.embedding)
        )
        self._wanted: dict[QWidget, int] = {}
        # Later: bands and columns of this very moment come first, and a tab's page gets its size.
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._follow)
        workspace.members.find_requested.connect(self.find)
        workspace.max_projecting.find_requested.connect(self.find)
        workspace.tabs.currentChanged.connect(self._later.start)
        session.neuron_changed.connect(self._forget)

    @Slot(object)
    def find(self, rows: Sequence[int]) -> None:
        """Select images everywhere and bring the first of them into sight."""
        if rows:
            self._session.selection.select_images(rows)
            self.bring_into_sight(rows[0])

    @Slot(int)
    def bring_into_sight(self, row: int) -> None:
        """Scroll every panel that shows an image until it is seen."""
        split = self._session.split
        if split is not None:
            for leaf in np.flatnonzero(split.top.images == row).tolist():
                self._dendrogram.scroll_to_leaf(leaf)
        self._wanted = {panel: row for panel, _ in self._panels}
        self._later.start()

    @Slot()
    def _follow(self) -> None:
        for panel, shows in self._panels:
            if panel in self._wanted and panel.isVisible():
                row = self._wanted.pop(panel)
                if row in self._session.selection.images:
                    shows.scroll_to_row(row)

    @Slot()
    def _forget(self) -> None:
        self._wanted.clear()
