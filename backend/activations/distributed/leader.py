"""Rank 0 as the other ranks see it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backend.activations.distributed.rank_plan import RankPlan
from backend.activations.distributed.rank_signs import Heartbeat, Watch, sign_file
from backend.activations.distributed.ranks import Rank
from backend.errors import ExtractionError
from backend.task import Cancelled, Task

# Rank 0 may have a million images to look for before it makes the project and gives a sign.
_SECONDS_TO_BEGIN: Final = 3600.0
_SECONDS_BETWEEN_LOOKS: Final = 0.2
_SECONDS_BETWEEN_CHECKS: Final = 1.0


class Leader:
    """Gives rank 0's plans to another rank, and says whether it still leads.

    Parameters
    ----------
    folder : Path
        Where the ranks meet; rank 0 makes it.
    rank : Rank
        Of this process.
    heartbeat : Heartbeat
        Of this process: its name is what rank 0 calls it by.
    task : Task
        Is asked whether to go on.
    """

    def __init__(self, folder: Path, rank: Rank, heartbeat: Heartbeat, task: Task) -> None:
        self._folder = folder
        self._rank = rank
        self._heartbeat = heartbeat
        self._task = task
        self._watch: Watch | None = None
        self._next_check = 0.0

    def plans(self) -> Iterator[RankPlan]:
        """Yield the plans of this launch as they come, until rank 0 says that there are no more.

        Raises
        ------
        ExtractionError
            If rank 0 gives no sign, or dies.
        Cancelled
            If the task was asked to stop, or rank 0 has stopped.
        """
        plan: RankPlan | None = self._first_plan()
        while plan is not None:
            self._heartbeat.begin(plan.run, plan.round)
            yield plan
            plan = self._plan_after(plan)

    def check(self) -> None:
        """Make sure that this process is still wanted; looks once a second at most.

        Raises
        ------
        ExtractionError, Cancelled
            As :meth:`plans`.
        """
        self._task.check_cancelled()
        if time.monotonic() >= self._next_check:
            self.require()

    def require(self) -> None:
        """Make sure that this process is still wanted.

        Raises
        ------
        ExtractionError, Cancelled
            As :meth:`plans`.
        """
        self._next_check = time.monotonic() + _SECONDS_BETWEEN_CHECKS
        if self._watch is None:
            return
        self._watch.look()
        # Its signs are removed when someone else has opened the project since: rows may be others' now.
        if not self._watch.is_there or self._is_over:
            raise Cancelled
        if problem := self._watch.problem():
            raise ExtractionError(problem)

    @property
    def _is_over(self) -> bool:
        return self._watch is not None and self._watch.sign is not None and self._watch.sign.has_ended

    def _first_plan(self) -> RankPlan:
        """Wait for a plan that calls this process by name: one that does not is of a run that died."""
        signs: dict[Path, Watch] = {}
        last_sign = time.monotonic()
        while True:
            plan = RankPlan.read(self._folder)
            if plan is not None and plan.members.get(self._rank.number) == self._heartbeat.name:
                self._watch = Watch(sign_file(self._folder, 0, plan.members[0]))
                return plan
            for path in self._folder.glob("rank-00000-*.json"):
                watch = signs.setdefault(path, Watch(path))
                n_changes = watch.n_changes
                watch.look()
                if watch.n_changes > n_changes:
                    last_sign = time.monotonic()
                self._require_alive(watch)
            if time.monotonic() - last_sign > _SECONDS_TO_BEGIN:
                raise ExtractionError(
                    f"Rank 0 has given no sign in {self._folder} for {_SECONDS_TO_BEGIN / 60:.0f} minutes. "
                    "Do all processes run on machines that see this folder?"
                )
            self._pause()

    def _require_alive(self, watch: Watch) -> None:
        """Go where rank 0 of this launch has stopped or died; a sign that never changed is an old one."""
        sign = watch.sign
        if sign is None or sign.launch != self._rank.launch or not watch.n_changes:
            return
        if sign.has_ended:
            raise Cancelled
        if problem := watch.problem():
            raise ExtractionError(problem)

    def _plan_after(self, last: RankPlan) -> RankPlan | None:
        """Wait for the next plan; None when the run is over."""
        assert self._watch is not None
        while True:
            plan = RankPlan.read(self._folder)
            if plan is not None and plan.run == last.run and plan.round > last.round:
                return plan
            self._watch.look()
            sign = self._watch.sign
            if not self._watch.is_there or (sign is not None and sign.state == "done"):
                return None
            self.require()
            self._pause()

    def _pause(self) -> None:
        self._task.check_cancelled()
        time.sleep(_SECONDS_BETWEEN_LOOKS)
