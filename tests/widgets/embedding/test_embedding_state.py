"""Which points there are, their spacing, and where the arrow keys lead."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tests.widgets.embedding.planted_points import PLACES, ROWS, make_groups
from widgets.embedding.embedding_state import EmbeddingState, nearest_distance, next_point


@pytest.fixture
def state(tmp_path):
    embedding_state = EmbeddingState()
    embedding_state.set_points(make_groups(tmp_path), ROWS, np.array(list(PLACES.values())))
    return embedding_state


def test_points_know_their_images_and_groups(state):
    assert state.rows == ROWS
    assert [state.group(point).key for point in range(9)] == [0] * 5 + [1] * 3 + [-1]


def test_images_without_a_group_have_no_point_and_images_without_a_place_neither(state, tmp_path):
    groups = make_groups(tmp_path)[:2]
    state.set_points(groups, (8, 7, 0), np.array([[1.0, 1.0], [2.0, 3.0], [4.0, 5.0]]))
    assert state.rows == (7, 0)
    np.testing.assert_array_equal(state.positions, [[2.0, 3.0], [4.0, 5.0]])


def test_what_is_chosen_stays_so_with_its_image(state, tmp_path):
    state.choose_rows({2, 7})
    state.current = 7
    state.set_points(make_groups(tmp_path), (7, 0, 2), np.zeros((3, 2)))
    assert state.chosen_rows == (7, 2)
    assert state.current == 0


def test_choosing(state):
    state.choose(np.array([1, 2]))
    state.choose(np.array([2, 3]), add=True)
    assert state.chosen_rows == (1, 2, 3)
    state.choose(np.array([3, 4]), toggle=True)
    assert state.chosen_rows == (1, 2, 4)
    state.choose(np.array([0]))
    assert state.chosen_rows == (0,)


def test_the_spacing_is_the_median_distance_to_the_nearest_neighbour():
    positions = np.random.default_rng(0).normal(size=(200, 2))
    distances, _ = NearestNeighbors(n_neighbors=1).fit(positions).kneighbors()
    assert nearest_distance(positions) == pytest.approx(np.median(distances))


def test_copies_of_a_point_count_once():
    assert nearest_distance(np.array([[0.0, 0.0]] * 9 + [[3.0, 4.0]])) == pytest.approx(5.0)
    assert nearest_distance(np.zeros((4, 2))) == 0.0
    assert nearest_distance(np.empty((0, 2))) == 0.0


PIXELS = np.array([[100.0, 100.0], [150.0, 105.0], [120.0, 160.0], [20.0, 100.0], [100.0, 20.0]])


@pytest.mark.parametrize(("direction", "leads_to"), [((1, 0), 1), ((-1, 0), 3), ((0, 1), 2), ((0, -1), 4)])
def test_an_arrow_leads_to_the_nearest_point_ahead(direction, leads_to):
    assert next_point(PIXELS, 0, direction) == leads_to


def test_an_arrow_without_a_point_ahead_stays_and_the_first_arrow_begins():
    assert next_point(PIXELS, 1, (1, 0)) == 1
    assert next_point(PIXELS, -1, (0, 1)) == 0
    assert next_point(np.empty((0, 2)), -1, (0, 1)) == -1
