"""Switching projection maps on by key and button, what is asked for, what is kept, what is said."""

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QSlider

from backend.image_files.seen_region import Region
from backend.visualization.projection_map import ProjectionMap
from tests.widgets.picture_files import make_band, make_loader
from widgets.images.image_grid import ImageGrid
from widgets.images.image_viewer import ImageViewer
from widgets.images.projection_map_bar import ProjectionMapBar, ProjectionMapButton
from widgets.images.projection_map_display import DEFAULT_OPACITY, MapDirection, ProjectionMapDisplay
from widgets.images.viewed_map import WHOLE_INPUT, ViewedMap

LEFT = Qt.MouseButton.LeftButton
ALL = Region(0.0, 0.0, 1.0, 1.0)


def one_map(peak=3.0, cell=(0, 0), side=4):
    values = np.zeros((side, side), dtype=np.float32)
    values[cell] = peak
    return ProjectionMap(values, ALL)


@pytest.fixture
def loader(qapp):
    loader = make_loader()
    yield loader
    loader.shutdown()


@pytest.fixture
def display(qapp):
    display = ProjectionMapDisplay()
    display.set_directions({0: MapDirection("layer/a", "apples"), 1: MapDirection("layer/b", "pitches")})
    return display


@pytest.fixture
def grid(qtbot, loader, display, tmp_path):
    grid = ImageGrid(loader, maps=display)
    qtbot.addWidget(grid)
    grid.resize(700, 300)
    grid.set_thumbnail_size(64)
    grid.set_bands([make_band(tmp_path, 0, range(30)), make_band(tmp_path, 1, range(40, 46), "pitches")])
    with qtbot.waitExposed(grid):
        grid.show()
    return grid


class TestTheGrid:
    def test_h_shows_and_hides(self, grid, display):
        bar = grid.findChild(ProjectionMapBar)
        assert not bar.isVisible()
        QTest.keyClick(grid._view, Qt.Key.Key_H)
        assert display.is_on and bar.isVisible() and grid.findChild(ProjectionMapButton).isChecked()
        QTest.keyClick(grid._view, Qt.Key.Key_H)
        assert not display.is_on and not bar.isVisible()

    def test_the_button_shows_and_hides(self, grid, display):
        button = grid.findChild(ProjectionMapButton)
        QTest.mouseClick(button, LEFT)
        assert display.is_on
        QTest.mouseClick(button, LEFT)
        assert not display.is_on

    def test_it_asks_for_what_is_in_sight_first_and_for_nothing_while_off(self, grid, display, qtbot):
        assert display.missing() == []
        QTest.keyClick(grid._view, Qt.Key.Key_H)
        visible = grid._view.visible_items()
        assert 0 < len(visible) < 30
        missing = display.missing()
        assert missing[: len(visible)] == [(0, row) for row in visible]
        assert len(missing) == 36
        grid._view.verticalScrollBar().setValue(grid._view.verticalScrollBar().maximum())
        qtbot.waitUntil(lambda: display.missing()[0] != (0, 0))
        first = grid._view.visible_items()[0]
        item = grid._model.item(first)
        assert display.missing()[0] == (grid._model.band(first).key, item.row)
        QTest.keyClick(grid._view, Qt.Key.Key_H)
        assert display.missing() == []

    def test_a_hidden_grid_asks_for_nothing(self, grid, display):
        display.set_on(True)
        assert display.missing()
        grid.hide()
        assert display.missing() == []

    def test_the_slider_sets_the_opacity(self, grid, display):
        display.set_on(True)
        slider = grid.findChild(ProjectionMapBar).findChild(QSlider)
        QTest.keyClick(slider, Qt.Key.Key_Home)
        assert display.opacity == pytest.approx(0.1)
        QTest.keyClick(slider, Qt.Key.Key_End)
        assert display.opacity == pytest.approx(1.0) != DEFAULT_OPACITY

    def test_the_ends_of_the_scales_are_said(self, grid, display, qtbot):
        display.set_on(True)
        bar = grid.findChild(ProjectionMapBar)
        assert bar.sentence() == ""
        display.add_map("layer/b", 1, one_map(2.0))
        display.add_map("layer/b", 2, one_map(4.25))
        display.add_map("layer/a", 2, one_map(-1.0, side=1))
        assert bar.sentence() == "pitches: 0 to 4.25"

    def test_where_it_cannot_be_the_button_says_why_and_h_says_it_in_place(self, grid, display):
        reason = "No network is known to give these activations."
        display.set_status(obstacle=reason)
        button, bar = grid.findChild(ProjectionMapButton), grid.findChild(ProjectionMapBar)
        assert not button.isEnabled() and button.toolTip() == reason
        QTest.keyClick(grid._view, Qt.Key.Key_H)
        assert bar.isVisible() and bar.sentence() == reason
        assert not bar.findChild(QSlider).isVisible()
        display.set_status()
        assert button.isEnabled() and bar.findChild(QSlider).isVisible()

    def test_scrolling_paints_kept_pictures(self, grid, display, qtbot):
        display.set_on(True)
        for row in range(30):
            display.add_map("layer/a", row, one_map())
        qtbot.waitUntil(lambda: grid._thumbnails.n_waiting == 0)
        grid._view.viewport().grab()
        kept = {key: picture for key, (_, picture) in display._pictures.items()}
        assert kept
        grid._view.viewport().grab()
        assert all(display._pictures[key][1] is picture for key, picture in kept.items())


class TestWhatIsKept:
    def test_maps_are_bounded_and_the_least_recently_used_goes(self, qapp):
        display = ProjectionMapDisplay(maximum_map_bytes=10 * 64)  # ten maps of 4 × 4
        display.set_directions({0: MapDirection("layer/a", "apples")})
        for row in range(10):
            display.add_map("layer/a", row, one_map())
        assert display.map_of(0, 0) is not None
        display.add_map("layer/a", 10, one_map())
        assert display.used_map_bytes == 640
        assert display.map_of(0, 0) is not None and display.map_of(0, 1) is None
        display.add_map("layer/a", 10, one_map(side=2))
        assert display.used_map_bytes == 640 - 64 + 16

    def test_painted_pictures_are_bounded(self, qapp):
        plain = QPixmap(32, 32)
        plain.fill(QColor("grey"))
        display = ProjectionMapDisplay(maximum_picture_bytes=5 * 32 * 32 * 4)
        display.set_directions({0: MapDirection("layer/a", "apples")})
        for row in range(20):
            display.add_map("layer/a", row, one_map())
            display.begin_frame()
            assert display.picture(plain, 0, row, QColor("white")) is not None
        assert 0 < display.used_picture_bytes <= 5 * 32 * 32 * 4

    def test_one_frame_makes_only_so_many(self, qtbot, display):
        plain = QPixmap(8, 8)
        plain.fill(QColor("grey"))
        for row in range(100):
            display.add_map("layer/a", row, one_map())
        display.begin_frame()
        made = [display.picture(plain, 0, row, QColor("white")) is not None for row in range(100)]
        assert 0 < sum(made) < 100
        with qtbot.waitSignal(display.changed):
            pass
        display.begin_frame()
        assert display.picture(plain, 0, 99, QColor("white")) is not None

    def test_other_vectors_have_other_maps(self, display):
        display.add_map("layer/a", 3, one_map())
        display.set_directions({0: MapDirection("layer/other", "apples")})
        assert display.map_of(0, 3) is None and display.scale(0) == 0
        display.set_directions({7: MapDirection("layer/a", "apples")})
        assert display.map_of(7, 3) is not None and display.scale(7) == 3.0

    def test_who_asked_last_comes_first_and_unreadable_images_are_not_asked_for_again(self, display):
        grid, viewer = QObject(), QObject()
        display.want(grid, [(0, 1), (0, 2), (1, 1), (5, 9)])
        display.want(viewer, [(0, 2), (0, 3)])
        assert display.missing() == [(0, 2), (0, 3), (0, 1), (1, 1)]
        display.add_map("layer/a", 2, one_map())
        display.add_failure(3, "3.png cannot be read.")
        assert display.missing() == [(0, 1), (1, 1)]


class TestTheViewer:
    @pytest.fixture
    def viewer(self, qtbot, loader, display, tmp_path):
        items = make_band(tmp_path, 0, range(3)).items
        viewer = ImageViewer(loader, None, display)
        qtbot.addWidget(viewer)
        viewer.resize(640, 600)
        viewer.show_items(items, 1, (0, 0, 0))
        qtbot.waitUntil(viewer._canvas.has_picture)
        return viewer

    def test_h_and_c_ask_for_the_map_and_the_field(self, viewer, display):
        assert display.missing() == [] and not display.misses_field
        QTest.keyClick(viewer, Qt.Key.Key_H)
        assert display.missing() == [(0, 1)] and not display.misses_field
        QTest.keyClick(viewer, Qt.Key.Key_C)
        assert display.misses_field
        QTest.keyClick(viewer, Qt.Key.Key_Right)
        assert display.missing() == [(0, 2)]
        viewer.close()
        assert display.missing() == [] and not display.misses_field

    def test_the_crop_is_what_the_strongest_position_sees(self, viewer, display, qtbot):
        display.add_map("layer/a", 1, one_map(cell=(1, 2)))
        display.set_receptive_field(0.5)
        whole = viewer._canvas._pixmap.size()
        QTest.keyClick(viewer, Qt.Key.Key_C)
        shown = viewer._canvas._pixmap.size()
        assert (shown.width(), shown.height()) == (whole.width() // 2, whole.height() // 2)
        part = viewer.findChild(ViewedMap).part()
        assert (part.left, part.top) == pytest.approx((0.375, 0.125))
        QTest.keyClick(viewer, Qt.Key.Key_C)
        assert viewer._canvas._pixmap.size() == whole

    def test_a_field_of_the_whole_input_is_said(self, viewer, display):
        display.add_map("layer/a", 1, one_map())
        display.set_receptive_field(1.0)
        whole = viewer._canvas._pixmap.size()
        QTest.keyClick(viewer, Qt.Key.Key_C)
        assert WHOLE_INPUT in viewer.findChild(ViewedMap).facts()
        assert viewer._canvas._pixmap.size() == whole

    def test_the_values_are_said(self, viewer, display, qtbot):
        display.set_on(True)
        display.add_map("layer/a", 0, one_map(12.0))
        display.add_map("layer/a", 1, one_map(3.0))
        facts = viewer.findChild(ViewedMap).facts
        qtbot.waitUntil(lambda: "apples: at most 3 here, colours from 0 to 12" in facts())
        assert viewer._canvas._overlay is not None
        display.add_map("layer/a", 1, one_map(-1.0, side=1))
        qtbot.waitUntil(lambda: "Nowhere does this picture project above 0" in facts())

    def test_an_image_that_cannot_be_read_says_so(self, viewer, display, qtbot):
        display.set_on(True)
        display.add_failure(1, "1.png is no picture.")
        qtbot.waitUntil(lambda: viewer.findChild(ViewedMap).facts() == "1.png is no picture.")
