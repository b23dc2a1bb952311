"""The images of a project: which file is which row, which were skipped, which have changed since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from backend.errors import ProjectError
from backend.image_files.image_address import image_file
from backend.project_folder.project_database import ProjectDatabase
from backend.task import SilentTask, Task


@dataclass(frozen=True)
class SkippedImage:
    """An image whose rows are NaN.

    Attributes
    ----------
    row
        Its row in the activation arrays.
    path
        Relative to the images folder.
    reason
        A sentence that says why.
    """

    row: int
    path: str
    reason: str


@dataclass(frozen=True)
class UnusedFile:
    """A file of the images folder that has no row, because it is not an image that can be used."""

    path: str
    reason: str


@dataclass(frozen=True)
class FileState:
    """Size in bytes and time of modification (nanoseconds since 1970) of an image file."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileState | None:
        """Read the state of an image's file; None if it cannot be reached."""
        try:
            found = image_file(path).stat()
        except OSError:
            return None
        return cls(found.st_size, found.st_mtime_ns)


def is_folder(path: Path) -> bool:
    """Return whether a folder is there and can be looked at; unlike ``Path.is_dir`` never an error."""
    try:
        return path.is_dir()
    except OSError:
        return False


@dataclass(frozen=True)
class ImageCheck:
    """What a folder holds of a project's images.

    Attributes
    ----------
    root
        The folder.
    n_found
        Images that are there with the size on record.
    missing, different
        Relative paths of those that are not there, and of those whose size is another. Images that were
        skipped are not wanted, so they are neither.
    """

    root: Path
    n_found: int
    missing: tuple[str, ...]
    different: tuple[str, ...]


class ImageTable:
    """The table ``images`` of a project, and the folder that its paths start from.

    Paths and labels are read once: they never change in the life of a project.
    """

    def __init__(self, database: ProjectDatabase, root: Path) -> None:
        self._database = database
        self.root = root

    @staticmethod
    def fill(database: ProjectDatabase, root: Path, images: Iterable[tuple[str, str | None]]) -> None:
        """Record the images (relative path, label) of a new project, with the state of their files."""
        rows = []
        for row, (path, label) in enumerate(images):
            state = FileState.of(root / path)
            size, mtime_ns = (state.size, state.mtime_ns) if state else (None, None)
            rows.append((row, path, label, size, mtime_ns))
        with database.transaction() as connection:
            connection.executemany(
                "INSERT INTO images (row, path, label, size, mtime_ns) VALUES (?, ?, ?, ?, ?)", rows
            )

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Relative paths by row, with forward slashes."""
        return tuple(path for (path,) in self._database.query("SELECT path FROM images ORDER BY row"))

    @cached_property
    def labels(self) -> tuple[str | None, ...]:
        """Classes by row; None in a flat folder."""
        return tuple(label for (label,) in self._database.query("SELECT label FROM images ORDER BY row"))

    def path(self, row: int) -> Path:
        """Return where the image of a row is.

        Raises
        ------
        ProjectError
            If there is no such row.
        """
        if not 0 <= row < len(self.paths):
            raise ProjectError(f"There is no image {row}: the project has {len(self.paths)} images.")
        return self.root / PurePosixPath(self.paths[row])

    def skipped(self) -> tuple[SkippedImage, ...]:
        """Return the images whose rows are NaN, by row."""
        return tuple(
            SkippedImage(*found)
            for found in self._database.query(
                "SELECT row, path, skip_reason FROM images WHERE skip_reason IS NOT NULL ORDER BY row"
            )
        )

    def unused_files(self) -> tuple[UnusedFile, ...]:
        """Return the files that were passed over when the project was made."""
        found = self._database.query("SELECT path, reason FROM unused_files ORDER BY path")
        return tuple(UnusedFile(path, reason) for path, reason in found)

    def states(self, start: int, stop: int) -> tuple[FileState | None, ...]:
        """Return the recorded states of the images ``start`` to ``stop``; None where never read."""
        found = self._database.query(
            "SELECT size, mtime_ns FROM images WHERE row >= ? AND row < ? ORDER BY row", (start, stop)
        )
        return tuple(None if size is None else FileState(size, mtime_ns) for size, mtime_ns in found)

    def record_states(self, states: Mapping[int, FileState]) -> None:
        """Record the present states of images."""
        if states:
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE images SET size = ?, mtime_ns = ? WHERE row = ?",
                    [(state.size, state.mtime_ns, row) for row, state in states.items()],
                )

    def changed(self, *, task: Task | None = None) -> tuple[int, ...]:
        """Return the rows whose file has another size or time of modification than on record, or is gone.

        Looks at every file, but into none: about 10 µs an image on a local disk.
        """
        task = task or SilentTask()
        recorded = self.states(0, len(self.paths))
        rows = []
        for row, state in enumerate(recorded):
            if row % 1000 == 0:
                task.check_cancelled()
                task.progress(row, len(recorded), "Checking the images")
            if state is not None and FileState.of(self.path(row)) != state:
                rows.append(row)
        return tuple(rows)

    def check(self, root: Path, *, task: Task | None = None) -> ImageCheck:
        """Look for the project's images in another folder."""
        task = task or SilentTask()
        missing: list[str] = []
        different: list[str] = []
        recorded = self.states(0, len(self.paths))
        skipped = {image.row for image in self.skipped()}
        n_found = 0
        for row, (path, state) in enumerate(zip(self.paths, recorded, strict=True)):
            if row % 1000 == 0:
                task.check_cancelled()
                task.progress(row, len(recorded), "Looking for the images")
            found = FileState.of(root / PurePosixPath(path))
            fits = found is not None and (state is None or found.size == state.size)
            n_found += fits
            if row in skipped or fits:
                continue
            (missing if found is None else different).append(path)
        if not n_found:
            # Also where every image was skipped: a folder without any of them is another folder.
            missing = list(self.paths)
        return ImageCheck(root, n_found, tuple(missing), tuple(different))

    def relocate(self, root: Path, *, task: Task | None = None) -> ImageCheck:
        """Take another folder for the images, if all but skipped ones are there with the sizes on record.

        A copy has other times of modification, so those are taken from the new folder.

        Raises
        ------
        ProjectError
            If images are missing or of another size; nothing is changed then.
        """
        check = self.check(root, task=task)
        if check.missing or check.different:
            raise ProjectError(
                f"{root} does not hold the project's images: {_some(check.missing, 'missing')}"
                f"{' and ' if check.missing and check.different else ''}"
                f"{_some(check.different, 'of another size')}, out of {len(self.paths)}."
            )
        recorded = self.states(0, len(self.paths))
        states = {
            row: FileState.of(root / PurePosixPath(path))
            for row, path in enumerate(self.paths)
            if recorded[row] is not None
        }
        # One that was never reached stays without a state, so that it is still read when it can be.
        self.record_states({row: state for row, state in states.items() if state is not None})
        self.root = root
        return check


def record_unused_files(database: ProjectDatabase, files: Iterable[tuple[str, str]]) -> None:
    """Record the files (path, reason) that a new project passes over."""
    with database.transaction() as connection:
        connection.executemany("INSERT OR REPLACE INTO unused_files (path, reason) VALUES (?, ?)", files)


def _some(paths: Sequence[str], what: str) -> str:
    if not paths:
        return ""
    names = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
    return f"{len(paths)} are {what} ({names})"
