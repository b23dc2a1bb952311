"""Back and forward through the neurons visited."""

import pytest

from app.selection import VisitedNeurons


@pytest.fixture
def visited(qapp):
    return VisitedNeurons()


def test_nowhere_to_go_at_first(visited):
    assert visited.back() is None
    assert visited.forward() is None
    visited.visit("a", 1)
    assert not visited.can_go_back


def test_back_and_forward(visited):
    for neuron in (1, 2, 3):
        visited.visit("a", neuron)
    assert visited.back() == ("a", 2)
    assert visited.back() == ("a", 1)
    assert visited.back() is None
    assert visited.forward() == ("a", 2)
    assert visited.forward() == ("a", 3)
    assert visited.forward() is None


def test_showing_the_place_gone_to_is_no_new_visit(visited):
    visited.visit("a", 1)
    visited.visit("a", 2)
    visited.visit(*visited.back())
    assert visited.can_go_forward


def test_another_visit_forgets_what_lay_ahead(visited):
    for neuron in (1, 2, 3):
        visited.visit("a", neuron)
    visited.back()
    visited.visit("b", 7)
    assert not visited.can_go_forward
    assert visited.back() == ("a", 2)


def test_the_memory_is_bounded(visited):
    for neuron in range(VisitedNeurons.LIMIT + 50):
        visited.visit("a", neuron)
    steps = 0
    while visited.can_go_back:
        visited.back()
        steps += 1
    assert steps == VisitedNeurons.LIMIT - 1
