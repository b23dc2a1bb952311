"""A neuron's images as points of a plane, by PCA, t-SNE or UMAP (paper, section 3 and Fig. 2)."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController, threadpool_limits

from backend.errors import EmbeddingError, ParameterError
from backend.evaluation.embedding_result import (
    HIGHEST_SEED,
    METHOD_NAMES,
    Embedding,
    EmbeddingMethod,
    EmbeddingSettings,
)
from backend.parameter_checks import require_one_of, require_whole
from backend.thread_pools import search_without_locks

FEWEST_IMAGES = 4
"""With fewer, PCA is exact: three points always lie in a plane."""

_ROUNDING = 1e-6
"""Differences below this share of the largest activation are rounding errors of float32."""

_Plane = NDArray[np.float64]


def embed(
    vectors: NDArray[np.floating],
    method: EmbeddingMethod,
    seed: int = 0,
    settings: EmbeddingSettings | None = None,
) -> Embedding:
    """Put images into a plane so that like ones are near each other.

    The same input gives the same output. t-SNE and UMAP leave open how their picture is turned: it is turned
    (and mirrored) onto that of PCA, which keeps all its distances. Neither NumPy's global random state nor
    the number of threads of any library is changed.

    Parameters
    ----------
    vectors
        float (N, d): activations of the images, N at least 1, all finite. Distances are Euclidean: scale the
        vectors to norm 1 for cosines.
    method
        ``pca``, ``tsne`` (scikit-learn) or ``umap`` (umap-learn, whose first use in a process takes seconds:
        it is compiled then).
    seed
        Of the method's randomness, from 0 to 2³² − 1.
    settings
        Default: those of the libraries. More neighbours than there are images become as many as there are;
        the perplexity is at most (N − 1) / 3.

    Raises
    ------
    ParameterError
        If the vectors or a setting are out of range.
    EmbeddingError
        If umap-learn cannot be loaded, or a method finds no finite positions.
    """
    settings = settings or EmbeddingSettings()
    _check(vectors, method, seed)
    points = np.asarray(vectors, dtype=np.float64)
    n_points = len(points)
    with _blas_threads().limit(limits=1):  # small matrices: threads would only wait for each other
        plane, explained = _principal_plane(points)
    note = _special_case(points, method)
    if note or method == "pca":
        shares = explained if method == "pca" else None
        return Embedding(method, seed, settings, plane.astype(np.float32), shares, note)
    vectors = points.astype(np.float32)
    if method == "tsne":
        settings = replace(settings, perplexity=min(settings.perplexity, (n_points - 1) / 3))
        found = _tsne(vectors, plane, seed, settings)
    else:
        settings = replace(settings, n_neighbors=min(settings.n_neighbors, n_points - 1))
        found = _umap(vectors, seed, settings)
    if not np.isfinite(found).all():
        raise EmbeddingError(
            f"{METHOD_NAMES[method]} found no place for some of the {n_points} images: try another seed, "
            "another number of neighbours, or PCA."
        )
    return Embedding(method, seed, settings, turned_onto(found, plane).astype(np.float32))


def _check(vectors: NDArray[np.floating], method: str, seed: int) -> None:
    if vectors.ndim != 2:
        raise ParameterError(f"Vectors must have the shape images × neurons, not {vectors.shape}.")
    if not len(vectors):
        raise ParameterError("There are no images to put into a plane.")
    if not np.isfinite(vectors).all():
        raise ParameterError("Activations that are not finite cannot be put into a plane: leave them out.")
    require_one_of("The method of an embedding", method, tuple(METHOD_NAMES))
    require_whole("The seed", seed, 0, HIGHEST_SEED)


@cache
def _blas_threads() -> ThreadpoolController:
    """Find NumPy's thread pools once."""
    search_without_locks()
    return ThreadpoolController().select(user_api="blas")


def _special_case(points: _Plane, method: EmbeddingMethod) -> str:
    """Return a sentence where PCA is all that can be shown, else ""."""
    n_points = len(points)
    if n_points == 1:
        return "There is only one image."
    spread = float(np.ptp(points, axis=0).max())
    if spread <= _ROUNDING * float(np.abs(points).max()):
        return f"All {n_points} images have the same activations: they lie on one point."
    if n_points < FEWEST_IMAGES and method != "pca":
        return f"{METHOD_NAMES[method]} needs {FEWEST_IMAGES} images: the {n_points} here are shown by PCA."
    return ""


def _principal_plane(points: _Plane) -> tuple[_Plane, tuple[float, float]]:
    """Project on the two directions of largest variance.

    The singular value decomposition of the centred vectors, taken from the N × N (or d × d) matrix of their
    products: a tenth of the time for 1000 images, and the two largest components lose nothing by it. Of each
    axis the loading that is largest in magnitude is positive, as in scikit-learn.

    Returns
    -------
    plane
        float64 (N, 2).
    explained
        Share of the variance along each axis; 0 where there is no variance.
    """
    centred = points - points.mean(axis=0)
    n_points, d = centred.shape
    if d < n_points:
        variances, axes = np.linalg.eigh(centred.T @ centred)
        axes = axes[:, ::-1][:, :2]
    else:
        variances, weights = np.linalg.eigh(centred @ centred.T)
        axes = centred.T @ weights[:, ::-1][:, :2]
        lengths = np.linalg.norm(axes, axis=0)
        axes = np.divide(axes, lengths, out=np.zeros_like(axes), where=lengths > 0)
    variances = np.maximum(variances[::-1], 0)
    # What is left of a direction that does not exist (all points on a line) is rounding error.
    axes = axes * (variances[: axes.shape[1]] > np.finfo(np.float64).eps * n_points * variances[0])
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    plane = np.zeros((n_points, 2))
    plane[:, : axes.shape[1]] = centred @ axes
    total = float(variances.sum())
    shares = [float(v) / total if total > 0 else 0.0 for v in variances[:2]] + [0.0]
    return plane, (shares[0], shares[1])


def turned_onto(positions: _Plane, onto: _Plane) -> _Plane:
    """Turn and mirror a picture so that its points come as near as can be to those of another.

    Distances between points stay as they are (orthogonal Procrustes); the mean becomes the origin.

    Parameters
    ----------
    positions, onto
        float64 (N, 2).
    """
    centred = positions - positions.mean(axis=0)
    left, _, right = np.linalg.svd(centred.T @ (onto - onto.mean(axis=0)))
    turned: _Plane = centred @ (left @ right)
    return turned


def _tsne(vectors: NDArray[np.float32], plane: _Plane, seed: int, settings: EmbeddingSettings) -> _Plane:
    from sklearn.manifold import TSNE

    # Starts from PCA, as scikit-learn's own init="pca" does, which refuses vectors of one dimension.
    start = (1e-4 * plane / plane[:, 0].std()).astype(np.float32)
    tsne = TSNE(perplexity=settings.perplexity, init=start, random_state=seed)
    with threadpool_limits(1):  # threads add up forces in the order in which they happen to finish
        return np.asarray(tsne.fit_transform(vectors), dtype=np.float64)


def _umap(vectors: NDArray[np.float32], seed: int, settings: EmbeddingSettings) -> _Plane:
    from sklearn.neighbors import NearestNeighbors

    umap_class = _load_umap()
    k = settings.n_neighbors
    # Exact, and umap's own search need not be compiled, which takes as long as all the rest.
    distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(vectors).kneighbors()
    itself = np.arange(len(vectors))[:, np.newaxis]
    indices = np.hstack([itself, indices[:, : k - 1]])
    distances = np.hstack([np.zeros_like(itself, dtype=np.float32), distances[:, : k - 1]])
    with warnings.catch_warnings():
        # It warns that it could not place further images, which nobody asks it to.
        warnings.simplefilter("ignore")
        umap = umap_class(
            n_neighbors=k,
            min_dist=settings.min_dist,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(indices.astype(np.int32), distances.astype(np.float32)),
        )
        return np.asarray(umap.fit_transform(vectors), dtype=np.float64)


def _load_umap() -> Callable[..., Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from umap import layouts, umap_
    except ImportError as error:
        raise EmbeddingError(
            f"UMAP cannot be loaded ({error}): install umap-learn and numba anew, or choose t-SNE or PCA."
        ) from error
    _keep_compiled(umap_, "smooth_knn_dist", "compute_membership_strengths")
    _keep_compiled(layouts, "clip", "_nb_optimize_layout_euclidean_single_epoch")
    umap_class: Callable[..., Any] = umap_.UMAP
    return umap_class


def _keep_compiled(module: ModuleType, *functions: str) -> None:
    """Let numba keep what it compiles beside the package, as umap does for others: 0.4 s instead of 9 s."""
    for name in functions:
        compiled: Any = getattr(module, name, None)
        if hasattr(compiled, "enable_caching"):
            with suppress(RuntimeError):  # nowhere to keep it: it is compiled at each start
                compiled.enable_caching()
