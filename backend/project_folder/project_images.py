"""The images of a project: which file is which row, which were skipped, which have changed since."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from backend.errors import ProjectError
from backend.image_files.image_address import image_file
from backend.project_folder.file_content import hashes_of_files
from backend.project_folder.file_state import FileState, states_of_files
from backend.project_folder.project_database import ProjectDatabase
from backend.task import SilentTask, Task

_HASHES_AT_ONCE = 1000


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
class ImageChanges:
    """Which images are others than those that were read.

    Attributes
    ----------
    changed
        Rows whose file has another size or time of modification than on record; where contents were compared,
        those whose content is another, or differs in time and has no hash on record.
    gone
        Rows whose file cannot be reached.
    n_compared
        Images whose content was compared.
    n_touched
        Of those the ones with another time of modification and the same content: they are not changed.
    """

    changed: tuple[int, ...]
    gone: tuple[int, ...]
    n_compared: int = 0
    n_touched: int = 0

    @property
    def rows(self) -> tuple[int, ...]:
        """Changed and gone ones, ascending."""
        return tuple(sorted((*self.changed, *self.gone)))


@dataclass(frozen=True)
class ImageHashes:
    """What recording the images' contents came to.

    Attributes
    ----------
    n_hashed
        Images whose hash was recorded now.
    n_known
        Images with a hash on record in all.
    n_left_out
        Images without one: never read, gone, or changed since they were read.
    """

    n_hashed: int
    n_known: int
    n_left_out: int


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
            state = FileState.of(f"{root}/{path}")
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
        found = self._database.query("SELECT label FROM images ORDER BY row")
        # One string for each class, not for each image.
        classes: dict[str | None, str | None] = {}
        return tuple(classes.setdefault(label, label) for (label,) in found)

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

    def excluded(self) -> frozenset[int]:
        """Return the rows of the images that a person took out of the analysis."""
        rows = self._database.query("SELECT row FROM images WHERE excluded")
        return frozenset(int(row) for (row,) in rows)

    def set_excluded(self, rows: Collection[int]) -> None:
        """Take exactly these images out of the analysis.

        Raises
        ------
        ProjectError
            If one is not a row of the project; nothing is changed then.
        """
        n_images = len(self.paths)
        # Not as NumPy's integers, which SQLite would take for bytes, equal to no row.
        wanted = [int(row) for row in rows]
        for row in wanted:
            if not 0 <= row < n_images:
                raise ProjectError(
                    f"There is no image {row} to exclude: the project's are 0 to {n_images - 1}."
                )
        with self._database.transaction() as connection:
            connection.execute("UPDATE images SET excluded = 0 WHERE excluded")
            connection.executemany("UPDATE images SET excluded = 1 WHERE row = ?", [(row,) for row in wanted])

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

    def changes(self, *, content: bool = False, task: Task | None = None) -> ImageChanges:
        """Compare the images' files with what is on record of them.

        Without ``content`` it looks at every file, but into none: about 25 µs an image on a local disk.

        Parameters
        ----------
        content
            Whether files with a hash on record are read and compared by that. The new times of files that
            are the same are recorded, unless the project is read-only.
        """
        task = task or SilentTask()
        recorded = self._database.query("SELECT row, size, mtime_ns, sha256 FROM images ORDER BY row")
        changed: list[int] = []
        gone: list[int] = []
        to_compare: dict[int, str] = {}
        states: dict[int, FileState] = {}
        known = {row: FileState(size, mtime_ns) for row, size, mtime_ns, _ in recorded if size is not None}
        hashes = {row: sha256 for row, _, _, sha256 in recorded if sha256 is not None}
        paths = {row: self.path(row) for row in known}
        for row, found in states_of_files(paths, "Checking the images", task):
            if found is None:
                gone.append(row)
            elif content and row in hashes:
                to_compare[row] = hashes[row]
                if found != known[row]:
                    states[row] = found
            elif found != known[row]:
                changed.append(row)
        others, unreadable = self._compare(to_compare, task)
        touched = {row: state for row, state in states.items() if row not in others | unreadable}
        if not self._database.read_only:
            self.record_states(touched)
        return ImageChanges(
            changed=tuple(sorted((*changed, *others))),
            gone=tuple(sorted((*gone, *unreadable))),
            n_compared=len(to_compare) - len(unreadable),
            n_touched=len(touched),
        )

    def _compare(self, expected: Mapping[int, str], task: Task) -> tuple[set[int], set[int]]:
        """Return the rows whose content is another than expected, and those that could not be read."""
        others: set[int] = set()
        unreadable: set[int] = set()
        files = {row: image_file(self.path(row)) for row in expected}
        for row, sha256 in hashes_of_files(files, "Comparing the images' content", task):
            if sha256 is None:
                unreadable.add(row)
            elif sha256 != expected[row]:
                others.add(row)
        return others, unreadable

    def hash_contents(self, *, task: Task | None = None) -> ImageHashes:
        """Record the content of every image that has no hash on record and is as it was when it was read.

        Hashes are recorded as they come: what a cancelled task has done is kept.
        """
        task = task or SilentTask()
        rows = self._database.query(
            "SELECT row, size, mtime_ns FROM images WHERE sha256 IS NULL AND size IS NOT NULL ORDER BY row"
        )
        states = {row: FileState(size, mtime_ns) for row, size, mtime_ns in rows}
        files = {row: image_file(self.path(row)) for row in states}
        n_hashed = 0
        found: dict[int, str] = {}
        for row, sha256 in hashes_of_files(files, "Recording the images' content", task):
            # Looked at after reading: a file that changed meanwhile has another time now.
            if sha256 is not None and FileState.of(files[row]) == states[row]:
                found[row] = sha256
            if len(found) >= _HASHES_AT_ONCE:
                n_hashed += self._record_hashes(found)
                found = {}
        n_hashed += self._record_hashes(found)
        ((n_known,),) = self._database.query("SELECT count(sha256) FROM images")
        return ImageHashes(n_hashed, n_known, len(self.paths) - n_known)

    def settle_by_content(
        self, states: Mapping[int, FileState], *, task: Task | None = None
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Compare images of other times of modification by content, where their hash is on record.

        Parameters
        ----------
        states
            Row → present state of the image's file. That of images with the same content is recorded.

        Returns
        -------
        same, others : frozenset of int
            Rows with the content on record, and with another one. The rest has no hash on record.
        """
        known = self._database.query("SELECT row, sha256 FROM images WHERE sha256 IS NOT NULL")
        expected = {row: sha256 for row, sha256 in known if row in states}
        different, unreadable = self._compare(expected, task or SilentTask())
        others = frozenset(different | unreadable)
        same = frozenset(expected.keys() - others)
        self.record_states({row: states[row] for row in same})
        return same, others

    def _record_hashes(self, hashes: Mapping[int, str]) -> int:
        if hashes:
            with self._database.transaction() as connection:
                connection.executemany(
                    "UPDATE images SET sha256 = ? WHERE row = ?",
                    [(sha256, row) for row, sha256 in hashes.items()],
                )
        return len(hashes)

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

        A copy has other times of modification, so those are taken from the new folder, of files that have the
        size on record: an image that was skipped because it had changed stays a changed one.

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
        states = {}
        for row, (path, known) in enumerate(zip(self.paths, self.states(0, len(self.paths)), strict=True)):
            # One that was never reached stays without a state, so that it is still read when it can be.
            found = None if known is None else FileState.of(root / PurePosixPath(path))
            if known is not None and found is not None and found.size == known.size:
                states[row] = found
        self.record_states(states)
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
