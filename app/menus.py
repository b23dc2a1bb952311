"""The menus: every action, its shortcut, and when it can be used."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu

from app.adjustment_menu import AdjustmentActions
from app.jobs.demo_jobs import tour_stops
from widgets.theme import Scheme, set_icon

if TYPE_CHECKING:
    from app.main_window import MainWindow

_Key = QKeySequence.StandardKey

SCHEME_TITLES = {"system": "Follow the system", "light": "Light", "dark": "Dark"}


class Menus(QObject):
    """Builds the menu bar of the main window and keeps its actions up to date.

    Attributes
    ----------
    actions : dict of str to QAction
        Every action by its name, for the tests.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.actions: dict[str, QAction] = {}
        self._build_file_menu()
        self._build_edit_menu()
        self._build_view_menu()
        self._build_go_menu()
        self._build_help_menu()
        session = window.session
        for signal in (session.project_changed, session.layers_changed, session.layer_changed):
            signal.connect(self.update_enabled)
        session.project_changed.connect(self._list_tour)
        window.projects.extraction.changed.connect(self.update_enabled)
        session.layer_refreshed.connect(self.update_enabled)
        for signal in (session.neuron_changed, session.split_changed, session.visited.changed):
            signal.connect(self._update_neuron)
        window.settings.recent_changed.connect(self._list_recent)
        self._list_recent()
        self._list_tour()
        self.update_enabled()

    @Slot()
    def update_enabled(self) -> None:
        """Enable what can be used now."""
        session = self._window.session
        has_project = session.project is not None
        for name in ("close", "information", "check_content"):
            self.actions[name].setEnabled(has_project)
        extraction = self._window.projects.extraction
        self.actions["continue"].setEnabled(extraction.can_continue())
        self.actions["pause"].setEnabled(extraction.is_running)
        self.actions["relocate"].setEnabled(has_project)
        for name in ("find", "search", "next_neuron", "previous_neuron"):
            self.actions[name].setEnabled(session.layer is not None)
        can_export = bool(session.layer_names())
        self.actions["export_project"].setEnabled(can_export)
        self.actions["export_project"].setToolTip(
            "Concept vectors, tables and a report of every layer"
            if can_export
            else "Nothing to export yet: no layer of the project has been extracted."
            if has_project
            else "Open a project first."
        )
        self._update_neuron()

    @Slot()
    def _update_neuron(self) -> None:
        """Enable what depends on the neuron alone: the rest asks the project's database."""
        session = self._window.session
        partial = session.layer is not None and session.layer.is_partial
        self.actions["export_neuron"].setEnabled(session.split is not None and not partial)
        self.actions["export_neuron"].setToolTip(
            f"Not while the layer is not complete ({session.layer.partial_text})"
            if session.layer is not None and partial
            else "Concept vectors, tables and a report of the neuron on show"
        )
        self.actions["back"].setEnabled(session.visited.can_go_back)
        self.actions["forward"].setEnabled(session.visited.can_go_forward)

    def _build_file_menu(self) -> None:
        projects = self._window.projects
        menu = self._menu("&File")
        menu.setToolTipsVisible(True)
        self._add(menu, "new", "&New project…", projects.new_project, _Key.New, "new-project")
        self._add(menu, "open", "&Open project…", projects.choose_and_open, _Key.Open, "open")
        self.recent_menu = menu.addMenu("Open &recent")
        self._add(menu, "demo", "Open the &demo", projects.open_demo)
        imports = self._add(
            menu,
            "import",
            "&Import activations…",
            projects.imports.import_activations,
            "Ctrl+Shift+I",
            "import",
        )
        imports.setToolTip("Take over activations that were computed elsewhere: .npy, .npz, .safetensors")
        menu.addSeparator()
        self._add(menu, "information", "About this &project", projects.show_information, "Ctrl+I", "info")
        extraction = projects.extraction
        self._add(menu, "continue", "&Continue extraction", extraction.continue_extraction, None, "start")
        self._add(menu, "pause", "P&ause extraction", extraction.pause, None, "pause")
        self._add(menu, "relocate", "&Locate the images…", projects.choose_images_folder)
        freshness = projects.freshness
        check = self._add(menu, "check_content", "Chec&k images by content…", freshness.check_content)
        check.setToolTip("Read every image, and find those that are not what the activations came from")
        menu.addSeparator()
        self._add(
            menu, "export_neuron", "&Export this neuron…", projects.exports.export_neuron, "Ctrl+E", "export"
        )
        self._add(
            menu, "export_project", "Export the pro&ject…", projects.exports.export_project, "Ctrl+Shift+E"
        )
        menu.addSeparator()
        self._add(menu, "close", "Clo&se project", projects.close_project, _Key.Close)
        self._add(menu, "quit", "&Quit", self._window.close, "Ctrl+Q")
        self.actions["quit"].setMenuRole(QAction.MenuRole.QuitRole)

    def _build_edit_menu(self) -> None:
        stack = self._window.session.undo_stack
        menu = self._menu("&Edit")
        for name, action, key in (
            ("undo", stack.createUndoAction(self._window, "&Undo"), _Key.Undo),
            ("redo", stack.createRedoAction(self._window, "&Redo"), _Key.Redo),
        ):
            action.setShortcuts(key)
            set_icon(action, name)
            menu.addAction(action)
            self.actions[name] = action
        menu.addSeparator()
        by_hand = AdjustmentActions(self._window.session, self._show_excluded, self._window)
        menu.addActions(list(by_hand.actions.values()))
        self.actions |= by_hand.actions
        menu.addSeparator()
        self._add(menu, "find", "&Find a neuron", self._window.focus_filter, _Key.Find, "search")
        self._add(menu, "search", "&Search everything", self._window.focus_search, "Ctrl+K", "search")

    def _build_view_menu(self) -> None:
        window = self._window
        menu = self._menu("&View")
        appearance = menu.addMenu("&Appearance")
        group = QActionGroup(self)
        for scheme in get_args(Scheme):
            action = self._add(
                appearance, f"scheme_{scheme}", SCHEME_TITLES[scheme], partial(window.set_scheme, scheme)
            )
            action.setCheckable(True)
            action.setChecked(window.settings.scheme == scheme)
            group.addAction(action)
        log = self._add(menu, "log_height", "&Logarithmic height", None, "Ctrl+L")
        log.setCheckable(True)
        log.setChecked(window.settings.flag("dendrogram/log_height", False))
        log.toggled.connect(window.set_log_height)
        menu.addSeparator()
        for name, dock in (("neurons_dock", window.neurons_dock), ("concepts_dock", window.concepts_dock)):
            self.actions[name] = dock.toggleViewAction()
            menu.addAction(self.actions[name])
        self._add(menu, "reset_layout", "&Reset the layout", window.reset_layout)

    def _build_go_menu(self) -> None:
        session = self._window.session
        menu = self._menu("&Go")
        self._add(menu, "back", "&Back", session.go_back, "Alt+Left", "back")
        self._add(menu, "forward", "&Forward", session.go_forward, "Alt+Right", "forward")
        menu.addSeparator()
        self._add(menu, "previous_neuron", "&Previous neuron", partial(self._step_neuron, -1), "Ctrl+Up")
        self._add(menu, "next_neuron", "&Next neuron", partial(self._step_neuron, 1), "Ctrl+Down")
        menu.addSeparator()
        self.tour_menu = menu.addMenu("&Tour of the demo")

    @Slot()
    def _list_tour(self) -> None:
        """Offer the stops of the demo's tour while the demo is open."""
        self.tour_menu.clear()
        stops = tour_stops(self._window.session.project)
        for layer, stop in stops:
            action = self.tour_menu.addAction(stop.title)
            action.setToolTip(stop.text)
            show = partial(self._window.session.show_layer, layer, stop.neuron)
            action.triggered.connect(partial(_call_without_arguments, show))
        self.tour_menu.setToolTipsVisible(True)
        self.tour_menu.menuAction().setVisible(bool(stops))

    def _build_help_menu(self) -> None:
        window = self._window
        menu = self._menu("&Help")
        self._add(menu, "guide", "&Method guide", window.show_guide, _Key.HelpContents, "help")
        self._add(menu, "shortcuts", "&Keyboard shortcuts", window.show_shortcuts, "Ctrl+/")
        menu.addSeparator()
        about = self._add(menu, "about", "&About Neuron Prism", window.show_about)
        about.setMenuRole(QAction.MenuRole.AboutRole)

    def _show_excluded(self) -> None:
        self._window.workspace.show_excluded()

    def _menu(self, title: str) -> QMenu:
        return self._window.menuBar().addMenu(title)

    def _add(
        self,
        menu: QMenu,
        name: str,
        text: str,
        call: Callable[[], object] | None,
        shortcut: QKeySequence.StandardKey | str | None = None,
        icon: str = "",
    ) -> QAction:
        action = QAction(text, self._window)
        if call is not None:
            action.triggered.connect(partial(_call_without_arguments, call))
        if isinstance(shortcut, str):
            action.setShortcut(QKeySequence(shortcut))
        elif shortcut is not None:
            action.setShortcuts(shortcut)
        if icon:
            set_icon(action, icon)
        menu.addAction(action)
        self.actions[name] = action
        return action

    def _step_neuron(self, by: int) -> None:
        session = self._window.session
        if session.neuron is not None:
            session.show_neuron(session.neuron + by)

    @Slot()
    def _list_recent(self) -> None:
        self.recent_menu.clear()
        recent = self._window.settings.recent_projects()
        for project in recent:
            action = self.recent_menu.addAction(project.path.stem)
            action.setToolTip(str(project.path))
            action.setEnabled(not project.missing)
            action.triggered.connect(partial(self._open_recent, project.path))
        self.recent_menu.setToolTipsVisible(True)
        self.recent_menu.setEnabled(bool(recent))
        if recent:
            self.recent_menu.addSeparator()
            self.recent_menu.addAction("Clear this list").triggered.connect(
                self._window.settings.clear_recent
            )

    def _open_recent(self, path: Path, _checked: bool = False) -> None:
        self._window.projects.open(path)


def _call_without_arguments(call: Callable[[], object], _checked: bool = False) -> None:
    """Leave out what ``QAction.triggered`` hands over: whether the action is checked."""
    call()
