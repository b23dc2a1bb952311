"""The shipped network: its layer, its weights, and what is said of bad ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from backend.demo.concept_network import (
    CLASS_NAMES,
    INPUT_SIZE,
    LAYER,
    PREPROCESSING,
    WEIGHTS,
    ConceptNetwork,
    load_network,
)
from backend.demo.concepts import CONCEPTS, draw_concept
from backend.demo.planted_code import N_NEURONS
from backend.errors import ModelError
from backend.image_files.image_preprocessing import preprocess_image
from backend.models import load_model
from backend.networks.model_source import ModelSource


def test_the_layer_is_a_relu_map_before_pooling() -> None:
    network = load_network()
    maps: list[torch.Tensor] = []
    network.get_submodule(LAYER).register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    logits = network(torch.randn(2, 3, INPUT_SIZE, INPUT_SIZE))
    assert maps[0].shape == (2, N_NEURONS, 6, 6)
    assert maps[0].min() == 0
    assert maps[0].max() > 0
    pooled = maps[0].mean(dim=(2, 3))
    torch.testing.assert_close(logits, pooled @ network.head.weight.T + network.head.bias)
    assert logits.shape == (2, len(CONCEPTS))


def test_weights_are_small_and_frozen() -> None:
    assert WEIGHTS.stat().st_size <= 2_000_000
    network = load_network()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_the_network_is_a_model_like_any_other(tmp_path: Path) -> None:
    loaded = load_model(ModelSource("demo"))
    assert isinstance(loaded.module, ConceptNetwork)
    assert loaded.preprocessing == PREPROCESSING
    assert loaded.class_names == CLASS_NAMES == CONCEPTS
    draw_concept("pizza", 2, stream=7).save(tmp_path / "p.png")
    pixels = preprocess_image(tmp_path / "p.png", PREPROCESSING)
    batch = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 - 0.5) / 0.25
    assert CONCEPTS[int(loaded.module(batch).argmax())] == "pizza"


@pytest.mark.parametrize("content", [None, b"not safetensors", b""])
def test_bad_weights_are_reported_with_their_file(tmp_path: Path, content: bytes | None) -> None:
    weights = tmp_path / "weights.safetensors"
    if content is not None:
        weights.write_bytes(content)
    with pytest.raises(ModelError, match=r"weights\.safetensors"):
        load_network(weights)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"features.0.conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="cannot be read"):
        load_network(tmp_path / "other.safetensors")


def test_preprocessing_is_what_training_used(tmp_path: Path) -> None:
    """A lossless picture read from its file equals the array that training resizes in memory."""
    from PIL import Image

    picture = draw_concept("clock", 1)
    picture.save(tmp_path / "clock.png")
    resized = np.asarray(picture.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(preprocess_image(tmp_path / "clock.png", PREPROCESSING), resized)
