"""The list of a layer's neurons: sort, filter, name, and choose one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PySide6.QtCore import (
    QByteArray,
    QItemSelectionModel,
    QPoint,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from widgets import theme
from widgets.images.thumbnails import ThumbnailLoader
from widgets.labels import EmptyState, MessageLabel, secondary_label
from widgets.neurons.neuron_filter import HELP, NeuronFilterError, exact_neuron
from widgets.neurons.neuron_row_delegate import NeuronRowDelegate
from widgets.neurons.neuron_table_model import Column, NeuronTable, NeuronTableModel
from widgets.neurons.neuron_table_view import NeuronTableView
from widgets.quantity_text import count_text

__all__ = ["NeuronBrowser", "NeuronTable"]

_WIDTHS = {
    Column.NEURON: 42,
    Column.IMAGES: 114,
    Column.MAXIMUM: 60,
    Column.CONCEPTS: 34,
    Column.NAME: 74,  # the last that a panel of usual width has room for
    Column.ACTIVE: 60,
    Column.MEAN: 60,
}
_USUAL_LINE = 15  # pixels: height of a line in the type that the widths above are for
_TABLE, _NOTHING, _NO_MATCH = range(3)
_PATIENCE = 500  # milliseconds: a condition that is being typed is no mistake yet


class NeuronBrowser(QWidget):
    """Every neuron of a layer in a sortable, filterable table.

    Signals
    -------
    neuron_selected(int)
        The user chose another neuron. Not emitted by :meth:`select_neuron`.
    neuron_renamed(int, str)
        The user named a neuron; an empty string takes the name away.

    Parameters
    ----------
    thumbnails
        Where the pictures of the strongest images come from.
    """

    neuron_selected = Signal(int)
    neuron_renamed = Signal(int, str)

    def __init__(self, thumbnails: ThumbnailLoader, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._neuron: int | None = None
        self._showing = False
        self.model = NeuronTableModel(self)
        self.model.renamed.connect(self.neuron_renamed)
        self._build_filter()
        self._build_table()
        self._build_layout()
        thumbnails.ready.connect(self._thumbnail_came)
        self.set_table(None)

    # --- building ------------------------------------------------------------------------------------

    def _build_filter(self) -> None:
        self.filter_edit = _FilterEdit()
        self.filter_edit.setPlaceholderText("Filter: 35, apple, concepts>1, max>2 …")
        self.filter_edit.setToolTip(HELP)
        self.filter_edit.setAccessibleName("Filter the neurons")
        self.filter_edit.setAccessibleDescription(HELP)
        self.filter_edit.setClearButtonEnabled(True)
        self._search_sign = QAction(self.filter_edit)
        theme.set_icon(self._search_sign, "search")
        self.filter_edit.addAction(self._search_sign, QLineEdit.ActionPosition.LeadingPosition)
        self.filter_edit.textChanged.connect(self._filter_typed)
        self.filter_edit.returnPressed.connect(self._choose_what_was_searched)
        self.filter_edit.moved_down.connect(self._focus_table)
        self.filter_message = MessageLabel()
        self._filter_problem = ""
        self._complain_later = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._complain_later.timeout.connect(self._complain)
        self.count_label = secondary_label()
        self.count_label.setWordWrap(False)

    def _build_table(self) -> None:
        self.table_view = NeuronTableView()
        self.table_view.setModel(self.model)
        self._delegate = NeuronRowDelegate(self.model, self._thumbnails, self.table_view)
        self.table_view.setItemDelegate(self._delegate)
        self.table_view.setAccessibleName("Neurons of the layer")
        header = self.table_view.horizontalHeader()
        header.setSortIndicator(Column.NEURON, Qt.SortOrder.AscendingOrder)
        self.table_view.setSortingEnabled(True)
        header.setSectionsMovable(True)
        header.setHighlightSections(False)
        header.setMinimumSectionSize(28)
        header.setStretchLastSection(True)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._show_column_menu)
        header.sortIndicatorChanged.connect(self._sorted)
        for column, width in _WIDTHS.items():
            scale = 1.0 if column == Column.IMAGES else self.fontMetrics().height() / _USUAL_LINE
            header.resizeSection(column, round(width * max(scale, 1.0)))
        self._sorted_by = (int(Column.NEURON), Qt.SortOrder.AscendingOrder)
        self.table_view.selectionModel().selectionChanged.connect(self._row_chosen)
        # Once the view has laid out what moved, pictures that nobody sees any more need not be decoded.
        self._drop_later = QTimer(self, singleShot=True, interval=0)
        self._drop_later.timeout.connect(self._drop_requests_out_of_view)
        self.table_view.verticalScrollBar().valueChanged.connect(self._drop_later.start)
        self.model.modelReset.connect(self._drop_later.start)
        self.model.layoutChanged.connect(self._drop_later.start)

    def _build_layout(self) -> None:
        self.empty_state = EmptyState("neuron")
        no_match = QWidget()
        self.clear_button = QPushButton("Clear the filter")
        self.clear_button.clicked.connect(self.filter_edit.clear)
        no_match_layout = QVBoxLayout(no_match)
        no_match_layout.addWidget(EmptyState("search", "No neuron fits the filter"), 1)
        no_match_layout.addWidget(self.clear_button, 0, Qt.AlignmentFlag.AlignHCenter)
        no_match_layout.addStretch(1)
        filter_row = QHBoxLayout()
        filter_row.setSpacing(theme.SPACING)
        filter_row.addWidget(self.filter_edit, 1)
        filter_row.addWidget(self.count_label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.SPACING // 2)
        layout.addLayout(filter_row)
        layout.addWidget(self.filter_message)
        self._stack = QStackedLayout()
        layout.addLayout(self._stack, 1)
        # Now that they get a parent: a page without one is shown as a window.
        for page in (self.table_view, self.empty_state, no_match):
            self._stack.addWidget(page)

    # --- what is shown -------------------------------------------------------------------------------

    def set_table(self, table: NeuronTable | None, *, empty_text: str = "") -> None:
        """Show a layer's neurons, or why there are none. The chosen neuron stays chosen if there is one."""
        with _Silence(self):
            self.model.set_table(table)
            self._choose_row_of_neuron()
        self.filter_edit.setEnabled(table is not None)
        text = empty_text or "Open a project, or the demo, and its neurons are listed here."
        self.empty_state.show_state("neuron", "No neurons yet", text)
        self._show_page()

    def set_loading(self, text: str) -> None:
        """Say that neurons are on their way."""
        with _Silence(self):
            self.model.set_table(None)
        self.filter_edit.setEnabled(False)
        self.empty_state.show_state("recent", text)
        self._show_page()

    def set_concept_count(self, neuron: int, n_concepts: int) -> None:
        """Show a neuron's number of concepts; -1 if it is not known any more."""
        self.model.set_concept_count(neuron, n_concepts)

    def set_concept_counts(self, n_concepts: ArrayLike) -> None:
        """Show the number of concepts of every neuron (int, shape (d,), -1 where not known)."""
        self.model.set_concept_counts(np.asarray(n_concepts, dtype=np.int64))

    def set_name(self, neuron: int, name: str) -> None:
        """Show a name changed elsewhere; no signal."""
        self.model.set_name(neuron, name)

    def selected_neuron(self) -> int | None:
        """Return the chosen neuron; it may be hidden by the filter."""
        return self._neuron

    def select_neuron(self, neuron: int | None) -> None:
        """Choose a neuron and scroll to it; no signal. A filter that hides it stays."""
        self._neuron = neuron
        with _Silence(self):
            self._choose_row_of_neuron()

    def focus_filter(self) -> None:
        """Put the cursor into the filter and select its text."""
        self.filter_edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter_edit.selectAll()

    def save_state(self) -> QByteArray:
        """Return the columns' order, widths, visibility and sorting."""
        return self.table_view.horizontalHeader().saveState()

    def restore_state(self, state: QByteArray) -> bool:
        """Take back what :meth:`save_state` returned; false if it is not from here."""
        header = self.table_view.horizontalHeader()
        restored = header.restoreState(state)
        if restored:
            self.model.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())
        return restored

    def _choose_row_of_neuron(self) -> None:
        row = None if self._neuron is None else self.model.row(self._neuron)
        selection = self.table_view.selectionModel()
        if row is None:
            selection.clear()
            return
        column = self.table_view.currentIndex().column() if self.table_view.currentIndex().isValid() else 0
        index = self.model.index(row, column)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        selection.setCurrentIndex(index, flags)
        self.table_view.scrollTo(self.model.index(row, 0))

    def _show_page(self) -> None:
        shown, every = self.model.rowCount(), self.model.n_neurons
        page = _NOTHING if every == 0 else _NO_MATCH if shown == 0 else _TABLE
        self._stack.setCurrentIndex(page)
        self.count_label.setText(f"{shown:,} of {every:,}" if shown < every else f"{every:,}")
        self.count_label.setToolTip(f"{count_text(shown, 'neuron')} of {every:,} shown")
        self.count_label.setVisible(every > 0)

    # --- what the user does --------------------------------------------------------------------------

    @Slot(str)
    def _filter_typed(self, text: str) -> None:
        try:
            with _Silence(self):
                self.model.set_filter(text)
                self._choose_row_of_neuron()
        except NeuronFilterError as error:
            self._filter_problem = str(error)
            self._complain_later.start()
            return
        self._filter_problem = ""
        self._complain()
        self._show_page()

    @Slot()
    def _complain(self) -> None:
        self._complain_later.stop()
        self.filter_message.show_message(self._filter_problem, "warning")

    @Slot()
    def _choose_what_was_searched(self) -> None:
        self._complain()
        if self._filter_problem or not self.model.rowCount():
            return
        neuron = exact_neuron(self.filter_edit.text())
        row = None if neuron is None else self.model.row(neuron)
        self.table_view.selectRow(0 if row is None else row)
        self._focus_table()

    @Slot()
    def _focus_table(self) -> None:
        self.table_view.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self.table_view.selectionModel().hasSelection() and self.model.rowCount():
            self.table_view.selectRow(0)

    @Slot()
    def _row_chosen(self) -> None:
        # The selection, not the current index: Qt makes the first row current when the focus comes.
        rows = self.table_view.selectionModel().selectedRows()
        if self._showing or not rows:
            return
        neuron = self.model.neuron(rows[0].row())
        if neuron != self._neuron:
            self._neuron = neuron
            self.neuron_selected.emit(neuron)

    @Slot(int, Qt.SortOrder)
    def _sorted(self, column: int, order: Qt.SortOrder) -> None:
        if column == Column.IMAGES:
            self.table_view.horizontalHeader().setSortIndicator(*self._sorted_by)
            return
        self._sorted_by = (column, order)
        if self.table_view.currentIndex().isValid():
            self.table_view.scrollTo(self.model.index(self.table_view.currentIndex().row(), 0))

    @Slot(QPoint)
    def _show_column_menu(self, position: QPoint) -> None:
        header = self.table_view.horizontalHeader()
        self.column_menu().popup(header.mapToGlobal(position))

    def column_menu(self) -> QMenu:
        """Return a menu that shows and hides columns; the neuron's number always stays."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for column in Column:
            if column == Column.NEURON:
                continue
            title = self.model.headerData(
                column, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole
            )
            action = menu.addAction(str(title))
            action.setCheckable(True)
            action.setChecked(not self.table_view.isColumnHidden(column))
            action.toggled.connect(
                lambda shown, column=column: self.table_view.setColumnHidden(column, not shown)
            )
        return menu

    @Slot(str)
    def _thumbnail_came(self, path: str) -> None:
        # The loader serves every panel, and most pictures are for others.
        for neuron in self._delegate.neurons_waiting_for(path):
            row = self.model.row(neuron)
            if row is not None:
                self.table_view.update(self.model.index(row, Column.IMAGES))

    @Slot()
    def _drop_requests_out_of_view(self) -> None:
        first = max(0, self.table_view.rowAt(0))
        last = self.table_view.rowAt(self.table_view.viewport().height() - 1)
        last = self.model.rowCount() - 1 if last < 0 else last
        wanted = {path for row in range(first, last + 1) for path in self.model.paths(self.model.neuron(row))}
        self._thumbnails.keep_requests(self.table_view, wanted)
        self._delegate.forget_all_but(wanted)


class _Silence:
    """While it lasts, what is chosen is not the user's choice."""

    def __init__(self, browser: NeuronBrowser) -> None:
        self._browser = browser

    def __enter__(self) -> None:
        self._browser._showing = True

    def __exit__(self, *exception: object) -> None:
        self._browser._showing = False


class _FilterEdit(QLineEdit):
    """A line in which the down arrow goes on to the list, and Escape empties the line."""

    moved_down = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.moved_down.emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        else:
            super().keyPressEvent(event)
