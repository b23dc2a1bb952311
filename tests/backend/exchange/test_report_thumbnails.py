"""The pictures inside a report, against the file that they are of."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from backend.exchange.report_thumbnails import Thumbnails


@pytest.mark.parametrize(("rule", "grey"), [("full_range", 6), ("twelve_bit", 100)])
def test_deep_grey_values_are_scaled_as_for_the_network(tmp_path, rule, grey):
    Image.fromarray(np.full((40, 40), 1600, np.uint16)).save(tmp_path / "scan.png")
    thumbnails = Thumbnails(["scan.png"], lambda row: tmp_path / "scan.png", rule)
    assert "scan.png" in thumbnails.html(0, "")
    (data,) = re.findall(r"base64,([^)]*)\)", thumbnails.style_rules())
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    assert np.abs(pixels.astype(int) - grey).max() <= 2
