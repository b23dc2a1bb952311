import pytest
import torch
from torch import Tensor

from backend.errors import ModelError
from backend.layer_pooling import channel_axis, pool_over_space


@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((8, 5), 1),
        ((8, 1280, 7, 7), 1),
        ((8, 7, 7, 7), 1),
        ((8, 512, 1, 1), 1),
        ((8, 7, 7, 768), 3),
        ((8, 1, 1, 768), 3),
        ((8, 64, 49, 128), None),  # windows × tokens × channels, as MaxViT has it
        ((8, 197, 768), None),
        ((8,), None),
        ((), None),
        ((8, 4, 3, 5, 5), None),
    ],
)
def test_the_channel_axis_is_told_from_the_shape(shape: tuple[int, ...], axis: int | None) -> None:
    assert channel_axis(shape) == axis


def test_pooling_is_the_mean_over_space_in_float32() -> None:
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 1.0]]]])
    assert pool_over_space(maps, "layer", 1).tolist() == [[3.0, 0.25]]
    assert pool_over_space(maps.permute(0, 2, 3, 1).repeat(1, 1, 1, 2), "layer", 1).tolist() == [
        [3.0, 0.25] * 2
    ]


def test_pooling_low_precision_sums_in_float32() -> None:
    """In bfloat16 a sum of 4096 ones stops at 256."""
    maps = torch.ones(1, 2, 64, 64, dtype=torch.bfloat16)
    maps[0, 0, 0, 0] = 3
    pooled = pool_over_space(maps, "layer", 1)
    assert pooled.dtype == torch.float32
    assert pooled.tolist() == [[1 + 2 / 4096, 1.0]]


def test_vectors_are_copied() -> None:
    vectors = torch.ones(2, 3)
    pooled = pool_over_space(vectors, "layer", 2)
    vectors.zero_()
    assert pooled.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ((torch.zeros(2, 3),), "gives a tuple, not a tensor"),
        (torch.zeros(2, 197, 768), r"shape \(2, 197, 768\): no channel axis"),
        (torch.zeros(18, 3), r"shape \(18, 3\) for 2 images: its first axis is not the image"),
        (torch.tensor(3.0), "first axis is not the image"),
        (torch.zeros(2, 3, dtype=torch.int64), "gives int64 values, not activations"),
    ],
)
def test_what_cannot_be_pooled_is_refused(output: Tensor, message: str) -> None:
    with pytest.raises(ModelError, match=f"'block.3' cannot be read: it .*{message}"):
        pool_over_space(output, "block.3", 2)
