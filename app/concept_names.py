"""Names and notes of the concepts of the neuron on show, stored as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.undo_commands import SetConceptText
from backend.method.results import Concept, Disentanglement
from backend.named_concepts import NamedConcept, match_named_concepts

if TYPE_CHECKING:
    from app.session import Session


class ConceptNames(QObject):
    """The named concepts of one neuron, and which cluster each of them is now.

    A name belongs to images, not to a cluster number: when the threshold moves it follows the cluster that
    shares most images with it, and returns when that cluster returns.

    Signals
    -------
    changed(dict of int to NamedConcept)
        A name or notes were edited: the record of each cluster that has one.
    """

    changed = Signal(object)

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._layer = ""
        self._neuron = -1
        self._records: tuple[NamedConcept, ...] = ()
        self._split: Disentanglement | None = None
        self._by_cluster: dict[int, NamedConcept] = {}

    @property
    def by_cluster(self) -> Mapping[int, NamedConcept]:
        """The record of each cluster that has one."""
        return dict(self._by_cluster)

    def set_neuron(self, layer: str | None, neuron: int | None) -> None:
        """Follow another neuron, or none. Sends no signal: the session says that everything is another."""
        self._layer, self._neuron = layer or "", -1 if neuron is None else neuron
        self._split = None
        self._load()

    def set_split(self, split: Disentanglement) -> None:
        """Follow another clustering of the same neuron. Sends no signal."""
        self._split = split
        self._match()

    def set_name(self, cluster: int, name: str) -> None:
        """Name a concept (undoable); with neither name nor notes its record goes."""
        self._edit(cluster, "name", name)

    def set_notes(self, cluster: int, notes: str) -> None:
        """Write notes to a concept (undoable)."""
        self._edit(cluster, "notes", notes)

    def replace_record(self, before: NamedConcept | None, after: NamedConcept | None) -> NamedConcept | None:
        """Store ``after`` in place of ``before``, for the undo commands, and show its neuron.

        Returns
        -------
        NamedConcept or None
            ``after`` as stored.
        """
        place = after or before
        if place is None:
            return None
        stored: list[NamedConcept] = []
        if after is not None:
            self._session.store(lambda project: stored.append(project.save_named_concept(after)))
        elif before is not None and before.id is not None:
            record_id = before.id
            self._session.store(lambda project: project.delete_named_concept(record_id))
        if (place.layer, place.neuron) == (self._layer, self._neuron):
            self._load()
            self.changed.emit(self.by_cluster)
        self._session.show_layer(place.layer, place.neuron)
        return stored[0] if stored else after

    def _edit(self, cluster: int, field: str, text: str) -> None:
        concept = self._concept(cluster)
        if concept is None or self._split is None:
            return
        before = self._by_cluster.get(cluster)
        if text == (getattr(before, field) if before is not None else ""):
            return
        after: NamedConcept | None = self._record(concept, before, field, text)
        if after is not None and not after.name.strip() and not after.notes.strip():
            after = None
        self._session.undo_stack.push(SetConceptText(self, field, before, after))

    def _record(self, concept: Concept, before: NamedConcept | None, field: str, text: str) -> NamedConcept:
        assert self._split is not None
        record = NamedConcept(
            layer=self._layer,
            neuron=self._neuron,
            name=before.name if before is not None else "",
            notes=before.notes if before is not None else "",
            member_images=tuple(int(row) for row in self._split.member_rows(concept)),
            vector=np.asarray(concept.vector, dtype=np.float32),
            parameters=self._split.parameters,
            id=before.id if before is not None else None,
            by_hand=self._split.hand_mark(concept.cluster),
        )
        return replace(record, name=text) if field == "name" else replace(record, notes=text)

    def _concept(self, cluster: int) -> Concept | None:
        if self._split is None:
            return None
        return next((c for c in self._split.concepts if c.cluster == cluster), None)

    def _load(self) -> None:
        project = self._session.project
        self._records = ()
        if project is not None and self._neuron >= 0:
            self._records = tuple(project.named_concepts(self._layer, self._neuron))
        self._match()

    def _match(self) -> None:
        self._by_cluster = {}
        if self._split is not None and self._records:
            self._by_cluster = dict(match_named_concepts(self._records, self._split))
