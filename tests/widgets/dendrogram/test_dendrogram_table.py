"""The table twin of a dendrogram: the same numbers, the same selection, by keyboard alone."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from backend.method.hierarchy import Hierarchy
from widgets.dendrogram.dendrogram_view import DendrogramView

SHIFT = Qt.KeyboardModifier.ShiftModifier
# Leaves 0 1 2 3 4; (1,3) at 1, (0,4) at 2, ((1,3),2) at 3, all at 5: slots 0 4 1 3 2.
HAND = np.array([[1, 3, 1.0, 2], [0, 4, 2.0, 2], [5, 2, 3.0, 3], [6, 7, 5.0, 5]])


@pytest.fixture
def view(qtbot):
    view = DendrogramView()
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.set_hierarchy(Hierarchy(HAND.copy(), 5))
    view.set_threshold(4.0)
    view.set_leaf_classes(["apple", "net", "net", "net", None])
    with qtbot.waitExposed(view):
        view.show()
    view._bar._table.click()
    return view


def column(view, number: int) -> list[str]:
    model = view._table.model()
    return [model.index(row, number).data() for row in range(model.rowCount())]


def titles(view) -> list[str]:
    model = view._table.model()
    return [model.headerData(i, Qt.Orientation.Horizontal) for i in range(model.columnCount())]


def test_height_size_and_purity_have_columns(view):
    assert titles(view) == [
        "Merge height", "Images", "Joins", "At the threshold", "Purity", "Most frequent class",
    ]  # fmt: skip
    assert column(view, 0) == ["5", "3", "2", "1"]
    assert column(view, 1) == ["5", "3", "2", "2"]
    assert column(view, 4) == ["60 %", "100 %", "50 %", "100 %"]
    assert column(view, 5) == ["net (3 of 5)", "net (3 of 3)", "apple (1 of 2)", "net (2 of 2)"]


def test_what_is_nearly_pure_is_not_called_pure(view):
    n = 400
    chain = np.array([[0 if i == 0 else n + i - 1, i + 1, i + 1.0, i + 2] for i in range(n - 1)])
    view.set_hierarchy(Hierarchy(chain, n))
    view.set_leaf_classes(["net"] * (n - 1) + ["apple"])
    assert column(view, 4)[:2] == ["99 %", "100 %"]


@pytest.mark.parametrize("classes", [None, [None] * 5])
def test_without_classes_there_is_no_column_for_them(view, classes):
    view.set_leaf_classes(classes)
    assert titles(view) == ["Merge height", "Images", "Joins", "At the threshold"]


def test_headers_tell_the_unit(view):
    view.set_height_unit("units of activation")
    tip = view._table.model().headerData(0, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert tip.endswith("in units of activation")


def test_keys_select_the_same_subtrees_as_clicks(view):
    selected = []
    view.subtree_selected.connect(lambda leaves: selected.append(leaves.tolist()))
    view._table.setFocus()
    view._table.setCurrentIndex(view._table.model().index(1, 0))
    assert selected[-1] == [1, 2, 3]
    QTest.keyClick(view._table, Qt.Key.Key_Down, SHIFT)
    assert selected[-1] == [0, 1, 2, 3, 4]
    QTest.keyClick(view._table, Qt.Key.Key_Down)
    assert selected[-1] == [1, 3] == view.selected_leaves().tolist()
    view._bar._table.click()
    assert view._state.chosen.tolist() == [False, True, False, True, False]


def test_the_menu_key_and_a_right_click_offer_the_rows(view):
    offered = []
    view.subtree_menu_requested.connect(lambda leaves, where: offered.append((leaves.tolist(), where)))
    table = view._table
    port = table.viewport()
    cell = table.visualRect(table.model().index(2, 0)).center()
    for reason in (QContextMenuEvent.Reason.Keyboard, QContextMenuEvent.Reason.Mouse):
        QApplication.sendEvent(port, QContextMenuEvent(reason, cell, port.mapToGlobal(cell)))
    assert offered == [], "nothing is chosen yet"
    QTest.mouseClick(port, Qt.MouseButton.RightButton, pos=cell)
    QApplication.sendEvent(
        port, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, cell, port.mapToGlobal(cell))
    )
    assert offered == [([0, 4], port.mapToGlobal(cell))]
    far = QPoint(600, 400)
    QApplication.sendEvent(
        port, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, far, port.mapToGlobal(far))
    )
    leaves, where = offered[1]
    assert leaves == [0, 4]
    assert abs(where.y() - port.mapToGlobal(cell).y()) < 30, "below the row, wherever the pointer is"
