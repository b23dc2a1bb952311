"""The job behind the feature visualisation tab."""

from __future__ import annotations

from collections.abc import Sequence

from app.model_cache import ModelCache
from backend.networks.model_source import ModelSource, Pooling
from backend.task import Task
from backend.visualization.visualization_result import (
    Direction,
    FeatureVisualization,
    VisualizationSettings,
)


def visualise(
    models: ModelCache,
    source: ModelSource,
    allow_code: bool,
    layer: str,
    directions: Sequence[Direction],
    settings: VisualizationSettings,
    pooling: Pooling,
    task: Task,
) -> FeatureVisualization:
    """Load the network and render the directions; pictures on their way come as partial results."""
    task.progress(0, 0, "Loading the network")
    loaded = models.load(source, allow_code=allow_code, task=task)
    task.check_cancelled()
    from backend.visualization.feature_visualization import visualize

    return visualize(loaded, layer, directions, settings, pooling=pooling, task=task)
