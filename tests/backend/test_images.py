import os
from pathlib import Path

import pytest

from backend.errors import ImageError
from backend.images import ImageSet, find_images
from backend.task import Cancelled, SilentTask

SUFFIXES = ("jpg", "JPG", "jpeg", "JpEg", "png", "bmp", "gif", "webp", "tif", "TIFF", "tiff", "ppm", "pgm")


def _touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"contents are not read")
    return root


def test_classes_are_the_folders_below_the_root(tmp_path: Path) -> None:
    _touch(
        tmp_path, "dog/b.JPEG", "dog/deep/er/a.png", "cat/1.jpg", "cat/notes.txt", "loose.bmp", "README.md"
    )
    images = find_images(tmp_path)
    assert images == ImageSet(
        tmp_path,
        ("cat/1.jpg", "dog/b.JPEG", "dog/deep/er/a.png", "loose.bmp"),
        ("cat", "dog", "dog", None),
    )
    assert len(images) == 4


def test_a_flat_folder_has_no_classes(tmp_path: Path) -> None:
    assert find_images(_touch(tmp_path, "b.png", "a.png")).labels == (None, None)


def test_every_common_suffix_counts_in_any_case(tmp_path: Path) -> None:
    names = [f"{i}.{suffix}" for i, suffix in enumerate(SUFFIXES)]
    _touch(tmp_path, *names, "x.txt", "x.json", "x.npy", "jpg", "x.jpg.part")
    assert sorted(find_images(tmp_path).paths) == sorted(names)


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png", "._a.png", ".thumbnails/a.png", "cat/.hidden/b.png", "cat/b.png")
    assert find_images(tmp_path).paths == ("a.png", "cat/b.png")


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    root = _touch(tmp_path / "root", "cat/a.png")
    elsewhere = _touch(tmp_path / "elsewhere", "b.png")
    (root / "linked").symlink_to(elsewhere)
    (root / "cat" / "up").symlink_to(root)
    (elsewhere / "back").symlink_to(root)
    (root / "one.png").symlink_to(elsewhere / "b.png")
    (root / "broken.png").symlink_to(tmp_path / "absent.png")
    images = find_images(root)
    assert images.paths == ("cat/a.png", "linked/b.png", "one.png")
    assert [file.path for file in images.skipped] == ["broken.png"]
    assert "leads nowhere" in images.skipped[0].reason


@pytest.mark.parametrize("per_class", [1, 3, 10, 99])
def test_each_class_gives_at_most_that_many(tmp_path: Path, per_class: int) -> None:
    paths = [f"{label}/{i}.png" for label, n in (("a", 10), ("b", 3), ("c", 25)) for i in range(n)]
    images = find_images(_touch(tmp_path, *paths), per_class=per_class, seed=1)
    counts = {label: images.labels.count(label) for label in "abc"}
    assert counts == {"a": min(10, per_class), "b": min(3, per_class), "c": min(25, per_class)}
    assert list(images.paths) == sorted(images.paths)
    assert set(images.paths) <= set(paths)


def test_the_choice_depends_on_the_seed_and_on_nothing_but_the_images_own_class(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(40)]
    one = _touch(tmp_path / "one", *(f"a/{name}" for name in names), "b/1.png", "b/2.png")
    other = _touch(tmp_path / "other", *(f"a/{name}" for name in reversed(names)), "c/7.png")

    def chosen(root: Path, per_class: int, seed: int) -> set[str]:
        return {
            path for path in find_images(root, per_class=per_class, seed=seed).paths if path.startswith("a/")
        }

    assert chosen(one, 10, 0) == chosen(other, 10, 0)
    assert chosen(one, 10, 0) != chosen(one, 10, 1)
    assert chosen(one, 10, 0) < chosen(one, 20, 0)


def test_the_choice_is_uniform(tmp_path: Path) -> None:
    """Over 200 seeds each of 20 images is among the 5 chosen 50 times on average, with a deviation of 6.1."""
    root = _touch(tmp_path, *(f"{i}.png" for i in range(20)))
    counts = dict.fromkeys((f"{i}.png" for i in range(20)), 0)
    for seed in range(200):
        for path in find_images(root, per_class=5, seed=seed).paths:
            counts[path] += 1
    assert sum(counts.values()) == 1000
    assert 25 < min(counts.values()) <= max(counts.values()) < 75


def test_a_folder_without_images_names_the_formats(tmp_path: Path) -> None:
    _touch(tmp_path, "cat/notes.txt")
    with pytest.raises(ImageError, match=r"hold no images \(bmp, dcm, dicom, gif"):
        find_images(tmp_path)
    (tmp_path / "broken.png").symlink_to(tmp_path / "absent")
    with pytest.raises(ImageError, match="1 were left out, the first because: This link leads nowhere"):
        find_images(tmp_path)


def test_a_folder_that_is_gone_or_none_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="does not exist"):
        find_images(tmp_path / "absent")
    _touch(tmp_path, "a.png")
    with pytest.raises(ImageError, match="is a file, not a folder"):
        find_images(tmp_path / "a.png")
    with pytest.raises(ImageError, match="At least 1 image"):
        find_images(tmp_path, per_class=0)


def test_a_folder_that_may_not_be_read_is_listed_and_the_rest_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _touch(tmp_path, "a/1.png", "locked/2.png")
    scandir = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == locked:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    locked = "locked"
    images = find_images(tmp_path)
    assert images.paths == ("a/1.png",)
    assert [(file.path, file.reason) for file in images.skipped] == [
        ("locked", "This folder cannot be read: Permission denied.")
    ]
    locked = tmp_path.name
    with pytest.raises(ImageError, match="cannot be read: Permission denied"):
        find_images(tmp_path)


def test_a_name_that_is_not_unicode_is_listed(tmp_path: Path) -> None:
    _touch(tmp_path, "a.png")
    (tmp_path / os.fsdecode(b"b\xff.png")).write_bytes(b"")
    images = find_images(tmp_path)
    assert images.paths == ("a.png",)
    assert images.skipped[0].path == "b?.png"
    assert "not valid Unicode" in images.skipped[0].reason


def test_the_search_can_be_stopped(tmp_path: Path) -> None:
    class Impatient(SilentTask):
        def check_cancelled(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        find_images(_touch(tmp_path, "a.png"), task=Impatient())
