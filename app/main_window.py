"""The main window: puts the panels together and remembers how they were arranged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.code_permission import CodePermission
from app.dropped_files import dropped_activations, dropped_folder, dropped_image, why_not_taken
from app.help_dialogs import AboutDialog, GuideDialog
from app.jobs.job import Job, JobFailure
from app.jobs.job_display import JobDisplay
from app.jobs.job_threads import SHUTDOWN_LIMIT_MS, JobThreads
from app.menus import Menus
from app.model_cache import ModelCache
from app.navigation_bar import NavigationBar
from app.project_actions import ProjectActions
from app.project_dialog import idle_text
from app.project_notices import ProjectNotices
from app.project_panels import ProjectPanels
from app.questions import tell
from app.session import Session
from app.settings import Settings
from app.shortcut_sheet import ShortcutsDialog, menu_sections
from app.thumbnail_decoding import ThumbnailDecoder
from widgets.error_dialog import ErrorDialog
from widgets.images.thumbnails import ThumbnailLoader
from widgets.job_status import JobStatusBar
from widgets.labels import EmptyState
from widgets.theme import Scheme, application_icon, apply_scheme, set_icon
from widgets.welcome.welcome_page import WelcomePage

if TYPE_CHECKING:
    from app.concept_panel import ConceptPanel
    from app.neuron_panel import NeuronPanel
    from app.neuron_workspace import NeuronWorkspace
    from app.visualization_control import VisualizationControl

logger = logging.getLogger(__name__)

LAYOUT_VERSION = 1


class MainWindow(QMainWindow):
    """Welcome page or workspace in the centre, neurons on the left, concepts and parameters on the right.

    Attributes
    ----------
    session : Session
    settings : Settings
    threads : JobThreads
    projects : ProjectActions
        What the File menu does.
    panels : ProjectPanels
        What shows a project; not there yet when the window is first painted.
    shut_down_cleanly : bool
        After closing: whether both worker threads ended.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings if settings is not None else Settings(parent=self)
        self.threads = JobThreads(self)
        self.session = Session(self.threads, self)
        self.models = ModelCache()
        self.permission = CodePermission(self)
        self._decoder = ThumbnailDecoder()
        self.thumbnails = ThumbnailLoader(self._decoder, self)
        self.projects = ProjectActions(self)
        self.panels = ProjectPanels(self)
        self.shut_down_cleanly = True
        self.setWindowIcon(application_icon())
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self.setMinimumSize(900, 600)
        self._build_centre()
        self._build_docks()
        self._build_status_bar()
        self.menus = Menus(self)
        self.navigation = NavigationBar(self)
        self.addToolBar(self.navigation)
        self._connect()
        self._docks_shown = False
        self._first_layout = QByteArray()
        self._restore()
        self._show_project()

    # Building

    def _build_centre(self) -> None:
        self.welcome = WelcomePage()
        self.unfinished = EmptyState("layers")
        self.stack = QStackedWidget()
        self.stack.addWidget(self.welcome)
        self.stack.addWidget(self.unfinished)
        self.notices = ProjectNotices(self)
        centre = QWidget()
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.notices)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(centre)

    def _build_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.neurons_dock = self._dock("Neurons", "neurons", left)
        self.concepts_dock = self._dock("Concepts", "concepts", right)
        # The side panels reach from top to bottom, the status bar below all.
        for corner in (Qt.Corner.TopLeftCorner, Qt.Corner.BottomLeftCorner):
            self.setCorner(corner, left)
        for corner in (Qt.Corner.TopRightCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, right)

    def _dock(self, title: str, name: str, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        for button, icon, tip in (
            ("qt_dockwidget_floatbutton", "float", f"{title}: a window of its own, or back into this one"),
            ("qt_dockwidget_closebutton", "close", f"Hide {title.lower()}; the View menu brings them back"),
        ):
            found = dock.findChild(QAbstractButton, button)
            if isinstance(found, QAbstractButton):
                set_icon(found, icon)
                found.setToolTip(tip)
        self.addDockWidget(area, dock)
        return dock

    def _build_status_bar(self) -> None:
        self.job_status = JobStatusBar()
        self.statusBar().addPermanentWidget(self.job_status, 1)
        self.job_display = JobDisplay(self.job_status, self.threads.long_work, self)

    def _connect(self) -> None:
        session = self.session
        self.welcome.demo_requested.connect(self.projects.open_demo)
        self.welcome.new_requested.connect(self.projects.new_project)
        self.welcome.open_requested.connect(self.projects.choose_and_open)
        self.welcome.recent_requested.connect(self.projects.open)
        self.welcome.recent_removed.connect(self.settings.remove_recent)
        self.welcome.images_dropped.connect(self.projects.open_or_begin)
        long_work = self.threads.long_work
        for signal in (long_work.job_started, long_work.job_progressed, long_work.job_ended):
            signal.connect(self._show_busy_welcome)
        self.settings.recent_changed.connect(self._list_recent)
        session.project_changed.connect(self._show_project)
        for signal in (session.layers_changed, session.layer_changed):
            signal.connect(self._follow_grey_scaling)
        extraction = self.projects.extraction
        for signal in (session.layers_changed, session.layer_changed, extraction.changed):
            signal.connect(self._show_centre)
        session.layer_loading.connect(self._show_centre)
        session.growth.changed.connect(self._show_centre)
        self.unfinished.action_requested.connect(self._act_on_unfinished)
        session.problem.connect(self.show_problem)
        long_work.job_failed.connect(self.show_job_failure)
        self.threads.interactive.job_failed.connect(self.show_job_failure)

    # The panels

    @property
    def workspace(self) -> NeuronWorkspace:
        """Dendrogram and images."""
        return self.panels.workspace

    @property
    def neuron_panel(self) -> NeuronPanel:
        """The layer and its neurons."""
        return self.panels.neurons

    @property
    def concept_panel(self) -> ConceptPanel:
        """The neuron's concepts, and the parameters."""
        return self.panels.concepts

    @property
    def visualization(self) -> VisualizationControl:
        """What renders feature visualisations."""
        return self.panels.visualization

    # Following the session

    @Slot()
    def _show_project(self) -> None:
        project = self.session.project
        self.thumbnails.clear()
        self._show_centre()
        self._show_docks(project is not None)
        name = "" if project is None else project.name + (" (read-only)" if project.read_only else "")
        self.setWindowTitle(f"{name} – Neuron Prism" if name else "Neuron Prism")
        self.job_status.set_idle_text(idle_text(project) if project is not None else "Ready")
        self._list_recent()

    @Slot()
    def _follow_grey_scaling(self) -> None:
        """Show pictures as the network sees them: its own rule is known once it was loaded."""
        project = self.session.project
        if project is not None and project.grey_scaling != self._decoder.grey_scaling:
            self._decoder.grey_scaling = project.grey_scaling
            self.thumbnails.clear()

    @Slot()
    def _show_centre(self) -> None:
        """Show the workspace, or the way forward where a project has no layer to look at yet."""
        session, extraction = self.session, self.projects.extraction
        unfinished = "" if session.layer is not None else extraction.unfinished_text()
        if session.project is None:
            self.stack.setCurrentWidget(self.welcome)
        elif not unfinished or session.layer_names():
            self.stack.setCurrentWidget(self.workspace)
        else:
            can_continue = extraction.can_continue()
            word = extraction.word
            title = f"The {word} is not finished" if can_continue else "No activations yet"
            action = f"Continue {word}" if can_continue else ""
            if extraction.is_running and session.first_with_rows():
                title, action = f"The {word} is under way", "Look at the images so far"
            self.unfinished.show_state("layers", title, unfinished, action)
            self.stack.setCurrentWidget(self.unfinished)

    @Slot()
    def _act_on_unfinished(self) -> None:
        """Continue the extraction; if it runs, show as much of a layer as there is."""
        extraction, layer = self.projects.extraction, self.session.first_with_rows()
        if extraction.is_running and layer:
            self.session.show_layer(layer)
        else:
            extraction.continue_extraction()

    def _show_docks(self, shown: bool) -> None:
        """Show the docks as the user last had them, or put them away with the project."""
        if self._docks_shown and not shown:
            self.settings.set_bytes("window/state", self.saveState(LAYOUT_VERSION))
        came = shown and not self._docks_shown
        self._docks_shown = shown
        for dock in (self.neurons_dock, self.concepts_dock):
            dock.toggleViewAction().setEnabled(shown)
            if came or not shown:
                dock.setVisible(shown)
        if came and not self.restoreState(self.settings.bytes("window/state"), LAYOUT_VERSION):
            self._default_sizes()
        self.navigation.setVisible(shown)

    @Slot()
    def _list_recent(self) -> None:
        self.welcome.set_recent(self.settings.recent_projects())

    @Slot()
    def _show_busy_welcome(self) -> None:
        """Say on the welcome page what is being opened."""
        job = self.threads.long_work.running
        if self.session.project is not None or job is None or job.quiet:
            self.welcome.set_busy(None)
            return
        progress = job.progress
        text, done, total = job.title, 0, 0
        if progress is not None:
            done, total = progress.done, progress.total
            text = self.job_display.text() or text
        self.welcome.set_busy(text, done, total)

    # Errors

    @Slot(str)
    def show_problem(self, sentence: str) -> None:
        """Show a sentence in a dialog that does not block; after closing there is only the log."""
        if self.isVisible():
            self._open_error(sentence, "", "")
        else:
            logger.error(sentence)

    @Slot(object, object)
    def show_job_failure(self, job: Job, failure: JobFailure) -> None:
        """Show an error of a job with its details, unless whoever started it says it in its own way."""
        if not self.projects.takes_failure(job, failure):
            self._open_error(failure.sentence, failure.details, failure.title)

    def _open_error(self, sentence: str, details: str, title: str) -> None:
        dialog = ErrorDialog(sentence, details, title=title, parent=self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # What the menus call

    def set_scheme(self, scheme: Scheme) -> None:
        """Dress the application and remember it."""
        application = QApplication.instance()
        if isinstance(application, QApplication):
            self.settings.scheme = scheme
            apply_scheme(application, scheme)

    @Slot(bool)
    def set_log_height(self, log: bool) -> None:
        """Draw the dendrogram's heights on a logarithmic axis, or a linear one."""
        self.settings.set_flag("dendrogram/log_height", log)
        self.workspace.dendrogram.set_log_height(log)

    @Slot(bool)
    def follow_log_height(self, log: bool) -> None:
        """Show in the menu how the dendrogram's heights are drawn."""
        self.menus.actions["log_height"].setChecked(log)

    def focus_filter(self) -> None:
        """Go to the filter above the neurons."""
        self.neurons_dock.show()
        self.neuron_panel.browser.focus_filter()

    def focus_search(self) -> None:
        """Go to the box that searches everything."""
        self.navigation.search_box.start()

    def reset_layout(self) -> None:
        """Arrange panels and splitters as at the first start."""
        if self._docks_shown:
            self.restoreState(self._first_layout, LAYOUT_VERSION)
            self.navigation.show()
        self._default_sizes()

    def show_guide(self) -> None:
        """Open the short guide to the method beside the window, or bring it to the front."""
        guide = self.findChild(GuideDialog) or GuideDialog(self)
        guide.show()
        guide.raise_()
        guide.activateWindow()

    def show_shortcuts(self) -> None:
        """Open the shortcut sheet."""
        ShortcutsDialog(menu_sections(self.menuBar()), self).open()

    def show_about(self) -> None:
        """Open the about dialog."""
        AboutDialog(self).open()

    # Arrangement

    def _restore(self) -> None:
        self.resize(1280, 800)
        self._default_sizes()
        self._first_layout = self.saveState(LAYOUT_VERSION)
        self.restoreGeometry(self.settings.bytes("window/geometry"))

    def _default_sizes(self) -> None:
        self.resizeDocks([self.neurons_dock, self.concepts_dock], [352, 300], Qt.Orientation.Horizontal)
        self.panels.reset_splitters()

    def _save_arrangement(self) -> None:
        self.panels.save_arrangement(shown=self._docks_shown)
        self.settings.set_bytes("window/geometry", self.saveGeometry())
        if self._docks_shown:
            self.settings.set_bytes("window/state", self.saveState(LAYOUT_VERSION))

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders: what cannot be opened is named when it is dropped."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped project, begin one with dropped images or activations, or say what can be."""
        mime = event.mimeData()
        event.acceptProposedAction()
        folder, image = dropped_folder(mime), dropped_image(mime)

        def begin() -> None:
            if image is not None:
                self.projects.new_project(image.parent)

        if folder is not None:
            self.projects.open_or_begin(folder)
        elif (activations := dropped_activations(mime)) is not None:
            self.projects.imports.import_activations(activations)
        else:
            action = "Use its folder" if image is not None else ""
            tell(self, "What can be dropped", why_not_taken(mime), action=action, on_action=begin)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save what was typed, cancel what runs, wait for the threads, close the project."""
        self.session.about_to_change.emit()
        self.session.save_view()
        self._save_arrangement()
        self.hide()
        for dialog in self.findChildren(QDialog):
            dialog.hide()  # not closed: that would be an answer
        self.thumbnails.shutdown()
        self.shut_down_cleanly = self.threads.shutdown(SHUTDOWN_LIMIT_MS)
        if self.shut_down_cleanly:
            self.panels.end_processes()
        if self.session.project is not None and self.shut_down_cleanly:
            self.projects.close_quietly(self.session.project)
        super().closeEvent(event)
