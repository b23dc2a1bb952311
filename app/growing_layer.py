"""A layer on show that grows while it is extracted: loaded anew when that disturbs nobody."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot

from app.jobs.extraction_growth import ExtractionGrowth, LayerRows
from app.jobs.job import Job
from app.jobs.job_threads import InteractiveThread
from app.jobs.layer_jobs import RefreshedLayer, refresh_layer
from app.user_activity import UserActivity, is_in_a_text, is_in_the_middle

if TYPE_CHECKING:
    from app.session import Session

LOOK_INTERVAL_MS = 500
IDLE_MS = 3000
"""Without input for so long the user is idle."""

LEAST_INTERVAL_MS = 10_000
"""Least time between two refreshes that nobody asked for."""

LEAST_GROWTH = 0.1
"""New images, as a share of those on show, that are worth such a refresh."""


class LayerGrowth(QObject):
    """Knows how far layers are, and loads the one on show anew: asked to, or by itself when the user is idle.

    Neuron and parameters stay, and nothing moves while the user drags, writes, or is in a menu. The new rows
    and the neuron's analysis in them are shown together, once both are there.

    Signals
    -------
    changed()
        Another number of images has been extracted, or is on show.
    """

    changed = Signal()

    def __init__(self, thread: InteractiveThread, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._thread = thread
        self._rows: dict[str, LayerRows] = {}
        self._job: Job | None = None
        self._must = False  # load the layer anew in any case
        self._serves = False  # the job that runs does that
        self._since_refresh = QElapsedTimer()
        self.activity = UserActivity(self)
        self._look = QTimer(self, interval=LOOK_INTERVAL_MS)
        self._look.timeout.connect(self._refresh_if_idle)

    def rows(self, layer: str) -> LayerRows | None:
        """Return how far a layer is; None if it is complete, or not of this project."""
        return self._rows.get(layer)

    def all_rows(self) -> dict[str, LayerRows]:
        """Return how far each layer is that is not complete, in the project's order."""
        return dict(self._rows)

    @property
    def n_waiting(self) -> int:
        """Images that were extracted at the layer on show since it was loaded."""
        layer = self._session.layer
        rows = self._rows.get(layer.name) if layer is not None else None
        if layer is None or not layer.is_partial:
            return 0
        return max(0, (layer.n_images if rows is None else rows.n_leading) - layer.n_rows)

    @Slot(object)
    def take(self, result: object) -> None:
        """Take what an extraction says on its way; other intermediate results are passed over."""
        if isinstance(result, ExtractionGrowth):
            self.set_rows(dict(result.rows))

    def set_rows(self, rows: dict[str, LayerRows]) -> None:
        """Take another account of the layers that are not complete."""
        if rows != self._rows:
            self._rows = rows
            self.changed.emit()
        self._follow()

    def layer_shown(self) -> None:
        """Begin to follow the layer that is on show now, if it is one that grows."""
        layer = self._session.layer
        # It may have been completed while it was being loaded.
        self._must = layer is not None and layer.is_partial and layer.name not in self._rows
        self._since_refresh.start()
        self._follow()
        self.changed.emit()

    @Slot()
    def refresh(self) -> None:
        """Load the layer on show anew at once."""
        session = self._session
        if session.project is None or session.layer is None or session.neuron is None:
            return
        if not session.is_settled:
            return
        function = partial(
            refresh_layer,
            session.project,
            session.layer,
            session.neuron,
            session.parameters,
            adjustments=session.adjustments.current,
        )
        self._serves = self._must
        self._job = self._thread.submit(f"Refreshing {session.layer.name}", function)
        self._job.succeeded.connect(self._take_refreshed)
        self._job.failed.connect(self._give_up)
        self._job.ended.connect(self._end_job)

    def settle(self) -> None:
        """Load the layer on show anew as soon as the user's hands are free: an extraction has ended."""
        self._must = self._session.layer is not None
        self._serves = False
        self._follow()
        self._refresh_if_idle()

    @Slot()
    def _refresh_if_idle(self) -> None:
        if self._job is not None or self._thread.running is not None or not self._session.is_settled:
            return
        if is_in_the_middle():
            return
        if (self._must and not self._is_writing()) or self._is_worth_it():
            self.refresh()

    def _is_writing(self) -> bool:
        return is_in_a_text() and self.activity.milliseconds_idle() < IDLE_MS

    def _is_worth_it(self) -> bool:
        layer = self._session.layer
        return (
            layer is not None
            and self.n_waiting >= max(1, LEAST_GROWTH * layer.n_rows)
            and self.activity.milliseconds_idle() >= IDLE_MS
            and self._since_refresh.elapsed() >= LEAST_INTERVAL_MS
        )

    def _follow(self) -> None:
        """Look at the layer regularly as long as there may be something to do."""
        layer = self._session.layer
        wanted = self._must or (layer is not None and layer.is_partial and layer.name in self._rows)
        if wanted and not self._look.isActive():
            self._look.start()
            self.activity.begin()
        elif not wanted:
            self._look.stop()
            self.activity.end()

    @Slot(object)
    def _take_refreshed(self, refreshed: RefreshedLayer) -> None:
        # Not while the mouse is down: a drag may have begun since.
        if not is_in_the_middle() and self._session.take_refreshed(refreshed):
            # What was loaded before an extraction ended does not count as loaded after it.
            must = self._must and not self._serves
            self.layer_shown()
            self._must = self._must or must
            self._follow()

    @Slot()
    def _give_up(self) -> None:
        """Leave a layer that has nothing to show any more; why not was said already."""
        if self._must and self._serves:
            self._must = False
            self._session.leave_layer()
        self._since_refresh.start()

    @Slot()
    def _end_job(self) -> None:
        if self._job is not None and self._job.has_ended:
            self._job = None
