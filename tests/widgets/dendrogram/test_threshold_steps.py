"""Jumps of the threshold land where they say, at numbers that can be read."""

import math

import numpy as np
import pytest

from widgets.dendrogram import threshold_steps as steps


def n_clusters(heights: np.ndarray, d: float) -> int:
    return 1 + int(np.sum(heights >= d))


@pytest.mark.parametrize(
    ("low", "high", "above", "at_most"),
    [
        (14.873, 15.2, 15.0, 15.0),
        (14.873, 14.95, 14.9, 14.9),
        (14.8731, 14.8739, 14.8732, 14.8739),
        (0.0, 0.3, 0.1, 0.3),
        (99.6, 103.0, 100.0, 100.0),
        (2.0, 3.0, 3.0, 3.0),
        (0.00012, 0.00019, 0.00013, 0.00019),
        (1.5, 1.9, 1.6, 1.9),
    ],
)
def test_shortest_numbers(low, high, above, at_most):
    assert steps.shortest_above(low, high) == above
    assert steps.shortest_at_most(low, high) == at_most


def test_shortest_numbers_of_neighbouring_floats_stay_inside():
    low = 7.123456789
    high = math.nextafter(low, math.inf)
    assert steps.shortest_above(low, high) == high
    assert steps.shortest_at_most(low, high) == high


@pytest.mark.parametrize("seed", range(5))
def test_walking_up_and_down_visits_every_count(seed):
    heights = np.sort(np.random.default_rng(seed).gamma(2, 3, 60))
    d, seen = 0.0, []
    while n_clusters(heights, d) > 1:
        d = steps.next_merge_up(heights, d)
        seen.append(n_clusters(heights, d))
    assert seen == list(range(60, 0, -1))
    assert steps.next_merge_up(heights, d) == d
    seen = []
    while n_clusters(heights, d) < 61:
        d = steps.next_merge_down(heights, d)
        seen.append(n_clusters(heights, d))
    assert seen == list(range(2, 62))
    assert steps.next_merge_down(heights, d) == d


def test_jumps_stay_near_the_merge_and_are_short_numbers():
    heights = np.array([1.2345, 3.3333, 40.0077])
    assert steps.next_merge_up(heights, 2.0) == 4.0
    assert steps.next_merge_up(heights, 5.0) == 40.1
    assert steps.next_merge_down(heights, 50.0) == 40.0
    assert steps.next_merge_down(heights, 40.0) == 3.0


def test_equal_heights_are_one_jump():
    heights = np.array([0.0, 0.0, 2.0, 2.0, 2.0, 5.0])
    assert n_clusters(heights, steps.next_merge_up(heights, 0.0)) == 5
    assert n_clusters(heights, steps.next_merge_up(heights, 1.0)) == 2
    assert n_clusters(heights, steps.next_merge_down(heights, 3.0)) == 5
    assert n_clusters(heights, steps.next_merge_down(heights, 1.0)) == 7


@pytest.mark.parametrize("seed", range(3))
def test_threshold_for_every_number_of_clusters(seed):
    heights = np.sort(np.random.default_rng(seed).gamma(2, 3, 40))
    for n in range(1, 42):
        assert n_clusters(heights, steps.threshold_for_clusters(heights, n)) == n
    assert n_clusters(heights, steps.threshold_for_clusters(heights, 0)) == 1
    assert n_clusters(heights, steps.threshold_for_clusters(heights, 500)) == 41


def test_threshold_for_a_count_that_equal_heights_skip():
    heights = np.array([1.0, 2.0, 2.0, 2.0, 5.0])  # counts 6, 5, 2, 1 exist
    assert n_clusters(heights, steps.threshold_for_clusters(heights, 3)) == 5
    assert n_clusters(heights, steps.threshold_for_clusters(heights, 4, or_fewer=True)) == 2
    assert n_clusters(np.zeros(3), steps.threshold_for_clusters(np.zeros(3), 4)) == 4
    assert n_clusters(heights, steps.threshold_for_clusters(heights, 6)) == 6


def test_plateaus_are_hit_in_their_middle():
    heights = np.array([1.0, 2.0, 10.0])
    assert 4.0 <= steps.threshold_for_clusters(heights, 2) <= 8.0


def test_no_merges_at_all():
    none = np.empty(0)
    assert steps.next_merge_up(none, 4.0) == 4.0
    assert steps.next_merge_down(none, 4.0) == 4.0
    assert steps.threshold_for_clusters(none, 1) == 0.0
    assert steps.arrow_step(none) > 0


@pytest.mark.parametrize(("top", "step"), [(100.0, 0.5), (38.0, 0.2), (1.0, 0.005), (2000.0, 10.0)])
def test_arrow_steps_are_round(top, step):
    assert steps.arrow_step(np.array([0.1, top])) == pytest.approx(step)


def test_rounding_to_a_pixel():
    assert steps.round_to_resolution(14.8231, 0.05) == 14.82
    assert steps.round_to_resolution(1482.31, 3.0) == 1482.0
    assert steps.round_to_resolution(0.12345, 0.002) == 0.123
    assert steps.round_to_resolution(7.7, 0.0) == 7.7
