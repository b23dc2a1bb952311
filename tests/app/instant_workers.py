"""Stand-ins for what takes long and is tested elsewhere: the embedding's process, and Lucent."""

import numpy as np

from backend.evaluation.embedding_result import Embedding
from backend.visualization.visualization_result import FeatureVisualization


class InstantProcess:
    """Stands in for the process of the embedding tab, whose start would take seconds."""

    def embed(self, vectors, method, seed, settings, task):
        task.check_cancelled()
        places = np.random.default_rng(seed).normal(size=(len(vectors), 2)).astype(np.float32)
        return Embedding(method, seed, settings, places)

    def close(self):
        """There is nothing to end."""


def instant_rendering(models, source, allow_code, layer, directions, settings, pooling, task):
    """Stand in for Lucent, and for the weights of a large network."""
    k, steps = len(directions), settings.steps
    images = np.full((k, 16, 16, 3), 90, dtype=np.uint8)
    keys = tuple(direction.key for direction in directions)
    result = FeatureVisualization(
        layer, keys, settings, images, np.zeros((k, steps), np.float32), steps, steps
    )
    task.partial(result)
    task.check_cancelled()
    return result
