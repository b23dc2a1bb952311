"""Numbers as people read them: hand-made cases at the borders of each unit."""

import pytest

from widgets.quantity_text import activation_text, bytes_text, count_text, duration_text, share_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (131, "2 min 10 s"),
        (598, "10 min"),
        (3540, "59 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (-3, "0 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (640_000, "640 kB"),
        (133_120_000, "133 MB"),
        (999_600, "1.0 MB"),
        (1_331_200_000, "1.3 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_sizes_on_disk(n_bytes: int, text: str) -> None:
    assert bytes_text(n_bytes) == text


def test_counts_agree_with_their_noun() -> None:
    assert count_text(1, "image") == "1 image"
    assert count_text(26000, "image") == "26,000 images"
    assert count_text(2, "class", "classes") == "2 classes"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.345, "12.3"),
        (1.5, "1.50"),
        (0.00412, "0.00412"),
        (123.6, "124"),
        (0.0, "0"),
        (-2.5, "-2.50"),
        (0.00000312, "3.1e-06"),
        (float("nan"), "–"),
    ],
)
def test_activations_have_three_digits(value: float, text: str) -> None:
    assert activation_text(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (0.0004, "< 0.1 %"),
        (0.031, "3.1 %"),
        (0.42, "42 %"),
        (0.998, "> 99 %"),
        (1.0, "100 %"),
        (float("nan"), "–"),
    ],
)
def test_shares_never_round_to_nothing_or_everything(share: float, text: str) -> None:
    assert share_text(share) == text
