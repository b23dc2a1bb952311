"""Names follow their images when clusters change."""

from types import SimpleNamespace

import numpy as np

from backend.method.parameters import Parameters
from backend.named_concepts import NamedConcept, match_named_concepts


def named(name, members, neuron=3):
    return NamedConcept("layer", neuron, name, "", tuple(members), np.ones(2, np.float32), Parameters())


def found(clusters, neuron=3):
    """A result whose concepts have the given clusters and member rows."""
    rows = {number: np.array(members) for number, members in clusters.items()}
    return SimpleNamespace(
        neuron=neuron,
        concepts=[SimpleNamespace(cluster=number) for number in rows],
        member_rows=lambda concept: rows[concept.cluster],
    )


def names(named_concepts, result):
    matches = match_named_concepts(named_concepts, result)
    return {cluster: concept.name for cluster, concept in matches.items()}


def test_the_same_images_in_another_cluster_number():
    concepts = [named("apples", range(10)), named("nets", range(10, 16))]
    assert names(concepts, found({0: range(10, 16), 4: range(10)})) == {0: "nets", 4: "apples"}


def test_when_a_cluster_splits_its_larger_part_keeps_the_name():
    result = found({0: range(4), 1: range(4, 10)})
    assert names([named("apples", range(10))], result) == {1: "apples"}


def test_when_two_merge_the_larger_share_wins_and_each_name_is_given_once():
    concepts = [named("coral", range(10)), named("divers", range(10, 16))]
    assert names(concepts, found({0: range(16)})) == {0: "coral"}


def test_the_best_pair_first_even_if_listed_last():
    concepts = [named("loose", range(6)), named("exact", range(3, 9))]
    assert names(concepts, found({0: range(3, 9), 1: range(100, 105)})) == {0: "exact"}


def test_the_overlap_must_reach_three_tenths():
    # 3 shared of 10 together, and 3 of 11.
    assert names([named("a", range(6))], found({0: [*range(3), 10, 11, 12, 13]})) == {0: "a"}
    assert names([named("a", range(6))], found({0: [*range(3), 10, 11, 12, 13, 14]})) == {}


def test_other_neurons_and_empty_members_match_nothing():
    assert names([named("a", range(6), neuron=4), named("b", [])], found({0: range(6)})) == {}


def test_a_tie_goes_to_the_first_cluster_and_the_older_name():
    concepts = [named("older", range(4)), named("newer", range(4))]
    assert names(concepts, found({1: range(4), 0: range(4)})) == {0: "older", 1: "newer"}


def test_concepts_compare_by_what_they_are():
    assert named("a", [1]) == named("a", [1])
    assert named("a", [1]) != named("a", [2])
    assert len({named("a", [1]), named("a", [1])}) == 1
