"""What the user adjusts by hand: own concepts, images left out, images excluded from the analysis."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.undo_commands import SetAdjustments, SetExcludedImages
from backend.method.adjustments import UNADJUSTED, Adjustments
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from app.session import Session


class HandAdjustments(QObject):
    """The adjustments of the layer on show, by neuron, and the images that the project leaves out.

    Signals
    -------
    changed()
        A neuron was adjusted.
    excluded_changed()
        Other images are excluded from the project's analysis.
    """

    changed = Signal()
    excluded_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._by_neuron: dict[int, Adjustments] = {}

    def set_layer(self, adjustments: Mapping[int, Adjustments]) -> None:
        """Follow another layer. Sends no signal."""
        self._by_neuron = dict(adjustments)

    def of(self, neuron: int | None) -> Adjustments:
        """Return what was adjusted in a neuron of the layer on show."""
        return UNADJUSTED if neuron is None else self._by_neuron.get(neuron, UNADJUSTED)

    @property
    def current(self) -> Adjustments:
        """What was adjusted in the neuron on show."""
        return self.of(self._session.neuron)

    @property
    def excluded(self) -> frozenset[int]:
        """Rows of the images that are excluded from the project's analysis."""
        project = self._session.project
        return frozenset() if project is None else project.excluded_images

    @property
    def can_exclude(self) -> bool:
        """Whether the project takes an exclusion: a read-only one does not."""
        project = self._session.project
        return project is not None and not project.read_only

    def top_rows(self, rows: Iterable[int]) -> tuple[int, ...]:
        """Return those of some images that are among the top images on show, strongest first."""
        split, wanted = self._session.split, set(rows)
        return () if split is None else tuple(row for row in split.top.images.tolist() if row in wanted)

    # What the user does

    def make_own_concept(self, rows: Iterable[int]) -> None:
        """Make top images a concept of their own (undoable); others among the rows are passed over."""
        own = self.top_rows(rows)
        if own:
            images = count_text(len(own), "image")
            self._change(self.current.with_own_concept(own), f"concept of {images}")

    def leave_out(self, rows: Iterable[int]) -> None:
        """Leave top images out of every concept of the neuron (undoable)."""
        out = self.top_rows(rows)
        if out:
            self._change(self.current.with_left_out(out), f"leaving out {count_text(len(out), 'image')}")

    def give_back(self, rows: Iterable[int]) -> None:
        """Give images back to the clusters that they come from (undoable)."""
        self._change(self.current.without(rows), "giving images back")

    @Slot()
    def reset(self) -> None:
        """Undo all adjustments of the neuron on show (itself undoable)."""
        self._change(UNADJUSTED, "no adjustments")

    def exclude(self, rows: Collection[int]) -> None:
        """Take images out of the whole project's analysis (undoable)."""
        self._set_excluded(self.excluded.union(rows), f"excluding {count_text(len(rows), 'image')}")

    def include(self, rows: Collection[int]) -> None:
        """Take excluded images back into the analysis (undoable)."""
        self._set_excluded(self.excluded.difference(rows), f"including {count_text(len(rows), 'image')}")

    # What the undo commands call

    def store(self, layer: str, neuron: int, adjustments: Adjustments) -> None:
        """Store a neuron's adjustments and show the neuron with them."""
        session = self._session
        session.store(lambda project: project.save_adjustments(layer, neuron, adjustments))
        if session.layer is not None and session.layer.name == layer:
            if adjustments:
                self._by_neuron[neuron] = adjustments
            else:
                self._by_neuron.pop(neuron, None)
        session.analyse_anew(layer, neuron)
        self.changed.emit()

    def store_excluded(self, rows: frozenset[int]) -> None:
        """Store which images are excluded, and analyse without them."""
        if self._session.store(lambda project: project.set_excluded_images(rows)):
            self._session.selection.select_images(self._session.selection.images - rows)
            self._session.forget_analyses()
            self.excluded_changed.emit()

    def _change(self, after: Adjustments, text: str) -> None:
        layer, neuron, before = self._session.layer, self._session.neuron, self.current
        if layer is not None and neuron is not None and after != before:
            command = SetAdjustments(self, layer.name, neuron, before, after, text)
            self._session.undo_stack.push(command)

    def _set_excluded(self, after: frozenset[int], text: str) -> None:
        if self.can_exclude and after != self.excluded:
            self._session.undo_stack.push(SetExcludedImages(self, self.excluded, after, text))
