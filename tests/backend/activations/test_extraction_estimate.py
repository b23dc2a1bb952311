"""The estimate against the extraction itself."""

import itertools

import pytest

from backend.activations import extraction_estimate
from backend.activations.extraction import extract
from backend.activations.extraction_estimate import estimate
from backend.activations.inference import Inference
from backend.errors import ExtractionError, ModelError
from backend.images import find_images
from backend.task import Cancelled, SilentTask
from tests.backend.small_projects import make_project, network, write_images


@pytest.fixture
def loaded():
    return network()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(extraction_estimate, "_MEASURED_SECONDS", 0.05)


def test_the_size_on_disk_is_that_of_the_extraction(tmp_path, loaded):
    with make_project(tmp_path, per_class=40) as project:
        images = find_images(project.images_root)
        found = estimate(loaded, images, ["early", "late"])
        extract(project, loaded, ["early", "late"])
        real = sum(path.stat().st_size for path in (project.path / "activations").iterdir())
    assert found.n_neurons == {"early": 6, "late": 10}
    assert found.n_images == 120
    # The index file's own headers are the difference.
    assert real - 6000 < found.bytes_on_disk <= real


def test_the_time_is_that_of_the_clock(tmp_path, loaded, monkeypatch):
    # A clock that ticks once at every look: one tick a batch, once the workers have begun.
    ticks = itertools.count()
    monkeypatch.setattr(extraction_estimate.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(extraction_estimate, "_MEASURED_SECONDS", 5)
    images = find_images(write_images(tmp_path / "images", per_class=30))
    found = estimate(loaded, images, ["late"], n_workers=2)
    assert found.images_per_second == pytest.approx(32)
    assert found.seconds == pytest.approx(90 / 32)


def test_a_single_image_that_is_broken(tmp_path, loaded):
    images = find_images(write_images(tmp_path / "images", n_classes=0, per_class=1))
    (images.root / images.paths[0]).write_bytes(b"")
    assert estimate(loaded, images, ["late"]).images_per_second > 0


def test_what_is_timed_is_the_precision_that_was_asked_for(tmp_path, loaded, monkeypatch):
    timed = []

    class Watched(Inference):
        def __init__(self, *arguments, precision, **options):
            timed.append(precision)
            super().__init__(*arguments, **options)

    monkeypatch.setattr(extraction_estimate, "Inference", Watched)
    images = find_images(write_images(tmp_path / "images"))
    estimate(loaded, images, ["late"])
    estimate(loaded, images, ["late"], precision="fast")
    assert timed == ["float32", "fast"]


def test_bad_poolings_and_precisions(tmp_path, loaded):
    images = find_images(write_images(tmp_path / "images"))
    with pytest.raises(ModelError, match="cannot be pooled by 'class_token'"):
        estimate(loaded, images, ["late"], pooling={"late": "class_token"})
    with pytest.raises(ExtractionError, match="no precision 'half'"):
        estimate(loaded, images, ["late"], precision="half")


def test_bad_layers_and_cancelling(tmp_path, loaded):
    images = find_images(write_images(tmp_path / "images"))
    with pytest.raises(ModelError, match="no layer 'lat'"):
        estimate(loaded, images, ["lat"])
    with pytest.raises(ExtractionError, match="No layer"):
        estimate(loaded, images, [])

    class Stopping(SilentTask):
        def check_cancelled(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        estimate(loaded, images, ["late"], task=Stopping())
