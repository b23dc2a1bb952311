"""The first page: what the application is for, and three ways to begin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.drop_frame import draw_drop_frame
from widgets.labels import heading_label, secondary_label
from widgets.welcome.action_card import ActionCard
from widgets.welcome.prism_banner import PrismBanner
from widgets.welcome.recent_projects import RecentProject, RecentProjects

__all__ = ["RecentProject", "WelcomePage"]

PROJECT_ENDING = ".prism"

_PURPOSE = (
    "Split a neuron of a vision network into the distinct concepts that it responds to, "
    "as a prism splits white light."
)
_DROP_HINT = "Or drop a project, or a folder of images, anywhere on this page."
_WIDTH = 820
_PROGRESS_STEPS = 1000


class WelcomePage(QWidget):
    """Name, purpose, three large actions and the recent projects; takes a dropped project folder too.

    Signals
    -------
    demo_requested(), new_requested(), open_requested()
        One of the three actions.
    recent_requested(str)
        A recent project, or a folder that was dropped: its path.
    recent_removed(str)
        The user took this entry off the list.
    images_dropped(str)
        A folder that is not a project was dropped: probably images for a new project.
    """

    demo_requested = Signal()
    new_requested = Signal()
    open_requested = Signal()
    recent_requested = Signal(str)
    recent_removed = Signal(str)
    images_dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dragged_over = False
        self.setAcceptDrops(True)
        self.demo_card = ActionCard(
            "prism",
            "Open the &demo",
            "A small network and drawn pictures whose concepts are known. "
            "About half a minute the first time, no download.",
            primary=True,
        )
        self.new_card = ActionCard(
            "new-project", "&New project…", "Choose a network, its layers and a folder of images of your own."
        )
        self.open_card = ActionCard(
            "open", "&Open project…", "Go on with a project folder from this computer."
        )
        self.demo_card.clicked.connect(self.demo_requested)
        self.new_card.clicked.connect(self.new_requested)
        self.open_card.clicked.connect(self.open_requested)
        self.recent_list = RecentProjects()
        self.recent_list.chosen.connect(self.recent_requested)
        self.recent_list.removed.connect(self._forget)
        self._recent_title = heading_label("Recent projects")
        self._no_recent = secondary_label("Projects that you open are listed here.")
        self._busy_text = secondary_label(factor=1.0)
        self._busy_bar = QProgressBar()
        self._build_layout()
        self.set_recent(())
        self.set_busy(None)

    def _build_layout(self) -> None:
        title = heading_label("Neuron Prism", 2.4)
        purpose = QLabel(_PURPOSE)
        purpose.setFont(theme.scaled_font(purpose.font(), 1.15))
        for label in (title, purpose):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
        cards = QHBoxLayout()
        cards.setSpacing(2 * theme.SPACING)
        for card in (self.demo_card, self.new_card, self.open_card):
            cards.addWidget(card, 1)
        self._busy_bar.setRange(0, 0)
        self._busy_bar.setTextVisible(False)
        self._busy_bar.setFixedHeight(6)
        hint = secondary_label(_DROP_HINT)
        for label in (hint, self._busy_text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)

        column = QWidget()
        column.setMaximumWidth(_WIDTH)
        layout = QVBoxLayout(column)
        layout.setContentsMargins(2 * theme.MARGIN, theme.MARGIN, 2 * theme.MARGIN, theme.MARGIN)
        layout.setSpacing(theme.SPACING)
        layout.addStretch(1)
        layout.addWidget(PrismBanner())
        layout.addWidget(title)
        layout.addWidget(purpose)
        layout.addSpacing(2 * theme.SPACING)
        layout.addLayout(cards)
        layout.addWidget(self._busy_bar)
        layout.addWidget(self._busy_text)
        layout.addSpacing(theme.SPACING)
        layout.addWidget(self._recent_title)
        layout.addWidget(self._no_recent)
        layout.addWidget(self.recent_list, 4)
        layout.addWidget(hint)
        layout.addStretch(1)
        self._center(column)

    def _center(self, column: QWidget) -> None:
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(column, 100)
        row.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidget(inner)
        outer = QStackedLayout(self)
        outer.addWidget(area)

    def set_recent(self, projects: Sequence[RecentProject]) -> None:
        """Show the recent projects, most recent first."""
        self.recent_list.set_projects(projects)
        self._fit_list()

    def set_busy(self, text: str | None, done: int = 0, total: int = 0) -> None:
        """Say what is being prepared and how far, with the actions out of reach; None: nothing is.

        ``total`` 0: how much there is to do is not known yet.
        """
        self._busy_text.setText(text or "")
        self._busy_bar.setRange(0, _PROGRESS_STEPS if total > 0 else 0)
        if total > 0:
            self._busy_bar.setValue(round(_PROGRESS_STEPS * min(done, total) / total))
        for shown in (self._busy_text, self._busy_bar):
            shown.setVisible(text is not None)
        for widget in (self.demo_card, self.new_card, self.open_card, self.recent_list):
            widget.setEnabled(text is None)

    def _forget(self, path: str) -> None:
        self._fit_list()
        self.recent_removed.emit(path)

    def _fit_list(self) -> None:
        rows = self.recent_list.count()
        height = sum(self.recent_list.sizeHintForRow(row) for row in range(rows))
        self.recent_list.setMaximumHeight(height + 2 * self.recent_list.frameWidth())
        self.recent_list.setMinimumHeight(min(height + 2, 150))
        self.recent_list.setVisible(rows > 0)
        self._no_recent.setVisible(rows == 0)

    # --- drops ---------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder."""
        if self.demo_card.isEnabled() and _dropped_folder(event) is not None:
            event.acceptProposedAction()
            self._show_drop(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Forget what was dragged over the page."""
        self._show_drop(False)

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a project, or begin a new one with a folder of images."""
        self._show_drop(False)
        folder = _dropped_folder(event)
        if folder is None:
            return
        event.acceptProposedAction()
        if folder.suffix == PROJECT_ENDING:
            self.recent_requested.emit(str(folder))
        else:
            self.images_dropped.emit(str(folder))

    def _show_drop(self, dragged_over: bool) -> None:
        self._dragged_over = dragged_over
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Frame the page while something is dragged over it."""
        super().paintEvent(event)
        if self._dragged_over:
            draw_drop_frame(self, theme.SPACING // 2)


def _dropped_folder(event: QDropEvent) -> Path | None:
    """Return the one folder that is dragged; a project's own files stand for the project."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    path = Path(urls[0].toLocalFile())
    if path.is_file() and path.parent.suffix == PROJECT_ENDING:
        path = path.parent
    return path if path.is_dir() else None
