"""Pictures in the window are decoded as the network of the project sees them."""

import numpy as np
import pytest
from PIL import Image

from app.thumbnail_decoding import ThumbnailDecoder
from backend.images import find_images
from backend.networks.model_source import ModelSource, Preprocessing
from backend.project import Project


@pytest.fixture
def scan(tmp_path):
    """A 16-bit image whose values are all 1600."""
    (tmp_path / "scans").mkdir()
    file = tmp_path / "scans" / "scan.png"
    Image.fromarray(np.full((20, 30), 1600, np.uint16)).save(file)
    return file


@pytest.mark.parametrize(("rule", "grey"), [("full_range", 6), ("twelve_bit", 100), ("min_max", 0)])
def test_deep_grey_values_are_scaled_by_the_rule(scan, rule, grey):
    decoder = ThumbnailDecoder()
    decoder.grey_scaling = rule
    pixels = decoder(scan, 64)
    assert pixels.shape == (20, 30, 3)
    assert (pixels == grey).all()


def test_the_window_follows_the_rule_of_the_project(qtbot, window, scan, tmp_path):
    source = ModelSource("resnet18", grey_scaling="twelve_bit")
    Project.create(tmp_path / "scans.prism", source, find_images(scan.parent)).close()
    with qtbot.waitSignal(window.session.project_changed, timeout=20_000):
        window.projects.open(tmp_path / "scans.prism")
    assert shown_grey(qtbot, window.thumbnails, scan) == 100
    # As an extraction records the rule that a network has of its own.
    window.session.project.bind_model("0" * 64, Preprocessing(32, 32, grey_scaling="min_max"))
    window.session.layers_changed.emit()
    assert shown_grey(qtbot, window.thumbnails, scan) == 0


def shown_grey(qtbot, thumbnails, file):
    thumbnails.request(file, 20)
    qtbot.waitUntil(lambda: thumbnails.cached(file, 20) is not None, timeout=20_000)
    return thumbnails.cached(file, 20).toImage().pixelColor(10, 6).red()
