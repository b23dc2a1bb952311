"""What rank 0 lets the others know: the blocks of each, the layers, the images. They open no database."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from backend.errors import ExtractionError
from backend.networks.model_source import ModelSource, Pooling, Precision, Preprocessing
from backend.project_folder.file_state import FileState

if TYPE_CHECKING:
    from backend.project_folder.project_inputs import ProjectInputs

PLAN_FILE: Final = "plan.json"
_IMAGES_FILE: Final = "images.npz"
_NEVER_READ: Final = -1
_STATES_AT_ONCE: Final = 10_000


@dataclass(frozen=True)
class PlannedLayer:
    """A layer to extract: its file in the project's folder of activations, its width, how it is computed."""

    name: str
    file: str
    n_neurons: int
    pooling: Pooling


@dataclass(frozen=True)
class PlannedBlock:
    """Rows ``start`` to ``stop`` (exclusive) that a rank computes for the layers that lack them.

    ``recorded`` says whether another layer has them already, so that their images must be those read then.
    """

    rank: int
    start: int
    stop: int
    layers: tuple[str, ...]
    recorded: bool


@dataclass(frozen=True)
class RankPlan:
    """What is computed in a run, by whom.

    Attributes
    ----------
    run
        Names the run; the project's database remembers it too while the run lasts.
    round
        Number of the plan within the run, from 1: layers of different precisions are computed one after the
        other.
    members
        Rank → the name that its process drew.
    source, weights_sha256, preprocessing
        The model.
    precision, device_type, batch_size
        How it computes: with another of these, last digits would differ between ranks.
    layers, blocks
        What is computed.
    images_root
        The folder that the images' paths start from.
    """

    run: str
    round: int
    members: Mapping[int, str]
    source: ModelSource
    weights_sha256: str
    preprocessing: Preprocessing
    precision: Precision
    device_type: str
    batch_size: int
    layers: tuple[PlannedLayer, ...]
    blocks: tuple[PlannedBlock, ...]
    images_root: str

    def blocks_of(self, rank: int) -> tuple[PlannedBlock, ...]:
        """Return the blocks that a rank computes."""
        return tuple(block for block in self.blocks if block.rank == rank)

    def write(self, folder: Path) -> None:
        """Publish the plan in the folder where the ranks meet; the images are there by then."""
        numbers = {layer.name: number for number, layer in enumerate(self.layers)}
        values = {
            "run": self.run,
            "round": self.round,
            "members": {str(rank): name for rank, name in self.members.items()},
            "source": self.source.to_dict(),
            "weights_sha256": self.weights_sha256,
            "preprocessing": self.preprocessing.to_dict(),
            "precision": self.precision,
            "device_type": self.device_type,
            "batch_size": self.batch_size,
            "layers": [asdict(layer) for layer in self.layers],
            "blocks": [
                [
                    block.rank,
                    block.start,
                    block.stop,
                    [numbers[name] for name in block.layers],
                    block.recorded,
                ]
                for block in self.blocks
            ],
            "images_root": self.images_root,
        }
        _write_whole(folder / PLAN_FILE, json.dumps(values).encode())

    @classmethod
    def read(cls, folder: Path) -> RankPlan | None:
        """Read the plan; None if there is none, or none that can be read now."""
        try:
            return cls._from_values(json.loads((folder / PLAN_FILE).read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
            return None

    @classmethod
    def _from_values(cls, values: Any) -> RankPlan:
        layers = tuple(PlannedLayer(**layer) for layer in values["layers"])
        return cls(
            run=str(values["run"]),
            round=int(values["round"]),
            members={int(rank): str(name) for rank, name in values["members"].items()},
            source=ModelSource.from_dict(values["source"]),
            weights_sha256=str(values["weights_sha256"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            precision=values["precision"],
            device_type=str(values["device_type"]),
            batch_size=int(values["batch_size"]),
            layers=layers,
            blocks=tuple(
                PlannedBlock(
                    int(rank), int(start), int(stop), tuple(layers[n].name for n in numbers), bool(recorded)
                )
                for rank, start, stop, numbers, recorded in values["blocks"]
            ),
            images_root=str(values["images_root"]),
        )


class PlannedImages:
    """The images of a project as rank 0 described them.

    Parameters
    ----------
    folder : Path
        Where the ranks meet.
    root : Path
        The folder of the images.

    Raises
    ------
    ExtractionError
        If the description cannot be read.

    Attributes
    ----------
    root : Path
        The folder of the images.
    paths : sequence of str
        Relative paths by row.
    skipped : frozenset of int
        Rows of images that stay skipped.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        file = folder / _IMAGES_FILE
        self.root = root
        try:
            with np.load(file, allow_pickle=False) as arrays:
                self._sizes: NDArray[np.int64] = arrays["sizes"]
                self._times: NDArray[np.int64] = arrays["mtimes_ns"]
                self.paths: Sequence[str] = arrays["paths"].tobytes().decode().split("\0")
                self.skipped = frozenset(arrays["skipped"].tolist())
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise ExtractionError(f"The list of images {file} cannot be read: {error}.") from error

    @staticmethod
    def write(folder: Path, project: ProjectInputs) -> None:
        """Describe the images of a project for the other ranks."""
        states = np.concatenate([_as_array(chunk) for chunk in _states(project)])
        paths = np.frombuffer("\0".join(project.image_paths).encode(), np.uint8)
        skipped = np.array([image.row for image in project.skipped_images()], np.int64)
        temporary = folder / f"{_IMAGES_FILE}.part"
        with temporary.open("wb") as file:
            np.savez(file, paths=paths, sizes=states[:, 0], mtimes_ns=states[:, 1], skipped=skipped)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / _IMAGES_FILE)

    def path(self, row: int) -> Path:
        """Return where the image of a row is."""
        return self.root / PurePosixPath(self.paths[row])

    def states(self, start: int, stop: int) -> tuple[FileState | None, ...]:
        """Return the recorded states of the images ``start`` to ``stop``; None where never read."""
        pairs = zip(self._sizes[start:stop].tolist(), self._times[start:stop].tolist(), strict=True)
        return tuple(None if size == _NEVER_READ else FileState(size, time) for size, time in pairs)


def _states(project: ProjectInputs) -> Iterator[tuple[FileState | None, ...]]:
    for start in range(0, project.n_images, _STATES_AT_ONCE):
        yield project.images.states(start, start + _STATES_AT_ONCE)


def _as_array(states: tuple[FileState | None, ...]) -> NDArray[np.int64]:
    pairs = [(state.size, state.mtime_ns) if state else (_NEVER_READ, _NEVER_READ) for state in states]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
