"""What of a project fits the words in the search box, best first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from app.jobs.search_jobs import NamedNeuron, NotedConcept, SearchableNames
from backend.evaluation.top_image_classes import TopImageClasses
from widgets.search.search_results import SearchGroup, SearchHit

MOST_HITS = 6
"""Of each kind; the others are counted."""

MOST_CLASSES = 3
"""Classes whose neurons are listed."""

_NUMBER = re.compile(r"^(?:neuron\s+|#)?(\d{1,9})$", re.IGNORECASE)
_BEGINS_A_WORD, _SCATTERED = 2, 4  # of the ranks of fit
_WORDS = re.compile(r"\w+")

Found = TypeVar("Found")


@dataclass(frozen=True)
class SearchTarget:
    """Where a hit leads.

    Attributes
    ----------
    layer, neuron
        What to show.
    concept
        Identity of the named concept to select there, and the rows of its images.
    label
        Class whose images to select there.
    """

    layer: str
    neuron: int
    concept: NotedConcept | None = None
    label: str | None = None


def search(
    query: str,
    names: SearchableNames,
    classes: TopImageClasses | None,
    layer: str,
) -> tuple[SearchGroup, ...]:
    """Return everything that fits a query, in groups: neurons, concepts, and one for each class.

    Parameters
    ----------
    query
        A number finds neurons; words find names, notes and classes, whatever their case. All words must be
        there; a name that is or begins with the query comes first.
    names
        Of all layers.
    classes
        Of the layer on show, None as long as they are not counted.
    layer
        The layer on show: its hits come before those of others that fit as well.
    """
    wanted = " ".join(query.casefold().split())
    if not wanted:
        return ()
    groups = [_neurons(wanted, names, layer), _concepts(wanted, names.concepts, layer)]
    if classes is not None:
        groups += _classes(wanted, classes, layer)
    return tuple(group for group in groups if group.hits)


def fit(text: str, wanted: str) -> int | None:
    """Tell how well a text fits: 0 is the very words, then begins with them, a word begins so, has them.

    Parameters
    ----------
    text
        As a person typed it.
    wanted
        Casefolded words with single blanks.

    Returns
    -------
    int or None
        0 to 4, the smaller the better; 4: the words are all there, elsewhere in the text; None: not all.
    """
    folded = _folded(text)
    if wanted not in folded:
        words = wanted.split()
        return 4 if len(words) > 1 and all(word in folded for word in words) else None
    if folded.startswith(wanted):
        return 0 if folded == wanted else 1
    return 2 if any(folded.startswith(wanted, match.start()) for match in _WORDS.finditer(folded)) else 3


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _neurons(wanted: str, names: SearchableNames, layer: str) -> SearchGroup:
    found = [*_by_number(wanted, names, layer)]
    numbered = {(target.layer, target.neuron) for target in found}
    ranked: list[tuple[int, bool, NamedNeuron]] = []
    for named in names.neurons:
        rank = fit(named.name, wanted)
        if rank is not None and (named.layer, named.neuron) not in numbered:
            ranked.append((rank, named.layer != layer, named))
    ranked.sort(key=lambda entry: entry[:2])
    found += [SearchTarget(named.layer, named.neuron) for _, _, named in ranked]
    called = {(named.layer, named.neuron): named.name for named in names.neurons}
    hits = []
    for target in found[:MOST_HITS]:
        name = called.get((target.layer, target.neuron), "")
        title = f"Neuron {target.neuron} “{name}”" if name else f"Neuron {target.neuron}"
        hits.append(SearchHit(target, title, target.layer))
    return _group("Neurons", hits, len(found))


def _by_number(wanted: str, names: SearchableNames, layer: str) -> Iterable[SearchTarget]:
    """Yield the neuron of this number in the layer on show and in others, then those that begin so."""
    match = _NUMBER.match(wanted)
    if match is None:
        return
    number = int(match[1])
    layers = sorted(names.layers, key=lambda entry: entry[0] != layer)
    for name, n_neurons in layers:
        if number < n_neurons:
            yield SearchTarget(name, number)
    if not number or not layers:
        return
    first, n_neurons = layers[0]
    longer = 10
    while number * longer < n_neurons:
        for neuron in range(number * longer, min((number + 1) * longer, n_neurons)):
            yield SearchTarget(first, neuron)
        longer *= 10


def _concepts(wanted: str, concepts: Iterable[NotedConcept], layer: str) -> SearchGroup:
    ranked: list[tuple[bool, int, bool, NotedConcept]] = []
    for concept in concepts:
        by_name, by_notes = fit(concept.name, wanted), fit(concept.notes, wanted)
        if by_name is not None:
            ranked.append((False, by_name, concept.layer != layer, concept))
        elif by_notes is not None:
            ranked.append((True, by_notes, concept.layer != layer, concept))
    ranked.sort(key=lambda entry: entry[:3])
    hits = []
    for in_notes, _, _, concept in ranked[:MOST_HITS]:
        title = concept.name or "Concept without a name"
        if in_notes:
            title = f"{title}: {' '.join(concept.notes.split())}"
        place = f"{concept.layer} · neuron {concept.neuron}"
        hits.append(SearchHit(SearchTarget(concept.layer, concept.neuron, concept=concept), title, place))
    return _group("Concepts", hits, len(ranked))


def _classes(wanted: str, classes: TopImageClasses, layer: str) -> list[SearchGroup]:
    ranked = []
    # Digits are in the middle of many a class's identifier, by chance.
    worst = _BEGINS_A_WORD if wanted.isdigit() else _SCATTERED
    for number, name in enumerate(classes.classes):
        rank = fit(name, wanted)
        if rank is not None and rank <= worst:
            ranked.append((rank, number))
    groups = []
    for _, number in sorted(ranked)[:MOST_CLASSES]:
        name = classes.classes[number]
        hits = [
            SearchHit(
                SearchTarget(layer, int(neuron), label=name),
                f"Neuron {neuron}",
                f"{count} of its top {classes.n_top} images",
            )
            for neuron, count in zip(classes.neurons[number], classes.counts[number], strict=True)
            if neuron >= 0
        ]
        groups.append(SearchGroup(f"Class “{name}” in {layer}", tuple(hits)))
    return groups


def _group(title: str, hits: list[SearchHit], n_found: int) -> SearchGroup:
    return SearchGroup(title, tuple(hits), n_found - len(hits))
