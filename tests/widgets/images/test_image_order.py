"""Sorting the pictures of a band, by the box and by keys."""

from math import nan

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.widgets.picture_files import make_loader
from widgets.images.image_grid import ImageBand, ImageGrid, ImageItem
from widgets.images.image_grid_model import ImageMeasures
from widgets.images.image_order import ordered_band

# row: activation, projection, squared distance
MEASURES = {7: (5.0, 1.0, 4.0), 3: (4.0, nan, 0.5), 9: (3.0, 6.5, 2.0), 1: (2.0, 6.5, 9.0)}


@pytest.fixture
def band(tmp_path):
    items = tuple(
        ImageItem(row, tmp_path / f"{row}.png", f"{numbers[0]:.2f}", "", measures=ImageMeasures(*numbers))
        for row, numbers in MEASURES.items()
    )
    return ImageBand(0, "apples", QColor("red"), "A", items)


@pytest.fixture
def grid(qtbot, band):
    loader = make_loader()
    grid = ImageGrid(loader, sortable=True)
    qtbot.addWidget(grid)
    grid.resize(500, 300)
    grid.set_bands([band])
    with qtbot.waitExposed(grid):
        grid.show()
    yield grid
    loader.shutdown()


def rows(band: ImageBand) -> list[int]:
    return [item.row for item in band.items]


def captions(band: ImageBand) -> list[str]:
    return [item.caption for item in band.items]


def test_activation_is_the_order_in_which_they_come(band):
    assert ordered_band(band, "activation") is band


def test_largest_projection_first_equal_ones_as_they_stood_and_unknown_ones_last(band):
    found = ordered_band(band, "projection")
    assert rows(found) == [9, 1, 7, 3]
    assert captions(found) == ["6.50", "6.50", "1.00", "–"]


def test_nearest_to_the_centroid_first(band):
    found = ordered_band(band, "distance")
    assert rows(found) == [3, 9, 7, 1]
    assert captions(found) == ["0.50", "2.00", "4.00", "9.00"]


def test_pictures_without_measures_keep_caption_and_order(tmp_path):
    items = tuple(ImageItem(row, tmp_path / "x.png", str(row), "") for row in (4, 2, 8))
    found = ordered_band(ImageBand(0, "", QColor(), "A", items), "distance")
    assert captions(found) == ["4", "2", "8"]


def test_the_box_sorts_keeps_the_selection_and_tells_once(grid):
    orders, selected = [], []
    grid.order_changed.connect(orders.append)
    grid.set_selected_rows([9])
    grid.rows_selected.connect(selected.append)
    box = grid._order._box
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert orders == ["projection"] and grid.order() == "projection"
    assert rows(grid.bands()[0]) == [9, 1, 7, 3]
    assert grid.selected_rows() == (9,) and selected == []
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert rows(grid.bands()[0]) == [3, 9, 7, 1]
    QTest.keyClick(box, Qt.Key.Key_Home)
    assert rows(grid.bands()[0]) == list(MEASURES)


def test_new_bands_come_in_the_chosen_order_and_setting_it_is_silent(grid, band):
    orders = []
    grid.order_changed.connect(orders.append)
    grid.set_order("distance")
    grid.set_bands([band])
    assert rows(grid.bands()[0]) == [3, 9, 7, 1]
    assert orders == []
    grid.set_message("Gone.")
    grid.set_order("projection")
    assert grid.bands() == ()


def test_making_a_grid_shows_no_window_of_its_own(qtbot):
    loader = make_loader()
    grid = ImageGrid(loader, sortable=True)
    qtbot.addWidget(grid)
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    loader.shutdown()


def test_a_grid_that_is_not_sortable_has_no_box(qtbot, band):
    loader = make_loader()
    grid = ImageGrid(loader)
    qtbot.addWidget(grid)
    grid.show()
    assert not grid._order.isVisible()
    loader.shutdown()
