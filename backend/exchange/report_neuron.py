"""One neuron's section of the report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from backend.concept_colors import letters
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.evaluation.projections import MaxProjecting
from backend.evaluation.similarity import ConceptSimilarity
from backend.exchange.dendrogram_svg import dendrogram_svg
from backend.exchange.report_colors import color_class
from backend.exchange.report_thumbnails import Thumbnails, picture_uri
from backend.method.adjustments import LEFT_OUT
from backend.method.parameters import Parameters
from backend.method.results import DROPPED, OUTLIER, Concept, Disentanglement
from backend.named_concepts import NamedConcept
from backend.visualization.visualization_result import FeatureVisualization

_MOST_MEMBERS = 60
_MOST_MAX_PROJECTING = 18
_MOST_LEFT_OUT = 24

ADJUSTED = "adjusted by hand"
"""Said wherever a result is shown that a person changed."""

_MEASURES = (
    ("Members and the concept vector", "mean_cosine", "mean_cosine_null"),
    ("The same, layer mean subtracted", "centred_cosine", "centred_cosine_null"),
    ("Members and the neuron's direction", "neuron_mean_cosine", "neuron_mean_cosine_null"),
)


@dataclass(frozen=True)
class ReportedNeuron:
    """What the report says of one neuron.

    Attributes
    ----------
    analysis
        What was found.
    name
        The user's name of the neuron, or empty.
    concepts
        The user's names and notes, by cluster.
    command
        The command line that repeats the analysis.
    visualization
        Pictures with the keys ``neuron`` and ``concept J`` for cluster J, if there are any.
    """

    analysis: NeuronAnalysis
    name: str = ""
    concepts: Mapping[int, NamedConcept] = field(default_factory=dict)
    command: str = ""
    visualization: FeatureVisualization | None = None

    @property
    def result(self) -> Disentanglement:
        """Steps 1 to 4."""
        return self.analysis.disentanglement

    @property
    def anchor(self) -> str:
        """Target of links to this section."""
        return f"{self.analysis.layer}-neuron-{self.result.neuron}"

    @property
    def numbers(self) -> NDArray[np.int64]:
        """int64 (C,): the number that decides colour and letter of each cluster, as in the window."""
        return self.result.concept_numbers

    def concept_title(self, concept: Concept) -> str:
        """Return the concept's name, or ``Concept A``."""
        named = self.concepts.get(concept.cluster)
        return (
            named.name if named and named.name else f"Concept {letters(int(self.numbers[concept.cluster]))}"
        )


def neuron_section(neuron: ReportedNeuron, thumbnails: Thumbnails) -> str:
    """Return the section as HTML."""
    result = neuron.result
    parts = [_title(neuron), _parameters(result.parameters)]
    if result.message:
        parts.append(f'<p class="message">{escape(result.message)}</p>')
    if result.adjusted_by_hand:
        parts.append(f'<p class="message">{_adjustments(result)}</p>')
    if len(result.labels) > 1:
        parts.append(f'<div class="scroll">{_dendrogram(neuron)}</div>')
    if neuron.visualization is not None:
        parts.append(_pictures(neuron, neuron.visualization))
    parts.append(_neuron_images(neuron, thumbnails))
    for index, concept in enumerate(result.concepts):
        parts.append(_concept(neuron, index, concept, thumbnails))
    parts.append(_left_out(neuron, thumbnails))
    if neuron.command:
        parts.append(f"<pre><code>{escape(neuron.command)}</code></pre>")
    return f'<section class="neuron" id="{escape(neuron.anchor)}">{"".join(parts)}</section>'


def outcome(result: Disentanglement) -> str:
    """Say in a few words what a neuron split into."""
    n = len(result.concepts)
    words = [f"{n} concept{'' if n == 1 else 's'}"]
    n_outliers = int(np.count_nonzero(result.labels == OUTLIER))
    if n_outliers:
        words.append(f"{n_outliers} outlier{'' if n_outliers == 1 else 's'}")
    if result.dropped:
        words.append(f"{len(result.dropped)} dropped cluster{'' if len(result.dropped) == 1 else 's'}")
    n_left_out = int(np.count_nonzero(result.labels == LEFT_OUT))
    if n_left_out:
        words.append(f"{n_left_out} left out")
    if result.adjusted_by_hand:
        words.append(ADJUSTED)
    return ", ".join(words)


def concept_chips(neuron: ReportedNeuron) -> str:
    """Return a chip for each concept: letter, name, size."""
    numbers = neuron.numbers
    return "".join(
        f'<span class="chip {color_class(int(numbers[concept.cluster]))}">'
        f'<span class="dot">{letters(int(numbers[concept.cluster]))}</span>'
        f"{escape(neuron.concept_title(concept))}&nbsp;· {len(concept.members)}</span>"
        for concept in neuron.result.concepts
    )


def _title(neuron: ReportedNeuron) -> str:
    name = f'<span class="name">{escape(neuron.name)}</span>' if neuron.name else ""
    return (
        f'<div class="title-row"><h2>Neuron {neuron.result.neuron}</h2>{name}'
        f'<span class="muted">{escape(neuron.analysis.layer)} · {outcome(neuron.result)}</span></div>'
    )


def _parameters(parameters: Parameters) -> str:
    if parameters.kmeans_start == "tree":
        start = "from the tree"
    else:
        start = f"random, {parameters.kmeans_restarts} restarts, seed {parameters.seed}"
    facts = (
        ("top images", str(parameters.top_n)),
        ("d_max", f"{parameters.distance_threshold:.6g}"),
        ("outlier radius²", f"{parameters.outlier_radius_squared:.6g}"),
        ("smallest cluster", str(parameters.min_cluster_size)),
        ("linkage", f"{parameters.linkage}, {parameters.metric}"),
        ("k-means", start),
    )
    items = "".join(f"<li><span>{name}</span><b>{escape(value)}</b></li>" for name, value in facts)
    return f'<ul class="facts">{items}</ul>'


def _adjustments(result: Disentanglement) -> str:
    own = [concept for concept in result.concepts if result.is_own(concept.cluster)]
    n_left_out = int(np.count_nonzero(result.labels == LEFT_OUT))
    changes = []
    if own:
        n = sum(len(concept.members) for concept in own)
        concepts = "a concept of its own" if len(own) == 1 else f"{len(own)} concepts of their own"
        changes.append(f"{n} image{'' if n == 1 else 's'} made {concepts}")
    if n_left_out:
        changes.append(f"{n_left_out} image{'' if n_left_out == 1 else 's'} left out")
    return (
        f"Adjusted by hand: {' and '.join(changes)}. The method alone gives another result "
        "(neuronprism analyse … --no-adjustments)."
    )


def _dendrogram(neuron: ReportedNeuron) -> str:
    top = neuron.result.top
    titles = [f"#{place + 1} · activation {value:.3g}" for place, value in enumerate(top.activations)]
    return dendrogram_svg(neuron.result, neuron.numbers, titles)


def _pictures(neuron: ReportedNeuron, pictures: FeatureVisualization) -> str:
    figures = [_figure(pictures, "neuron", f"Neuron {neuron.result.neuron}", "")]
    for concept in neuron.result.concepts:
        number = int(neuron.numbers[concept.cluster])
        dot = f'<span class="dot {color_class(number)}">{letters(number)}</span>'
        figures.append(_figure(pictures, f"concept {concept.cluster}", neuron.concept_title(concept), dot))
    return f'<h4>Feature visualisation</h4><div class="pictures">{"".join(figures)}</div>'


def _figure(pictures: FeatureVisualization, key: str, title: str, dot: str) -> str:
    if key not in pictures.keys:
        return ""
    text = escape(title)
    uri = picture_uri(pictures.image(key))
    return f'<figure><img src="{uri}" alt="{text}"><figcaption>{dot}{text}</figcaption></figure>'


def _neuron_images(neuron: ReportedNeuron, thumbnails: Thumbnails) -> str:
    ranked = neuron.analysis.neuron_max
    if not len(ranked.images):
        return ""
    return "<h4>Images that activate the neuron most</h4>" + _grid(
        [
            thumbnails.html(int(row), f"activation {value:.3g}")
            for row, value in _first(ranked, _MOST_MAX_PROJECTING)
        ]
    )


def _concept(neuron: ReportedNeuron, index: int, concept: Concept, thumbnails: Thumbnails) -> str:
    number = int(neuron.numbers[concept.cluster])
    named = neuron.concepts.get(concept.cluster)
    notes = f'<p class="notes">{escape(named.notes)}</p>' if named and named.notes else ""
    rows = neuron.result.member_rows(concept)
    members = {int(row) for row in rows}
    origin = "made by hand" if neuron.result.is_own(concept.cluster) else f"cluster {concept.cluster}"
    everywhere = neuron.analysis.concept_max[index]
    held_out = neuron.analysis.concept_max_held_out[index]
    return (
        f"{_concept_head(number, neuron.concept_title(concept))}"
        f'<span class="muted small">{len(rows)} images · {origin}</span></div>{notes}'
        f"{_measures(neuron.analysis.similarities[index])}"
        f"<h4>Members</h4>{_members(neuron, concept, thumbnails)}"
        f'<div class="columns"><div><h4>Largest projections (members framed)</h4>'
        f"{_projections(everywhere, members, thumbnails)}</div>"
        f"<div><h4>Largest projections without the members</h4>"
        f"{_projections(held_out, set(), thumbnails)}</div></div></div>"
    )


def _concept_head(number: int, title: str) -> str:
    """Open a concept and its heading: two elements that the caller closes."""
    return (
        f'<div class="concept {color_class(number)}"><div class="head">'
        f'<span class="dot">{letters(number)}</span><h3>{escape(title)}</h3>'
    )


def _members(neuron: ReportedNeuron, concept: Concept, thumbnails: Thumbnails) -> str:
    top = neuron.result.top
    shown = concept.members[:_MOST_MEMBERS]
    images = [
        thumbnails.html(int(top.images[place]), f"#{place + 1}, activation {top.activations[place]:.3g}")
        for place in shown
    ]
    return _grid(images, n_more=len(concept.members) - len(shown))


def _projections(ranked: MaxProjecting, members: set[int], thumbnails: Thumbnails) -> str:
    return _grid(
        [
            thumbnails.html(int(row), f"projection {value:.3g}", own=int(row) in members)
            for row, value in _first(ranked, _MOST_MAX_PROJECTING)
        ]
    )


def _first(ranked: MaxProjecting, count: int) -> list[tuple[int, float]]:
    return list(zip(ranked.images[:count].tolist(), ranked.projections[:count].tolist(), strict=True))


def _measures(similarity: ConceptSimilarity) -> str:
    rows = "".join(
        _measure(text, getattr(similarity, name), getattr(similarity, null)) for text, name, null in _MEASURES
    )
    return f'<div class="measures" role="group" aria-label="Mean cosine similarities">{rows}</div>'


def _measure(text: str, value: float, null: float) -> str:
    return (
        f"<span>{escape(text)}</span><div class='meter'><i style='width:{_share(value)}'></i>"
        f"<b style='left:{_share(null)}'></b></div>"
        f"<span><b>{_cosine(value)}</b> <span class='muted'>random images {_cosine(null)}</span></span>"
    )


def _share(value: float) -> str:
    return f"{100 * min(max(value, 0.0), 1.0):.1f}%" if math.isfinite(value) else "0%"


def _cosine(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"


def _left_out(neuron: ReportedNeuron, thumbnails: Thumbnails) -> str:
    result = neuron.result
    parts = []
    for label, title in (
        (OUTLIER, "Outliers"),
        (DROPPED, "Images of dropped clusters"),
        (LEFT_OUT, "Left out by hand"),
    ):
        places = np.flatnonzero(result.labels == label)
        if not len(places):
            continue
        images = [
            thumbnails.html(int(result.top.images[place]), f"#{place + 1}")
            for place in places[:_MOST_LEFT_OUT]
        ]
        heading = f'{_concept_head(label, title)}<span class="muted small">{len(places)} images</span></div>'
        grid = _grid(images, n_more=len(places) - len(images))
        parts.append(f"{heading}{grid}</div>")
    return "".join(parts)


def _grid(images: list[str], n_more: int = 0) -> str:
    more = f'<p class="more">and {n_more} more</p>' if n_more > 0 else ""
    return f'<div class="images">{"".join(images)}</div>{more}'
