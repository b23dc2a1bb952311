"""What is found for which words."""

import numpy as np
import pytest

from app.jobs.search_jobs import NamedNeuron, NotedConcept, SearchableNames
from app.search_matches import MOST_HITS, fit, search
from backend.evaluation.top_image_classes import TopImageClasses

NAMES = SearchableNames(
    neurons=(
        NamedNeuron("deep", 4, "apple"),
        NamedNeuron("mixed", 7, "Apples and pitches"),
        NamedNeuron("mixed", 35, "pineapple"),
        NamedNeuron("mixed", 9, "red apple"),
    ),
    concepts=(
        NotedConcept("mixed", 7, 1, "apples", "round fruit", (1, 2)),
        NotedConcept("deep", 2, 2, "fields", "grass, and some apples", (3,)),
        NotedConcept("deep", 3, 3, "", "Apple trees", (4,)),
    ),
    layers=(("deep", 40), ("mixed", 400)),
)
CLASSES = TopImageClasses(
    ("apple", "crab apple", "tench"),
    np.array([[12, 3], [5, -1], [1, 2]]),
    np.array([[40, 8], [2, 0], [9, 9]]),
    100,
)


def titles(groups, group):
    (found,) = [each for each in groups if each.title == group]
    return [(hit.title, hit.detail) for hit in found.hits]


@pytest.mark.parametrize(
    ("text", "wanted", "rank"),
    [
        ("Apple", "apple", 0),
        ("apples", "apple", 1),
        ("red  Apples", "apple", 2),
        ("the red apple", "red app", 2),
        ("pineapple", "apple", 3),
        ("apple, green", "green apple", 4),
        ("apple", "green apple", None),
        ("", "apple", None),
        ("naïve Äpfel", "äpf", 2),
        ("a.b*c", "b*", 2),
    ],
)
def test_how_well_a_text_fits(text, wanted, rank):
    assert fit(text, wanted) == rank


def test_the_number_itself_first_here_then_in_other_layers_then_what_begins_so():
    found = titles(search("3", NAMES, None, "mixed"), "Neurons")
    assert found[:2] == [("Neuron 3", "mixed"), ("Neuron 3", "deep")]
    assert found[2:] == [
        (f"Neuron {n}" + (" “pineapple”" if n == 35 else ""), "mixed") for n in (30, 31, 32, 33)
    ]
    (group,) = search("3", NAMES, None, "mixed")
    # 3, deep 3, 30 to 39, 300 to 399
    assert len(group.hits) + group.n_more == 2 + 10 + 100


@pytest.mark.parametrize("query", ["35", "neuron 35", "#35", " Neuron  35 "])
def test_ways_to_write_a_number(query):
    found = titles(search(query, NAMES, None, "mixed"), "Neurons")
    assert found[0] == ("Neuron 35 “pineapple”", "mixed")


@pytest.mark.parametrize("query", ["400", "999999999", "1234567890123", "-3", "3.5", "neuron"])
def test_numbers_of_no_neuron_find_none(query):
    assert all(group.title != "Neurons" for group in search(query, NAMES, None, "mixed"))


def test_zero_finds_neuron_zero_alone():
    assert titles(search("0", NAMES, None, "mixed"), "Neurons") == [
        ("Neuron 0", "mixed"),
        ("Neuron 0", "deep"),
    ]


def test_names_by_how_well_they_fit_and_this_layer_before_others():
    found = titles(search("APPLE", NAMES, None, "mixed"), "Neurons")
    assert [title for title, _ in found] == [
        "Neuron 4 “apple”",
        "Neuron 7 “Apples and pitches”",
        "Neuron 9 “red apple”",
        "Neuron 35 “pineapple”",
    ]


def test_concepts_by_name_before_concepts_by_notes():
    groups = search("apple", NAMES, None, "mixed")
    assert titles(groups, "Concepts") == [
        ("apples", "mixed · neuron 7"),
        ("Concept without a name: Apple trees", "deep · neuron 3"),
        ("fields: grass, and some apples", "deep · neuron 2"),
    ]
    (group,) = [each for each in groups if each.title == "Concepts"]
    assert group.hits[0].target.concept.identity == 1
    assert (group.hits[0].target.layer, group.hits[0].target.neuron) == ("mixed", 7)


def test_classes_with_the_neurons_whose_top_images_hold_them_most():
    groups = search("apple", NAMES, CLASSES, "mixed")
    assert titles(groups, "Class “apple” in mixed") == [
        ("Neuron 12", "40 of its top 100 images"),
        ("Neuron 3", "8 of its top 100 images"),
    ]
    assert titles(groups, "Class “crab apple” in mixed") == [("Neuron 5", "2 of its top 100 images")]
    assert [group.title for group in groups][-2:] == [
        "Class “apple” in mixed",
        "Class “crab apple” in mixed",
    ]


def test_nothing_is_found_for_nothing_or_what_is_nowhere():
    assert search("", NAMES, CLASSES, "mixed") == search("   ", NAMES, CLASSES, "mixed") == ()
    assert search("zebra", NAMES, CLASSES, "mixed") == ()
    assert search("35", SearchableNames(), None, "mixed") == ()


def test_of_many_the_best_are_shown_and_the_others_counted():
    named = tuple(NamedNeuron("mixed", n, f"leaf {n}") for n in range(50))
    (group,) = search("leaf", SearchableNames(named, (), (("mixed", 50),)), None, "mixed")
    assert len(group.hits) == MOST_HITS and group.n_more == 50 - MOST_HITS


def test_digits_in_the_middle_of_a_class_are_no_hit():
    classes = TopImageClasses(("n01443537", "35mm film"), np.array([[3], [4]]), np.array([[9], [9]]), 100)
    groups = search("35", NAMES, classes, "mixed")
    assert [group.title for group in groups][1:] == ["Class “35mm film” in mixed"]
    assert search("n0144", NAMES, classes, "mixed")[0].title == "Class “n01443537” in mixed"
