"""Adjusting by hand as a user does: right clicks, keys and buttons in the real window."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from app.excluded_images_dialog import ExcludedImagesDialog
from backend.method.adjustments import LEFT_OUT, Adjustments
from tests.app.planted_project import LAYER
from widgets.images.image_grid import ImageGrid

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def _right_click(widget, point: QPoint) -> QMenu:
    """Right click, as the window system reports it, and return the menu that opens."""
    QTest.mouseMove(widget, point)
    QTest.mousePress(widget, RIGHT, Qt.KeyboardModifier.NoModifier, point)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, widget.mapToGlobal(point))
    QApplication.sendEvent(widget, event)
    QTest.mouseRelease(widget, RIGHT, Qt.KeyboardModifier.NoModifier, point)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def _choose(qtbot, menu: QMenu, text: str, signal=None) -> None:
    action = next(one for one in menu.actions() if one.text().replace("&", "").startswith(text))
    assert action.isEnabled()
    place = menu.actionGeometry(action).center()
    if signal is None:
        QTest.mouseClick(menu, LEFT, pos=place)
        return
    with qtbot.waitSignal(signal, timeout=10_000):
        QTest.mouseClick(menu, LEFT, pos=place)


def _texts(menu: QMenu) -> list[str]:
    return [one.text().replace("&", "").split("\t")[0] for one in menu.actions() if one.text()]


def _root_of_a_cluster(window) -> tuple[np.ndarray, QPoint]:
    """Return the leaves of the leftmost cluster of the tree, and a point of its stem on the plot."""
    plot, split = window.workspace.dendrogram._plot, window.session.split
    layout = split.hierarchy.layout
    node = int(layout.clusters(split.parameters.distance_threshold)[0])
    # On its stem, half way up to the merge that it goes into: no other merge is near.
    height = plot._state.height_to_axis(float(layout.height[node] + layout.parent_height[node]) / 2)
    place = plot._view.mapToScene(plot._view.mapFromView(QPointF(float(layout.x[node]), height)))
    return layout.leaves(node), plot.mapFromScene(place)


def _grid_point(grid: ImageGrid, row: int) -> QPoint:
    (index, *_) = grid._model.indices_of(row)
    return grid._view.visualRect(grid._model.index(index)).center()


def _activate(qtbot, window) -> None:
    """Keys of menus reach the active window alone, and no window system makes it so here."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


@pytest.fixture
def session(qtbot, opened):
    _activate(qtbot, opened)
    return opened.session


def test_a_subtree_becomes_a_concept_of_its_own(qtbot, opened, session):
    leaves, place = _root_of_a_cluster(opened)
    before = session.split
    assert opened.workspace.mark.isHidden()
    menu = _right_click(opened.workspace.dendrogram._plot.viewport(), place)
    assert f"Show these {len(leaves)} images" in _texts(menu)
    _choose(qtbot, menu, "Make a concept of its own", session.analysis_changed)
    own = session.split.concepts[-1]
    assert session.split.is_own(own.cluster)
    np.testing.assert_array_equal(own.members, leaves)
    rows = before.top.images[leaves]
    mean = session.layer.activations[np.sort(rows)].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(own.vector, mean / np.linalg.norm(mean), atol=1e-6)
    mark = opened.workspace.mark
    assert mark.isVisible()
    assert mark.text() == "Adjusted by hand: 1 own concept"
    band = next(one for one in opened.workspace.members.bands() if one.key == own.cluster)
    assert (band.marker, band.title, band.subtitle) == ("1", "Concept 1", "made by hand")
    assert opened.concept_panel.concepts.model.entry(own.cluster).summary.startswith("by hand · ")
    _activate(qtbot, opened)
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        QTest.keyClick(opened, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(session.split.labels, before.labels)
    assert mark.isHidden()


def test_selected_pictures_are_left_out_by_the_delete_key_and_given_back_by_the_menu(qtbot, opened, session):
    members, rows = opened.workspace.members, session.split.top.images[:2].tolist()
    port = members._view.viewport()
    QTest.mouseClick(port, LEFT, pos=_grid_point(members, rows[0]))
    QTest.mouseClick(port, LEFT, Qt.KeyboardModifier.ControlModifier, _grid_point(members, rows[1]))
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        QTest.keyClick(members._view, Qt.Key.Key_Delete)
    assert session.split.labels[:2].tolist() == [LEFT_OUT] * 2
    assert opened.workspace.mark.text() == "Adjusted by hand: 2 images left out"
    assert members.bands()[-1].title == "Left out"
    concepts = opened.concept_panel.concepts.model
    assert concepts.cluster(concepts.rowCount() - 1) == LEFT_OUT
    assert concepts.index(concepts.rowCount() - 1).data() == "left out"
    members.scroll_to_row(rows[0])
    menu = _right_click(port, _grid_point(members, rows[0]))
    _choose(qtbot, menu, "Give back to their clusters", session.analysis_changed)
    assert not session.split.adjustments


def test_the_mark_resets(qtbot, opened, session):
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        session.adjustments.leave_out(session.split.top.images[:3].tolist())
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        QTest.mouseClick(opened.workspace.mark.reset_button, LEFT)
    assert not session.split.adjustments
    assert session.project.adjustments(LAYER) == {}


def test_selected_leaves_become_a_concept_by_the_key(qtbot, opened, session):
    leaves, place = _root_of_a_cluster(opened)
    QTest.mouseClick(opened.workspace.dendrogram._plot.viewport(), LEFT, pos=place)
    assert opened.menus.actions["own_concept"].isEnabled()
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        QTest.keyClick(opened, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    rows = tuple(sorted(session.split.top.images[leaves].tolist()))
    assert session.project.adjustments(LAYER) == {0: Adjustments((rows,))}


def test_nothing_can_be_adjusted_while_nothing_is_selected(opened, session):
    session.selection.select_images(())
    names = ("own_concept", "leave_out", "exclude", "reset_adjustments", "excluded_images")
    assert not any(opened.menus.actions[name].isEnabled() for name in names)


def test_an_image_is_excluded_from_the_grid_and_taken_back_in_the_dialog(qtbot, opened, session):
    members, row = opened.workspace.members, int(session.split.top.images[0])
    before = session.split.top.images.tolist()
    menu = _right_click(members._view.viewport(), _grid_point(members, row))
    _choose(qtbot, menu, "Exclude this image", session.analysis_changed)
    assert row not in session.split.top.images
    shown = {item.row for band in members.bands() for item in band.items}
    assert row not in shown and len(shown) == 30
    mark = opened.workspace.mark
    assert mark.text() == "1 image excluded from the project's analysis"
    assert opened.neuron_panel.browser.model.n_neurons == 6
    QTest.mouseClick(mark.excluded_button, LEFT)
    dialog = opened.findChild(ExcludedImagesDialog)
    qtbot.waitExposed(dialog)
    assert not dialog.include_button.isEnabled()
    QTest.mouseClick(dialog.grid._view.viewport(), LEFT, pos=_grid_point(dialog.grid, row))
    with qtbot.waitSignal(session.analysis_changed, timeout=10_000):
        QTest.mouseClick(dialog.include_button, LEFT)
    assert session.split.top.images.tolist() == before
    assert dialog.grid.bands() == ()
    assert mark.isHidden()
    dialog.reject()


def test_pictures_that_are_no_top_images_can_only_be_excluded(qtbot, opened, session):
    workspace = opened.workspace
    workspace.tabs.setCurrentWidget(workspace.max_projecting)
    grid = workspace.max_projecting._grid
    top = set(session.split.top.images.tolist())
    row = next(item.row for item in grid.bands()[0].items if item.row not in top)
    grid.scroll_to_row(row)
    menu = _right_click(grid._view.viewport(), _grid_point(grid, row))
    enabled = {one.text().replace("&", "").split("\t")[0]: one.isEnabled() for one in menu.actions()}
    assert not enabled["Make a concept of its own"]
    assert not enabled["Leave out"]
    assert enabled["Exclude this image from the analysis"]
    menu.close()
