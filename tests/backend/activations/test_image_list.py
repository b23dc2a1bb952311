"""Lists of images: every format gives the same paths; what does not name each image once is refused."""

import json

import numpy as np
import pytest

from backend.activations.image_list import look_for_listed, read_image_list
from backend.activations.list_file import read_neuron_names
from backend.errors import ActivationImportError

PATHS = ("cats/a b.png", "cats/ü,画.png", "dogs/x.png", "flat.png", "scan/s.tif#page=3")
LABELS = ("cats", "cats", "dogs", None, "scan")


def write(file, text, encoding="utf-8"):
    file.write_bytes(text.encode(encoding))
    return file


def refuse(pattern, file, root=None):
    with pytest.raises(ActivationImportError, match=pattern):
        read_image_list(file, root)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_in_the_encodings_of_common_programs(tmp_path, end, encoding):
    images = read_image_list(write(tmp_path / "list.txt", end.join(PATHS) + end + end, encoding))
    assert images.paths == PATHS
    assert images.labels == LABELS


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_labels_of_its_own(tmp_path, delimiter):
    rows = [("n", "Label", "Path")]
    rows += [(str(i), f"class {i % 2}" if i else "", path) for i, path in enumerate(PATHS)]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    images = read_image_list(write(tmp_path / "list.csv", text))
    assert images.paths == PATHS
    assert images.labels == (None, "class 1", "class 0", "class 1", "class 0")
    without = read_image_list(write(tmp_path / "list.csv", "path\n" + "\n".join(PATHS[2:])))
    assert without.labels == LABELS[2:]


def test_json_of_paths_or_of_objects(tmp_path):
    assert read_image_list(write(tmp_path / "a.json", json.dumps(PATHS))).labels == LABELS
    values = [{"path": path, "label": "x"} for path in PATHS]
    images = read_image_list(write(tmp_path / "b.json", json.dumps(values)))
    assert (images.paths, set(images.labels)) == (PATHS, {"x"})


@pytest.mark.parametrize("dtype", ["U", "S"])
def test_texts_of_numpy(tmp_path, dtype):
    texts = np.array(PATHS) if dtype == "U" else np.array([path.encode() for path in PATHS])
    np.savez(tmp_path / "a.npz", acts=np.zeros((5, 2)), paths=texts, labels=np.array(["k"] * 5))
    images = read_image_list(tmp_path / "a.npz")
    assert (images.paths, set(images.labels)) == (PATHS, {"k"})
    np.savez(tmp_path / "b.npz", acts=np.zeros((5, 2)), whatever=texts)
    assert read_image_list(tmp_path / "b.npz").labels == LABELS
    np.save(tmp_path / "c.npy", texts)
    assert read_image_list(tmp_path / "c.npy").paths == PATHS
    np.savez(tmp_path / "d.npz", one=texts, two=texts)
    refuse("several", tmp_path / "d.npz")
    np.savez(tmp_path / "e.npz", acts=np.zeros((5, 2)))
    refuse("it has none", tmp_path / "e.npz")


def test_pickled_texts_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", paths=np.array(PATHS, dtype=object))
    refuse("pickled.*dtype=str", tmp_path / "a.npz")
    np.save(tmp_path / "a.npy", np.array(PATHS, dtype=object), allow_pickle=True)
    refuse("pickled.*dtype=str", tmp_path / "a.npy")


def test_paths_of_other_systems_become_relative_with_forward_slashes(tmp_path):
    root = tmp_path / "images"
    lines = [r"cats\a.png", "./dogs//x.png", str(root / "cats" / "b.png"), "a/../flat.png"]
    images = read_image_list(write(tmp_path / "list.txt", "\n".join(lines)), root)
    assert images.paths == ("cats/a.png", "dogs/x.png", "cats/b.png", "flat.png")


def test_absolute_paths_below_a_linked_folder(tmp_path):
    real = tmp_path / "real"
    real.mkdir()
    link = tmp_path / "link"
    link.symlink_to(real, target_is_directory=True)
    listed = write(tmp_path / "list.txt", f"{real}/a.png\n{link}/b.png")
    assert read_image_list(listed, link).paths == ("a.png", "b.png")


def test_a_backslash_that_is_part_of_a_file_name_stays(tmp_path):
    (tmp_path / "a\\b.png").write_bytes(b"")
    listed = write(tmp_path / "list.txt", "a\\b.png\na\\c.png")
    assert read_image_list(listed, tmp_path).paths == ("a\\b.png", "a/c.png")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a.png\nb.png\na.png", "Line 3 .* is a.png again, as Line 1"),
        ("a/b.png\na\\b.png", "Line 2 .* is a/b.png again"),
        ("a.png\n\nb.png", "Line 2 .* names no image"),
        ("a.png\n../b.png", "Line 2 .* leaves the images folder"),
        ("a.png\n/elsewhere/b.png", "Line 2 .* absolute path .* not below"),
        ("a.png\nC:\\photos\\b.png", "Line 2 .* absolute path"),
        ("a.png\n\\\\server\\share\\b.png", "Line 2 .* absolute path"),
        ("a.png\nb\0.png", "Line 2 .* is no path"),
        ("", "is empty"),
        ("\n\n", "is empty"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_by_its_line(tmp_path, text, pattern):
    refuse(pattern, write(tmp_path / "list.txt", text), tmp_path)


def test_an_absolute_path_without_a_folder_is_refused(tmp_path):
    refuse("no images folder was given", write(tmp_path / "list.txt", "/photos/a.png"))


def test_files_that_are_no_lists_are_refused(tmp_path):
    refuse("There is no list", tmp_path / "list.txt")
    refuse("cannot be read", tmp_path)
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.png")
    refuse("UTF-8", tmp_path / "list.txt")
    refuse("no column “path”", write(tmp_path / "list.csv", "file,label\na.png,x"))
    refuse("is empty", write(tmp_path / "list.csv", "path,label\n"))
    refuse("Line 3 .* names no image", write(tmp_path / "list.csv", "label,path\nx,a.png\ny\n"))
    refuse("no JSON", write(tmp_path / "list.json", "[1,"))
    refuse("holds no list", write(tmp_path / "list.json", '{"a": 1}'))
    refuse("Entry 2 .* is no path", write(tmp_path / "list.json", '["a.png", 3]'))
    refuse("is no path", write(tmp_path / "list.json", '["\\ud800.png"]'))


def test_the_first_difference_from_a_project_is_named(tmp_path):
    images = read_image_list(write(tmp_path / "list.txt", "a.png\nb.png\nc.png"))
    images.require_same(["a.png", "b.png", "c.png"])
    for others, pattern in (
        (["a.png", "x.png", "c.png"], "row 1 is “b.png” there and “x.png” in the project"),
        (["a.png", "b.png"], "row 2 is “c.png” there and missing in the project"),
        (["a.png", "b.png", "c.png", "d.png"], "row 3 is missing there and “d.png” in the project"),
        (["a.png", "c.png", "b.png"], "row 1 .* same images in another order"),
    ):
        with pytest.raises(ActivationImportError, match=pattern):
            images.require_same(others)
    with pytest.raises(ActivationImportError, match=r"acts\.npy has 4 rows, but list\.txt lists 3 images"):
        images.require_rows(4, "acts.npy")


def test_files_of_the_list_are_looked_for_all_over_it(tmp_path):
    paths = [f"{i}.png" for i in range(3000)]
    for i in (1, *range(1500, 3000)):
        (tmp_path / paths[i]).write_bytes(b"")
    (tmp_path / "stack.tif").write_bytes(b"")
    images = read_image_list(write(tmp_path / "list.txt", "\n".join(["stack.tif#page=2", *paths])))
    listed = look_for_listed(images, tmp_path)
    assert listed.first[:3] == (("stack.tif#page=2", True), ("0.png", False), ("1.png", True))
    assert 400 <= listed.n_looked_at <= 600
    assert listed.n_found / listed.n_looked_at == pytest.approx(0.5, abs=0.01)


def test_neurons_names(tmp_path):
    assert read_neuron_names(write(tmp_path / "n.txt", "apples\n\n nets \n"), 3) == ("apples", "", "nets")
    assert read_neuron_names(write(tmp_path / "n.json", '["a", ""]'), 2) == ("a", "")
    for text, n in (("a\nb", 3), ("a\nb\nc", 2)):
        with pytest.raises(ActivationImportError, match=f"names for {n} neurons"):
            read_neuron_names(write(tmp_path / "n.txt", text), n)
    with pytest.raises(ActivationImportError, match="each has to be a text"):
        read_neuron_names(write(tmp_path / "n.json", "[1, 2]"), 2)
    with pytest.raises(ActivationImportError, match="cannot be read"):
        read_neuron_names(tmp_path / "nothing.txt", 2)
