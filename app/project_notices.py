"""What stands above all that is shown of a project: that it is partial, or outdated, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from widgets.notice_banner import NoticeAction, NoticeBanner
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from app.main_window import MainWindow
    from backend.project import Freshness

_CONTINUE = NoticeAction("continue", "Continue extraction", "Compute what is missing. What is there is kept.")
_LOCATE = NoticeAction("locate", "Locate…", "Say where the images are now")
_LOCATE_NETWORK = NoticeAction(
    "locate_network", "Locate the network’s file…", "Say where the file is now that the network came from"
)
_DETAILS = NoticeAction("details", "Details…", "List every file that changed")
_AGAIN = NoticeAction(
    "again",
    "Compute the affected images again",
    "Changed images go through the network again; those that are gone are left out until they are back",
)
_COMPARE = NoticeAction(
    "compare",
    "Compare the network",
    "Load the network, and see whether its weights are the same and it gives the activations on record",
)
_EVERYTHING = NoticeAction(
    "everything", "Compute everything again…", "Compute all activations with the network as it is now"
)


class ProjectNotices(QWidget):
    """Two banners that follow the session, the extraction and what is known of changed files.

    Attributes
    ----------
    partial, outdated : NoticeBanner
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        self._session = window.session
        self.outdated = NoticeBanner("warning")
        self.partial = NoticeBanner("info")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.outdated)
        layout.addWidget(self.partial)
        for banner in (self.outdated, self.partial):
            banner.action_requested.connect(self._act)
        session, projects = self._session, window.projects
        for signal in (session.layer_changed, session.layer_refreshed, session.growth.changed):
            signal.connect(self._show_partial)
        projects.extraction.changed.connect(self._show_partial)
        for signal in (session.freshness_changed, projects.freshness.changed, projects.extraction.changed):
            signal.connect(self._show_outdated)

    @Slot()
    def _show_partial(self) -> None:
        layer, extraction = self._session.layer, self._window.projects.extraction
        if layer is None or not layer.is_partial:
            self.partial.show_notice("")
            return
        parts = [layer.partial_text.capitalize()]
        n_waiting = self._session.growth.n_waiting
        if n_waiting:
            parts.append(f"{count_text(n_waiting, 'new image has', 'new images have')} arrived")
        elif extraction.is_running:
            parts.append("the extraction goes on")
        elif extraction.is_paused:
            parts.append("the extraction is paused")
        actions = []
        if n_waiting or extraction.is_running:
            tooltip = "Show the new images too. It happens by itself when mouse and keyboard rest."
            actions.append(NoticeAction("refresh", "Refresh", tooltip, enabled=n_waiting > 0))
        if extraction.can_continue():
            actions.append(_CONTINUE)
        stopped = f" The extraction stopped: {extraction.failure}" if extraction.failure else ""
        self.partial.show_notice(" · ".join(parts) + "." + stopped, actions)

    @Slot()
    def _show_outdated(self) -> None:
        freshness = self._session.freshness
        if freshness is None or not freshness.sentences:
            self.outdated.show_notice("")
            return
        text = freshness.brief
        if freshness.mark:
            text = f"{freshness.mark.capitalize()}: {text[0].lower()}{text[1:]}"
        difference = self._window.projects.freshness.network_difference
        if difference:
            text += f" The network is another now: its {difference}."
        self.outdated.show_notice(text, self._actions(freshness, difference))

    def _actions(self, freshness: Freshness, difference: str) -> list[NoticeAction]:
        project, extraction = self._session.project, self._window.projects.extraction
        actions = []
        if freshness.gone or not freshness.images_found:
            actions.append(_LOCATE)
        if project is not None and not project.read_only and extraction.job is None:
            if any(file.change == "gone" for file in freshness.model_files):
                actions.append(_LOCATE_NETWORK)
            if difference:
                actions.append(_EVERYTHING)
            elif freshness.network_changed:
                actions.append(_COMPARE)
            if freshness.rows and not difference:
                actions.append(_AGAIN)
        return [*actions, _DETAILS]

    @Slot(str)
    def _act(self, key: str) -> None:
        projects = self._window.projects
        {
            "continue": projects.extraction.continue_extraction,
            "refresh": self._session.growth.refresh,
            "locate": projects.choose_images_folder,
            "locate_network": projects.freshness.locate_network,
            "details": projects.freshness.show_details,
            "again": projects.freshness.extract_again,
            "compare": projects.freshness.compare_network,
            "everything": projects.freshness.ask_to_extract_everything,
        }[key]()
