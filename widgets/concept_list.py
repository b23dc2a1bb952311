"""The concepts of the neuron on show: colour, size, name and notes."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class ConceptEntry:
    """One concept as listed.

    Attributes
    ----------
    cluster : int
        The cluster's number; identifies the concept in every signal.
    size : int
        Number of members left after the outliers.
    name, notes : str
        As typed by the user; empty when there is none.
    color, marker
        The concept's colour and the letter that stands beside it, so that colour is never the only cue.
    summary : str
        One line, such as "mean cosine 0.82 (random 0.58)".
    tooltip : str
        What the summary means, in full.
    """

    cluster: int
    size: int
    name: str
    notes: str
    color: QColor
    marker: str
    summary: str = ""
    tooltip: str = ""


class ConceptList(QWidget):
    """The list of concepts, with a place for the notes of the chosen one.

    Signals
    -------
    name_edited(int, str), notes_edited(int, str)
        The user typed: cluster and the whole text. Sent a short while after typing stops, when the
        focus leaves, and before another list is shown: nothing typed is lost.
    concept_selected(int)
        The user chose this cluster; -1 the outliers, -2 the dropped clusters.
    """

    name_edited = Signal(int, str)
    notes_edited = Signal(int, str)
    concept_selected = Signal(int)

    def set_concepts(
        self, entries: Sequence[ConceptEntry], n_outliers: int = 0, dropped: Sequence[int] = ()
    ) -> None:
        """``dropped``: the sizes of the clusters that fell below the minimum."""

    def set_message(self, text: str) -> None: ...
    def select_concept(self, cluster: int | None) -> None: ...
    def selected_concept(self) -> int | None: ...
    def update_text(self, cluster: int, name: str, notes: str) -> None:
        """Show a name and notes changed elsewhere (undo), without a signal."""

    def flush(self) -> None:
        """Send what was typed and not sent yet. Call before closing or changing the project."""
