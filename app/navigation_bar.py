"""The bar at the top of the window: back, forward, and the search box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Slot
from PySide6.QtGui import QAction, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QToolBar, QWidget

from app.search_control import SearchControl
from app.selection import Place
from widgets.search.search_box import SearchBox

if TYPE_CHECKING:
    from app.main_window import MainWindow

_SEARCH_WIDTH = 380
_MARGIN = 4


class NavigationBar(QToolBar):
    """Leads from neuron to neuron; also by the mouse's own back and forward buttons, anywhere in the window.

    Attributes
    ----------
    search_box : SearchBox
    search : SearchControl
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__("Navigation", window)
        self.setObjectName("navigation")
        self._session = window.session
        self._back: QAction = window.menus.actions["back"]
        self._forward: QAction = window.menus.actions["forward"]
        self.search_box = SearchBox()
        self.search_box.setPlaceholderText("Search neurons, concepts, classes  (Ctrl+K)")
        self.search_box.setToolTip(
            "Find neurons by number or name, concepts by name or notes in all layers,\n"
            "and the neurons whose top images show a class most (Ctrl+K)"
        )
        self.search_box.setAccessibleName("Search neurons, concepts and classes")
        self.search_box.setMaximumWidth(_SEARCH_WIDTH)
        self.search_box.setMinimumWidth(160)
        self.search = SearchControl(self.search_box, window.session, window.threads.aside, self)
        self._build()
        self._mouse_watched = False
        window.session.visited.changed.connect(self._name_places)
        window.session.layer_changed.connect(self._name_places)
        window.session.neuron_names.changed.connect(self._name_places)
        self._name_places()

    def _build(self) -> None:
        self.setMovable(False)
        self.setFloatable(False)
        self.toggleViewAction().setVisible(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(18, 18))
        layout = self.layout()
        if layout is not None:
            # Equal ones: Qt takes the left one for the top too.
            layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self.addAction(self._back)
        self.addAction(self._forward)
        for action in (self._back, self._forward):
            button = self.widgetForAction(action)
            if button is not None:
                button.setAccessibleName(action.text().replace("&", ""))
                button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        spring = QWidget()
        spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spring)
        self.addWidget(self.search_box)

    @Slot()
    def _name_places(self) -> None:
        """Say on the buttons where they lead."""
        visited = self._session.visited
        for action, place, where in (
            (self._back, visited.place_behind, "Back"),
            (self._forward, visited.place_ahead, "Forward"),
        ):
            keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
            leads = f"{where} to {self._place_text(place)}" if place is not None else where
            action.setToolTip(f"{leads} ({keys})")

    def _place_text(self, place: Place) -> str:
        layer, neuron = place
        shown = self._session.layer
        if shown is None or shown.name != layer:
            return f"neuron {neuron} of {layer}"
        name = self._session.neuron_names.name(neuron)
        return f"neuron {neuron} “{name}”" if name else f"neuron {neuron}"

    def showEvent(self, event: QShowEvent) -> None:
        """Listen to the mouse's buttons from now on: views below take presses before the window sees them."""
        super().showEvent(event)
        handle = self.window().windowHandle()
        if handle is not None and not self._mouse_watched:
            self._mouse_watched = True
            handle.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Go back or forward where the mouse has buttons for it."""
        if event.type() != QEvent.Type.MouseButtonPress or not isinstance(event, QMouseEvent):
            return False
        actions = {Qt.MouseButton.BackButton: self._back, Qt.MouseButton.ForwardButton: self._forward}
        action = actions.get(event.button())
        if action is None:
            return False
        action.trigger()
        return True
