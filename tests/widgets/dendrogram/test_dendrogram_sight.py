"""What of a dendrogram is in sight and how it is made out: zoom, frames, pictures, large fonts."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from scipy.cluster.hierarchy import linkage

from backend.method.hierarchy import Hierarchy
from tests.widgets.picture_files import make_loader, row_color, write_picture
from widgets.dendrogram.dendrogram_view import DendrogramView
from widgets.dendrogram.leaf_strip import on_device_pixels
from widgets.palette import contrast_ratio

LEFT, NONE, CTRL = (
    Qt.MouseButton.LeftButton,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
)
# Leaves 0 1 2 3 4; (1,3) at 1, (0,4) at 2, ((1,3),2) at 3, all at 5: slots 0 4 1 3 2.
HAND = np.array([[1, 3, 1.0, 2], [0, 4, 2.0, 2], [5, 2, 3.0, 3], [6, 7, 5.0, 5]])


def show(qtbot, hierarchy: Hierarchy, threshold: float, thumbnails=None) -> DendrogramView:
    view = DendrogramView(thumbnails)
    qtbot.addWidget(view)
    view.resize(640, 480)
    view.set_hierarchy(hierarchy)
    view.set_threshold(threshold)
    with qtbot.waitExposed(view):
        view.show()
    view.setFocus()
    return view


@pytest.fixture
def view(qtbot):
    return show(qtbot, Hierarchy(HAND.copy(), 5), 4.0)


@pytest.fixture
def random_view(qtbot):
    points = np.random.default_rng(2).normal(size=(60, 5))
    return show(qtbot, Hierarchy(linkage(points, "ward"), 60), 6.0)


def port(view):
    return view._plot.viewport()


def at(view, slot: float, height: float) -> QPoint:
    place = view._plot._view.mapFromView(QPointF(slot, view._state.height_to_axis(height)))
    return view._plot.mapFromScene(view._plot._view.mapToScene(place))


def strip(view, slot: int) -> QPoint:
    plot = view._plot
    x = plot._view.mapFromView(QPointF(slot, 0)).x()
    return plot.mapFromScene(plot._strip.mapToScene(QPointF(x, plot._strip.rect().height() / 2)))


def slots(view) -> tuple[float, float]:
    return tuple(view._plot._view.viewRange()[0])


def heights(view) -> tuple[float, float]:
    return tuple(view._plot._view.viewRange()[1])


def size_and_leaves(view, node: int) -> list[int]:
    return sorted(view._state.layout.leaves(node).tolist())


# --- zoom -------------------------------------------------------------------------------------------


def test_a_double_click_zooms_to_the_subtree_and_ctrl_0_back(random_view):
    layout = random_view._state.layout
    node = next(n for n in range(layout.n_leaves, len(layout.height)) if 8 <= layout.size[n] <= 20)
    first, size = int(layout.first[node]), int(layout.size[node])
    bar = QPointF(float(layout.x[node]), float(layout.height[node]))
    QTest.mouseDClick(port(random_view), LEFT, NONE, at(random_view, bar.x(), bar.y()))
    assert slots(random_view) == pytest.approx((first - 0.5, first + size - 0.5))
    assert heights(random_view)[0] == 0
    assert layout.height[node] < heights(random_view)[1] < 1.5 * layout.height[node]
    QTest.keyClick(random_view._plot, Qt.Key.Key_0, CTRL)
    assert slots(random_view) == pytest.approx((-0.5, 59.5))
    assert heights(random_view) == pytest.approx(random_view._state.axis_range)


def test_enter_zooms_to_what_is_selected(random_view):
    QTest.keyClick(random_view._plot, Qt.Key.Key_Return)
    assert slots(random_view) == pytest.approx((-0.5, 59.5))
    layout = random_view._state.layout
    leaves = layout.order[[12, 14, 17]].astype(np.int64)
    random_view.set_selected_leaves(leaves)
    QTest.keyClick(random_view._plot, Qt.Key.Key_Return)
    left, right = slots(random_view)
    assert left <= 11.5 and right >= 17.5
    # Nothing smaller holds all of them: it is what their lowest common merge spans.
    spans = [
        size_and_leaves(random_view, node)
        for node in range(len(layout.height))
        if set(leaves.tolist()) <= set(size_and_leaves(random_view, node))
    ]
    assert right - left == pytest.approx(min(len(span) for span in spans))


def test_the_axis_stays_in_sight_at_every_zoom(random_view):
    axis = random_view._plot._axis
    for _ in range(12):
        QTest.keyClick(random_view._plot, Qt.Key.Key_Plus, CTRL)
        assert axis.isVisible() and axis.geometry().left() == 0
        assert axis.geometry().width() == axis.width() > 40
        shown = axis.tickValues(*heights(random_view), axis.height())
        assert sum(len(values) for _, values in shown) >= 3
    assert slots(random_view)[1] - slots(random_view)[0] == pytest.approx(4, abs=0.2)


def test_another_axis_keeps_the_leaves_in_sight(random_view):
    random_view._plot.zoom_leaves(4, 20)
    before = slots(random_view)
    random_view._bar._log.click()
    assert slots(random_view) == pytest.approx(before)
    assert heights(random_view) == pytest.approx(random_view._state.axis_range)
    random_view._bar._log.click()
    assert slots(random_view) == pytest.approx(before)


def test_another_axis_gives_a_drag_up(view):
    cancelled = []
    view.threshold_cancelled.connect(cancelled.append)
    QTest.mousePress(port(view), LEFT, NONE, at(view, 1.5, 4.0))
    QTest.mouseMove(port(view), at(view, 1.5, 2.5))
    view.set_log_height(True)
    assert cancelled == [4.0] and view.threshold() == 4.0 and not view.is_dragging()


def test_images_selected_elsewhere_come_into_sight_once(random_view):
    random_view._plot.zoom_leaves(6, 5)
    far = random_view._state.layout.order[[50]].astype(np.int64)
    random_view.set_selected_leaves(far)
    left, right = slots(random_view)
    assert left < 50 < right
    random_view._plot.pan_leaves(-100)
    panned = slots(random_view)
    random_view.set_selected_leaves(far)
    assert slots(random_view) == panned, "what was selected already does not fetch the view back"


# --- what is chosen and pointed at -------------------------------------------------------------------


def test_frames_stand_out_where_colours_are_few(view):
    original = QPalette(QApplication.palette())
    palette = QPalette(original)
    roles = QPalette.ColorRole
    for role, color in ((roles.Base, "#000000"), (roles.Text, "#ffffff"), (roles.Accent, "#1aebff")):
        palette.setColor(role, QColor(color))
    try:
        QApplication.setPalette(palette)
        QApplication.processEvents()
        view.set_selected_leaves(np.array([0, 4]))
        picture = port(view).grab().toImage()
        edge = at(view, -0.5, 1.0)
        colours = [picture.pixelColor(edge + QPoint(dx, 0)) for dx in range(-1, 3)]
        assert max(contrast_ratio(color, QColor("#000000")) for color in colours) >= 3
        QTest.mouseMove(port(view), at(view, 3.25, 3.0))
        picture = port(view).grab().toImage()
        # Dots: one of a few pixels along the edge of the subtree pointed at.
        edge = at(view, 1.5, 1.0)
        colours = [picture.pixelColor(edge + QPoint(dx, dy)) for dx in range(-1, 3) for dy in range(6)]
        assert max(contrast_ratio(color, QColor("#000000")) for color in colours) >= 3
    finally:
        QApplication.setPalette(original)


def test_lines_of_the_subtree_pointed_at_are_thick(view):
    # The bar of (1, 3) is at height 1, from slot 2 to 3.
    def thickness() -> int:
        picture, middle = port(view).grab().toImage(), at(view, 2.3, 1.0)
        column = [picture.pixelColor(middle + QPoint(0, dy)) for dy in range(-5, 6)]
        ground = port(view).grab().toImage().pixelColor(at(view, 2.3, 1.0) + QPoint(0, 12))
        return sum(color != ground for color in column)

    thin = thickness()
    QTest.mouseMove(port(view), at(view, 3.25, 3.0))
    assert thickness() > thin


def test_the_state_tells_how_many_images_are_selected(view):
    QTest.mouseClick(port(view), LEFT, NONE, at(view, 3.25, 3.0))
    assert view._plot.accessibleDescription().endswith("; 3 images selected")
    QTest.keyClick(view._plot, Qt.Key.Key_Escape)
    assert "selected" not in view._plot.accessibleDescription()


def test_tooltips_tell_the_unit_and_show_names_as_they_are(view):
    view.set_height_unit("units of activation")
    view.set_leaf_classes(["x", "<b>net</b>", "<b>net</b>", "<b>net</b>", None])
    QTest.mouseMove(port(view), at(view, 3.25, 3.0))
    assert "3 images merged at height 3 (units of activation)" in QToolTip.text()
    assert "All of class &lt;b&gt;net&lt;/b&gt;" in QToolTip.text()
    assert "units of activation" in view._bar._threshold.toolTip()


# --- pictures ----------------------------------------------------------------------------------------


@pytest.fixture
def loader():
    loader = make_loader()
    yield loader
    loader.shutdown()


def pictures(tmp_path, n: int):
    return [write_picture(tmp_path / f"{i}.png", row_color(i), (32, 32)) for i in range(n)]


def test_pictures_come_when_the_tree_comes_back_from_the_table(qtbot, tmp_path, loader):
    view = show(qtbot, Hierarchy(HAND.copy(), 5), 4.0, loader)
    view.set_table_shown(True)
    view.set_hierarchy(Hierarchy(HAND.copy(), 5))
    view.set_leaf_paths(pictures(tmp_path, 5))
    assert loader.used_bytes == 0 and loader.n_waiting == 0
    view.set_table_shown(False)
    qtbot.waitUntil(lambda: all(loader.cached(tmp_path / f"{i}.png", 64) is not None for i in range(5)))


@pytest.mark.parametrize("ratio", [2.0, 3.0])
def test_a_sharper_screen_gets_sharper_pictures(qtbot, tmp_path, loader, monkeypatch, ratio):
    view = show(qtbot, Hierarchy(HAND.copy(), 5), 4.0, loader)
    paths = pictures(tmp_path, 5)
    view.set_leaf_paths(paths)
    size = view._plot._strip.thumbnail_size
    qtbot.waitUntil(lambda: loader.cached_exactly(paths[0], size, 1.0) is not None)
    monkeypatch.setattr(view._plot, "devicePixelRatioF", lambda: ratio)
    QApplication.sendEvent(view._plot, QEvent(QEvent.Type.DevicePixelRatioChange))
    qtbot.waitUntil(lambda: all(loader.cached_exactly(path, size, ratio) is not None for path in paths))
    assert loader.cached_exactly(paths[0], size, ratio).width() == size * ratio


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
def test_a_picture_is_painted_pixel_by_pixel(qapp, ratio):
    side = round(24 * ratio)
    source = QImage(side, side, QImage.Format.Format_RGB32)
    for x in range(side):
        for y in range(side):
            source.setPixelColor(x, y, QColor("white" if (x + y) % 2 else "black"))
    pixmap = QPixmap.fromImage(source)
    pixmap.setDevicePixelRatio(ratio)
    screen = QImage(100, 100, QImage.Format.Format_RGB32)
    screen.setDevicePixelRatio(ratio)
    screen.fill(QColor("red"))
    painter = QPainter(screen)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(3.37, 1.61)
    target = on_device_pixels(pixmap.size(), QRectF(2.21, 1.9, 24, 24), painter)
    painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))
    painter.end()
    inside = [(x, y) for x in range(100) for y in range(100) if screen.pixelColor(x, y) != QColor("red")]
    left, top = min(inside)[0], min(y for _, y in inside)
    assert len(inside) == side * side
    assert screen.copy(left, top, side, side).convertToFormat(source.format()) == source


def test_pictures_leave_the_tree_its_room(qtbot, tmp_path, loader):
    view = show(qtbot, Hierarchy(HAND.copy(), 5), 4.0, loader)
    view.set_leaf_paths(pictures(tmp_path, 5))
    tall = view._plot._strip.thumbnail_size
    view.resize(640, 240)
    QApplication.processEvents()
    low = view._plot._strip.thumbnail_size
    assert 0 < low < tall
    assert view._plot._view.rect().height() > view._plot._strip.rect().height()


def test_a_leaf_that_cannot_be_read_says_why(qtbot, tmp_path, loader):
    view = show(qtbot, Hierarchy(HAND.copy(), 5), 4.0, loader)
    paths = pictures(tmp_path, 5)
    paths[0].write_bytes(b"no picture")
    view.set_leaf_paths(paths)
    qtbot.waitUntil(lambda: loader.failure(paths[0]) is not None)
    QTest.mouseMove(port(view), strip(view, 0))
    assert loader.failure(paths[0]) in QToolTip.text()


# --- fonts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [9, 18, 27])
def test_a_large_font_is_not_cut_off(qtbot, view, points):
    original = QApplication.font()
    large = QApplication.font()
    large.setPointSize(points)
    try:
        QApplication.setFont(large)
        QApplication.processEvents()
        plot, bar = view._plot, view._bar
        name = plot._axis.label.mapToScene(plot._axis.label.boundingRect()).boundingRect()
        assert name.left() >= 0 and name.width() > 0
        assert name.right() < plot._axis.sceneBoundingRect().right() - 20
        text = bar._threshold.fontMetrics().horizontalAdvance("11.7945")
        assert bar._threshold.lineEdit().minimumSizeHint().width() > 0
        assert bar._threshold.minimumWidth() > text
        assert plot._strip.band_height >= plot._strip.rect().height() - 2
        assert view._counts.plot_rect().left() == plot._axis.width()
    finally:
        QApplication.setFont(original)
