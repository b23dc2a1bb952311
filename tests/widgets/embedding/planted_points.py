"""Points whose places are known, and a view that shows them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from backend.evaluation.embedding_result import Embedding, EmbeddingSettings
from tests.widgets.picture_files import make_items
from widgets.embedding.embedding_state import PointGroup
from widgets.embedding.plane_transform import MARGIN

RED, BLUE, GREY = QColor("#bd260a"), QColor("#1646ad"), QColor("#74747c")

# Dataset row → place. Rows 0 to 4 are apples, 5 to 7 pitches, 8 is an outlier.
PLACES = {
    0: (0.0, 0.0),
    1: (0.0, 10.0),
    2: (2.0, 8.0),
    3: (2.0, 2.0),
    4: (4.0, 5.0),
    5: (20.0, 0.0),
    6: (20.0, 10.0),
    7: (18.0, 5.0),
    8: (10.0, 5.0),
}
ROWS = tuple(PLACES)


def make_groups(folder: Path) -> list[PointGroup]:
    return [
        PointGroup(0, "apples", 0, BLUE, "A", make_items(folder, range(5))),
        PointGroup(1, "pitches", 1, RED, "B", make_items(folder, range(5, 8))),
        PointGroup(-1, "Outliers", -1, GREY, "○", make_items(folder, [8])),
    ]


def make_embedding(rows=ROWS, shift=(0.0, 0.0), method="umap") -> Embedding:
    positions = np.array([PLACES[row] for row in rows], dtype=np.float32).reshape(-1, 2) + np.float32(shift)
    return Embedding(method, 0, EmbeddingSettings(), positions)


def crowd_of(folder: Path) -> tuple[list[PointGroup], tuple[int, ...], Embedding]:
    """Return the points with forty outliers in a row below the middle: no room for pictures."""
    apples, pitches, outliers = make_groups(folder)
    crowd = tuple(range(100, 140))
    outliers = replace(outliers, items=outliers.items + make_items(folder, list(crowd)))
    row = np.array([(6 + 0.3 * i, 1.0) for i in range(len(crowd))], dtype=np.float32)
    positions = np.vstack([make_embedding().positions, row])
    embedding = Embedding("umap", 0, EmbeddingSettings(), positions)
    return [apples, pitches, outliers], ROWS + crowd, embedding


def pixel(plot, x: float, y: float) -> QPoint:
    """Return where a place of the plane is painted while all points (20 × 10 units) are shown."""
    scale = min((plot.width() - 2 * MARGIN) / 20, (plot.height() - 2 * MARGIN) / 10)
    return QPoint(round(plot.width() / 2 + (x - 10) * scale), round(plot.height() / 2 - (y - 5) * scale))


def pixel_of(plot, row: int) -> QPoint:
    return pixel(plot, *PLACES[row])
