"""Jobs that compare a project with the files that it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backend.project_folder.model_files import ModelFileKind
from backend.task import Task
from widgets.quantity_text import count_text

if TYPE_CHECKING:
    from backend.project import Freshness, Project


def check_freshness(project: Project, task: Task) -> Freshness:
    """Compare size and time of modification of every file; where in doubt the network's files by content."""
    return project.check_freshness(task=task)


def relocate_model_file(project: Project, kind: ModelFileKind, path: Path, task: Task) -> None:
    """Take another place for a file of the network, after comparing its content."""
    project.relocate_model_file(kind, path)


@dataclass(frozen=True)
class ContentCheck:
    """What comparing images by content came to.

    Attributes
    ----------
    freshness : Freshness
    n_recorded : int
        Images whose content was put on record, because it was not yet.
    """

    freshness: Freshness
    n_recorded: int

    @property
    def sentence(self) -> str:
        """What was found, for the user."""
        parts = []
        if self.freshness.n_compared:
            compared = count_text(self.freshness.n_compared, "image")
            n_changed = len(self.freshness.changed)
            found = f"{n_changed:,} changed." if n_changed else "None changed."
            parts.append(f"The content of {compared} was compared with what was read. {found}")
        if self.n_recorded:
            recorded = count_text(self.n_recorded, "image")
            parts.append(f"The content of {recorded} is on record from now on, to be compared later.")
        return " ".join(parts) or "No image could be compared: none of them is there as it was read."


def check_content(project: Project, task: Task) -> ContentCheck:
    """Compare the content of images and network, and record that of images where it is not on record yet."""
    freshness = project.check_freshness(content=True, task=task)
    n_recorded = 0 if project.read_only else project.hash_images(task=task).n_hashed
    return ContentCheck(freshness, n_recorded)
