"""A dendrogram as an inline SVG: merges in the colours of their clusters, the threshold, a band of labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from backend.concept_colors import letters
from backend.exchange.report_colors import color_class
from backend.method.dendrogram_layout import ABOVE, DendrogramLayout, tree_segments
from backend.method.results import Disentanglement

# Units of the view box.
_WIDTH = 1000.0
_LEFT, _RIGHT, _TOP = 52.0, 8.0, 18.0
_PLOT_HEIGHT = 230.0
_BAND_TOP, _BAND_HEIGHT = _TOP + _PLOT_HEIGHT + 6, 12.0
_LEAST_LETTER_WIDTH = 18.0
_HEIGHT = _BAND_TOP + _BAND_HEIGHT + 22


def dendrogram_svg(result: Disentanglement, numbers: NDArray[np.int64], leaf_titles: Sequence[str]) -> str:
    """Draw the tree of a neuron's top images.

    Parameters
    ----------
    result
        Of a neuron with at least two top images.
    numbers
        int64 (C,): the number (colour, letter) of each k-means cluster.
    leaf_titles
        Tooltip of each top image, plain text.

    Returns
    -------
    svg
        One ``<svg>`` element, as the window shows it: merges below the threshold in the colours of their
        clusters, and under each leaf a band with the image's final label.
    """
    hierarchy, threshold = result.hierarchy, result.parameters.distance_threshold
    layout = hierarchy.layout
    scale = _HeightScale(hierarchy.merge_heights, threshold)
    slot = (_WIDTH - _LEFT - _RIGHT) / layout.n_leaves
    final = np.array([numbers[label] if label >= 0 else label for label in result.labels])
    caption = (
        f"Dendrogram of {layout.n_leaves} top images: {result.n_clusters} clusters at the distance threshold "
        f"{threshold:.4g}."
    )
    parts = [
        f'<svg class="dendrogram" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
        f'aria-label="{escape(caption)}">',
        _axis(scale),
        _lines(layout, threshold, slot, scale),
        _bands(layout.order, final, slot, leaf_titles),
        _threshold_line(threshold, result.n_clusters, scale),
        "</svg>",
    ]
    return "\n".join(parts)


class _HeightScale:
    """Merge height → vertical position; a threshold far above the tree stands at the upper edge."""

    def __init__(self, merge_heights: NDArray[np.float64], threshold: float) -> None:
        highest = float(merge_heights[-1]) or 1.0
        self.top = max(highest, min(threshold, 1.6 * highest)) * 1.04

    def y(self, height: float) -> float:
        share = min(height / self.top, 1.0)
        return _TOP + _PLOT_HEIGHT * (1 - share)

    def ticks(self) -> list[float]:
        """Return up to six round heights from 0."""
        raw = self.top / 5
        magnitude = 10 ** math.floor(math.log10(raw))
        step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= raw)
        return [index * step for index in range(int(self.top / step) + 1)]


def _axis(scale: _HeightScale) -> str:
    lines = []
    for height in scale.ticks():
        y = scale.y(height)
        lines.append(f'<path class="grid" d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}"/>')
        lines.append(
            f'<text class="tick" x="{_LEFT - 8:g}" y="{y + 4:.1f}" text-anchor="end">{height:g}</text>'
        )
    middle = _TOP + _PLOT_HEIGHT / 2
    lines.append(
        f'<text class="tick" transform="translate(12 {middle:g}) rotate(-90)" text-anchor="middle">'
        "merge height</text>"
    )
    return "".join(lines)


def _lines(layout: DendrogramLayout, threshold: float, slot: float, scale: _HeightScale) -> str:
    segments = tree_segments(layout, threshold)
    paths: dict[str, list[str]] = defaultdict(list)
    for x0, y0, x1, y1, number in zip(
        segments.x0, segments.y0, segments.x1, segments.y1, segments.number, strict=True
    ):
        name = "above" if number == ABOVE else color_class(int(number))
        start, end = (f"{_LEFT + (x + 0.5) * slot:.1f}" for x in (x0, x1))
        line = f"V{scale.y(y1):.1f}" if x0 == x1 else f"H{end}"
        paths[name].append(f"M{start} {scale.y(y0):.1f}{line}")
    return "".join(f'<path class="merge {name}" d="{"".join(lines)}"/>' for name, lines in paths.items())


def _bands(
    order: NDArray[np.int64], final: NDArray[np.int64], slot: float, leaf_titles: Sequence[str]
) -> str:
    width = max(slot - min(1.0, slot / 6), 0.5)
    bands = []
    for index, leaf in enumerate(order):
        x = _LEFT + index * slot
        bands.append(
            f'<rect class="band {color_class(int(final[leaf]))}" x="{x:.2f}" y="{_BAND_TOP:g}" '
            f'width="{width:.2f}" height="{_BAND_HEIGHT:g}"><title>{escape(leaf_titles[leaf])}</title></rect>'
        )
    return "".join(bands) + _band_letters(final[order], slot)


def _band_letters(labels: NDArray[np.int64], slot: float) -> str:
    """Write the letter of each run of equal labels under it, where there is room."""
    edges = np.flatnonzero(np.diff(labels)) + 1
    texts = []
    for start, stop in zip([0, *edges], [*edges, len(labels)], strict=True):
        number = int(labels[start])
        text = letters(number)
        if (stop - start) * slot < _LEAST_LETTER_WIDTH * len(text):
            continue
        middle = _LEFT + (start + stop) / 2 * slot
        texts.append(
            f'<text class="letter {color_class(number)}" x="{middle:.1f}" '
            f'y="{_BAND_TOP + _BAND_HEIGHT + 14:g}" text-anchor="middle">{text}</text>'
        )
    return "".join(texts)


def _threshold_line(threshold: float, n_clusters: int, scale: _HeightScale) -> str:
    beyond = threshold > scale.top
    y = scale.y(threshold)
    label = f"d_max {threshold:.4g}{' ↑' if beyond else ''} · C = {n_clusters}"
    return (
        f'<path class="threshold" d="M{_LEFT:g} {y:.1f}H{_WIDTH - _RIGHT:g}"/>'
        f'<text class="threshold-label" x="{_WIDTH - _RIGHT - 4:g}" y="{y - 5:.1f}" '
        f'text-anchor="end">{label}</text>'
    )
