from pathlib import Path

import pytest

from backend.image_files.image_address import (
    ImageAddress,
    address_order,
    file_name,
    image_file,
    page_address,
)


@pytest.mark.parametrize(
    ("path", "file", "page"),
    [
        ("a/stack.tif#page=3", "a/stack.tif", 3),
        ("scan.dcm#frame=120", "scan.dcm", 120),
        ("stack #1.tif#page=1", "stack #1.tif", 1),
        ("a.tif", "a.tif", None),
        ("a#page=1.tif", "a#page=1.tif", None),
        ("a.tif#page=0", "a.tif#page=0", None),
        ("a.tif#page=03", "a.tif#page=03", None),
        ("a.tif#page=-1", "a.tif#page=-1", None),
        ("a.tif#part=2", "a.tif#part=2", None),
        ("#page=2", "#page=2", None),
        ("a.tif#page=1#page=2", "a.tif#page=1", 2),
    ],
)
def test_a_path_is_taken_apart(path: str, file: str, page: int | None) -> None:
    assert ImageAddress.of(path) == ImageAddress(Path(file), page)
    assert image_file(Path(path)) == Path(file)
    assert file_name(path) == file


def test_addresses_are_put_together_and_taken_apart_again() -> None:
    assert page_address("b/stack.tif", 12) == "b/stack.tif#page=12"
    assert page_address("scan", 2, "frame") == "scan#frame=2"
    assert ImageAddress.of(page_address("b/stack.tif", 12)) == ImageAddress(Path("b/stack.tif"), 12)


def test_pages_are_sorted_by_their_numbers() -> None:
    paths = ["b.tif", "a.tif#page=10", "a.tif#page=9", "a.tiff", "a.tif"]
    assert sorted(paths, key=address_order) == ["a.tif", "a.tif#page=9", "a.tif#page=10", "a.tiff", "b.tif"]
