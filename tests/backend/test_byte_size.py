"""Sizes in words."""

import pytest

from backend.byte_size import byte_size


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999_600, "1 MB"),
        (1234, "1.23 kB"),
        (67_108_864, "67.1 MB"),
        (10**10, "10 GB"),
        (10**18, "1,000,000 TB"),
    ],
)
def test_the_unit_suits_the_size(n_bytes, words):
    assert byte_size(n_bytes) == words
