import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.errors import ModelError
from backend.networks.model_source import IMAGENET_MEAN, IMAGENET_STD, ModelSource, Preprocessing


def test_another_input_size_keeps_the_ratio_of_the_resized_side() -> None:
    published = Preprocessing(299, 342, interpolation="bicubic")
    assert published.with_input_size(None) is published
    smaller = published.with_input_size(150)
    assert (smaller.input_size, smaller.resize_size) == (150, 172)
    assert (smaller.mean, smaller.std, smaller.interpolation) == (IMAGENET_MEAN, IMAGENET_STD, "bicubic")
    for size in (1, 7, 223, 4096):
        assert published.with_input_size(size).resize_size >= size
    for size in (0, -3, 5000, 2.5):
        with pytest.raises(ModelError, match="input size must be a whole number"):
            published.with_input_size(size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, Preprocessing(224, 256, IMAGENET_MEAN, IMAGENET_STD, "bilinear", 3)),
        ({"input_size": 32}, Preprocessing(32, 32)),
        ({"input_size": 32, "resize_size": 40}, Preprocessing(32, 40)),
        ({"mean": 0.5, "std": 0.25}, Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))),
        ({"mean": [0.1], "std": [0.2]}, Preprocessing(mean=(0.1,), std=(0.2,), channels=1)),
        ({"std": [0.2], "mean": 0}, Preprocessing(mean=(0.0,), std=(0.2,), channels=1)),
        (
            {"mean": np.array([0.1]), "std": np.float64(0.2), "input_size": np.int64(9)},
            Preprocessing(9, 9, (0.1,), (0.2,), channels=1),
        ),
        ({"channels": 1, "mean": 0.5, "std": 1}, Preprocessing(mean=(0.5,), std=(1.0,), channels=1)),
    ],
)
def test_a_description_is_completed(values: dict[str, Any], expected: Preprocessing) -> None:
    assert Preprocessing.from_dict(values) == expected


def test_grey_images_without_a_mean_get_that_of_imagenets_channels() -> None:
    grey = Preprocessing.from_dict({"channels": 1})
    assert grey.mean == pytest.approx([sum(IMAGENET_MEAN) / 3])
    assert grey.std == pytest.approx([sum(IMAGENET_STD) / 3])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"input_size": 0}, "input_size must be a whole number"),
        ({"input_size": 224.0}, "input_size must be a whole number"),
        ({"input_size": True}, "input_size must be a whole number"),
        ({"resize_size": 10_000}, "resize_size must be a whole number"),
        (
            {"input_size": 64, "resize_size": 32},
            r"resize_size \(32\) must not be smaller than input_size \(64\)",
        ),
        ({"channels": 4}, "channels must be 3"),
        ({"mean": [0.5, 0.5]}, "channels must be 3"),
        ({"mean": [0.5] * 3, "std": [1.0]}, "std must have one number for each of the 3 channels"),
        ({"mean": "abc"}, "mean must"),
        ({"mean": ["a", "b", "c"]}, "mean must be numbers"),
        ({"mean": float("nan")}, "mean must be finite"),
        ({"std": [0.2, 0.0, 0.2]}, "std must be positive"),
        ({"interpolation": "nearest"}, "interpolation must be one of bilinear, bicubic"),
        ({"size": 3}, "has no 'size'; it knows input_size, resize_size, mean"),
    ],
)
def test_impossible_preprocessing_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        Preprocessing.from_dict(values)


@pytest.mark.parametrize(
    "source",
    [
        ModelSource("mobilenet_v2"),
        ModelSource("nets/own.py:build", "weights.pth", 96),
        ModelSource("demo", None, 64),
    ],
)
def test_sources_and_preprocessing_survive_json(source: ModelSource) -> None:
    assert ModelSource.from_dict(json.loads(json.dumps(source.to_dict()))) == source
    preprocessing = Preprocessing(96, 100, (0.1,), (0.2,), "bicubic", 1)
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.to_dict()))) == preprocessing


def test_a_source_without_an_architecture_is_refused() -> None:
    with pytest.raises(ModelError, match="names no architecture"):
        ModelSource.from_dict({"weights": "w.pth"})


@pytest.mark.parametrize(
    ("architecture", "file", "name"),
    [
        ("net.py:build", Path("net.py"), "build"),
        ("C:/nets/my.py/net.py:Net.small", Path("C:/nets/my.py/net.py"), "Net.small"),
        ("net.py", Path("net.py"), ""),
        ("mobilenet_v2", None, None),
        ("demo", None, None),
    ],
)
def test_a_python_file_and_its_callable_are_told_apart(
    architecture: str, file: Path | None, name: str | None
) -> None:
    source = ModelSource(architecture)
    assert (source.python_file, source.python_callable) == (file, name)
    assert source.is_python_factory is (file is not None)
    assert source.is_demo is (architecture == "demo")


def test_plain_descriptions_need_no_torch() -> None:
    code = "import sys, backend.networks.model_source, backend.images; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
