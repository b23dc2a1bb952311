"""The shortcut sheet: every key of the menus, read from them, and those of the panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHeaderView,
    QMenu,
    QMenuBar,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from app.dialog_frame import ROOM_AROUND, fill_dialog
from widgets.theme import SPACING, scaled_font

_FIRST_SPECIAL_KEY = Qt.Key.Key_Super_L
"""Keys from here on are named Help, Back, Open, Undo, …, and are on few keyboards."""


@dataclass(frozen=True)
class ShortcutSection:
    """Shortcuts of one menu or panel.

    Attributes
    ----------
    title
        Name of the menu or panel.
    rows
        What it does, and its keys.
    """

    title: str
    rows: tuple[tuple[str, str], ...]


PANEL_SECTIONS = (
    ShortcutSection(
        "Neurons",
        (
            ("From the filter to the first neuron", "↓"),
            ("Clear the filter", "Esc"),
            ("First, last neuron", "Home, End"),
            ("Name the neuron", "F2"),
        ),
    ),
    ShortcutSection(
        "Search",
        (
            ("Next, previous match", "↓ ↑, Page Down, Page Up"),
            ("Go to the match", "Enter"),
            ("Leave the search", "Esc"),
        ),
    ),
    ShortcutSection(
        "Dendrogram",
        (
            ("Move the threshold a little, ten times as far", "↑ ↓, Shift+↑ ↓"),
            ("Move the threshold to the next merge", "Page Up, Page Down"),
            ("Every image apart, all in one cluster", "Home, End"),
            ("Give up dragging, select nothing", "Esc"),
            ("Zoom in, out, show all of it", "Ctrl++, Ctrl+−, Ctrl+0"),
            ("Move along the leaves", "← →"),
            ("Zoom to what is selected", "Enter"),
            ("What can be done with what is selected", "Menu"),
        ),
    ),
    ShortcutSection(
        "Images",
        (
            ("Show large", "Space, Enter"),
            ("Add to what is selected", "Shift+arrow, Ctrl+Space"),
            ("Find in the other panels", "F"),
            ("Where the concept is in the pictures", "H"),
            ("Larger, smaller", "Ctrl+wheel"),
            ("Select nothing", "Esc"),
        ),
    ),
    ShortcutSection(
        "Large picture",
        (
            ("Next, previous picture", "→ ←"),
            ("First, last picture", "Home, End"),
            ("Zoom in, out", "+, −"),
            ("Where the concept is in the picture, and which", "H, C"),
            ("Close", "Space, Esc"),
        ),
    ),
    ShortcutSection(
        "Embedding",
        (
            ("Go to the next image, add it, select it", "← → ↑ ↓, Shift+arrow, Ctrl+Space"),
            ("Show large", "Space, Enter"),
            ("Select all", "Ctrl+A"),
            ("Zoom in, out, show all images", "+, −, 0"),
            ("Give up a lasso, select nothing", "Esc"),
        ),
    ),
    ShortcutSection("Concepts", (("Name the concept", "F2, Enter"),)),
    ShortcutSection("Recent projects", (("Open", "Enter"), ("Take off the list", "Delete"))),
    ShortcutSection(
        "Everywhere",
        (
            ("Next, previous control", "Tab, Shift+Tab"),
            ("Open a menu", "Alt and its underlined letter"),
        ),
    ),
)


def keys_text(shortcuts: Sequence[QKeySequence]) -> str:
    """Return key sequences as the platform writes them, "Ctrl+F4, Ctrl+W", those that most keyboards have."""
    usual = [keys for keys in shortcuts if _is_usual(keys)]
    texts = (keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in usual)
    return ", ".join(texts)


def _is_usual(keys: QKeySequence) -> bool:
    first = None if keys.isEmpty() else keys[0]  # type: ignore[index]  # PySide's stubs leave it out
    return first is not None and first.key() < _FIRST_SPECIAL_KEY


def menu_sections(bar: QMenuBar) -> tuple[ShortcutSection, ...]:
    """Return the shortcuts of each menu that has any, those of its submenus among them."""
    sections = []
    for action in bar.actions():
        menu = action.menu()
        rows = tuple(_rows(menu)) if isinstance(menu, QMenu) else ()
        if rows:
            sections.append(ShortcutSection(_plain(action), rows))
    return tuple(sections)


def _rows(menu: QMenu) -> list[tuple[str, str]]:
    rows = []
    for action in menu.actions():
        submenu, keys = action.menu(), keys_text(action.shortcuts())
        if isinstance(submenu, QMenu):
            rows += _rows(submenu)
        elif keys:
            rows.append((_plain(action), keys))
    return rows


def _plain(action: QAction) -> str:
    return action.text().replace("&", "").rstrip("…")


class ShortcutsDialog(QDialog):
    """Every shortcut in one table, by menu and panel."""

    def __init__(self, sections: Sequence[ShortcutSection], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.table = QTableWidget(0, 2)
        self.table.setHorizontalHeaderLabels(["What", "Keys"])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        for section in (*sections, *PANEL_SECTIONS):
            self._add(section)
        self.table.setMinimumSize(420, 320)
        self.table.setAccessibleName("Keyboard shortcuts")
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + SPACING)
        fill_dialog(self, [self.table])
        self.resize(QSize(660, 680).boundedTo(self.screen().availableSize() - ROOM_AROUND))

    def rows(self) -> list[tuple[str, str]]:
        """Return what the table says, headings with empty keys."""
        table = self.table
        texts = [[table.item(row, column) for column in range(2)] for row in range(table.rowCount())]
        return [(what.text() if what else "", keys.text() if keys else "") for what, keys in texts]

    def _add(self, section: ShortcutSection) -> None:
        row = self.table.rowCount()
        self.table.setRowCount(row + 1 + len(section.rows))
        heading = QTableWidgetItem(section.title)
        heading.setFont(scaled_font(self.font(), 1.0, bold=True))
        heading.setFlags(Qt.ItemFlag.ItemIsEnabled)
        heading.setBackground(self.palette().alternateBase())
        self.table.setItem(row, 0, heading)
        self.table.setSpan(row, 0, 1, 2)
        for number, texts in enumerate(section.rows, row + 1):
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text if column else f"   {text}")
                self.table.setItem(number, column, item)
