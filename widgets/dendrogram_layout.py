"""The layout of a dendrogram, as the window and the report share it: see :mod:`backend.method.dendrogram_layout`."""

from backend.method.dendrogram_layout import (
    ABOVE,
    DendrogramLayout,
    Segments,
    concept_numbers,
    layout_dendrogram,
    tree_segments,
)

__all__ = [
    "ABOVE",
    "DendrogramLayout",
    "Segments",
    "concept_numbers",
    "layout_dendrogram",
    "tree_segments",
]
