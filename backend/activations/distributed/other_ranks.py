"""The other ranks of a run, as rank 0 sees them."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

from backend.activations.distributed.rank_journal import JournalReader, JournalRecord
from backend.activations.distributed.rank_plan import PlannedImages, RankPlan
from backend.activations.distributed.rank_signs import (
    RANKS_FOLDER,
    Heartbeat,
    Watch,
    journal_file,
    rank_of_file,
    remove_ranks_folder,
)
from backend.activations.distributed.ranks import Rank
from backend.errors import ExtractionError
from backend.task import Task

if TYPE_CHECKING:
    from backend.project import Project

# Processes of a launch start together; a queue or a slow import may hold some of them up.
_SECONDS_TO_COME: Final = 600.0
_SECONDS_BETWEEN_LOOKS: Final = 0.2

# They hear of the end within a second, or a minute on a slow network file system.
_SECONDS_TO_LEAVE: Final = 60.0


class OtherRanks:
    """Meets the other ranks of a launch, gives them a plan, and follows what they do.

    A context manager: left by an exception it tells the others to stop, and leaves their journals for the
    next opening of the project; else it removes the files of the run.

    Parameters
    ----------
    project : Path
        The project's folder, open for writing in this process.
    rank : Rank
        Of this process: rank 0.

    Raises
    ------
    ExtractionError
        If the folder where the ranks meet cannot be made.

    Attributes
    ----------
    run : str
        Names the run.
    round : int
        Number of the plan that was published last; 0 before the first.
    heartbeat : Heartbeat
        This process's own.
    """

    def __init__(self, project: Path, rank: Rank) -> None:
        self.folder = project / RANKS_FOLDER
        self.rank = rank
        self.run = secrets.token_hex(8)
        self.round = 0
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        self.heartbeat = Heartbeat(self.folder, rank)
        self._watches: dict[int, Watch] = {}
        self._journals: dict[int, JournalReader] = {}

    def __enter__(self) -> OtherRanks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.heartbeat.end("done")
            self._let_leave()
            remove_ranks_folder(self.folder)
        else:
            self.heartbeat.end("failed", str(error) or "it was stopped.")

    def meet(self, task: Task) -> dict[int, str]:
        """Wait until all other ranks are there, and return the names of the processes by rank.

        Raises
        ------
        ExtractionError
            If one does not come.
        Cancelled
            If the task was asked to stop.
        """
        candidates: dict[Path, Watch] = {}
        deadline = time.monotonic() + _SECONDS_TO_COME
        while True:
            for path in self.folder.glob("rank-*.json"):
                number = rank_of_file(path)
                if number in self._watches or not 0 < number < self.rank.count:
                    continue
                watch = candidates.setdefault(path, Watch(path))
                watch.look()
                if self._is_of_this_launch(watch):
                    self._watches[number] = watch
            absent = [n for n in range(1, self.rank.count) if n not in self._watches]
            if not absent:
                break
            task.progress(0, 0, "Waiting for the other processes")
            task.check_cancelled()
            if time.monotonic() > deadline:
                raise ExtractionError(
                    f"Rank {absent[0]} of {self.rank.count} did not come within "
                    f"{_SECONDS_TO_COME / 60:.0f} minutes. Do all processes run on machines that see the "
                    f"folder {self.folder.parent}?"
                )
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        names = {number: watch.sign.name for number, watch in self._watches.items() if watch.sign}
        for number, name in names.items():
            self._journals.setdefault(number, JournalReader(journal_file(self.folder, number, name)))
        return {0: self.heartbeat.name, **names}

    def begin(self, plan: RankPlan, project: Project | None = None) -> None:
        """Publish the plan, and what is known of the images of a project if any are wanted.

        Raises
        ------
        ExtractionError
            If it cannot be written.
        """
        try:
            if project is not None:
                PlannedImages.write(self.folder, project)
            plan.write(self.folder)
        except OSError as error:
            raise _cannot_write(self.folder, error) from error
        self.round = plan.round
        self.heartbeat.begin(plan.run, plan.round)

    def look(self) -> None:
        """Take in the latest signs."""
        for watch in self._watches.values():
            watch.look()

    def new_records(self) -> list[JournalRecord]:
        """Return what the others have put on disk since the last call."""
        return [record for journal in self._journals.values() for record in journal.read()]

    @property
    def n_images(self) -> int:
        """Images that they have run through the model."""
        return sum(watch.sign.n_images for watch in self._watches.values() if watch.sign)

    @property
    def done(self) -> bool:
        """Whether all are done with their blocks of the present plan."""
        return all(watch.is_done(self.round) for watch in self._watches.values())

    def require_alive(self) -> None:
        """Make sure that something is still to be expected of every rank that is not done.

        Raises
        ------
        ExtractionError
            If one has failed or died.
        """
        for watch in self._watches.values():
            if problem := watch.problem():
                raise ExtractionError(
                    f"{problem} Everything extracted so far is kept: continue with the same command, with "
                    "any number of processes."
                )

    def wait(self, task: Task) -> None:
        """Let a moment pass.

        Raises
        ------
        Cancelled
            If the task was asked to stop.
        """
        task.check_cancelled()
        time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _let_leave(self) -> None:
        """Wait until no other rank leaves signs any more, so that the files of the run can be removed."""
        deadline = time.monotonic() + _SECONDS_TO_LEAVE
        while time.monotonic() < deadline:
            self.look()
            if all(watch.has_left for watch in self._watches.values()):
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _is_of_this_launch(self, watch: Watch) -> bool:
        """Return whether a sign is of this launch and of a living process: it has changed since."""
        sign = watch.sign
        return (
            sign is not None
            and (sign.launch, sign.count, sign.run) == (self.rank.launch, self.rank.count, "")
            and sign.state == "waiting"
            and watch.n_changes > 0
        )


def _cannot_write(folder: Path, error: OSError) -> ExtractionError:
    return ExtractionError(
        f"The ranks cannot meet in {folder} ({error.strerror or error}): make it writable for all processes, "
        "or free some space."
    )
