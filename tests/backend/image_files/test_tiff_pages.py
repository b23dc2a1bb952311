import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from backend.errors import ImageError
from backend.image_files.tiff_pages import tiff_pages
from backend.images import decode_image, find_images, preprocess_image
from backend.networks.model_source import Preprocessing

COLOURS = ["red", "lime", "blue", "black", "white"]


def _stack(path: Path, n_pages: int, **options: object) -> Path:
    pages = [Image.new("RGB", (8 + page, 6), COLOURS[page % 5]) for page in range(n_pages)]
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return path


def _tiff(order: str, kinds: list[int | None], *, big: bool = False, tag: int = 254) -> bytes:
    """Write the directories of a file without pixels, each with a subfile type or none."""
    header = struct.pack(order + "2sH", b"II" if order == "<" else b"MM", 43 if big else 42)
    offset = 16 if big else 8
    contents = header + (
        struct.pack(order + "HHQ", 8, 0, offset) if big else struct.pack(order + "I", offset)
    )
    for number, kind in enumerate(kinds):
        entries = [(256, 8), (257, 8)] if kind is None else [(tag, kind), (256, 8), (257, 8)]
        size = (8 + 20 * len(entries) + 8) if big else (2 + 12 * len(entries) + 4)
        offset += size
        contents += struct.pack(order + ("Q" if big else "H"), len(entries))
        for name, value in entries:
            contents += struct.pack(order + ("HHQI4x" if big else "HHII"), name, 4, 1, value)
        contents += struct.pack(order + ("Q" if big else "I"), offset if number + 1 < len(kinds) else 0)
    return contents


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
def test_directories_of_every_layout_are_counted(tmp_path: Path, order: str, big: bool) -> None:
    for n_pages in (1, 2, 300):
        (tmp_path / "a.tif").write_bytes(_tiff(order, [0] * n_pages, big=big))
        assert tiff_pages(tmp_path / "a.tif") == tuple(range(1, n_pages + 1))
    (tmp_path / "a.tif").write_bytes(_tiff(order, [0, 1, 0, 4, 5, 2, None, 1], big=big))
    assert tiff_pages(tmp_path / "a.tif") == (1, 3, 6, 7)


def test_smaller_versions_by_the_older_tag_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(_tiff("<", [1, 2, 3], tag=255))
    assert tiff_pages(tmp_path / "a.tif") == (1, 3)


def test_what_is_no_tiff_file_counts_as_one_page(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    for contents in (
        b"",
        b"II",
        b"\x89PNG\r\n\x1a\n----",
        b"II\x2a\0",
        b"II\x63\0\x08\0\0\0",
        _tiff("<", [1]),
    ):
        file.write_bytes(contents)
        assert tiff_pages(file) == (1,)


def test_a_circle_and_a_missing_end_are_no_trap(tmp_path: Path) -> None:
    contents = bytearray(_tiff("<", [0, 0, 0]))
    contents[-4:] = struct.pack("<I", 8)
    (tmp_path / "circle.tif").write_bytes(contents)
    assert tiff_pages(tmp_path / "circle.tif") == (1, 2, 3)
    (tmp_path / "cut.tif").write_bytes(_tiff("<", [0, 0, 0])[:-20])
    assert tiff_pages(tmp_path / "cut.tif") == (1, 2)


def test_damaged_directories_give_some_pages(tmp_path: Path) -> None:
    chance = random.Random(0)
    originals = [_tiff("<", [0, 1, 0]), _tiff(">", [0, 0, 0], big=True)]
    for _ in range(300):
        contents = bytearray(chance.choice(originals))
        for _ in range(chance.choice([1, 5])):
            contents[chance.randrange(len(contents))] = chance.randrange(256)
        (tmp_path / "a.tif").write_bytes(contents)
        pages = tiff_pages(tmp_path / "a.tif")
        assert pages
        assert all(1 <= page <= 3 for page in pages)


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}, {"compression": "tiff_deflate"}])
def test_each_page_is_an_image_of_the_set(tmp_path: Path, options: dict[str, str]) -> None:
    (tmp_path / "cat").mkdir()
    _stack(tmp_path / "cat" / "stack.tif", 11, **options)
    _stack(tmp_path / "one.tiff", 1)
    images = find_images(tmp_path)
    assert images.paths == (*(f"cat/stack.tif#page={page}" for page in range(1, 12)), "one.tiff")
    assert images.labels == ("cat",) * 11 + (None,)
    for page in (1, 2, 3, 11):
        image = decode_image(images.root / images.paths[page - 1])
        assert image.size == (7 + page, 6)
        assert image.getpixel((2, 2)) == Image.new("RGB", (1, 1), COLOURS[(page - 1) % 5]).getpixel((0, 0))
    assert decode_image(tmp_path / "cat" / "stack.tif").getpixel((0, 0)) == (255, 0, 0)
    pixels = preprocess_image(tmp_path / "cat" / "stack.tif#page=3", Preprocessing(4, 4))
    assert pixels.reshape(-1, 3).tolist() == [[0, 0, 255]] * 16


def test_a_page_is_chosen_by_chance_like_any_image(tmp_path: Path) -> None:
    _stack(tmp_path / "stack.tif", 20)
    chosen = find_images(tmp_path, per_class=12, seed=3).paths
    assert len(chosen) == len(set(chosen)) == 12
    assert set(chosen) < {f"stack.tif#page={page}" for page in range(1, 21)}
    numbers = [int(path.rpartition("=")[2]) for path in chosen]
    assert numbers == sorted(numbers)


def test_deep_greys_and_orientation_belong_to_the_page(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((4, 6), value, np.uint16)) for value in (0, 2560, 65535)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    greys = [decode_image(tmp_path / f"a.tif#page={page}").getpixel((0, 0))[0] for page in (1, 2, 3)]
    assert greys == [0, 10, 255]

    upright, turned = TiffImagePlugin.ImageFileDirectory_v2(), TiffImagePlugin.ImageFileDirectory_v2()
    turned[0x0112] = 6
    with TiffImagePlugin.AppendingTiffWriter(str(tmp_path / "b.tif"), new=True) as file:
        for directory in (upright, turned):
            Image.new("RGB", (6, 4)).save(file, format="TIFF", tiffinfo=directory)
            file.newFrame()
    assert [decode_image(tmp_path / f"b.tif#page={page}").size for page in (1, 2)] == [(6, 4), (4, 6)]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("stack.tif#page=4", r"'.*stack\.tif' has no page 4 \(any more\)"),
        ("photo.png#page=2", "has no page 2"),
        ("gone.tif#page=2", r"gone\.tif#page=2' is no longer there"),
        ("empty.tif#page=2", r"empty\.tif#page=2' is empty \(0 bytes\)"),
        ("text.tif#page=2", "is not an image in any format"),
        ("cut.tif#page=3", "is truncated|has no page 3|is damaged"),
    ],
)
def test_a_page_that_is_not_there_is_said(tmp_path: Path, name: str, message: str) -> None:
    _stack(tmp_path / "stack.tif", 3)
    Image.new("RGB", (4, 4)).save(tmp_path / "photo.png")
    (tmp_path / "empty.tif").touch()
    (tmp_path / "text.tif").write_text("no picture")
    (tmp_path / "cut.tif").write_bytes((tmp_path / "stack.tif").read_bytes()[:-60])
    with pytest.raises(ImageError, match=message):
        decode_image(tmp_path / name)


def test_a_file_named_like_a_page_is_listed(tmp_path: Path) -> None:
    (tmp_path / "scan#page=2").write_bytes(b"\0" * 128 + b"DICM")
    _stack(tmp_path / "a.tif", 1)
    images = find_images(tmp_path)
    assert images.paths == ("a.tif",)
    assert [file.path for file in images.skipped] == ["scan#page=2"]
    assert "ends as the address of a page does" in images.skipped[0].reason
