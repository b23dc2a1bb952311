"""What the embedding tab costs: until PCA is painted, UMAP and t-SNE are there, and a step in the window.

QT_QPA_PLATFORM=offscreen python -m tests.benchmarks.embedding
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.jobs.embedding_process import EmbeddingProcess
from backend.evaluation.embedding import embed
from backend.evaluation.embedding_result import METHOD_NAMES, Embedding, EmbeddingMethod, EmbeddingSettings
from backend.task import SilentTask
from tests.benchmarks.window_steps import Steps
from widgets.embedding.embedding_state import PointGroup
from widgets.embedding.embedding_view import EmbeddingView
from widgets.images.image_grid import ImageItem
from widgets.images.thumbnails import ThumbnailLoader

D = 1280
COLORS = ("#1646ad", "#bd260a", "#0a7d66", "#e62e9f", "#2e8fd2")


def vectors_of(n: int) -> NDArray[np.float32]:
    """Return points of five groups, as a neuron's top images are."""
    random = np.random.default_rng(0)
    centres = random.gamma(0.6, 2.0, size=(len(COLORS), D))
    vectors = centres[np.arange(n) % len(COLORS)] + random.normal(0, 0.9, size=(n, D))
    return vectors.astype(np.float32)


def groups_of(n: int) -> list[PointGroup]:
    """Return as many concepts as there are groups, their images in turn."""
    return [
        PointGroup(
            key,
            f"Concept {'ABCDE'[key]}",
            key,
            QColor(color),
            "ABCDE"[key],
            tuple(ImageItem(row, Path(f"{row}.png"), "", f"{row}.png") for row in range(key, n, len(COLORS))),
        )
        for key, color in enumerate(COLORS)
    ]


def show(view: EmbeddingView, n: int, embedding: Embedding) -> None:
    """Show an embedding and paint it."""
    view.set_points(groups_of(n), range(n), embedding)
    view.plot.finish_motion()
    view.plot.repaint()


def time_methods(process: EmbeddingProcess, method: EmbeddingMethod) -> None:
    """Print how long a method takes in its process: the first time, and again."""
    for n in (100, 1000):
        vectors, seconds = vectors_of(n), []
        for seed in (0, 1):
            start = time.perf_counter()
            process.embed(vectors, method, seed, EmbeddingSettings(), SilentTask())
            seconds.append(time.perf_counter() - start)
        print(f"{METHOD_NAMES[method]}, N = {n:<5}: first {seconds[0]:6.2f} s, again {seconds[1]:6.2f} s")


def time_window(view: EmbeddingView, n: int) -> None:
    """Print what PCA until it is painted, a repaint, a hover, a zoom step and a recolouring cost."""
    vectors = vectors_of(n)
    pca, hover, zoom, recolour = Steps(), Steps(), Steps(), Steps()
    for _ in range(10):
        pca.time(lambda: show(view, n, embed(vectors, "pca")))
    plot, embedding = view.plot, embed(vectors, "pca")
    show(view, n, embedding)

    def move(x: int) -> None:
        QTest.mouseMove(plot, QPoint(x, plot.height() // 2))
        plot.repaint()

    def turn(factor: float) -> None:
        plot.zoom_by(factor, QPointF(200, 150))
        plot.repaint()

    for x in range(10, plot.width() - 10, 8):
        hover.time(lambda x=x: move(x))
    for _ in range(20):
        recolour.time(lambda: show(view, n, embedding))
    for step in range(60):
        zoom.time(lambda step=step: turn(1.25 if step % 30 < 15 else 0.8))
        QApplication.processEvents()
    pca.report(f"PCA of {n} images until it is painted", 100 if n == 100 else 500)
    hover.report(f"a move of the pointer over {n} points", 16)
    recolour.report(f"{n} points in other colours", 8 if n == 100 else 30)
    zoom.report(f"a step of the wheel over {n} points", 16)


def main() -> int:
    """Take all steps and print what they cost."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    loader = ThumbnailLoader(lambda path, size: np.full((size, size, 3), 128, np.uint8))
    view = EmbeddingView(loader)
    view.resize(900, 500)
    view.show()
    QTest.qWaitForWindowExposed(view)
    for n in (100, 1000):
        time_window(view, n)
    for method in ("umap", "tsne"):
        process = EmbeddingProcess()
        time_methods(process, method)
        process.close()
    view.close()
    loader.shutdown()
    application.quit()
    return 0


if __name__ == "__main__":
    sys.exit(main())
