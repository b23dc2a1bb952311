import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from backend.errors import ModelError
from backend.image_files.seen_region import Region
from backend.models import LayerReader, normalise
from backend.networks.loaded_model import LoadedModel
from backend.networks.model_source import ModelSource, Preprocessing
from backend.task import Cancelled, SilentTask
from backend.visualization.projection_map import ProjectionMap
from backend.visualization.projection_maps import ProjectionMapper
from backend.visualization.receptive_field import receptive_field

SIDE = 64
CELL = 8


class ColourCells(nn.Module):
    """Neuron c of ``cells`` is the mean of colour channel c in each cell of 8 × 8 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.AvgPool2d(CELL)
        self.head = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.cells(x).mean(dim=(2, 3)))


def loaded(module: nn.Module, **preprocessing: object) -> LoadedModel:
    chosen = Preprocessing.from_dict(
        {"input_size": SIDE, "mean": [0.0] * 3, "std": [1.0] * 3, **preprocessing}
    )
    return LoadedModel(module.eval().requires_grad_(False), chosen, "0" * 64, ModelSource("test"), None)


def picture(path, size, patch=None, colour=(255, 0, 0)):
    image = Image.new("RGB", size)
    if patch is not None:
        image.paste(colour, patch)
    image.save(path)
    return path


RED = np.eye(3)[:1]


def the_map(mapper, path) -> ProjectionMap:
    (found,) = mapper.read([(7, path)], RED)
    assert found.row == 7 and found.reason == ""
    (one,) = found.maps
    return one


@pytest.mark.parametrize("cell", [(0, 0), (2, 5), (7, 7), (4, 0)])
def test_the_peak_is_where_the_pattern_was_planted(tmp_path, cell):
    row, column = cell
    left, top = column * CELL, row * CELL
    path = picture(tmp_path / "a.png", (SIDE, SIDE), (left, top, left + CELL, top + CELL))
    found = the_map(ProjectionMapper(loaded(ColourCells()), "cells"), path)
    expected = np.zeros((8, 8))
    expected[cell] = 1
    np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert found.peak == cell
    region = found.peak_region(1 / 8)
    assert (region.left, region.top) == pytest.approx((column / 8, row / 8))
    assert (region.right, region.bottom) == pytest.approx(((column + 1) / 8, (row + 1) / 8))


def test_the_mean_of_a_map_is_the_projection_of_the_pooled_activations(tmp_path):
    rng = np.random.default_rng(0)
    network = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(), nn.Conv2d(6, 5, 3))
    model = loaded(network)
    paths = []
    for number in range(12):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(paths[-1])
    vectors = rng.normal(size=(3, 5))
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])
    pooled = LayerReader(network, ["2"]).read(normalise(pixels, model.preprocessing))["2"].numpy()
    mapper = ProjectionMapper(model, "2")
    found = list(mapper.read(list(enumerate(paths)), vectors))
    assert [one.row for one in found] == list(range(12))
    means = [[one.values.mean() for one in image.maps] for image in found]
    np.testing.assert_allclose(means, pooled @ vectors.T, rtol=1e-4, atol=1e-5)


class TestWhereInThePicture:
    """A picture of 128 × 64 whose left quarter is red; the network sees what the crop leaves."""

    @pytest.fixture
    def path(self, tmp_path):
        return picture(tmp_path / "wide.png", (128, 64), (0, 0, 32, 64))

    def test_centre(self, path):
        found = the_map(ProjectionMapper(loaded(ColourCells(), crop="center"), "cells"), path)
        assert found.seen == Region(0.25, 0.0, 0.75, 1.0)
        assert found.values.max() == 0  # the red quarter is just outside

    def test_squash(self, path):
        found = the_map(ProjectionMapper(loaded(ColourCells(), crop="squash"), "cells"), path)
        assert found.seen == Region(0.0, 0.0, 1.0, 1.0)
        assert found.values[4, 0] == pytest.approx(1.0) and found.values[4, 4] == pytest.approx(0.0)

    def test_pad(self, path):
        found = the_map(ProjectionMapper(loaded(ColourCells(), crop="pad"), "cells"), path)
        assert found.seen == Region(0.0, -0.5, 1.0, 1.5)
        assert found.values[0, 0] == 0 and found.values[4, 0] == pytest.approx(1.0)
        # Row 2 of 8 begins at pixel 16 of the square, which is the picture's upper edge.
        region = found.peak_region(1 / 8)
        assert (region.left, region.top, region.right) == pytest.approx((0.0, 0.0, 0.125), abs=1e-6)

    def test_an_upright_photograph_that_is_stored_sideways(self, tmp_path):
        image = Image.new("RGB", (128, 64))
        image.paste((255, 0, 0), (0, 0, 64, 64))
        exif = Image.Exif()
        exif[0x0112] = 6  # turned by 90° clockwise to be upright: the left half comes to the top
        image.save(tmp_path / "turned.png", exif=exif)
        found = the_map(ProjectionMapper(loaded(ColourCells()), "cells"), tmp_path / "turned.png")
        assert found.seen == Region(0.0, 0.25, 1.0, 0.75)
        assert found.values[0, 0] == pytest.approx(1.0) and found.values[7, 7] == pytest.approx(0.0)


class TestReceptiveField:
    def test_of_convolutions(self):
        # By hand: 3 pixels, and 2 more on either side by the second convolution at a stride of 2: 7.
        network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Conv2d(8, 8, 3, padding=1))
        found = receptive_field(loaded(network), "1")
        # The square is about the middle of a position of two pixels; its 7 pixels lie unevenly around that.
        assert found == pytest.approx(8 / SIDE)

    def test_of_a_cell(self):
        assert receptive_field(loaded(ColourCells()), "cells") == pytest.approx(CELL / SIDE)

    def test_with_attention_to_everything(self):
        class Gate(nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return x * x.mean(dim=(2, 3), keepdim=True)

        assert receptive_field(loaded(nn.Sequential(nn.Conv2d(3, 4, 1), Gate())), "1") == 1.0

    def test_the_random_state_is_left_alone(self):
        model = loaded(ColourCells())
        torch.manual_seed(3)
        expected = torch.rand(1)
        torch.manual_seed(3)
        receptive_field(model, "cells")
        assert torch.equal(torch.rand(1), expected)


class TestWhatCannotBeShown:
    def test_an_image_that_cannot_be_read(self, tmp_path):
        bad = tmp_path / "bad.png"
        bad.write_bytes(b"no image")
        good = picture(tmp_path / "good.png", (SIDE, SIDE), (0, 0, 8, 8))
        mapper = ProjectionMapper(loaded(ColourCells()), "cells")
        first, second = mapper.read([(0, bad), (1, good)], RED)
        assert first.maps == () and "bad.png" in first.reason
        assert second.maps[0].peak == (0, 0)

    def test_a_layer_of_vectors(self, tmp_path):
        mapper = ProjectionMapper(loaded(ColourCells()), "head")
        path = picture(tmp_path / "a.png", (SIDE, SIDE))
        with pytest.raises(ModelError, match="no positions"):
            list(mapper.read([(0, path)], np.eye(2)))
        with pytest.raises(ModelError, match="no positions"):
            receptive_field(loaded(ColourCells()), "head")

    def test_a_class_token(self):
        with pytest.raises(ModelError, match="class token"):
            ProjectionMapper(loaded(ColourCells()), "cells", "class_token")

    def test_directions_of_another_layer(self, tmp_path):
        mapper = ProjectionMapper(loaded(ColourCells()), "cells")
        path = picture(tmp_path / "a.png", (SIDE, SIDE))
        with pytest.raises(ModelError, match=r"5 components.*3 neurons"):
            list(mapper.read([(0, path)], np.ones((1, 5))))

    def test_cancelling(self, tmp_path):
        class Stopped(SilentTask):
            def check_cancelled(self) -> None:
                raise Cancelled

        mapper = ProjectionMapper(loaded(ColourCells()), "cells")
        path = picture(tmp_path / "a.png", (SIDE, SIDE))
        with pytest.raises(Cancelled):
            list(mapper.read([(0, path)], RED, task=Stopped()))

    def test_no_images(self):
        assert list(ProjectionMapper(loaded(ColourCells()), "cells").read([], RED)) == []
