"""Finding a picture in every panel, from the menu of a grid or by its key."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from widgets.images.image_grid import ImageGrid


@pytest.fixture
def workspace(qtbot, opened):
    opened.activateWindow()
    qtbot.waitUntil(opened.isActiveWindow, timeout=5000)
    opened.workspace.members.set_thumbnail_size(200)
    return opened.workspace


def in_sight(grid, row):
    view, model = grid._view, grid._model
    return any(
        view.viewport().rect().contains(view.visualRect(model.index(index)).center())
        for index in model.indices_of(row)
    )


def menu_of_first(grid):
    """Open the menu of the first picture with a right click, and return it."""
    view = grid._view
    point = view.visualRect(grid._model.index(0)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, view.viewport().mapToGlobal(point))
    QApplication.sendEvent(view.viewport(), event)
    return QApplication.activePopupWidget()


def test_from_the_menu_of_max_projecting_to_the_members_and_the_dendrogram(qtbot, opened, workspace):
    session, tabs = opened.session, workspace.tabs
    tabs.setCurrentWidget(workspace.max_projecting)
    grid = workspace.max_projecting._grid
    # The second concept's column: its images are far down among the members.
    column = workspace.max_projecting._columns[2]
    row = next(item.row for item in column.items if item.badge)
    grid._view.scrollTo(grid._model.index(grid._model.indices_of(row)[0]))
    place = grid._view.visualRect(grid._model.index(grid._model.indices_of(row)[-1])).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, grid._view.viewport().mapToGlobal(place))
    QApplication.sendEvent(grid._view.viewport(), event)
    menu = QApplication.activePopupWidget()
    (find,) = [action for action in menu.actions() if action.text().startswith("Find it in the other panels")]
    find.trigger()
    menu.close()
    assert session.selection.images == {row}
    leaf = int((session.split.top.images == row).nonzero()[0][0])
    assert workspace.dendrogram.selected_leaves().tolist() == [leaf]
    tabs.setCurrentWidget(workspace.members)
    qtbot.waitUntil(lambda: in_sight(workspace.members, row))
    assert workspace.members.selected_rows() == (row,)
    assert workspace.members.current_row() == row


def test_by_key_from_the_members_to_a_tab_that_was_never_open(qtbot, opened, workspace):
    view = workspace.members._view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    row = workspace.members.current_row()
    QTest.keyClick(view, Qt.Key.Key_F)
    assert opened.session.selection.images == {row}
    workspace.max_projecting.set_thumbnail_size(160)
    workspace.tabs.setCurrentWidget(workspace.max_projecting)
    grid = workspace.max_projecting._grid
    assert grid._model.indices_of(row), "among the neuron's own column"
    qtbot.waitUntil(lambda: in_sight(grid, row))


def test_in_the_dendrogram_however_far_it_was_zoomed(qtbot, opened, workspace):
    plot = workspace.dendrogram._plot
    layout = plot._state.layout
    leaf = int(layout.order[-1])
    plot.zoom_to_node(int(layout.order[0]))
    (left, right), _ = plot._view.viewRange()
    assert right < layout.slot[leaf]
    row = int(opened.session.split.top.images[leaf])
    grid = workspace.members
    grid.scroll_to_row(row)
    grid._view.setFocus()
    QTest.keyClick(grid._view, Qt.Key.Key_F)
    (left, right), _ = plot._view.viewRange()
    assert left < layout.slot[leaf] < right


def test_in_the_embedding_when_its_tab_is_chosen(qtbot, opened, workspace):
    tabs, embedding = workspace.tabs, workspace.embedding
    tabs.setCurrentWidget(embedding)
    qtbot.waitUntil(lambda: bool(embedding.rows()), timeout=20_000)
    plot = embedding.plot
    qtbot.waitUntil(lambda: not plot.is_moving(), timeout=5000)
    row, away = embedding.rows()[0], embedding.rows()[-1]
    for _ in range(8):
        plot.zoom_by(2.0)
    plot.bring_into_sight(embedding.rows().index(away))

    def seen():
        x, y = plot.shown_pixels()[embedding.rows().index(row)]
        return 0 <= x < plot.width() and 0 <= y < plot.height()

    assert not seen()
    tabs.setCurrentWidget(workspace.members)
    workspace.members.scroll_to_row(row)
    workspace.members._view.setFocus()
    QTest.keyClick(workspace.members._view, Qt.Key.Key_F)
    tabs.setCurrentWidget(embedding)
    qtbot.waitUntil(seen, timeout=5000)
    assert embedding.selected_rows() == (row,)


def test_another_neuron_forgets_what_was_to_be_found(qtbot, opened, workspace):
    view = workspace.members._view
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_End)
    QTest.keyClick(view, Qt.Key.Key_F)
    with qtbot.waitSignal(opened.session.analysis_changed, timeout=20_000):
        opened.session.show_neuron(1)
    workspace.tabs.setCurrentWidget(workspace.max_projecting)
    QApplication.processEvents()
    assert workspace.max_projecting._grid.current_row() is None


def test_a_grid_on_its_own_offers_nothing_to_find(qtbot, opened, workspace):
    alone = ImageGrid(opened.thumbnails)
    qtbot.addWidget(alone)
    alone.resize(500, 400)
    alone.set_bands(workspace.members.bands())
    with qtbot.waitExposed(alone):
        alone.show()
    menu = menu_of_first(alone)
    assert not [action for action in menu.actions() if "other panels" in action.text()]
    menu.close()
    QApplication.processEvents()  # the menu goes before its grid


def test_a_concept_chosen_in_the_list_has_its_column_in_sight(qtbot, opened, workspace):
    workspace.tabs.setCurrentWidget(workspace.max_projecting)
    workspace.max_projecting.set_thumbnail_size(320)
    grid = workspace.max_projecting._grid
    bar = grid._view.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(0)
    last = grid.bands()[-1].key
    box = grid._view.geometry_of_bands().header_box(2)
    assert box.x + box.width > grid._view.viewport().width(), "out of sight, wholly or in part"
    opened.session.choose_concept(last)
    assert bar.value() == min(box.x, bar.maximum()) > 0
