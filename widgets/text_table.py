"""A table of texts to read: files and reasons, layers and their sizes."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from widgets.theme import SPACING

_MOST_COLUMN_WIDTH = 360
_LEAST_HEIGHT = 180


def text_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> QTableWidget:
    """Return a table that nothing can be changed in, as high as its rows need; each text is its own tooltip.

    Its accessible name is the first header.
    """
    table = QTableWidget(len(rows), len(headers))
    table.setHorizontalHeaderLabels(list(headers))
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setHighlightSections(False)
    header.setStretchLastSection(True)
    for row, texts in enumerate(rows):
        for column, text in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(text)
            table.setItem(row, column, item)
    table.setAccessibleName(headers[0])
    for column in range(len(headers) - 1):
        needed = max(table.sizeHintForColumn(column), header.sectionSizeHint(column)) + 2 * SPACING
        table.setColumnWidth(column, min(needed, _MOST_COLUMN_WIDTH))
    wanted = header.sizeHint().height() + sum(table.rowHeight(row) for row in range(len(rows))) + 4
    table.setMinimumHeight(min(wanted, _LEAST_HEIGHT))
    table.setMaximumHeight(max(wanted, SPACING))
    return table
