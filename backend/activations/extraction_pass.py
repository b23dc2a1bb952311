"""One pass of a project's images through the model, for layers that lack some or all of their blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from backend.activations.block_extraction import BlockReader, ExtractedBlock, WantedBlock
from backend.activations.extraction_progress import ProgressMeter
from backend.activations.inference import Inference
from backend.activations.layer_extraction import LayerExtraction
from backend.activations.store import activation_bytes, require_free_space
from backend.models import choose_poolings
from backend.project_folder.layer_binding import LayerBinding
from backend.task import Task

if TYPE_CHECKING:
    import torch

    from backend.networks.loaded_model import LoadedModel
    from backend.networks.model_source import Pooling, Precision
    from backend.project import Project


@dataclass(frozen=True)
class PassOptions:
    """How a pass computes.

    Attributes
    ----------
    pooling
        Layer → pooling; for those that are not in it the default of their output.
    precision
        Of the model's arithmetic.
    n_workers
        Threads that decode images and run the model; None: one for each processor core.
    device
        Where the model runs; None: on a CUDA or MPS device if there is one.
    """

    pooling: Mapping[str, Pooling]
    precision: Precision
    n_workers: int | None = None
    device: torch.device | None = None


class ExtractionPass:
    """One pass over the images, for layers that lack some or all of their blocks."""

    def __init__(
        self,
        project: Project,
        loaded: LoadedModel,
        names: Sequence[str],
        options: PassOptions,
        stack: ExitStack,
        task: Task,
    ) -> None:
        self._project = project
        self._task = task
        task.progress(0, project.n_images, "Preparing the model")
        poolings = choose_poolings(loaded, names, options.pooling)
        self._inference = Inference(
            loaded, names, poolings, options.n_workers, options.precision, options.device
        )
        _require_space(project, self._inference.n_neurons)
        project.bind_model(loaded.weights_sha256, loaded.preprocessing, loaded.class_names)
        self._layers = []
        for name in names:
            binding = LayerBinding(
                loaded.weights_sha256, loaded.preprocessing, poolings[name], options.precision
            )
            layer = LayerExtraction(project, name, self._inference.n_neurons[name], binding)
            stack.callback(layer.close)
            self._layers.append(layer)
        self._progress = ProgressMeter(task, project.n_images, ", ".join(names))
        n_images, rows = project.n_images, project.block_rows
        self._blocks = [range(start, min(start + rows, n_images)) for start in range(0, n_images, rows)]

    def run(self) -> int:
        """Complete the layers; return how many images went through the model."""
        wanted = self._verify()
        with closing(self._reader.read(wanted)) as results:
            for block in self._blocks:
                self._task.check_cancelled()
                lacking = self._lacking(block)
                for layer in self._layers:
                    if layer.name not in lacking:
                        layer.take_stored(block.start)
                if lacking:
                    self._keep(next(results))
        for layer in self._layers:
            layer.finish()
        return sum(len(block.rows) for block in wanted)

    def _verify(self) -> list[WantedBlock]:
        """Compare what is on disk with its checksums, and return what lacks."""
        for layer in self._layers:
            layer.verify(self._task)
        wanted = self._wanted_blocks()
        self._begin_progress(wanted)
        self._reader = BlockReader(
            self._inference,
            self._project.images,
            (image.row for image in self._project.skipped_images()),
            self._project.extracted_layers.recorded_starts(),
            self._after_batch,
        )
        return wanted

    def _begin_progress(self, wanted: Sequence[WantedBlock]) -> None:
        self._progress.begin(self._project.n_images - sum(len(block.rows) for block in wanted))

    def _wanted_blocks(self) -> list[WantedBlock]:
        return [WantedBlock(block, names) for block in self._blocks if (names := self._lacking(block))]

    def _lacking(self, block: range) -> tuple[str, ...]:
        return tuple(layer.name for layer in self._layers if not layer.has(block.start))

    def _after_batch(self, n_images: int) -> None:
        self._progress.advance(n_images)
        self._task.check_cancelled()

    def _keep(self, block: ExtractedBlock) -> None:
        """Put a block of activations on disk, and then on record."""
        rows = block.wanted.rows
        crc32 = {
            layer.name: self._write(layer, rows.start, block.activations[layer.name])
            for layer in self._layers
            if layer.name in block.activations
        }
        self._project.extracted_layers.record_block(rows.start, rows.stop, crc32, block.skipped, block.states)
        self._progress.add_skipped(len(block.skipped))

    def _write(self, layer: LayerExtraction, start: int, activations: NDArray[np.float32]) -> int:
        return layer.write(start, activations)


def _require_space(project: Project, widths: Mapping[str, int]) -> None:
    done = {record.name: record.n_done for record in project.layers}
    needed = sum(activation_bytes(project.n_images - done.get(name, 0), d) for name, d in widths.items())
    require_free_space(project.path, needed)
