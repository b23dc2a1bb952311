"""Saved pictures: whole, sharp, and with their legend."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QByteArray
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QFileDialog

from tests.widgets.embedding.planted_points import BLUE, RED, crowd_of, pixel_of
from tests.widgets.picture_files import make_loader
from widgets.embedding.embedding_view import EmbeddingView


@pytest.fixture
def view(qtbot, tmp_path):
    loader = make_loader()
    embedding_view = EmbeddingView(loader)
    qtbot.addWidget(embedding_view)
    embedding_view.resize(600, 400)
    embedding_view.set_points(*crowd_of(tmp_path), "mixed · neuron 3")
    embedding_view.show()
    yield embedding_view
    loader.shutdown()


def share_of(image: QImage, color: QColor) -> float:
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.width(), 4)[..., 2::-1]
    return float((np.abs(pixels.astype(int) - color.getRgb()[:3]).max(axis=2) < 8).mean())


def rendered(svg: bytes, width: int, height: int) -> QImage:
    renderer = QSvgRenderer(QByteArray(svg))
    assert renderer.isValid()
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    return image


def test_a_png_has_three_pixels_to_one_and_the_points_where_they_are(view):
    image = QImage.fromData(view.picture("png"))
    assert image.width() == 3 * view.plot.width()
    assert image.height() > 3 * view.plot.height()
    for row, color in ((4, BLUE), (7, RED)):
        place = pixel_of(view.plot, row)
        assert image.pixelColor(3 * place.x(), 3 * place.y() - 15) == color


def test_an_svg_shows_the_same_as_the_png(view):
    image = QImage.fromData(view.picture("png"))
    drawn = rendered(view.picture("svg"), image.width(), image.height())
    for color in (BLUE, RED):
        assert share_of(drawn, color) == pytest.approx(share_of(image, color), rel=0.1)
        assert share_of(drawn, color) > 0.0005


def test_an_svg_names_concepts_method_and_neuron(view):
    root = ElementTree.fromstring(view.picture("svg"))
    texts = "".join(root.itertext())
    for words in ("apples  5", "pitches  3", "mixed · neuron 3 · UMAP, 15 neighbours, min_dist 0.1, seed 0"):
        assert words in texts


def test_the_picture_can_be_copied(view):
    view._copy_picture()
    assert QGuiApplication.clipboard().image().width() == 3 * view.plot.width()


@pytest.mark.parametrize(
    ("chosen", "kind", "saved"),
    [
        ("/there/figure.svg", "PNG image (*.png)", "/there/figure.svg"),
        ("/there/figure", "PNG image (*.png)", "/there/figure.png"),
        ("/there/figure v1.2", "SVG drawing (*.svg)", "/there/figure v1.2.svg"),
    ],
)
def test_the_file_has_a_suffix(view, qtbot, monkeypatch, chosen, kind, saved):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, kind))
    with qtbot.waitSignal(view.save_requested) as caught:
        view._choose_file()
    assert caught.args == [saved]


def test_no_file_was_chosen(view, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    with qtbot.assertNotEmitted(view.save_requested):
        view._choose_file()
