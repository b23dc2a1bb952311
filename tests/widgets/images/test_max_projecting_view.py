"""Columns of strongest projections."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from tests.widgets.picture_files import make_items, make_loader
from widgets.images.max_projecting_view import MEMBER_BADGE, MaxProjectingView, ProjectionColumn


@pytest.fixture
def view(qtbot, tmp_path):
    loader = make_loader()
    view = MaxProjectingView(loader)
    qtbot.addWidget(view)
    view.resize(600, 400)
    members = make_items(tmp_path, range(3), MEMBER_BADGE)
    others = make_items(tmp_path, range(10, 14))
    neuron = make_items(tmp_path, range(6))
    view.set_columns(
        [
            ProjectionColumn(-10, "Neuron 35", QColor("gray"), "n", neuron, neuron),
            ProjectionColumn(0, "apples", QColor("red"), "A", members + others, others),
        ]
    )
    view.show()
    yield view
    loader.shutdown()


def rows(view: MaxProjectingView, column: int) -> list[int]:
    return [item.row for item in view._grid.bands()[column].items]


def test_columns_stand_beside_each_other_from_the_strongest_down(view):
    assert rows(view, 0) == list(range(6))
    assert rows(view, 1) == [0, 1, 2, 10, 11, 12, 13]
    geometry = view._grid._view.geometry_of_bands()
    assert geometry.cell_box(0).y == geometry.cell_box(6).y
    assert geometry.cell_box(0).x < geometry.cell_box(6).x


def test_the_switch_leaves_members_out_and_says_so(view, qtbot):
    with qtbot.waitSignal(view.held_out_changed) as changed:
        QTest.mouseClick(view._switch, Qt.MouseButton.LeftButton, pos=view._switch.rect().center() / 8)
    assert changed.args == [True]
    assert rows(view, 1) == [10, 11, 12, 13]
    assert rows(view, 0) == list(range(6))
    view.set_held_out(False)
    assert rows(view, 1)[:3] == [0, 1, 2]


def test_setting_the_switch_is_silent(view):
    changed = []
    view.held_out_changed.connect(changed.append)
    view.set_held_out(True)
    assert changed == [] and view.is_held_out()


def test_selection_marks_an_image_in_every_column(view):
    selected = []
    view.rows_selected.connect(selected.append)
    view.set_selected_rows({1})
    assert view._grid._view.selected_items() == [1, 7]
    assert selected == []
    geometry = view._grid._view
    index = view._grid._model.index(9)
    QTest.mouseClick(geometry.viewport(), Qt.MouseButton.LeftButton, pos=geometry.visualRect(index).center())
    assert selected == [(10,)]


def test_header_click_names_the_column(view):
    keys = []
    view.column_activated.connect(keys.append)
    box = view._grid._view.geometry_of_bands().header_box(1)
    QTest.mouseClick(
        view._grid._view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=view._grid._view.viewport_rect(box).center(),
    )
    assert keys == [0]


def test_message(view):
    view.set_message("Project the images first.")
    assert view._grid._empty.text() == "Project the images first."
    view._switch.setChecked(True)
    assert view._grid.bands() == ()


def test_many_concepts_scroll_sideways(view, tmp_path):
    items = make_items(tmp_path, range(2))
    view.set_columns([ProjectionColumn(k, f"c{k}", QColor("red"), "A", items, items) for k in range(40)])
    bar = view._grid._view.horizontalScrollBar()
    assert bar.maximum() > 0
    view.scroll_to_column(39)
    assert bar.value() == bar.maximum()
