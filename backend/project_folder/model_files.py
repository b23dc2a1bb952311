"""The files that a project's network was loaded from, and whether they are still the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from backend.errors import ProjectError
from backend.networks.model_source import ModelSource
from backend.project_folder.file_content import file_sha256
from backend.project_folder.file_state import FileState
from backend.task import Task

ModelFileKind = Literal["weights", "python"]
FileChange = Literal["changed", "touched", "gone"]

CHEAP_BYTES = 512 << 20
"""A file up to this size is read again unasked where its time of modification is another: about a second."""


@dataclass(frozen=True)
class ModelFile:
    """A file as it was when the project's activations were computed with it.

    Attributes
    ----------
    kind
        ``weights``, or the ``python`` file that makes the network.
    path
        Where it was.
    size, mtime_ns
        Bytes, and time of modification (nanoseconds since 1970).
    sha256
        Of its bytes.
    """

    kind: ModelFileKind
    path: str
    size: int
    mtime_ns: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values that :meth:`from_dict` reads."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelFile:
        """Build from what :meth:`to_dict` returned; unknown keys are ignored.

        Raises
        ------
        ProjectError
            If a value is missing.
        """
        missing = [name for name in cls.__dataclass_fields__ if name not in values]
        if missing:
            raise ProjectError(f"The project's record of a file of the model has no '{missing[0]}'.")
        return cls(**{name: values[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class ModelFileChange:
    """A file of the network that is not as it was.

    Attributes
    ----------
    kind, path
        As in :class:`ModelFile`.
    change
        ``changed``: it has another content. ``touched``: it has the same size and another time of
        modification, and was not read, because it is large. ``gone``: it cannot be reached.
    """

    kind: ModelFileKind
    path: str
    change: FileChange

    @property
    def sentence(self) -> str:
        """What happened to the file."""
        if self.change == "gone":
            return f"The {self.title} is not there at present."
        if self.change == "touched":
            return (
                f"The {self.title} may have been changed since the activations were computed: it has another "
                "time of modification, and its content has not been compared."
            )
        return f"The {self.title} was changed since the activations were computed."

    @property
    def title(self) -> str:
        """What it is, with its name: "weights file net.pth"."""
        return f"{'weights file' if self.kind == 'weights' else 'Python file'} {Path(self.path).name}"


def files_of(source: ModelSource) -> tuple[tuple[ModelFileKind, Path], ...]:
    """Return the files that loading a model reads; none for published weights."""
    files: list[tuple[ModelFileKind, Path]] = []
    if source.python_file is not None:
        files.append(("python", source.python_file.expanduser().absolute()))
    if source.weights is not None and Path(source.weights).suffix:
        files.append(("weights", Path(source.weights).expanduser().absolute()))
    return tuple(files)


def read_model_files(source: ModelSource, known: Iterable[ModelFile] = ()) -> tuple[ModelFile, ...]:
    """Return what the files of a model hold now; without those that cannot be read.

    A file of the size and time of one in ``known`` is taken for that, and not read again.
    """
    by_path = {file.path: file for file in known}
    found = []
    for kind, path in files_of(source):
        state, before = FileState.of(path), by_path.get(str(path))
        if state is None:
            continue
        if before is not None and FileState(before.size, before.mtime_ns) == state:
            found.append(before)
        elif (sha256 := file_sha256(path)) is not None:
            found.append(ModelFile(kind, str(path), state.size, state.mtime_ns, sha256))
    return tuple(found)


def changes_of(
    known: Iterable[ModelFile], *, content: bool = False, task: Task | None = None
) -> tuple[ModelFileChange, ...]:
    """Compare files with what is on record of them.

    Parameters
    ----------
    known
        What is on record.
    content
        Whether every file is read. Else only one of another time of modification is, and only up to
        :data:`CHEAP_BYTES`.
    """
    found = []
    for file in known:
        change = _change(file, content, task)
        if change is not None:
            found.append(ModelFileChange(file.kind, file.path, change))
    return tuple(found)


def newer_files(
    source: ModelSource, moment: float, known: Iterable[ModelFile]
) -> tuple[ModelFileChange, ...]:
    """Return the files of a model that nothing is on record of and that were written after a moment.

    Parameters
    ----------
    source
        The model.
    moment
        When activations were first computed with it, in seconds since 1970.
    known
        The files with a record.
    """
    recorded = {file.path for file in known}
    found = []
    for kind, path in files_of(source):
        state = FileState.of(path)
        if str(path) not in recorded and state is not None and state.mtime_ns > moment * 1e9:
            found.append(ModelFileChange(kind, str(path), "touched"))
    return tuple(found)


def _change(file: ModelFile, content: bool, task: Task | None) -> FileChange | None:
    state = FileState.of(Path(file.path))
    if state is None:
        return "gone"
    if state.size != file.size:
        return "changed"
    if state.mtime_ns == file.mtime_ns and not content:
        return None
    if state.size > CHEAP_BYTES and not content:
        return "touched"
    sha256 = file_sha256(Path(file.path), task)
    if sha256 is None:
        return "gone"
    return None if sha256 == file.sha256 else "changed"
