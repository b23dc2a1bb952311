from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from backend.errors import ImageError
from backend.images import preprocess_image
from backend.networks.model_source import Preprocessing
from backend.networks.torchvision_import import import_torchvision

SIZES = [(500, 375), (375, 500), (64, 64), (257, 256), (1000, 301), (30, 900), (5, 3), (1, 1)]


@lru_cache
def _photograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise of several sizes on top of each other, which has a photograph's spectrum."""
    generator = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for step in (1, 4, 16, 64):
        coarse = generator.normal(size=(height // step + 2, width // step + 2, 3)) * step**0.8
        total += np.stack(
            [
                np.asarray(Image.fromarray(coarse[:, :, c].astype(np.float32)).resize((width, height), 3))
                for c in range(3)
            ],
            axis=2,
        )
    return Image.fromarray(np.clip(128 + total * (50 / max(total.std(), 1e-9)), 0, 255).astype(np.uint8))


def _by_torchvision(image: Image.Image, preprocessing: Preprocessing) -> np.ndarray:
    import_torchvision()
    from torchvision.transforms import CenterCrop, Compose, InterpolationMode, Resize

    mode = InterpolationMode(preprocessing.interpolation)
    return np.asarray(
        Compose([Resize(preprocessing.resize_size, mode), CenterCrop(preprocessing.input_size)])(image)
    )


@pytest.mark.parametrize(
    "preprocessing",
    [
        Preprocessing(),
        Preprocessing(299, 342),
        Preprocessing(96, 97, interpolation="bicubic"),
        Preprocessing(33, 64),
    ],
)
@pytest.mark.parametrize("size", SIZES)
def test_pixels_equal_torchvisions(
    tmp_path: Path, size: tuple[int, int], preprocessing: Preprocessing
) -> None:
    path = tmp_path / "a.png"
    _photograph(*size).save(path)
    pixels = preprocess_image(path, preprocessing)
    assert pixels.dtype == np.uint8
    assert pixels.flags.writeable
    assert np.array_equal(pixels, _by_torchvision(_photograph(*size), preprocessing))


@pytest.mark.parametrize("size", [(1500, 1100), (500, 375), (90, 120)])
def test_jpeg_equals_torchvisions_without_a_draft(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.jpg"
    _photograph(*size).save(path, quality=90)
    pixels = preprocess_image(path, Preprocessing(), draft=False)
    with Image.open(path) as image:
        assert np.array_equal(pixels, _by_torchvision(image.convert("RGB"), Preprocessing()))


@pytest.mark.parametrize("orientation", [1, 3, 6, 7])
@pytest.mark.parametrize("size", [(1305, 1031), (1031, 2185)])
def test_a_draft_stays_near_the_full_decoding(
    tmp_path: Path, size: tuple[int, int], orientation: int
) -> None:
    """Odd sizes leave a draft's last column and row partly filled; ignoring that would shift the picture."""
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = orientation
    _photograph(*size).save(path, quality=90, exif=exif)
    with Image.open(path) as image:
        expected = _by_torchvision(ImageOps.exif_transpose(image.convert("RGB")), Preprocessing()).astype(int)
    exact = np.abs(preprocess_image(path, Preprocessing(), draft=False) - expected)
    assert exact.max() <= (0 if orientation == 1 else 1)  # turning after resizing rounds once differently
    difference = np.abs(preprocess_image(path, Preprocessing()) - expected)
    assert 0 < difference.max() <= 20
    assert difference.mean() < 1.5


def test_a_draft_is_used_only_if_twice_the_wanted_size_remains(tmp_path: Path) -> None:
    for side, is_draft in ((1024, True), (1022, False)):
        path = tmp_path / f"{side}.jpg"
        _photograph(side, side).save(path, quality=90)
        equal = np.array_equal(
            preprocess_image(path, Preprocessing()), preprocess_image(path, Preprocessing(), draft=False)
        )
        assert equal is not is_draft


def test_grey_input_has_one_channel(tmp_path: Path) -> None:
    preprocessing = Preprocessing.from_dict({"mean": [0.5], "std": [0.5], "input_size": 28})
    colour, grey = tmp_path / "colour.png", tmp_path / "grey.png"
    _photograph(28, 28).save(colour)
    _photograph(28, 28).convert("L").save(grey)
    expected = np.asarray(_photograph(28, 28).convert("L"))[:, :, None]
    assert np.array_equal(preprocess_image(colour, preprocessing), expected)
    assert np.array_equal(preprocess_image(grey, preprocessing), expected)


def test_an_image_that_would_grow_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (20_000, 2)).save(tmp_path / "a.png")
    with pytest.raises(
        ImageError, match=r"too elongated \(20000 × 2 pixels\): resized it would have 2560000 × 256"
    ):
        preprocess_image(tmp_path / "a.png", Preprocessing())


@pytest.mark.parametrize("size", [(500, 375), (301, 1000), (64, 64), (5, 3)])
@pytest.mark.parametrize(("input_size", "resize_size"), [(64, 64), (60, 80)])
def test_squashed_images_equal_torchvisions(
    tmp_path: Path, size: tuple[int, int], input_size: int, resize_size: int
) -> None:
    import_torchvision()
    from torchvision.transforms import CenterCrop, Compose, Resize

    _photograph(*size).save(tmp_path / "a.png")
    expected = Compose([Resize((resize_size, resize_size)), CenterCrop(input_size)])(_photograph(*size))
    pixels = preprocess_image(tmp_path / "a.png", Preprocessing(input_size, resize_size, crop="squash"))
    assert np.array_equal(pixels, np.asarray(expected))


@pytest.mark.parametrize(
    ("size", "box"), [((40, 20), (0, 8, 32, 24)), ((20, 40), (8, 0, 24, 32)), ((9, 9), None)]
)
def test_padded_images_are_seen_whole_with_the_mean_beside_them(
    tmp_path: Path, size: tuple[int, int], box: tuple[int, int, int, int] | None
) -> None:
    Image.new("RGB", size, (200, 10, 90)).save(tmp_path / "a.png")
    pixels = preprocess_image(tmp_path / "a.png", Preprocessing(32, 32, (0.2, 0.4, 0.6), crop="pad"))
    expected = Image.new("RGB", (32, 32), (51, 102, 153))
    expected.paste((200, 10, 90), box or (0, 0, 32, 32))
    assert np.array_equal(pixels, np.asarray(expected))
    grey = Preprocessing(32, 32, (0.2,), (0.5,), channels=1, crop="pad")
    corner = preprocess_image(tmp_path / "a.png", grey)[0, 0].tolist()
    assert corner == (
        [51] if box else [Image.new("RGB", (1, 1), (200, 10, 90)).convert("L").getpixel((0, 0))]
    )


def test_a_padded_image_larger_than_the_input_is_cut_out_of_the_middle(tmp_path: Path) -> None:
    _photograph(64, 32).save(tmp_path / "a.png")
    pixels = preprocess_image(tmp_path / "a.png", Preprocessing(40, 64, mean=(0.0, 0.0, 0.0), crop="pad"))
    expected = np.zeros((40, 40, 3), np.uint8)
    expected[4:36] = np.asarray(_photograph(64, 32))[:, 12:52]
    assert np.array_equal(pixels, expected)
