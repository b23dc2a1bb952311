import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend.errors import ModelError
from backend.networks.layer_pooling import LayerPooling, channel_axis, prefix_tokens


class _Transformer(nn.Module):
    """Nothing but the tokens that a vision transformer puts before those of the image."""

    def __init__(self, **tokens: tuple[int, ...]) -> None:
        super().__init__()
        self.inner = nn.Module()
        for name, shape in tokens.items():
            self.inner.register_parameter(name, nn.Parameter(torch.zeros(shape)))


CONVOLUTIONAL = LayerPooling(nn.Conv2d(1, 1, 1))
WITH_CLASS_TOKEN = LayerPooling(_Transformer(class_token=(1, 1, 6)))
WITH_REGISTERS = LayerPooling(_Transformer(cls_token=(1, 1, 6), reg_token=(1, 4, 6)))


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((8, 5), 1),
        ((8, 1280, 7, 7), 1),
        ((8, 7, 7, 7), 1),
        ((8, 512, 1, 1), 1),
        ((8, 7, 7, 768), 3),
        ((8, 1, 1, 768), 3),
        ((8, 197, 768), 2),
        ((8, 64, 49, 128), None),  # windows × tokens × channels, as MaxViT has it
        ((8,), None),
        ((), None),
        ((8, 4, 3, 5, 5), None),
    ],
)
def test_the_channel_axis_is_told_from_the_shape(shape: tuple[int, ...], axis: int | None) -> None:
    assert channel_axis(shape) == axis


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({}, (0, False)),
        ({"class_token": (1, 1, 6)}, (1, True)),
        ({"cls_token": (1, 1, 6), "dist_token": (1, 1, 6)}, (2, True)),
        ({"cls_token": (1, 1, 6), "register_tokens": (1, 4, 6)}, (5, True)),
        ({"class_embedding": (6,)}, (1, True)),
        ({"reg_token": (1, 4, 6), "mask_token": (1, 1, 6), "pos_embed": (1, 17, 6)}, (4, False)),
    ],
)
def test_tokens_before_the_images_are_found_by_their_names(
    tokens: dict[str, tuple[int, ...]], expected: tuple[int, bool]
) -> None:
    assert prefix_tokens(_Transformer(**tokens)) == expected


@pytest.mark.parametrize(
    ("pooling", "shape", "offered"),
    [
        (CONVOLUTIONAL, (2, 5), ("none",)),
        (CONVOLUTIONAL, (2, 5, 3, 3), ("mean", "max")),
        (CONVOLUTIONAL, (2, 3, 3, 5), ("mean", "max")),
        (CONVOLUTIONAL, (2, 16, 6), ("token_mean", "max")),
        (WITH_CLASS_TOKEN, (2, 17, 6), ("class_token", "token_mean", "max")),
        (WITH_CLASS_TOKEN, (2, 16, 6), ("token_mean", "max")),  # no class token yet, as in CaiT
        (WITH_CLASS_TOKEN, (2, 1, 6), ("class_token",)),  # nothing but the class token
        (WITH_CLASS_TOKEN, (2, 13, 6), ("class_token", "token_mean", "max")),
        (WITH_REGISTERS, (2, 21, 6), ("class_token", "token_mean", "max")),
        (LayerPooling(_Transformer(reg_token=(1, 4, 6))), (2, 20, 6), ("token_mean", "max")),
        (LayerPooling(_Transformer(reg_token=(1, 4, 6))), (2, 4, 6), ("token_mean", "max")),
    ],
)
def test_a_layer_offers_what_its_output_allows(
    pooling: LayerPooling, shape: tuple[int, ...], offered: tuple[str, ...]
) -> None:
    assert pooling.offered(shape) == offered
    assert pooling.check("layer", shape, None) == offered[0]
    for one in offered:
        assert pooling.pool(torch.zeros(shape), "layer", 2, one).shape == (2, shape[pooling_axis(shape)])


def pooling_axis(shape: tuple[int, ...]) -> int:
    return 1 if len(shape) == 2 or shape[-1] == shape[-2] else len(shape) - 1


def test_maps_are_averaged_over_space_in_float32() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 1.0]]]])
    last = maps.permute(0, 2, 3, 1).repeat(1, 1, 1, 2)
    assert CONVOLUTIONAL.pool(maps, "layer", 1).tolist() == [[3.0, 0.25]]
    assert CONVOLUTIONAL.pool(last, "layer", 1, "mean").tolist() == [[3.0, 0.25] * 2]
    assert CONVOLUTIONAL.pool(maps, "layer", 1, "max").tolist() == [[6.0, 1.0]]
    assert CONVOLUTIONAL.pool(last, "layer", 1, "max").tolist() == [[6.0, 1.0] * 2]


@pytest.mark.parametrize(("pooling", "n_before"), [(WITH_CLASS_TOKEN, 1), (WITH_REGISTERS, 5)])
def test_tokens_are_pooled_without_those_before_the_image(pooling: LayerPooling, n_before: int) -> None:
    tokens = np.random.default_rng(0).normal(size=(3, n_before + 9, 6)).astype(np.float32)
    output = torch.from_numpy(tokens)
    image = tokens[:, n_before:]
    assert np.array_equal(pooling.pool(output, "layer", 3), tokens[:, 0])
    np.testing.assert_allclose(pooling.pool(output, "layer", 3, "token_mean"), image.mean(axis=1), rtol=1e-5)
    assert np.array_equal(pooling.pool(output, "layer", 3, "max"), image.max(axis=1))


def test_pooling_low_precision_sums_in_float32() -> None:
    """In bfloat16 a sum of 4096 ones stops at 256."""
    maps = torch.ones(1, 2, 64, 64, dtype=torch.bfloat16)
    maps[0, 0, 0, 0] = 3
    pooled = CONVOLUTIONAL.pool(maps, "layer", 1)
    assert pooled.dtype == torch.float32
    assert pooled.tolist() == [[1 + 2 / 4096, 1.0]]
    assert CONVOLUTIONAL.pool(maps, "layer", 1, "max").dtype == torch.float32


def test_what_is_pooled_is_no_view() -> None:
    for output, pooling in ((torch.ones(2, 3), "none"), (torch.ones(2, 10, 3), "class_token")):
        pooled = WITH_CLASS_TOKEN.pool(output, "layer", 2, pooling)
        output.zero_()
        assert pooled.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_pooling_over_space_leaves_vectors_as_they_are(pooling: str) -> None:
    assert CONVOLUTIONAL.check("fc", (2, 3), pooling) == pooling
    assert CONVOLUTIONAL.pool(torch.ones(2, 3), "fc", 2, pooling).tolist() == [[1.0] * 3] * 2


def test_channels_come_first_and_tokens_as_they_lie_in_the_image() -> None:
    last = torch.arange(2 * 3 * 3 * 5.0).reshape(2, 3, 3, 5)
    assert torch.equal(CONVOLUTIONAL.channels_first(last), last.permute(0, 3, 1, 2))
    assert CONVOLUTIONAL.channels_first(torch.zeros(2, 5)).shape == (2, 5)
    tokens = torch.cat([torch.zeros(2, 1, 5), last.reshape(2, 9, 5)], dim=1)
    assert torch.equal(WITH_CLASS_TOKEN.channels_first(tokens, "token_mean"), last.permute(0, 3, 1, 2))
    assert WITH_CLASS_TOKEN.channels_first(tokens).tolist() == [[0.0] * 5] * 2
    assert WITH_CLASS_TOKEN.channels_first(torch.zeros(2, 8, 5), "max").shape == (2, 5, 7, 1)


@pytest.mark.parametrize(
    ("shape", "pooling", "message"),
    [
        (
            (2, 5, 3, 3),
            "class_token",
            r"'block.3' cannot be pooled by 'class_token'.*choose 'mean' \(mean over",
        ),
        ((2, 5, 3, 3), "none", "cannot be pooled by 'none'"),
        ((2, 5), "token_mean", r"shape \(2, 5\); choose 'none'"),
        ((2, 16, 6), "class_token", "choose 'token_mean'"),
        ((2, 5), "median", "cannot be pooled by 'median'"),
    ],
)
def test_a_pooling_that_makes_no_sense_is_refused_with_those_that_do(
    shape: tuple[int, ...], pooling: str, message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        CONVOLUTIONAL.pool(torch.zeros(shape), "block.3", 2, pooling)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ((torch.zeros(2, 3),), "gives a tuple, not a tensor"),
        (torch.zeros(2, 64, 49, 768), r"shape \(2, 64, 49, 768\): no channel axis"),
        (torch.zeros(18, 3), r"shape \(18, 3\) for 2 images: its first axis is not the image"),
        (torch.tensor(3.0), "first axis is not the image"),
        (torch.zeros(2, 3, dtype=torch.int64), "gives int64 values, not activations"),
        (torch.zeros(2, 3, 0, 0), r"gives an empty output, of shape \(2, 3, 0, 0\)"),
    ],
)
def test_what_cannot_be_pooled_is_refused(output: Tensor, message: str) -> None:
    with pytest.raises(ModelError, match=f"'block.3' cannot be read: it .*{message}"):
        CONVOLUTIONAL.pool(output, "block.3", 2)
