"""The job behind the projection maps, on a network whose neurons are the colours of cells of pixels."""

import numpy as np
import pytest
from PIL import Image

from app.jobs.projection_map_jobs import FoundMaps, MapRequest, PreparedLayer, map_projections
from backend.errors import ModelError
from backend.networks.model_source import ModelSource
from backend.task import Cancelled, SilentTask

COLOUR_CELLS = """
from torch import nn


class ColourCells(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.AvgPool2d(8)
        self.head = nn.Linear(3, 2)

    def forward(self, x):
        return self.head(self.cells(x).mean(dim=(2, 3)))


def build():
    return ColourCells().eval()
"""


class Noted(SilentTask):
    def __init__(self, stop_after=1000):
        self.partials, self.stop_after = [], stop_after

    def partial(self, result):
        self.partials.append(result)

    def check_cancelled(self):
        if len(self.partials) >= self.stop_after:
            raise Cancelled


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "cells.py"
    file.write_text(COLOUR_CELLS)
    return ModelSource(f"{file}:build", input_size=64)


@pytest.fixture
def images(tmp_path):
    """Rows 10, 11, … with a red cell at (row number, 2) and a blue one at (0, 7)."""
    found = []
    for number in range(6):
        image = Image.new("RGB", (64, 64))
        image.paste((255, 0, 0), (16, 8 * number, 24, 8 * number + 8))
        image.paste((0, 0, 255), (56, 0, 64, 8))
        image.save(tmp_path / f"{number}.png")
        found.append((10 + number, tmp_path / f"{number}.png"))
    return tuple(found)


def request(source, images, *, layer="cells", with_field=False, maximum_bytes=10**6, allow_code=True):
    wanted = {row: (0, 1) if row == 10 else (0,) for row, _ in images}
    vectors = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    keys = ("red", "blue")
    return MapRequest(
        source, allow_code, layer, "mean", images, wanted, keys, vectors, with_field, maximum_bytes
    )


def test_the_maps_that_are_wanted_come_in_order_with_the_pattern_in_its_place(source, images):
    task = Noted()
    map_projections(PreparedLayer(), request(source, images), task)
    assert [found.row for found in task.partials] == list(range(10, 16))
    assert [tuple(key for key, _ in found.maps) for found in task.partials] == [("red", "blue")] + [
        ("red",)
    ] * 5
    for number, found in enumerate(task.partials):
        assert found.maps[0][1].peak == (number, 2)
    assert task.partials[0].maps[1][1].peak == (0, 7)


def test_the_field_comes_after_the_first_image_or_alone(source, images):
    prepared, task = PreparedLayer(), Noted()
    map_projections(prepared, request(source, images, with_field=True), task)
    assert task.partials[1] == FoundMaps("cells", field=0.125)
    assert [found.field for found in task.partials].count(None) == 6
    alone = Noted()
    map_projections(prepared, request(source, (), with_field=True), alone)
    assert alone.partials == [FoundMaps("cells", field=0.125)]


def test_the_network_is_made_ready_once_for_a_layer(source, images):
    prepared, task = PreparedLayer(), Noted()
    first = prepared.mapper(request(source, images), task)
    assert prepared.mapper(request(source, images[:2]), task) is first
    assert prepared.mapper(request(source, images, layer="head"), task) is not first


def test_cancelling_stops_between_batches(source, images):
    task = Noted(stop_after=1)
    with pytest.raises(Cancelled):
        map_projections(PreparedLayer(), request(source, images), task)
    assert [found.row for found in task.partials] == [10]


def test_no_more_is_read_than_may_be_kept(source, images):
    task = Noted()
    map_projections(PreparedLayer(), request(source, images, maximum_bytes=600), task)
    assert [found.row for found in task.partials] == [10, 11]  # 2 maps of 8 × 8 values, then one more


def test_an_image_that_cannot_be_read_gives_its_reason(source, images, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no image")
    bad = ((3, tmp_path / "bad.png"), *images[1:2])
    task = Noted()
    map_projections(PreparedLayer(), request(source, bad), task)
    assert task.partials[0].maps == () and "bad.png" in task.partials[0].reason
    assert task.partials[1].maps[0][1].peak == (1, 2)


def test_a_layer_without_positions_and_code_without_leave_are_refused(source, images):
    tall = MapRequest(
        source,
        True,
        "head",
        "mean",
        images,
        {row: (0,) for row, _ in images},
        ("one",),
        np.eye(2)[:1],
        False,
        10**6,
    )
    with pytest.raises(ModelError, match="no positions"):
        map_projections(PreparedLayer(), tall, Noted())
    with pytest.raises(ModelError):
        map_projections(PreparedLayer(), request(source, images, allow_code=False), Noted())
