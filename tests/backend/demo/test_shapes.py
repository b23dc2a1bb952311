"""Outlines against hand-computed points."""

from random import Random

import numpy as np
import pytest

from backend.demo.drawing import shapes


def test_ellipse_has_the_given_radii_and_centre() -> None:
    points = shapes.ellipse(2.0, -1.0, 3.0, 0.5)
    np.testing.assert_allclose((((points - (2.0, -1.0)) / (3.0, 0.5)) ** 2).sum(axis=1), 1.0)


def test_arc_runs_clockwise_from_the_right() -> None:
    points = shapes.arc(0, 0, 1, 1, 0.0, 0.5, 3)
    np.testing.assert_allclose(points, [(1, 0), (0, 1), (-1, 0)], atol=1e-12)


def test_arc_needs_two_points() -> None:
    with pytest.raises(ValueError, match="two points"):
        shapes.arc(0, 0, 1, 1, 0, 1, 1)


def test_smooth_passes_through_its_knots() -> None:
    knots = np.array([(0, 0), (1, 0.3), (2, -0.4), (3, 1.0)])
    curve = shapes.smooth(knots, 5, closed=False)
    np.testing.assert_allclose(curve[::5], knots, atol=1e-12)
    closed = shapes.smooth(knots, 5)
    assert len(closed) == 20
    np.testing.assert_allclose(closed[::5], knots, atol=1e-12)


def test_ribbon_of_a_level_line_is_a_rectangle() -> None:
    outline = shapes.ribbon([(0, 0), (4, 0)], 2.0)
    np.testing.assert_allclose(outline, [(0, 1), (4, 1), (4, -1), (0, -1)], atol=1e-12)


def test_taper_is_the_ribbon_of_two_points() -> None:
    points = np.array([(0.3, 0.1), (1.7, -0.9)])
    expected = shapes.ribbon(points, (0.5, 0.2))
    np.testing.assert_allclose(np.reshape(shapes.taper(points, 0.5, 0.2), (4, 2)), expected, atol=1e-12)


def test_turned_by_a_quarter_takes_right_to_down() -> None:
    np.testing.assert_allclose(shapes.turned([(2.0, 1.0)], 0.25, 1.0, 1.0), [(1.0, 2.0)], atol=1e-12)


def test_mirrored_is_symmetric() -> None:
    outline = shapes.mirrored([(0, -1), (0.5, 0), (0, 1)])
    assert {(x, y) for x, y in outline.tolist()} == {(-x, y) for x, y in outline.tolist()}


def test_star_and_polygon_have_their_corners_on_their_circles() -> None:
    star = shapes.star(1, 1, 2, 1, 5) - (1, 1)
    np.testing.assert_allclose(np.hypot(*star.T), [2, 1] * 5)
    np.testing.assert_allclose(shapes.polygon(0, 0, 1, 6)[0], (0, -1), atol=1e-12)


def test_blob_stays_near_its_radius() -> None:
    outline = shapes.blob(Random(1), 0, 0, 1.0, 0.2)
    assert np.hypot(*outline.T).min() > 0.7
    assert np.hypot(*outline.T).max() < 1.3
