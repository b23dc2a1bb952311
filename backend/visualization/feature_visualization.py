"""Feature visualisation with Lucent: pictures that show what a neuron or a direction of a layer looks for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from backend.errors import ModelError, ParameterError
from backend.networks.batch_norm_fusion import prepare_for_inference
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import Pooling
from backend.task import SilentTask, Task
from backend.visualization.image_parameterization import ImageFunction, image_parameterization
from backend.visualization.lucent_import import render_vis
from backend.visualization.objectives import BatchObjective
from backend.visualization.truncated_network import TARGET, TruncatedNetwork
from backend.visualization.view_transforms import Transform, normalise_by, random_view, resize_to
from backend.visualization.visualization_result import Direction, FeatureVisualization, VisualizationSettings

_SECONDS_BETWEEN_PREVIEWS = 0.5


def visualize(
    loaded: LoadedModel,
    layer: str,
    directions: Sequence[Direction],
    settings: VisualizationSettings | None = None,
    *,
    pooling: Pooling | None = None,
    task: Task | None = None,
) -> FeatureVisualization:
    """Render directions of a layer, all in one batch (paper, Fig. 3).

    Lucent optimises; the network ends at the layer, in channels_last, its parameters frozen, with the model's
    own normalisation and input size. The model is left as it was, without hooks, and no global random state
    is read or changed. A picture depends on its direction and the settings alone, not on its neighbours.

    Parameters
    ----------
    loaded
        The model; it is rendered on the device that its parameters are on.
    layer
        Name of the layer whose pooled activations hold the directions.
    directions
        At least one, with keys that differ.
    settings
        Default: :class:`VisualizationSettings` as it is.
    pooling
        How the layer's activations were pooled; default as for extraction.
    task
        Gets a :class:`FeatureVisualization` as partial result at the first step and then at least every
        second (or every step, if one takes longer), and the steps as progress; cancelling stops within one.

    Raises
    ------
    ParameterError
        If a direction does not belong to the layer, or there is none.
    ModelError
        If the layer does not exist or has no channels, or the model cannot run or be differentiated.
    Cancelled
        If the task was cancelled.
    """
    settings = settings or VisualizationSettings()
    _require_distinct(directions)
    task = task or SilentTask()
    task.check_cancelled()
    with torch.inference_mode(False), torch.enable_grad():
        network = TruncatedNetwork(prepare_for_inference(loaded, (layer,)), layer, pooling)
        with network.attached():
            return _Rendering(loaded, network, layer, tuple(directions), settings, pooling, task).run()


class _Rendering:
    """One run of Lucent: what it is given, and what it reports at each step."""

    def __init__(
        self,
        loaded: LoadedModel,
        network: TruncatedNetwork,
        layer: str,
        directions: tuple[Direction, ...],
        settings: VisualizationSettings,
        pooling: Pooling | None,
        task: Task,
    ) -> None:
        self._preprocessing = loaded.preprocessing
        self._device = next((one.device for one in loaded.module.parameters()), torch.device("cpu"))
        self._network = network
        self._layer = layer
        self._directions = directions
        self._settings = settings
        self._pooling = pooling
        self._task = task
        self._history: list[torch.Tensor] = []
        self._objective: BatchObjective | None = None
        self._image: ImageFunction | None = None
        self._last_preview = -float("inf")

    def run(self) -> FeatureVisualization:
        """Optimise to the last step and return the pictures."""
        settings = self._settings
        try:
            pictures = render_vis(
                self._network,
                self._loss,
                param_f=self._start,
                optimizer=lambda parameters: torch.optim.Adam(parameters, lr=settings.learning_rate),
                transforms=self._transforms(),
                thresholds=(settings.steps,),
                preprocess=False,
                progress=False,
                show_image=False,
                fixed_image_size=self._preprocessing.input_size,
            )
        except RuntimeError as error:
            raise ModelError(f"The model cannot be differentiated up to {self._layer}: {error}") from error
        if len(self._history) < settings.steps:
            # Lucent ends quietly at Ctrl-C; whoever pressed it meant the program.
            raise KeyboardInterrupt
        images = _as_rgb(torch.from_numpy(pictures[-1]).permute(0, 3, 1, 2))
        self._task.progress(settings.steps, settings.steps, "Feature visualisation")
        return self._result(images, self._projections(images))

    def _start(self) -> tuple[list[torch.Tensor], ImageFunction]:
        settings = self._settings
        parameters, self._image = image_parameterization(
            settings.parameterization,
            len(self._directions),
            self._preprocessing.channels,
            settings.image_size or self._preprocessing.input_size,
            seed=settings.seed,
            device=self._device,
        )()
        return parameters, self._image

    def _transforms(self) -> list[Transform]:
        size = self._preprocessing.input_size
        view = random_view(size, self._settings.seed) if self._settings.transforms else resize_to(size)
        return [self._stop_if_cancelled, view, self._normalise()]

    def _normalise(self) -> Transform:
        return normalise_by(self._preprocessing.mean, self._preprocessing.std, self._device)

    def _stop_if_cancelled(self, images: torch.Tensor) -> torch.Tensor:
        self._task.check_cancelled()
        return images

    def _loss(self, read_layer: Callable[[str], torch.Tensor]) -> torch.Tensor:
        """Lucent's objective: called once a step, after the forward pass."""
        activations = read_layer(TARGET)
        objective = self._objective_for(activations.shape[1])
        values = objective(activations)
        self._network.asleep = objective.asleep(activations)
        self._report(values.detach().cpu())
        return -values.sum()

    def _objective_for(self, n_neurons: int) -> BatchObjective:
        if self._objective is None:
            self._objective = BatchObjective(
                self._directions, n_neurons, self._settings, self._device, self._pooling
            )
        return self._objective

    def _report(self, values: torch.Tensor) -> None:
        if not bool(torch.isfinite(values).all()):
            raise ModelError(
                f"The model gave numbers that are not finite at {self._layer} while it was rendered: a "
                "smaller learning rate may help."
            )
        self._history.append(values)
        self._task.check_cancelled()
        self._task.progress(len(self._history) - 1, self._settings.steps, "Feature visualisation")
        now = time.monotonic()
        if now - self._last_preview >= _SECONDS_BETWEEN_PREVIEWS and self._image is not None:
            self._last_preview = now
            self._task.partial(self._result(_as_rgb(self._image().detach())))

    def _result(
        self, images: NDArray[np.uint8], projections: NDArray[np.float32] | None = None
    ) -> FeatureVisualization:
        finished = projections is not None
        return FeatureVisualization(
            layer=self._layer,
            keys=tuple(one.key for one in self._directions),
            settings=self._settings,
            images=images,
            objective=torch.stack(self._history, dim=1).numpy(),
            # A preview shows the picture as it was before its latest step.
            step=len(self._history) if finished else len(self._history) - 1,
            n_steps=self._settings.steps,
            projections=projections,
        )

    def _projections(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return (k, k): the finished picture i, as the model sees any image, projected on direction j."""
        pixels = torch.from_numpy(images[..., : self._preprocessing.channels]).to(self._device)
        batch = pixels.permute(0, 3, 1, 2).float() / 255
        for transform in (resize_to(self._preprocessing.input_size), self._normalise()):
            batch = transform(batch)
        with torch.no_grad():
            activations = self._network(batch)
            return self._objective_for(activations.shape[1]).projections(activations).cpu().numpy()


def _require_distinct(directions: Sequence[Direction]) -> None:
    keys = [one.key for one in directions]
    if not keys:
        raise ParameterError("Feature visualisation needs at least one direction.")
    if len(set(keys)) < len(keys):
        raise ParameterError("Two directions of one feature visualisation have the same key.")


def _as_rgb(images: torch.Tensor) -> NDArray[np.uint8]:
    """Return uint8 (k, H, W, 3) of values between 0 and 1 in one or three channels."""
    rgb = images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
    levels = (rgb.clamp(0, 1) * 255).round().to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
