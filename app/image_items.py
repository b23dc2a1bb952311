"""From results to the pictures that the grids show: bands of members, columns of projections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QGuiApplication, QPalette

from app.concept_presentation import ConceptPresentation
from backend.concept_colors import DROPPED_MARKER, LEFT_OUT_MARKER, OUTLIER_MARKER
from backend.evaluation.neuron_analysis_result import NeuronAnalysis
from backend.evaluation.projections import MaxProjecting
from backend.method.adjustments import LEFT_OUT
from backend.method.results import DROPPED, OUTLIER, Disentanglement
from widgets.images.image_grid import ImageBand, ImageItem
from widgets.images.image_grid_model import ImageMeasures
from widgets.images.max_projecting_view import ProjectionColumn
from widgets.palette import dropped_color, left_out_color, outlier_color

if TYPE_CHECKING:
    from backend.project import Project

OUTDATED_BADGE = "!"
"""On pictures whose file is not the one that was read."""

KEPT_PATHS = 8192

NEURON_KEY = -10
"""Key of the neuron's own column, which is no concept."""


class ImagePaths:
    """The files of a project's images; each path is made once, since making one takes long."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._root = project.images_root
        self._made: dict[int, Path] = {}

    def path(self, row: int) -> Path:
        """Return the image's file."""
        if self._project.images_root is not self._root or len(self._made) >= KEPT_PATHS:
            self._root, self._made = self._project.images_root, {}
        path = self._made.get(row)
        if path is None:
            path = self._made[row] = self._project.image_path(row)
        return path


class ImageFacts:
    """What is known of each image of a project: file, name, class.

    Attributes
    ----------
    outdated : frozenset of int
        Rows of the images whose file is another, or gone, since their activations were computed.
    """

    def __init__(self, project: Project) -> None:
        self.outdated: frozenset[int] = frozenset()
        self._files = ImagePaths(project)
        self._paths = project.image_paths
        self._labels = project.image_labels

    def path(self, row: int) -> Path:
        """Return the image's file."""
        return self._files.path(row)

    def label(self, row: int) -> str | None:
        """Return the image's class."""
        return self._labels[row]

    def item(
        self,
        row: int,
        caption: str,
        facts: Sequence[str],
        badge: str = "",
        measures: ImageMeasures | None = None,
    ) -> ImageItem:
        """Return one picture; ``facts`` are the lines of its tooltip after file and class."""
        label = self._labels[row]
        lines = [self._paths[row], *([f"Class: {label}"] if label is not None else []), *facts]
        if row in self.outdated:
            lines.append("Outdated: the file was changed or removed since its activations were computed")
            badge = f"{badge} {OUTDATED_BADGE}".strip()
        return ImageItem(row, self.path(row), caption, "\n".join(lines), badge, measures=measures)


def leaf_tooltips(split: Disentanglement, facts: ImageFacts) -> list[str]:
    """Return one tooltip for each top image."""
    return [item.tooltip for item in top_image_items(split, facts)]


def top_image_items(split: Disentanglement, facts: ImageFacts) -> tuple[ImageItem, ...]:
    """Return the top images as pictures, strongest first."""
    return tuple(
        facts.item(int(row), f"{activation:.2f}", [f"Activation {activation:.3g}"])
        for row, activation in zip(split.top.images, split.top.activations, strict=True)
    )


def member_bands(
    split: Disentanglement, concepts: Sequence[ConceptPresentation], facts: ImageFacts
) -> list[ImageBand]:
    """Return a band for each concept, then for outliers, dropped clusters and images left out by hand."""
    bands = []
    for concept in concepts:
        items = _member_items(split, np.flatnonzero(split.labels == concept.cluster), facts, concept.title)
        origin = "made by hand" if concept.made_by_hand else ""
        bands.append(ImageBand(concept.cluster, concept.title, concept.color, concept.marker, items, origin))
    radius = split.parameters.outlier_radius_squared
    far = f"squared distance to their centroid {radius:.4g} or more"
    few = f"clusters of fewer than {split.parameters.min_cluster_size}"
    bands += _left_out(split, OUTLIER, "Outliers", far, outlier_color(), OUTLIER_MARKER, facts)
    bands += _left_out(split, DROPPED, "Dropped", few, dropped_color(), DROPPED_MARKER, facts)
    bands += _left_out(split, LEFT_OUT, "Left out", "by hand", left_out_color(), LEFT_OUT_MARKER, facts)
    return bands


def projection_columns(
    analysis: NeuronAnalysis, concepts: Sequence[ConceptPresentation], facts: ImageFacts
) -> list[ProjectionColumn]:
    """Return the neuron's column and one for each concept."""
    split = analysis.disentanglement
    color = QGuiApplication.palette().color(QPalette.ColorRole.WindowText)
    own = _activation_items(analysis.neuron_max, facts)
    activations = analysis.neuron_activations
    columns = [
        ProjectionColumn(NEURON_KEY, f"Neuron {analysis.neuron}", color, "n", own, own, "largest activation")
    ]
    for concept in concepts:
        position = concept.position
        members = {int(row): concept.marker for row in split.member_rows(split.concepts[position])}
        columns.append(
            ProjectionColumn(
                concept.cluster,
                concept.title,
                concept.color,
                concept.marker,
                _projection_items(analysis.concept_max[position], facts, members, activations),
                _projection_items(analysis.concept_max_held_out[position], facts, {}, activations),
                similarity_summary(analysis, position),
            )
        )
    return columns


def similarity_summary(analysis: NeuronAnalysis, position: int) -> str:
    """Return "mean cosine 0.82 (random 0.58)" of a concept's members with its vector."""
    similarity = analysis.similarities[position]
    return f"mean cosine {similarity.mean_cosine:.2f} (random {similarity.mean_cosine_null:.2f})"


def similarity_tooltip(analysis: NeuronAnalysis, position: int) -> str:
    """Return every similarity of a concept beside its null, in full."""
    s = analysis.similarities[position]
    return (
        "Mean cosine of the members with the concept vector, beside that of as many random images:\n"
        f"{s.mean_cosine:.3f} (random {s.mean_cosine_null:.3f})\n"
        "The same after the layer's mean is subtracted:\n"
        f"{s.centred_cosine:.3f} (random {s.centred_cosine_null:.3f})\n"
        "Mean cosine of the members with the neuron's own direction:\n"
        f"{s.neuron_mean_cosine:.3f} (random {s.neuron_mean_cosine_null:.3f})"
    )


def _left_out(
    split: Disentanglement,
    label: int,
    title: str,
    subtitle: str,
    color: QColor,
    marker: str,
    facts: ImageFacts,
) -> list[ImageBand]:
    indices = np.flatnonzero(split.labels == label)
    if not len(indices):
        return []
    items = _member_items(split, indices, facts, title)
    return [ImageBand(label, title, color, marker, items, subtitle)]


def _member_items(
    split: Disentanglement, indices: NDArray[np.intp], facts: ImageFacts, where: str
) -> tuple[ImageItem, ...]:
    items = []
    for index in indices:
        measures = ImageMeasures(
            activation=float(split.top.activations[index]),
            projection=float(split.projections[index]),
            squared_distance=float(split.squared_distances[index]),
        )
        lines = [*measure_lines(measures), where]
        row = int(split.top.images[index])
        items.append(facts.item(row, f"{measures.activation:.2f}", lines, measures=measures))
    return tuple(items)


def measure_lines(measures: ImageMeasures) -> list[str]:
    """Return what a tooltip says of a top image's numbers; an unknown projection is not mentioned."""
    lines = [f"Activation {measures.activation:.3g}"]
    if not np.isnan(measures.projection):
        lines.append(f"Projection on the concept vector {measures.projection:.3g}")
    lines.append(f"Squared distance to the centroid {measures.squared_distance:.3g}")
    return lines


def _projection_items(
    ranked: MaxProjecting, facts: ImageFacts, badges: dict[int, str], activations: Mapping[int, float]
) -> tuple[ImageItem, ...]:
    items = []
    for row, value in zip(ranked.images.tolist(), ranked.projections.tolist(), strict=True):
        lines = [f"Activation {activations[row]:.3g}", f"Projection on the concept vector {value:.3g}"]
        items.append(facts.item(row, f"{value:.2f}", lines, badges.get(row, "")))
    return tuple(items)


def _activation_items(ranked: MaxProjecting, facts: ImageFacts) -> tuple[ImageItem, ...]:
    return tuple(
        facts.item(row, f"{value:.2f}", [f"Activation {value:.3g}"])
        for row, value in zip(ranked.images.tolist(), ranked.projections.tolist(), strict=True)
    )
