"""Places of cells: no overlap, everything found again, by brute force over all cells."""

import numpy as np
import pytest

from widgets.images.image_grid_geometry import HEADER_HEIGHT, Box, Cell, SideBySideBands, StackedBands

CASES = [
    ((5, 0, 13, 1), 400),
    ((30,), 90),
    ((7, 7, 7), 1000),
    ((0, 0), 300),
    ((1,), 30),
    ((2, 40, 3, 8, 1, 6), 640),
]
CELL = Cell(60, 75)


def overlap(a: Box, b: Box) -> bool:
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


@pytest.fixture(params=[StackedBands, SideBySideBands], ids=["stacked", "side by side"])
def arrange(request):
    return request.param


@pytest.mark.parametrize(("counts", "width"), CASES)
def test_cells_and_headers_never_overlap_and_stay_in_the_content(arrange, counts, width):
    geometry = arrange(counts, width, CELL)
    boxes = [geometry.cell_box(i) for i in range(geometry.n_items)]
    boxes += [geometry.header_box(b) for b in range(len(counts))]
    for i, a in enumerate(boxes):
        assert not any(overlap(a, b) for b in boxes[i + 1 :])
    content = geometry.content_size
    for box in boxes:
        assert box.x >= 0 and box.y >= 0
        assert box.x + box.width <= max(content[0], width) and box.y + box.height <= content[1]


@pytest.mark.parametrize(("counts", "width"), CASES)
def test_every_item_is_in_its_band_and_found_at_its_place(arrange, counts, width):
    geometry = arrange(counts, width, CELL)
    expected = np.repeat(np.arange(len(counts)), counts)
    for i, band in enumerate(expected):
        assert geometry.band_of(i) == band
        box = geometry.cell_box(i)
        assert geometry.item_at(box.x, box.y) == i
        assert geometry.item_at(box.x + box.width - 1, box.y + box.height - 1) == i
        assert geometry.item_at(box.x - 1, box.y) != i
    for band in range(len(counts)):
        header = geometry.header_box(band)
        assert geometry.header_at(header.x + 3, header.y + 3) == band


@pytest.mark.parametrize(("counts", "width"), CASES)
def test_items_in_an_area_equal_a_search_through_all(arrange, counts, width):
    geometry = arrange(counts, width, CELL)
    random = np.random.default_rng(0)
    for _ in range(60):
        x, y = random.integers(0, width), random.integers(0, max(1, geometry.content_size[1]))
        area = Box(int(x), int(y), int(random.integers(1, 500)), int(random.integers(1, 500)))
        found = [i for i in range(geometry.n_items) if overlap(geometry.cell_box(i), area)]
        assert list(geometry.items_in(area)) == found


def test_columns_fill_the_width():
    geometry = StackedBands((20,), 500, CELL)
    row = [geometry.cell_box(i) for i in range(20) if geometry.cell_box(i).y == geometry.cell_box(0).y]
    assert len(row) == 7
    left, right = row[0].x, 500 - row[-1].x - row[-1].width
    assert abs(left - right) <= CELL.width // 2


def test_headers_stay_in_sight_and_are_pushed_out_by_the_next():
    geometry = StackedBands((40, 40), 200, CELL)
    first, second = geometry.header_box(0), geometry.header_box(1)
    assert geometry.header_box(0, scroll_y=100).y == 100
    assert geometry.header_box(0, scroll_y=second.y - 10).y == second.y - HEADER_HEIGHT
    assert geometry.header_box(1, scroll_y=second.y + 30).y == second.y + 30
    assert first.y == 0
    side = SideBySideBands((40, 40), 400, CELL)
    assert [side.header_box(b, 250).y for b in (0, 1)] == [250, 250]


def test_arrow_keys_in_stacked_bands_keep_the_column():
    geometry = StackedBands((5, 0, 7), 3 * 66 + 16, CELL)  # three columns
    assert geometry.n_columns == 3
    assert geometry.moved(0, "right") == 1
    assert geometry.moved(0, "left") == 0
    assert geometry.moved(11, "right") == 11
    assert geometry.moved(1, "down") == 4
    assert geometry.moved(4, "down") == 6  # over the empty band into the next, same column
    assert geometry.moved(2, "down") == 4  # a shorter row: its last
    assert geometry.moved(5, "up") == 3
    assert geometry.moved(11, "down") == 11
    assert geometry.moved(0, "up") == 0


def test_arrow_keys_side_by_side_go_on_at_the_same_height():
    geometry = SideBySideBands((4, 0, 2), 3 * 80, CELL)  # one cell across
    assert geometry.moved(0, "down") == 1
    assert geometry.moved(3, "down") == 3
    assert geometry.moved(1, "right") == 5
    assert geometry.moved(3, "right") == 5  # the other column is shorter: its last
    assert geometry.moved(4, "left") == 0
    assert geometry.moved(4, "right") == 4


def test_equal_ranks_stand_at_equal_heights_side_by_side():
    geometry = SideBySideBands((10, 10), 300, CELL)
    assert [geometry.cell_box(i).y for i in range(10)] == [geometry.cell_box(i + 10).y for i in range(10)]


def test_a_hundred_thousand_pictures_are_placed_at_once():
    geometry = StackedBands((60_000, 40_000), 900, Cell(106, 126))
    last = geometry.cell_box(99_999)
    assert list(geometry.items_in(Box(0, last.y, 900, 5)))[-1] == 99_999
    assert geometry.band_of(60_000) == 1
