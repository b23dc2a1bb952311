"""Ticks of the logarithmic axis."""

import numpy as np
import pytest

from widgets.dendrogram.height_axis import log_ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 10_000, [1, 10, 100, 1000, 10_000]),
        (2, 30, [2, 5, 10, 20]),
        (11, 24, [15, 20]),
        (0.05, 0.3, [0.05, 0.1, 0.2]),
    ],
)
def test_ticks_are_round_and_inside(low, high, expected):
    ticks = log_ticks(np.log10(low), np.log10(high) + 1e-12)
    assert [float(f"{10**tick:.6g}") for tick in ticks] == expected
