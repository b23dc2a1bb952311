"""What a search found, and the list that shows it in groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from widgets import theme

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
_Role = QPalette.ColorRole
_MARGIN = 10
_AIR = 4


@dataclass(frozen=True)
class SearchHit:
    """One thing that was found.

    Attributes
    ----------
    target
        What it is; handed back when it is chosen.
    title
        Said first.
    detail
        Said at the end of the line, more quietly: where it is, or how much.
    """

    target: object
    title: str
    detail: str = ""


@dataclass(frozen=True)
class SearchGroup:
    """Hits of one kind under a heading.

    Attributes
    ----------
    title
        The heading.
    hits
        The best first.
    n_more
        How many others there are that are not among them.
    """

    title: str
    hits: tuple[SearchHit, ...]
    n_more: int = 0


@dataclass(frozen=True)
class _Row:
    text: str
    detail: str
    group: str
    hit: SearchHit | None
    is_heading: bool = False


class SearchResultModel(QAbstractListModel):
    """Headings, hits and remarks, one below the other; only hits can be chosen."""

    RowRole = Qt.ItemDataRole.UserRole

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[_Row] = []

    def set_groups(self, groups: Sequence[SearchGroup], message: str = "") -> None:
        """Show these groups; after them a remark, if there is one."""
        rows = []
        for group in groups:
            rows.append(_Row(group.title, "", group.title, None, is_heading=True))
            rows += [_Row(hit.title, hit.detail, group.title, hit) for hit in group.hits]
            if group.n_more:
                rows.append(_Row(f"and {group.n_more:,} more", "", group.title, None))
        if message:
            rows.append(_Row(message, "", "", None))
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def row(self, number: int) -> _Row:
        """Return what stands in a row."""
        return self._rows[number]

    def hit(self, index: Index) -> SearchHit | None:
        """Return the hit in a row, None for a heading or a remark."""
        return self._rows[index.row()].hit if index.isValid() else None

    def hit_rows(self) -> list[int]:
        """Return the rows that can be chosen."""
        return [number for number, row in enumerate(self._rows) if row.hit is not None]

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let only hits be chosen."""
        if self.hit(index) is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return a row's text, or what a screen reader says."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return row.text
        if role == Qt.ItemDataRole.ToolTipRole and row.hit is not None:
            return f"{row.text}\n{row.detail}" if row.detail else row.text
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (row.text, row.detail, row.group if row.hit is not None else "")))
        return None


class _RowDelegate(QStyledItemDelegate):
    """Headings in small bold type, hits with their detail at the end of the line."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(160, QFontMetrics(option.font).height() + 2 * _AIR + 2)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, SearchResultModel)
        row = model.row(index.row())
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if row.hit is not None:
            option.state |= QStyle.StateFlag.State_Active  # the line has the focus, on the list's behalf
            style = option.widget.style() if option.widget else QApplication.style()
            style.drawPrimitive(QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        # Headings are not enabled, and yet to be read.
        palette, group = option.palette, QPalette.ColorGroup.Active
        quiet = palette.color(group, _Role.HighlightedText if selected else _Role.PlaceholderText)
        text = palette.color(group, _Role.HighlightedText if selected else _Role.Text)
        font = theme.scaled_font(option.font, 0.88, bold=True) if row.is_heading else option.font
        inside = QRect(option.rect).adjusted(_MARGIN, 0, -_MARGIN, 0)
        if row.hit is not None:
            inside.setLeft(inside.left() + _MARGIN)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        wanted = metrics.horizontalAdvance(row.text)
        # The title may take all but two fifths; elided text needs a pixel or two more than it measures.
        whole = metrics.horizontalAdvance(row.detail) + 2
        detail_width = min(whole, max(inside.width() - wanted - 16, inside.width() * 2 // 5))
        room = inside.width() - (detail_width + 16 if row.detail else 0)
        painter.setPen(text if row.hit is not None else quiet)
        flags = Qt.AlignmentFlag.AlignVCenter
        shown = metrics.elidedText(row.text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(inside, flags | Qt.AlignmentFlag.AlignLeft, shown)
        painter.setPen(quiet)
        detail = metrics.elidedText(row.detail, Qt.TextElideMode.ElideRight, detail_width)
        painter.drawText(inside, flags | Qt.AlignmentFlag.AlignRight, detail)
        painter.restore()


class SearchResultList(QListView):
    """The list under the search box. It never takes the focus: the box's keys move in it.

    Signals
    -------
    hit_chosen(SearchHit)
        A hit was clicked.
    """

    hit_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.results = SearchResultModel(self)
        self.setModel(self.results)
        self.setItemDelegate(_RowDelegate(self))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("What the search found")
        self.entered.connect(self.setCurrentIndex)
        self.clicked.connect(self._on_clicked)
        self.results.modelReset.connect(self.choose_first)

    def content_height(self) -> int:
        """Return the height in pixels that shows every row."""
        row = max(self.sizeHintForRow(0), 0)
        return self.results.rowCount() * row + 2 * self.frameWidth() + 2

    def current_hit(self) -> SearchHit | None:
        """Return the hit that Enter chooses."""
        return self.results.hit(self.currentIndex())

    def choose_first(self) -> None:
        """Go to the best hit."""
        rows = self.results.hit_rows()
        if rows:
            self._go_to(rows[0])
        self.scrollToTop()

    def step(self, by: int) -> None:
        """Go some hits on or back, at most to the last or the first."""
        rows = self.results.hit_rows()
        if not rows:
            return
        current = self.currentIndex().row()
        position = rows.index(current) if current in rows else 0
        position = min(max(position + by, 0), len(rows) - 1)
        self._go_to(rows[position])
        if position == 0:
            self.scrollToTop()  # with its heading

    def _go_to(self, row: int) -> None:
        self.setCurrentIndex(self.results.index(row))
        self.scrollTo(self.currentIndex())

    def _on_clicked(self, index: QModelIndex) -> None:
        hit = self.results.hit(index)
        if hit is not None:
            self.hit_chosen.emit(hit)
