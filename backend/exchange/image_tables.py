r"""Members and max-projecting images as CSV tables: UTF-8, comma-separated, one row an image.

Members (:data:`MEMBER_COLUMNS`): every top-activating image of a neuron.

===================  =======================================================================================
layer, neuron        where it was found
label                cluster from 0; −1 for an outlier, −2 in a dropped cluster, −3 if left out by hand
concept              the user's name of the concept, or empty
rank                 place among the neuron's top images, 1 is the strongest
image                path relative to the images' folder
activation           of the neuron
squared_distance     to the centroid of its k-means cluster (of a concept made by hand: to its mean), in
                     squared units of activation
by_hand              ``own concept`` or ``left out`` if a person put the image there, or empty
adjusted             ``yes`` if a person moved any image of the neuron, else ``no``
===================  =======================================================================================

Max-projecting images (:data:`MAX_PROJECTING_COLUMNS`): the images that project most on each direction.

===================  =======================================================================================
layer, neuron        where it was found
direction            ``neuron``, or the concept's cluster
concept              the user's name of the concept, or empty
rank                 1 is the largest projection over the whole dataset
image                path relative to the images' folder
projection           on the direction of norm 1, in units of activation (for the neuron: its activation)
member               ``yes`` if the image belongs to the concept itself (for the neuron: to its top images)
adjusted             as above
===================  =======================================================================================

A text that a spreadsheet would run as a formula (it begins with ``= + - @``, a tab or a carriage return) gets
an apostrophe in front. A file name that is not valid Unicode shows its stray bytes as ``\udcXX``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import numpy as np

from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.evaluation.projections import MaxProjecting
from backend.method.adjustments import LEFT_OUT

Cell = str | int | float

MEMBER_COLUMNS = (
    "layer",
    "neuron",
    "label",
    "concept",
    "rank",
    "image",
    "activation",
    "squared_distance",
    "by_hand",
    "adjusted",
)
MAX_PROJECTING_COLUMNS = (
    "layer",
    "neuron",
    "direction",
    "concept",
    "rank",
    "image",
    "projection",
    "member",
    "adjusted",
)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class CsvTable:
    """Writes rows of one table into an open binary file.

    Parameters
    ----------
    file
        Open for writing; it is left open.
    columns
        Names of the columns, written first.
    """

    def __init__(self, file: IO[bytes], columns: Sequence[str]) -> None:
        self._file = file
        self._write([columns])

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Append rows; texts are made safe for spreadsheets."""
        self._write([[_safe(cell) for cell in row] for row in rows])

    def _write(self, rows: Iterable[Sequence[Cell]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        self._file.write(text.getvalue().encode("utf-8", errors="backslashreplace"))


def member_rows(
    analysis: NeuronAnalysis, image_paths: Sequence[str], names: Mapping[int, str] | None = None
) -> Iterator[tuple[Cell, ...]]:
    """Return the rows of :data:`MEMBER_COLUMNS` for one neuron, strongest image first."""
    result = analysis.disentanglement
    names = names or {}
    by_hand = [_put_by_hand(place) for place in result.adjustments.by_hand(result.top.images).tolist()]
    adjusted = _yes_or_no(result.adjusted_by_hand)
    for place, row in enumerate(result.top.images):
        label = int(result.labels[place])
        yield (
            analysis.layer,
            int(result.neuron),
            label,
            names.get(label, ""),
            place + 1,
            image_paths[row],
            _decimal(result.top.activations[place]),
            _decimal(result.squared_distances[place]),
            by_hand[place],
            adjusted,
        )


def max_projecting_rows(
    analysis: NeuronAnalysis, image_paths: Sequence[str], names: Mapping[int, str] | None = None
) -> Iterator[tuple[Cell, ...]]:
    """Return the rows of :data:`MAX_PROJECTING_COLUMNS` for one neuron: its own, then its concepts'."""
    result = analysis.disentanglement
    names = names or {}
    yield from _ranked(analysis, "neuron", "", analysis.neuron_max, set(result.top.images), image_paths)
    for concept, ranked in zip(result.concepts, analysis.concept_max, strict=True):
        cluster = int(concept.cluster)
        members = set(result.member_rows(concept))
        yield from _ranked(analysis, cluster, names.get(cluster, ""), ranked, members, image_paths)


def _ranked(
    analysis: NeuronAnalysis,
    direction: Cell,
    name: str,
    ranked: MaxProjecting,
    members: set[np.int64],
    image_paths: Sequence[str],
) -> Iterator[tuple[Cell, ...]]:
    for place, (row, projection) in enumerate(zip(ranked.images, ranked.projections, strict=True)):
        yield (
            analysis.layer,
            int(analysis.neuron),
            direction,
            name,
            place + 1,
            image_paths[row],
            _decimal(projection),
            _yes_or_no(row in members),
            _yes_or_no(analysis.disentanglement.adjusted_by_hand),
        )


def _put_by_hand(place: int) -> str:
    if place >= 0:
        return "own concept"
    return "left out" if place == LEFT_OUT else ""


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _decimal(value: np.floating) -> Cell:
    """Return the shortest decimal that reads back as the same number; empty for NaN."""
    return "" if np.isnan(value) else float(np.format_float_positional(value, unique=True))


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell
