"""What F1 and the shortcut sheet show, compared with what the window really answers to."""

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractButton

import widgets
from app.help_dialogs import GuideDialog
from app.shortcut_sheet import PANEL_SECTIONS, ShortcutsDialog, keys_text, menu_sections


def normal(text):
    """Return a text of keys in one spelling."""
    for sign, name in (("−", "-"), ("↑", "Up"), ("↓", "Down"), ("←", "Left"), ("→", "Right")):
        text = text.replace(sign, name)
    return re.sub(r"\s+", " ", text)


def sheet(window):
    window.show_shortcuts()
    dialog = window.findChild(ShortcutsDialog)
    return {what.strip(): keys for what, keys in dialog.rows()}


def test_f1_opens_the_guide_beside_the_window_and_once_only(qtbot, window):
    window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_F1)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    (guide,) = window.findChildren(GuideDialog)
    assert guide.isVisible()
    assert not guide.isModal()
    qtbot.keyClick(guide, Qt.Key.Key_Escape)
    assert not guide.isVisible()


def test_the_sheet_lists_every_action_that_has_keys(opened):
    rows = sheet(opened)
    actions = [action for action in opened.findChildren(QAction) if action.shortcuts() and action.text()]
    assert len(actions) > 15
    for action in actions:
        name = action.text().replace("&", "").rstrip("…")
        keys = [keys.toString() for keys in action.shortcuts()]
        assert name in rows, name
        assert rows[name].split(", ")[0] in keys


def test_the_sheet_lists_the_shortcuts_of_every_panel(opened):
    said = normal(" ".join(sheet(opened).values()))
    buttons = [b.shortcut() for b in opened.findChildren(QAbstractButton)]
    shortcuts = [shortcut.key() for shortcut in opened.findChildren(QShortcut)]
    for keys in (*buttons, *shortcuts):
        text = keys.toString()
        if text and not text.startswith("Alt+"):  # Alt and a letter: the letter is underlined
            assert text in said, text


def test_the_sheet_lists_every_letter_that_a_panel_answers_to():
    said = {
        part for section in PANEL_SECTIONS for _, keys in section.rows for part in re.split(r"[ ,+]+", keys)
    }
    folder = Path(widgets.__file__).parent
    letters = {
        letter
        for file in folder.rglob("*.py")
        for letter in re.findall(r"Key\.Key_([A-Z]|F\d+)\b", file.read_text(encoding="utf-8"))
    }
    assert {"F", "H", "F2"} <= letters
    assert letters <= said


def test_keys_that_few_keyboards_have_are_left_out():
    assert keys_text([QKeySequence("Ctrl+Z"), QKeySequence(Qt.Key.Key_Undo)]) == "Ctrl+Z"
    assert keys_text([QKeySequence("F1"), QKeySequence(Qt.Key.Key_Help)]) == "F1"
    assert keys_text([QKeySequence()]) == ""


def test_sections_are_the_menus_in_their_order(window):
    titles = [section.title for section in menu_sections(window.menuBar())]
    assert titles[:3] == ["File", "Edit", "View"]
    assert titles[-1] == "Help"
