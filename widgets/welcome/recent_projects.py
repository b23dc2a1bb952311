"""The projects opened before, as a list to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import cast

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from widgets import theme

Index = QModelIndex | QPersistentModelIndex
_PROJECT_ROLE = Qt.ItemDataRole.UserRole + 1
_ICON = 22
_PADDING = 8


@dataclass(frozen=True)
class RecentProject:
    """A project opened before. ``missing`` is true if it is no longer where it was."""

    path: Path
    opened: datetime | None = None
    missing: bool = False

    @property
    def name(self) -> str:
        """The project's name: its folder without the ending."""
        return self.path.stem


class RecentProjects(QListWidget):
    """Recent projects: name, path, when it was opened last, and whether it is still there.

    Signals
    -------
    chosen(str), removed(str)
        Path of the project that the user opens, or takes off the list.
    """

    chosen = Signal(str)
    removed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setItemDelegate(_RecentDelegate(self))
        self.setMouseTracking(True)
        self.setAccessibleName("Recent projects")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        self.itemClicked.connect(self._open)

    def set_projects(self, projects: Sequence[RecentProject]) -> None:
        """Show these, most recent first."""
        self.clear()
        for project in projects:
            item = QListWidgetItem(project.name)
            item.setData(_PROJECT_ROLE, project)
            item.setToolTip(f"{project.path}\nNot there any more." if project.missing else str(project.path))
            spoken = f"{project.name}, {when_text(project.opened)}{', not found' if project.missing else ''}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            self.addItem(item)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Open with Enter, take off the list with Delete."""
        item = self.currentItem()
        if item is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(item)
        elif item is not None and event.key() == Qt.Key.Key_Delete:
            self._remove(item)
        else:
            super().keyPressEvent(event)

    @Slot(QListWidgetItem)
    def _open(self, item: QListWidgetItem) -> None:
        self.chosen.emit(str(_project_of(item).path))

    def _remove(self, item: QListWidgetItem) -> None:
        self.takeItem(self.row(item))
        self.removed.emit(str(_project_of(item).path))

    @Slot(QPoint)
    def _show_menu(self, position: QPoint) -> None:
        item = self.itemAt(position)
        if item is not None:
            self.menu_of(item).popup(self.viewport().mapToGlobal(position))

    def menu_of(self, item: QListWidgetItem) -> QMenu:
        """Return the menu of one entry."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        open_action = menu.addAction("Open")
        open_action.triggered.connect(lambda: self._open(item))
        remove_action = menu.addAction("Remove from the list")
        remove_action.setToolTip("The project itself stays where it is.")
        remove_action.triggered.connect(lambda: self._remove(item))
        return menu


def when_text(opened: datetime | None, now: datetime | None = None) -> str:
    """Return when a project was opened, as people say it: "today, 14:05", "yesterday", "3 Nov 2026"."""
    if opened is None:
        return ""
    days = ((now or datetime.now()).date() - opened.date()).days
    if days == 0:
        return f"today, {opened:%H:%M}"
    if days == 1:
        return f"yesterday, {opened:%H:%M}"
    return f"{opened.day} {opened:%b %Y}"


def _project_of(item: QListWidgetItem) -> RecentProject:
    return cast(RecentProject, item.data(_PROJECT_ROLE))


class _RecentDelegate(QStyledItemDelegate):
    """Two lines: name and path; on the right when it was opened, or that it is missing."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        name, path = _fonts(option.font)
        return QSize(200, QFontMetrics(name).height() + QFontMetrics(path).height() + 2 * _PADDING)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        self.initStyleOption(option, index)
        style = option.widget.style() if option.widget else QApplication.style()
        style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        project = cast(RecentProject, index.data(_PROJECT_ROLE))
        group = QPalette.ColorGroup.Active
        if not option.state & QStyle.StateFlag.State_Active:
            group = QPalette.ColorGroup.Inactive
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        strong_role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        quiet_role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.PlaceholderText
        strong, quiet = option.palette.color(group, strong_role), option.palette.color(group, quiet_role)
        name_font, path_font = _fonts(option.font)
        rect = option.rect.adjusted(_PADDING, _PADDING, -_PADDING, -_PADDING)
        ratio = option.widget.devicePixelRatioF() if option.widget else 1.0
        icon = theme.icon_pixmap("missing" if project.missing else "open", quiet, _ICON, ratio)
        painter.drawPixmap(rect.x(), rect.center().y() - _ICON // 2, icon)
        right_text = "not found" if project.missing else when_text(project.opened)
        width = QFontMetrics(path_font).horizontalAdvance(right_text)
        words = rect.adjusted(_ICON + _PADDING, 0, -(width + _PADDING), 0)
        painter.setPen(quiet if project.missing else strong)
        _draw_elided(painter, name_font, words, project.name, Qt.AlignmentFlag.AlignTop)
        painter.setPen(quiet)
        _draw_elided(painter, path_font, words, str(project.path), Qt.AlignmentFlag.AlignBottom)
        aligned = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(rect, int(aligned), right_text)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(option.palette.color(QPalette.ColorRole.Accent), 2))
            painter.drawRect(option.rect.adjusted(1, 1, -2, -2))


def _fonts(font: QFont) -> tuple[QFont, QFont]:
    return theme.scaled_font(font, 1.0, bold=True), theme.scaled_font(font, 0.9)


def _draw_elided(painter: QPainter, font: QFont, rect: QRect, text: str, aligned: Qt.AlignmentFlag) -> None:
    painter.setFont(font)
    shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignLeft | aligned), shown)
