"""Between the search box, the session and the thread that gathers what can be found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.jobs.job import Job, JobFailure, JobFunction
from app.jobs.job_threads import QueueThread
from app.jobs.search_jobs import SearchableNames, count_classes, gather_names
from app.layer_data import LayerData
from app.search_matches import SearchTarget, search
from app.session import Session
from backend.evaluation.top_image_classes import TopImageClasses
from widgets.search.search_box import SearchBox


class SearchControl(QObject):
    """Gathers names and classes when the box is entered, answers what is typed, and goes where it leads.

    Names are gathered anew each time; classes are counted once for a layer and a number of top images.

    Signals
    -------
    images_found(int)
        Images were selected because something was found: the row of the first.
    """

    images_found = Signal(int)

    def __init__(
        self, box: SearchBox, session: Session, thread: QueueThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._box = box
        self._session = session
        self._thread = thread
        self._names = SearchableNames()
        self._classes: TopImageClasses | None = None
        self._classes_of: tuple[LayerData, int] | None = None
        self._jobs: list[Job] = []
        self._problem = ""
        self._target: SearchTarget | None = None
        box.opened.connect(self._gather)
        box.query_changed.connect(self._answer)
        box.chosen.connect(self._go_to)
        session.project_changed.connect(self._forget)
        session.layer_changed.connect(self._show_layer)
        session.split_changed.connect(self._select_target)

    @Slot()
    def _forget(self) -> None:
        """Another project: nothing of the earlier one can be found."""
        self._stop()
        self._names, self._target = SearchableNames(), None
        self._box.clear()

    @Slot(object)
    def _show_layer(self, layer: LayerData | None) -> None:
        self._box.setEnabled(layer is not None)
        self._classes = self._classes_of = None

    @Slot()
    def _gather(self) -> None:
        session, layer = self._session, self._session.layer
        if session.project is None or layer is None:
            return
        self._stop()
        self._problem = ""
        self._submit("Gathering names", partial(gather_names, session.project), self._take_names)
        kind = (layer, session.parameters.top_n)
        if self._classes_of is None or self._classes_of[0] is not layer or self._classes_of[1] != kind[1]:
            self._classes, self._classes_of = None, kind
        if self._classes is None:
            count = partial(count_classes, layer, session.project.image_labels, kind[1])
            self._submit("Counting classes", count, self._take_classes)

    def _submit(self, title: str, function: JobFunction, take: Callable[..., None]) -> None:
        job = self._thread.submit(title, function, quiet=True)
        job.succeeded.connect(take)
        job.failed.connect(self._take_failure)
        job.ended.connect(self._answer)
        self._jobs.append(job)

    def _stop(self) -> None:
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            self._thread.cancel(job)

    @Slot(object)
    def _take_names(self, names: SearchableNames) -> None:
        self._names = names

    @Slot(object)
    def _take_classes(self, classes: TopImageClasses) -> None:
        self._classes = classes

    @Slot(object)
    def _take_failure(self, failure: JobFailure) -> None:
        self._problem = failure.sentence

    @Slot()
    def _answer(self) -> None:
        query, layer = self._box.query(), self._session.layer
        if not query or layer is None:
            return
        self._jobs = [job for job in self._jobs if not job.has_ended]
        groups = search(query, self._names, self._classes, layer.name)
        message = self._problem
        if self._jobs:
            message = "Still looking…"
        elif not groups and not message:
            message = f"No neuron, concept or class fits “{query}”"
        self._box.set_results(groups, message)

    # --- going there ------------------------------------------------------------------------------

    @Slot(object)
    def _go_to(self, target: SearchTarget) -> None:
        session = self._session
        here = self._is_shown(target)
        self._target = target
        if here and session.split is not None:
            self._select_target()
        else:
            session.show_layer(target.layer, target.neuron)

    @Slot()
    def _select_target(self) -> None:
        """Select what was searched for, once its neuron is split."""
        target, session = self._target, self._session
        if target is None or session.split is None or session.layer is None:
            return
        self._target = None
        if not self._is_shown(target):
            return  # the user has gone elsewhere meanwhile
        if target.concept is not None:
            self._select_concept(target.concept.identity, target.concept.images)
        elif target.label is not None and session.project is not None:
            labels, rows = session.project.image_labels, session.split.top.images.tolist()
            self._select([row for row in rows if labels[row] == target.label])

    def _is_shown(self, target: SearchTarget) -> bool:
        layer, neuron = self._session.layer, self._session.neuron
        return layer is not None and (layer.name, neuron) == (target.layer, target.neuron)

    def _select_concept(self, identity: int, images: tuple[int, ...]) -> None:
        """Select a named concept; if the threshold leaves no such cluster, the images that it was made of."""
        session = self._session
        for cluster, record in session.names.by_cluster.items():
            if record.id == identity:
                session.choose_concept(cluster)
                return
        if session.split is not None:
            shown = np.intersect1d(session.split.top.images, np.asarray(images, dtype=np.int64))
            self._select(shown.tolist())

    def _select(self, rows: list[int]) -> None:
        self._session.selection.select_images(rows)
        if rows:
            self.images_found.emit(rows[0])
