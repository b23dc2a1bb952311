"""The job behind the embedding tab."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.jobs.embedding_process import EmbeddingProcess
from backend.activations.row_stream import gather_rows
from backend.evaluation.embedding import embed
from backend.evaluation.embedding_result import Embedding, EmbeddingMethod, EmbeddingSettings
from backend.method.parameters import Metric
from backend.task import Task


@dataclass(frozen=True)
class EmbeddingKey:
    """What a picture depends on: two that are equal look the same.

    Attributes
    ----------
    layer : str
    images : tuple of int
        Rows of the activation array, in the order of the points.
    metric : str
        With ``cosine``, vectors are scaled to norm 1 first, as for the clustering.
    method, seed, settings
        As for :func:`backend.evaluation.embedding.embed`.
    """

    layer: str
    images: tuple[int, ...]
    metric: Metric
    method: EmbeddingMethod
    seed: int
    settings: EmbeddingSettings

    def with_pca(self) -> EmbeddingKey:
        """Return the key of the picture that is shown while this one is prepared."""
        return replace(self, method="pca", seed=0, settings=EmbeddingSettings())


@dataclass(frozen=True)
class EmbeddedImages:
    """A picture and what it depends on."""

    key: EmbeddingKey
    embedding: Embedding


def embed_images(
    process: EmbeddingProcess, activations: NDArray[np.float32], key: EmbeddingKey, has_pca: bool, task: Task
) -> EmbeddedImages:
    """Put images into a plane; unless it ``has_pca`` already, PCA comes first, as a partial result."""
    task.check_cancelled()
    vectors = vectors_of(activations, key)
    if key.method == "pca":
        return EmbeddedImages(key, embed(vectors, "pca", key.seed, key.settings))
    if not has_pca:
        pca = key.with_pca()
        task.partial(EmbeddedImages(pca, embed(vectors, "pca", pca.seed, pca.settings)))
    task.check_cancelled()
    return EmbeddedImages(key, process.embed(vectors, key.method, key.seed, key.settings, task))


def vectors_of(activations: NDArray[np.float32], key: EmbeddingKey) -> NDArray[np.float32]:
    """Return float32 (N, d): the activations of a picture's images as its metric asks for them."""
    vectors = gather_rows(activations, np.array(key.images, np.int64))
    if key.metric == "euclidean":
        return vectors
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    return units
