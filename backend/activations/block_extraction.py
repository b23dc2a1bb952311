"""Blocks of images through the model: activations, and which images are skipped, for whoever writes them."""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from backend.activations.image_identity import is_readable
from backend.activations.inference import BatchActivations, BatchOfImages, Inference
from backend.errors import ExtractionError, ImageError
from backend.images import ImageUnreachableError
from backend.project_folder.file_state import FileState, is_folder

# Images looked at to tell a missing image from a missing folder.
_SAMPLE: Final = 32


class ImagesOnRecord(Protocol):
    """What extraction asks about a project's images: its table of images, or what another process knows."""

    @property
    def root(self) -> Path:
        """The folder that paths start from."""

    @property
    def paths(self) -> Sequence[str]:
        """Relative paths by row."""

    def path(self, row: int) -> Path:
        """Return where the image of a row is."""

    def states(self, start: int, stop: int) -> Sequence[FileState | None]:
        """Return the recorded states of the images ``start`` to ``stop``; None where never read."""


@dataclass(frozen=True)
class WantedBlock:
    """Rows that lack activations, and the layers that lack them."""

    rows: range
    layers: tuple[str, ...]


@dataclass(frozen=True)
class ExtractedBlock:
    """What came of a block of images.

    Attributes
    ----------
    wanted
        The block.
    activations
        Layer → float32 (images, d); rows of skipped images are NaN.
    skipped
        Row → why its image is skipped from now on.
    states
        Row → state of the image's file, where another than that on record was read; None where the file
        could not be reached, so that it counts as unread.
    """

    wanted: WantedBlock
    activations: Mapping[str, NDArray[np.float32]]
    skipped: Mapping[int, str]
    states: Mapping[int, FileState | None]


class BlockReader:
    """Runs blocks of images through a model.

    Parameters
    ----------
    inference : Inference
        The model.
    images : ImagesOnRecord
        Where the images are, and what is known of them.
    skipped : iterable of int
        Rows of images that were skipped before and stay so; they are not looked at.
    recorded_starts : container of int
        First rows of the blocks that some layer has: their images must be those that were read then.
    after_batch : callable
        Is called with the number of images after every batch; an exception of it ends the reading.
    """

    def __init__(
        self,
        inference: Inference,
        images: ImagesOnRecord,
        skipped: Iterable[int],
        recorded_starts: Container[int],
        after_batch: Callable[[int], None],
    ) -> None:
        self._inference = inference
        self._images = images
        self._skipped = set(skipped)
        self._recorded_starts = recorded_starts
        self._after_batch = after_batch

    def read(self, wanted: Sequence[WantedBlock]) -> Generator[ExtractedBlock, None, None]:
        """Yield the blocks in their order; closing the generator ends the work on those to come.

        Raises
        ------
        ModelError
            If the model fails.
        ExtractionError
            If the images folder is gone.
        """
        results = self._inference.read(
            self._batches(wanted), self._images.path, passed_over=frozenset(self._skipped)
        )
        with closing(results):
            for block in wanted:
                yield self._block(block, results)

    def _batches(self, wanted: Sequence[WantedBlock]) -> Iterator[BatchOfImages]:
        """Cut blocks into batches, always the same way: a value's last digits may depend on its batch."""
        size = self._inference.batch_size
        for block in wanted:
            for first in range(0, len(block.rows), size):
                yield BatchOfImages(block.rows[first : first + size], block.layers)

    def _block(self, wanted: WantedBlock, results: Iterator[BatchActivations]) -> ExtractedBlock:
        rows = wanted.rows
        activations = {
            layer: np.full((len(rows), self._inference.n_neurons[layer]), np.nan, np.float32)
            for layer in wanted.layers
        }
        failures: dict[int, ImageError] = {}
        states: dict[int, FileState | None] = {}
        n_read = 0
        while n_read < len(rows):
            result = next(results)
            n_new = len(result.batch.rows)
            for layer, values in result.activations.items():
                activations[layer][n_read : n_read + n_new] = values
            failures.update(result.failures)
            states.update(result.states)
            n_read += n_new
            self._after_batch(n_new)
        skipped = self._reasons_to_skip(rows, failures, states, activations)
        for values in activations.values():
            values[[row - rows.start for row in rows if row in self._skipped or row in skipped]] = np.nan
        self._skipped.update(skipped)
        return ExtractedBlock(wanted, activations, skipped, states)

    def _reasons_to_skip(
        self,
        rows: range,
        failures: Mapping[int, ImageError],
        states: dict[int, FileState | None],
        activations: Mapping[str, NDArray[np.float32]],
    ) -> dict[int, str]:
        """Return the rows that get NaN, with the reason; leave in ``states`` those to record."""
        if any(_is_unreachable(error) for error in failures.values()):
            require_images_folder(self._images)
        skipped = {row: str(error) for row, error in failures.items()}
        known = dict(zip(rows, self._images.states(rows.start, rows.stop), strict=True))
        for row, state in tuple(states.items()):
            if state == known[row]:
                del states[row]
            elif rows.start in self._recorded_starts and known[row] is not None:
                del states[row]
                skipped.setdefault(
                    row, f"The image '{self._images.path(row)}' was changed after it was first read."
                )
        # Without a state on record: they were not read, and a later extraction tries again.
        states.update((row, None) for row, error in failures.items() if _is_unreachable(error))
        for values in activations.values():
            for place in np.flatnonzero(~np.isfinite(values).all(axis=1)):
                if rows[place] not in self._skipped:
                    skipped.setdefault(rows[place], "The model's output for this image is not finite.")
        return skipped


def require_images_folder(images: ImagesOnRecord) -> None:
    """Make sure that it is not the whole folder that is gone (a drive unplugged, a share disconnected).

    Raises
    ------
    ExtractionError
        If it is.
    """
    n_images = len(images.paths)
    sample = range(0, n_images, max(1, n_images // _SAMPLE))
    n_gone = sum(not is_readable(images.path(row)) for row in sample)
    if not is_folder(images.root) or 2 * n_gone > len(sample):
        raise ExtractionError(
            f"The images folder {images.root} cannot be read: connect its drive, or say where it is now "
            "(--images DIR, or “Locate the images…” in the window), and continue. Everything extracted so "
            "far is kept."
        )


def _is_unreachable(error: ImageError) -> bool:
    return isinstance(error, ImageUnreachableError)
