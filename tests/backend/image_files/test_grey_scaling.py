from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.errors import ModelError
from backend.image_files.grey_scaling import GREY_SCALING_RULES, GREY_SCALINGS, scaled_grey
from backend.images import decode_image, preprocess_image
from backend.networks.model_source import ModelSource, Preprocessing

TWELVE_BIT = np.array([[0, 15, 16, 2048, 4095]], np.uint16)


@pytest.mark.parametrize(
    ("values", "scaling", "expected"),
    [
        (TWELVE_BIT, "full_range", [0, 0, 0, 8, 15]),
        (TWELVE_BIT, "twelve_bit", [0, 0, 1, 128, 255]),
        (TWELVE_BIT, "min_max", [0, 1, 1, 128, 255]),
        (np.array([[4096, 65535]], np.uint16), "twelve_bit", [255, 255]),
        (np.array([[1000, 1500, 2000]], np.uint16), "min_max", [0, 128, 255]),
        (np.array([[7, 7]], np.uint16), "min_max", [0, 0]),
        (np.array([[0, 4095, 65535]], np.int32), "twelve_bit", [0, 255, 255]),
        (np.array([[-50, 0, 50]], np.int32), "twelve_bit", [0, 128, 255]),
        (np.array([[0.25, 0.5, 0.75]], np.float32), "min_max", [0, 128, 255]),
        (np.array([[0.0, 0.5, 1.0]], np.float32), "twelve_bit", [0, 128, 255]),
        (np.array([[np.nan, 2, np.inf, 4, -np.inf]], np.float32), "min_max", [0, 0, 255, 255, 0]),
        (np.array([[-3e38, 0, 3e38]], np.float32), "full_range", [0, 128, 255]),
    ],
)
def test_each_rule_does_what_it_says(values: np.ndarray, scaling: str, expected: list[int]) -> None:
    scaled = scaled_grey(values, scaling)  # type: ignore[arg-type]
    assert scaled.dtype == np.uint8
    assert scaled[0].tolist() == expected


def test_every_rule_is_in_words() -> None:
    assert set(GREY_SCALING_RULES) == set(GREY_SCALINGS)
    assert all(rule.endswith((".", "too.")) for rule in GREY_SCALING_RULES.values())
    assert "÷ 256" in GREY_SCALING_RULES["full_range"]
    assert "÷ 16" in GREY_SCALING_RULES["twelve_bit"]
    assert "own minimum" in GREY_SCALING_RULES["min_max"]


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("scaling", GREY_SCALINGS)
def test_network_and_thumbnail_see_the_same_greys(tmp_path: Path, suffix: str, scaling: str) -> None:
    values = np.random.default_rng(0).integers(300, 4000, (12, 12)).astype(np.uint16)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(values).save(path)
    expected = scaled_grey(values, scaling)  # type: ignore[arg-type]
    preprocessing = Preprocessing(12, 12, (0.5,), (0.5,), channels=1, grey_scaling=scaling)  # type: ignore[arg-type]
    assert np.array_equal(preprocess_image(path, preprocessing)[:, :, 0], expected)
    shown = decode_image(path, grey_scaling=scaling)  # type: ignore[arg-type]
    assert np.array_equal(np.asarray(shown)[:, :, 1], expected)
    small = decode_image(path, max_side=6, grey_scaling=scaling)  # type: ignore[arg-type]
    assert abs(np.asarray(small).mean() - expected.mean()) < 3


def test_eight_bits_stay_as_they_are(tmp_path: Path) -> None:
    values = np.array([[10, 20, 30]], np.uint8)
    Image.fromarray(values).save(tmp_path / "a.png")
    for scaling in GREY_SCALINGS:
        assert np.asarray(decode_image(tmp_path / "a.png", grey_scaling=scaling))[0, :, 0].tolist() == [
            10,
            20,
            30,
        ]


def test_the_rule_is_part_of_the_preprocessing() -> None:
    """So that activations by another rule are other activations."""
    by_default = Preprocessing()
    assert by_default.grey_scaling == "full_range"
    other = by_default.with_grey_scaling("min_max")
    assert other != by_default
    assert Preprocessing.from_dict(other.to_dict()) == other
    assert other.with_input_size(96).grey_scaling == "min_max"
    assert other.with_grey_scaling(None) is other
    older = {key: value for key, value in by_default.to_dict().items() if key not in ("grey_scaling", "crop")}
    assert Preprocessing.from_dict(older) == by_default
    source = ModelSource("resnet18", grey_scaling="twelve_bit")
    assert ModelSource.from_dict(source.to_dict()) == source
    assert ModelSource.from_dict({"architecture": "resnet18"}).grey_scaling is None
    with pytest.raises(
        ModelError, match="grey_scaling must be one of full_range, twelve_bit, min_max, not 'auto'"
    ):
        by_default.with_grey_scaling("auto")  # type: ignore[arg-type]
