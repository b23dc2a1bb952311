"""When the user is busy with mouse or keyboard, nothing changes by itself."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QListWidget, QMenu, QPlainTextEdit, QVBoxLayout, QWidget

from app.user_activity import UserActivity, is_in_a_text, is_in_the_middle


@pytest.fixture
def window(qtbot):
    widget = QWidget()
    layout = QVBoxLayout(widget)
    widget.names, widget.notes = QListWidget(), QPlainTextEdit()
    widget.names.addItem("apples")
    item = widget.names.item(0)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
    layout.addWidget(widget.names)
    layout.addWidget(widget.notes)
    with qtbot.waitActive(widget):
        widget.show()
        widget.activateWindow()
    yield widget
    widget.close()


def test_at_rest(window):
    assert not is_in_the_middle()
    assert not is_in_a_text()


def test_while_a_button_of_the_mouse_is_down(window):
    QTest.mousePress(window.names.viewport(), Qt.MouseButton.LeftButton)
    assert is_in_the_middle()
    QTest.mouseRelease(window.names.viewport(), Qt.MouseButton.LeftButton)
    assert not is_in_the_middle()


def test_in_a_menu_and_in_a_dialog(qtbot, window):
    menu = QMenu(window)
    menu.addAction("Show")
    menu.popup(window.pos())
    qtbot.waitUntil(is_in_the_middle)
    menu.close()
    qtbot.waitUntil(lambda: not is_in_the_middle())
    dialog = QDialog(window)
    dialog.open()
    qtbot.waitUntil(is_in_the_middle)
    dialog.reject()
    qtbot.waitUntil(lambda: not is_in_the_middle())


def test_in_a_cell_of_a_list(qtbot, window):
    window.names.editItem(window.names.item(0))
    qtbot.waitUntil(is_in_the_middle)
    window.notes.setFocus()
    qtbot.waitUntil(is_in_a_text)
    assert not is_in_the_middle()


@pytest.mark.parametrize("act", ["key", "click", "wheel"])
def test_input_begins_the_rest_anew(window, monkeypatch, act):
    restarted = []

    class Since:
        def start(self):
            restarted.clear()

        def restart(self):
            restarted.append(act)

        def elapsed(self):
            return 5000

    activity = UserActivity()
    activity._since = Since()
    assert activity.milliseconds_idle() == 0, "nothing is watched yet"
    activity.begin()
    assert activity.milliseconds_idle() == 5000
    if act == "key":
        QTest.keyClick(window.notes, Qt.Key.Key_A)
    elif act == "click":
        QTest.mouseClick(window.names.viewport(), Qt.MouseButton.LeftButton)
    else:
        QTest.wheelEvent(window.windowHandle(), window.rect().center(), window.rect().center())
    assert restarted
    activity.end()
    restarted.clear()
    QTest.keyClick(window.notes, Qt.Key.Key_A)
    assert not restarted
    assert activity.milliseconds_idle() == 0
