"""Writing the demo's pictures: complete, continued after an interruption, and without worker processes."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.demo import pictures
from backend.demo.concepts import CONCEPTS, draw_concept
from backend.errors import ImageError
from backend.task import Cancelled, SilentTask


class Recorder(SilentTask):
    """Keeps the progress, and cancels after so many pictures."""

    def __init__(self, cancel_after: int | None = None) -> None:
        self.cancel_after = cancel_after
        self.reports: list[tuple[int, int]] = []

    def progress(self, done: int, total: int, message: str = "") -> None:
        self.reports.append((done, total))

    def check_cancelled(self) -> None:
        if self.cancel_after is not None and self.reports and self.reports[-1][0] >= self.cancel_after:
            raise Cancelled


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> ProcessPoolExecutor:
        raise PermissionError("no processes here")

    monkeypatch.setattr(pictures, "ProcessPoolExecutor", refuse)


def test_workers_write_every_picture_as_it_is_drawn(tmp_path: Path) -> None:
    task = Recorder()
    assert pictures.write_images(tmp_path, per_concept=4, task=task) == 4 * len(CONCEPTS)
    assert task.reports[-1] == (4 * len(CONCEPTS), 4 * len(CONCEPTS))
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.*")) == sorted(
        f"{c}/{c}-{n:04d}.jpg" for c in CONCEPTS for n in range(4)
    )
    written = np.asarray(Image.open(pictures.picture_path(tmp_path, "apple", 1)), dtype=int)
    drawn = np.asarray(draw_concept("apple", 1), dtype=int)
    assert np.abs(written - drawn).mean() < 2.5  # JPEG's loss


@pytest.mark.usefixtures("in_this_process")
def test_a_cancelled_run_is_continued(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        pictures.write_images(tmp_path, per_concept=2, task=Recorder(cancel_after=40))
    there = len(list(tmp_path.rglob("*.jpg")))
    assert 40 <= there < 2 * len(CONCEPTS)
    assert pictures.write_images(tmp_path, per_concept=2) == 2 * len(CONCEPTS) - there
    assert len(list(tmp_path.rglob("*.jpg"))) == 2 * len(CONCEPTS)
    assert pictures.write_images(tmp_path, per_concept=2) == 0


@pytest.mark.usefixtures("in_this_process")
def test_a_torn_picture_is_never_under_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def torn(self: Image.Image, path: Path, **_: object) -> None:
        Path(path).write_bytes(b"\xff\xd8 half a pic")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", torn)
    with pytest.raises(ImageError, match="No space left on device"):
        pictures.write_images(tmp_path, per_concept=1)
    assert list(tmp_path.rglob("*.jpg")) == []


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ImageError, match="Choose a folder"):
        pictures.write_images(tmp_path / "file", per_concept=1)


@pytest.mark.usefixtures("in_this_process")
def test_arrays_are_the_resized_pictures_concept_by_concept() -> None:
    images = pictures.draw_arrays(per_concept=2, stream=4, size=32)
    assert images.shape == (2 * len(CONCEPTS), 32, 32, 3)
    coral = CONCEPTS.index("coral")
    expected = draw_concept("coral", 1, stream=4).resize((32, 32), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images[2 * coral + 1], np.asarray(expected))
