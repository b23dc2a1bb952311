"""Which formats hold deep grey values, against files written with known depths."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.image_files.grey_depth import GreyDepth, grey_depths
from backend.images import decode_image, find_images
from backend.task import Cancelled, SilentTask


def _save(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


SHALLOW = np.full((4, 4), 9, np.uint8)
COLOUR = np.full((4, 4, 3), 9, np.uint8)
DEEP = np.full((4, 4), 900, np.uint16)
FLOAT = np.full((4, 4), 0.5, np.float32)


def _depths(root: Path) -> dict[str, GreyDepth]:
    return {depth.format: depth for depth in grey_depths(root, find_images(root).paths)}


def test_each_format_is_told_from_its_headers(tmp_path: Path) -> None:
    for name, values in {
        "a/1.png": SHALLOW,
        "a/2.png": DEEP,
        "a/3.png": COLOUR,
        "a/4.jpg": SHALLOW,
        "b/1.tif": FLOAT,
        "b/2.TIFF": DEEP,
        "b/3.pgm": SHALLOW,
        "b/4.gif": SHALLOW,
    }.items():
        _save(tmp_path / name, values)
    (tmp_path / "b" / "scan.dcm").write_bytes(b"nothing that is opened")
    paths = (*find_images(tmp_path).paths, "b/scan.dcm", "b/1.2.840.5")
    assert grey_depths(tmp_path, paths) == (
        GreyDepth("DICOM", 2, 2, 2, "b/scan.dcm"),
        GreyDepth("PGM", 1, 1, 0, ""),
        GreyDepth("PNG", 3, 3, 1, "a/2.png"),
        GreyDepth("TIFF", 2, 2, 2, "b/1.tif"),
    )


@pytest.mark.parametrize(
    ("suffix", "values"),
    [
        *((suffix, values) for suffix in ("png", "tif", "pgm") for values in (SHALLOW, COLOUR, DEEP)),
        ("tif", FLOAT),
        ("tif", DEEP.astype(np.int32)),
    ],
)
def test_a_rule_changes_just_the_images_that_are_called_deep(
    tmp_path: Path, suffix: str, values: np.ndarray
) -> None:
    ramp = (np.linspace(0.2, 1, 16).reshape(4, 4) * values.max()).astype(values.dtype)
    if values.ndim == 3:
        ramp = np.repeat(ramp[..., None], 3, axis=2)
    _save(tmp_path / f"image.{suffix}", ramp)
    pictures = [
        np.asarray(decode_image(tmp_path / f"image.{suffix}", grey_scaling=rule))
        for rule in ("full_range", "min_max")
    ]
    (depth,) = grey_depths(tmp_path, [f"image.{suffix}"])
    assert (depth.n_deep == 1) == (not np.array_equal(*pictures))


def test_pages_of_a_file_are_looked_at_once(tmp_path: Path) -> None:
    pages = [Image.fromarray(DEEP) for _ in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    assert len(find_images(tmp_path)) == 3
    assert _depths(tmp_path) == {"TIFF": GreyDepth("TIFF", 1, 1, 1, "stack.tif")}


def test_of_many_files_a_sample_spread_over_all_is_read(tmp_path: Path) -> None:
    for place in range(128):
        _save(tmp_path / f"{place:03}.png", DEEP if place >= 96 else SHALLOW)
    assert _depths(tmp_path) == {"PNG": GreyDepth("PNG", 128, 64, 16, "096.png")}


def test_what_is_damaged_or_gone_is_passed_over(tmp_path: Path) -> None:
    _save(tmp_path / "whole.png", DEEP)
    whole = (tmp_path / "whole.png").read_bytes()
    for length in range(0, len(whole), 3):
        (tmp_path / f"cut{length:03}.png").write_bytes(whole[:length])
    _save(tmp_path / "whole.tif", DEEP)
    tif = bytearray((tmp_path / "whole.tif").read_bytes())
    for place in range(4, len(tif), 5):
        (tmp_path / f"broken{place:03}.tif").write_bytes(tif[:place] + b"\xff" + tif[place + 1 :])
    depths = {depth.format: depth for depth in grey_depths(tmp_path, find_images(tmp_path).paths)}
    assert depths["PNG"].n_deep >= 1
    assert grey_depths(tmp_path, ["gone.png"]) == (GreyDepth("PNG", 1, 1, 0, ""),)


def test_it_can_be_stopped(tmp_path: Path) -> None:
    class Stopped(SilentTask):
        def check_cancelled(self) -> None:
            raise Cancelled

    _save(tmp_path / "one.png", DEEP)
    with pytest.raises(Cancelled):
        grey_depths(tmp_path, ["one.png"], task=Stopped())
