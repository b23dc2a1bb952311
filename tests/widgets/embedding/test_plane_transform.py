"""From the plane to pixels, computed by hand."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QSizeF

from widgets.embedding.plane_transform import DEEPEST_ZOOM, FURTHEST_ZOOM, MARGIN, PlaneTransform

CORNERS = np.array([[0.0, 0.0], [10.0, 4.0]])


@pytest.fixture
def transform():
    plane = PlaneTransform()
    # 500 × 200 pixels are free within the margins: 50 pixels a unit across, 50 a unit up.
    plane.set_size(QSizeF(500 + 2 * MARGIN, 200 + 2 * MARGIN))
    plane.set_positions(CORNERS)
    return plane


def test_all_points_fit_and_up_is_up(transform):
    np.testing.assert_allclose(
        transform.to_pixels(CORNERS), [[MARGIN, 200 + MARGIN], [500 + MARGIN, MARGIN]], atol=1e-9
    )
    assert transform.scale == pytest.approx(50)


def test_the_narrower_side_decides_the_one_scale(transform):
    transform.set_size(QSizeF(500 + 2 * MARGIN, 100 + 2 * MARGIN))
    assert transform.scale == pytest.approx(25)
    middle = transform.to_pixels(np.array([[5.0, 2.0]]))
    np.testing.assert_allclose(middle, [[250 + MARGIN, 50 + MARGIN]])


def test_zoom_keeps_what_is_under_the_pointer(transform):
    pointer = QPointF(100, 80)
    before = transform.to_plane(pointer)
    transform.zoom(2.0, pointer)
    np.testing.assert_allclose(transform.to_plane(pointer), before)
    assert transform.scale == pytest.approx(100)


def test_pixels_and_plane_undo_each_other(transform):
    transform.zoom(3.0, QPointF(300, 100))
    transform.pan(QPointF(-40, 12))
    places = np.array([[1.0, 1.0], [9.0, 3.5]])
    for place, (x, y) in zip(places, transform.to_pixels(places), strict=True):
        np.testing.assert_allclose(transform.to_plane(QPointF(x, y)), place)


def test_pan_moves_by_pixels_and_fit_returns(transform):
    at_first = transform.to_pixels(CORNERS)
    transform.pan(QPointF(30, -20))
    np.testing.assert_allclose(transform.to_pixels(CORNERS) - at_first, [[30, -20], [30, -20]])
    transform.fit()
    np.testing.assert_allclose(transform.to_pixels(CORNERS), at_first)


def test_the_points_cannot_be_lost(transform):
    transform.pan(QPointF(1e6, -1e6))
    np.testing.assert_allclose(transform.to_plane(QPointF(250 + MARGIN, 100 + MARGIN)), [0.0, 0.0], atol=1e-9)
    transform.zoom(1e9, QPointF(0, 0))
    assert transform.scale == pytest.approx(50 * DEEPEST_ZOOM)
    transform.zoom(1e-9, QPointF(0, 0))
    assert transform.scale == pytest.approx(50 * FURTHEST_ZOOM)


def test_another_size_keeps_the_middle_where_the_user_zoomed(transform):
    transform.zoom(4.0, QPointF(100, 100))
    middle = transform.to_plane(QPointF(250 + MARGIN, 100 + MARGIN))
    transform.set_size(QSizeF(800, 600))
    np.testing.assert_allclose(transform.to_plane(QPointF(400, 300)), middle)
    assert transform.scale == pytest.approx(200)


@pytest.mark.parametrize("positions", [np.empty((0, 2)), np.array([[3.0, 4.0]]), np.full((5, 2), 7.0)])
def test_no_point_and_one_spot_are_in_the_middle(positions):
    plane = PlaneTransform()
    plane.set_size(QSizeF(400, 300))
    plane.set_positions(positions)
    pixels = plane.to_pixels(positions)
    np.testing.assert_allclose(pixels, np.tile([200.0, 150.0], (len(positions), 1)))
    plane.zoom(2.0, QPointF(10, 10))
    assert np.isfinite(plane.to_pixels(positions)).all()
