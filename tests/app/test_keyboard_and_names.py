"""The window without a mouse: every control explains itself, and Tab reaches it with a visible focus."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDockWidget,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QTabBar,
    QWidget,
)

import app.embedding_control
from tests.app.instant_workers import InstantProcess

CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
)
PARTS_OF_ONE = (QAbstractSpinBox, QComboBox, QLineEdit, QTabBar, QAbstractItemView, QHeaderView)
"""What is inside of these is their own business."""


def is_part(control):
    parent = control.parentWidget()
    while parent is not None and not parent.isWindow():
        if isinstance(parent, PARTS_OF_ONE):
            return True
        parent = parent.parentWidget()
    return False


def controls_of(window):
    return [c for c in window.findChildren(QWidget) if isinstance(c, CONTROLS) and not is_part(c)]


def name_of(control):
    text = control.text() if isinstance(control, QAbstractButton) else ""
    return control.accessibleName() or text.replace("&", "")


def explains(control):
    """Whether a tooltip says more than the label; lists and text fields are explained by what they show."""
    return bool(control.toolTip()) or isinstance(control, QAbstractItemView | QPlainTextEdit)


@pytest.fixture(autouse=True)
def no_process(monkeypatch):
    monkeypatch.setattr(app.embedding_control, "EmbeddingProcess", InstantProcess)


@pytest.fixture
def each_tab(opened):
    """The window's tabs one after the other, as often as it is asked."""

    def show():
        tabs = opened.workspace.tabs
        for index in range(tabs.count()):
            tabs.setCurrentIndex(index)
            QApplication.processEvents()
            yield tabs.tabText(index)

    return show


def test_every_control_has_a_tooltip_and_a_name_for_screen_readers(opened, each_tab):
    nameless, unexplained = set(), set()
    for _ in each_tab():
        for control in controls_of(opened):
            if not control.isVisible():
                continue
            where = (
                f"{type(control).__name__} {name_of(control)!r} in {type(control.parentWidget()).__name__}"
            )
            if not name_of(control):
                nameless.add(where)
            if not explains(control):
                unexplained.add(where)
    assert not nameless
    assert not unexplained


def test_number_boxes_say_their_unit(opened):
    boxes = opened.findChildren(QAbstractSpinBox)
    assert len(boxes) > 8
    for box in boxes:
        assert len(box.toolTip()) > 15, box.accessibleName()


def test_every_action_is_in_a_menu_and_has_a_letter_or_a_shortcut(opened):
    bar = opened.menuBar()
    for action in bar.actions():
        assert "&" in action.text()
        letters = [
            a.text()[a.text().index("&") + 1].lower() for a in action.menu().actions() if "&" in a.text()
        ]
        assert len(letters) == len(set(letters)), (action.text(), letters)
    in_menus = {a for menu in bar.findChildren(QWidget) for a in menu.actions()} | set(bar.actions())
    for name, action in opened.menus.actions.items():
        assert isinstance(action, QAction)
        assert action in in_menus, name


def shot(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return (
        np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3].copy()
    )


def go_round(window):
    """Press Tab until the focus is where it began, and yield each widget that has it on the way."""
    visited = []
    for _ in range(400):
        QTest.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        QApplication.processEvents()
        focused = QApplication.focusWidget()
        if focused is None or focused in visited:
            break
        visited.append(focused)
        yield focused


def owner_of(focused, controls):
    """Return the control that a focused widget is, or is part of."""
    widget = focused
    while widget is not None:
        if widget in controls:
            return widget
        widget = widget.parentWidget()
    return None


def test_tab_reaches_every_control_that_can_be_used(qtbot, opened, each_tab):
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    for tab in each_tab():
        opened.neuron_panel.browser.focus_filter()
        visited = list(go_round(opened))
        controls = controls_of(opened)
        reached = {id(owner_of(focused, controls)) for focused in visited}
        missed = [
            f"{type(control).__name__} {name_of(control)!r}"
            for control in controls
            if control.isVisible()
            and control.isEnabled()
            and id(control) not in reached
            and not is_dock_button(control)
        ]
        assert not missed, (tab, missed)


def is_dock_button(control):
    """Whether it is a dock's own button, which the View menu stands for."""
    return isinstance(control.parentWidget(), QDockWidget)


def test_the_focus_is_seen_wherever_it_goes(qtbot, qapp, opened, each_tab):
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow)
    flash_time = qapp.cursorFlashTime()
    qapp.setCursorFlashTime(0)
    unseen = set()
    for _ in each_tab():
        opened.neuron_panel.browser.focus_filter()
        earlier, picture = None, None
        for focused in go_round(opened):
            if earlier is not None:
                without = shot(earlier)
                if picture.shape == without.shape and (picture == without).all():
                    unseen.add(f"{type(earlier).__name__} {name_of(earlier)!r}")
            earlier, picture = focused, shot(focused)
    qapp.setCursorFlashTime(flash_time)
    assert not unseen, sorted(unseen)
