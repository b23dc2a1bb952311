"""The dendrogram in the window: one selection with the grids, and what follows while the line is dragged."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

LEFT = Qt.MouseButton.LeftButton
NONE, CTRL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


def on_stem(window, node: int) -> QPoint:
    """Return a pixel in the middle of the stem above a node."""
    plot = window.workspace.dendrogram._plot
    layout = window.session.split.hierarchy.layout
    height = (layout.height[node] + layout.parent_height[node]) / 2
    place = plot._view.mapFromView(QPointF(float(layout.x[node]), float(height)))
    return plot.mapFromScene(plot._view.mapToScene(place))


def rows_under(window, *nodes: int) -> set[int]:
    """Return the dataset rows of the images under some nodes, from the linkage matrix alone."""
    split = window.session.split
    linkage, n = split.hierarchy.linkage, split.hierarchy.n_leaves
    leaves, open_nodes = set(), list(nodes)
    while open_nodes:
        node = open_nodes.pop()
        if node < n:
            leaves.add(int(split.top.images[node]))
        else:
            open_nodes += linkage[node - n, :2].astype(int).tolist()
    return leaves


def groups(window) -> tuple[int, int]:
    """Return the two nodes that the root joins: red and green."""
    left, right = window.session.split.hierarchy.linkage[-1, :2].astype(int).tolist()
    return left, right


def test_several_subtrees_are_chosen_everywhere(qtbot, opened):
    port = opened.workspace.dendrogram._plot.viewport()
    members, selection = opened.workspace.members, opened.session.selection
    first, second = groups(opened)
    QTest.mouseClick(port, LEFT, NONE, on_stem(opened, first))
    assert set(members.selected_rows()) == selection.images == rows_under(opened, first)
    QTest.mouseClick(port, LEFT, SHIFT, on_stem(opened, second))
    assert set(members.selected_rows()) == selection.images == rows_under(opened, first, second)
    assert len(selection.images) == 30
    QTest.mouseClick(port, LEFT, CTRL, on_stem(opened, first))
    assert set(members.selected_rows()) == selection.images == rows_under(opened, second)
    QTest.keyClick(opened.workspace.dendrogram._plot, Qt.Key.Key_Escape)
    assert members.selected_rows() == () and selection.images == frozenset()


def test_what_was_chosen_comes_into_sight_among_the_members(qtbot, opened):
    members = opened.workspace.members
    port, view = opened.workspace.dendrogram._plot.viewport(), members._view
    members.set_thumbnail_size(160)
    for group in groups(opened):
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
        QTest.mouseClick(port, LEFT, NONE, on_stem(opened, group))
        strongest = min(rows_under(opened, group), key=opened.session.split.top.images.tolist().index)
        model = members._model
        (index,) = model.indices_of(strongest)
        assert view.viewport().rect().intersects(view.visualRect(model.index(index)))


def test_images_chosen_in_a_grid_are_chosen_leaves(qtbot, opened):
    members, split = opened.workspace.members, opened.session.split
    view = members._view
    rect = view.visualRect(members._model.index(0))
    qtbot.mouseClick(view.viewport(), LEFT, pos=rect.center())
    row = members._model.items[0].row
    leaves = opened.workspace.dendrogram.selected_leaves()
    assert split.top.images[leaves].tolist() == [row]


def test_tooltips_tell_what_heights_are_measured_in(qtbot, opened):
    assert "units of activation" in opened.workspace.dendrogram._bar._threshold.toolTip()


def test_all_neurons_are_counted_again_now_and_then_while_dragging(qtbot, opened):
    session, counted = opened.session, []
    qtbot.waitUntil(lambda: session.counts.counts().min() >= 0, timeout=20_000)
    session.counts.changed.connect(lambda counts: counted.append(int(counts[0])))
    for threshold in (20.0, 25.0, 11.0, 25.0):
        session.preview_threshold(threshold)
    assert counted == [], "a repaint of every neuron for each step of the line would hold it up"
    qtbot.waitUntil(lambda: bool(counted), timeout=20_000)
    assert counted == [1], "the last threshold, above every merge"
    session.cancel_preview()
    assert counted[-1] == 2
