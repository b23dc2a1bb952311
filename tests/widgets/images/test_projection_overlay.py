"""Projection maps over pictures: the right place, scale and colours, painted for real."""

import numpy as np
import pytest
import torch
from PySide6.QtGui import QColor, QImage

from backend.image_files.seen_region import Region
from backend.visualization.projection_map import ProjectionMap
from tests.widgets.picture_files import decode, write_picture
from widgets.images.image_grid import ImageBand, ImageGrid, ImageItem
from widgets.images.projection_map_display import MapDirection, ProjectionMapDisplay
from widgets.images.projection_overlay import Part, color_table, overlay_image, peak_point, upsampled
from widgets.images.thumbnails import ThumbnailLoader

ALL = Region(0.0, 0.0, 1.0, 1.0)
GREY = (96, 96, 96)


def planted(cell, side=8, seen=ALL):
    values = np.zeros((side, side), dtype=np.float32)
    values[cell] = 5.0
    return ProjectionMap(values, seen)


def pixels_of(image: QImage) -> np.ndarray:
    """Return int (height, width, 4): blue, green, red, alpha."""
    image = image.convertToFormat(QImage.Format.Format_ARGB32)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).astype(int)


def test_between_the_positions_it_is_bilinear():
    values = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    found, inside = upsampled(ProjectionMap(values.copy(), ALL), 70, 40)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], size=(40, 70), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(found, expected[0, 0].numpy(), atol=1e-5)
    assert inside.all()


def test_a_map_of_one_position_is_the_same_everywhere():
    found, _ = upsampled(ProjectionMap(np.full((1, 1), 2.5, np.float32), ALL), 9, 6)
    np.testing.assert_array_equal(found, np.full((6, 9), 2.5))


def test_a_part_of_the_picture_has_the_values_that_are_there():
    one = ProjectionMap(
        np.random.default_rng(1).normal(size=(6, 6)).astype(np.float32), Region(0.1, -0.2, 0.9, 1.2)
    )
    whole, inside = upsampled(one, 80, 60)
    part, part_inside = upsampled(one, 40, 15, Part(0.25, 0.5, 0.75, 0.75))
    np.testing.assert_allclose(part, whole[30:45, 20:60], atol=1e-5)
    np.testing.assert_array_equal(part_inside, inside[30:45, 20:60])


def test_what_the_network_did_not_see_is_veiled():
    one = planted((1, 1), 4, Region(0.25, 0.0, 0.75, 1.0))
    image = pixels_of(overlay_image(one, 5.0, 1.0, (80, 40), QColor(250, 250, 250)))
    veil = image[:, :20]
    assert (veil[..., 3] > 100).all() and (veil[..., :3] >= 248).all()
    np.testing.assert_array_equal(veil[:, ::-1], image[:, 60:])
    # Position (1, 1) of 4 × 4 ends at the middle of the picture, whose left quarter was not seen.
    assert peak_point(one).x() == pytest.approx(0.25 + 0.5 * 1.5 / 4)
    assert peak_point(one).y() == pytest.approx(1.5 / 4)
    assert image[15, 35, 3] == 255 or image[15, 40, 3] > 0
    assert image[38, 58, 3] == 0


def test_what_is_not_above_zero_has_no_colour():
    one = ProjectionMap(np.array([[-3.0, -1.0], [-0.5, 0.0]], np.float32), ALL)
    assert (pixels_of(overlay_image(one, 4.0, 1.0, (20, 20), QColor("white")))[..., 3] == 0).all()
    assert (pixels_of(overlay_image(one, 0.0, 1.0, (20, 20), QColor("white")))[..., 3] == 0).all()


def test_the_colours_get_lighter_evenly_and_their_opacity_is_what_was_asked():
    table = color_table(1.0).astype(np.int64)
    assert table[0] == 0 and (table[128:] >> 24 == 255).all()
    red, green, blue = (table[128:] >> 16) & 255, (table[128:] >> 8) & 255, table[128:] & 255
    linear = [
        np.where(c / 255 <= 0.04045, c / 255 / 12.92, ((c / 255 + 0.055) / 1.055) ** 2.4)
        for c in (red, green, blue)
    ]
    lightness = 116 * np.cbrt(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]) - 16
    steps = np.diff(lightness)
    assert (steps > -0.3).all()
    # In quarters of the upper half the lightness rises by like amounts: no jump, no plateau.
    quarters = lightness[[0, 32, 64, 96, 127]]
    assert np.diff(quarters).min() > 0.6 * np.diff(quarters).max()
    assert (color_table(0.4)[200:] >> 24 == 102).all()


class TestInTheGrid:
    @pytest.fixture
    def loader(self, qapp):
        loader = ThumbnailLoader(decode, n_threads=1)
        yield loader
        loader.shutdown()

    @pytest.fixture
    def grid(self, qtbot, loader, tmp_path):
        self.display = ProjectionMapDisplay()
        self.display.set_directions({0: MapDirection("layer/a", "apples")})
        items = tuple(
            ImageItem(row, write_picture(tmp_path / f"{row}.png", GREY, (96, 96)), "1.0", "")
            for row in range(4)
        )
        grid = ImageGrid(loader, maps=self.display)
        qtbot.addWidget(grid)
        grid.resize(600, 300)
        grid.set_thumbnail_size(96)
        grid.set_bands([ImageBand(0, "apples", QColor("#1646ad"), "A", items)])
        grid.show()
        qtbot.waitUntil(
            lambda: all(loader.cached_exactly(item.path, 96, grid.devicePixelRatioF()) for item in items)
        )
        return grid

    def thumbnail(self, grid, number) -> np.ndarray:
        """Return the pixels of a picture as the delegate painted them."""
        cell = grid._view.visualRect(grid._model.index(number))
        view = pixels_of(grid._view.viewport().grab().toImage())
        left, top = cell.x() + 5, cell.y() + 5
        return view[top : top + 96, left : left + 96]

    @pytest.mark.parametrize("cell", [(0, 0), (2, 5), (7, 7), (4, 1)])
    def test_the_hottest_pixel_is_where_the_pattern_was_planted(self, grid, cell):
        plain = self.thumbnail(grid, 1)
        self.display.add_map("layer/a", 1, planted(cell))
        self.display.set_on(True)
        change = np.abs(self.thumbnail(grid, 1) - plain)[..., :3].sum(axis=2)
        row, column = np.unravel_index(int(change.argmax()), change.shape)
        # 12 pixels a position; the ring about its middle has a radius of 5.
        assert (row // 12, column // 12) == cell
        assert change[:, : max(0, column - 24)].sum() == change[: max(0, row - 24)].sum() == 0

    def test_pictures_without_a_map_and_the_switched_off_grid_are_as_they_were(self, grid):
        plain = [self.thumbnail(grid, number) for number in range(2)]
        self.display.add_map("layer/a", 0, planted((3, 3)))
        np.testing.assert_array_equal(self.thumbnail(grid, 0), plain[0])
        self.display.set_on(True)
        assert not np.array_equal(self.thumbnail(grid, 0), plain[0])
        np.testing.assert_array_equal(self.thumbnail(grid, 1), plain[1])
        self.display.set_on(False)
        np.testing.assert_array_equal(self.thumbnail(grid, 0), plain[0])

    def test_pictures_of_a_band_share_a_scale(self, grid):
        """The weaker picture's peak has the colour of its share of the stronger one's."""
        weak, strong = planted((4, 4)), planted((4, 4))
        weak = ProjectionMap(weak.values / 4, ALL)
        self.display.set_on(True)
        self.display.add_map("layer/a", 0, weak)
        alone = self.thumbnail(grid, 0)
        self.display.add_map("layer/a", 1, strong)
        np.testing.assert_array_equal(self.thumbnail(grid, 1), alone)
        assert not np.array_equal(self.thumbnail(grid, 0), alone)
        assert self.display.scale(0) == 5.0
