"""Arrays of other programs: every layout reads as the same rows; what is no activations is refused."""

import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from backend.activations.activation_file import choose_array, list_arrays
from backend.activations.activation_rows import ActivationRows
from backend.errors import ActivationImportError

RNG = np.random.default_rng(0)
VECTORS = RNG.normal(size=(60, 7)).astype(np.float32)
MAPS = RNG.normal(size=(40, 5, 3, 2)).astype(np.float32)


def read(file, name=None, pooling=None, step=9):
    """Return all rows, read in steps that meet no boundary, and again some that lie before."""
    array = choose_array(list_arrays(file), name)
    with ActivationRows(array, pooling) as rows:
        rows._rows_at_once = 4
        parts = [
            rows.read(start, min(start + step, array.n_images)) for start in range(0, array.n_images, step)
        ]
        np.testing.assert_array_equal(rows.read(3, 8), np.concatenate(parts)[3:8])
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    return np.concatenate(parts)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", ">f4", ">f8", "i1", "u2", ">i4", "<i8"])
def test_every_number_type_and_order_of_npy_reads_as_float32(tmp_path, dtype, order):
    stored = np.asarray(VECTORS * 20, dtype=dtype, order=order)
    np.save(tmp_path / "acts.npy", stored)
    np.testing.assert_array_equal(read(tmp_path / "acts.npy"), stored.astype(np.float32))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_npz_compressed_or_not_reads_the_same(tmp_path, write, order):
    write(tmp_path / "acts.npz", first=np.asarray(VECTORS, order=order), other=VECTORS[:, 0])
    np.testing.assert_array_equal(read(tmp_path / "acts.npz"), VECTORS)
    write(tmp_path / "maps.npz", a=np.asarray(MAPS, order=order))
    np.testing.assert_allclose(read(tmp_path / "maps.npz", "a", "mean"), MAPS.mean((2, 3)), rtol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32])
def test_safetensors_of_every_number_type(tmp_path, dtype):
    tensor = torch.tensor(VECTORS * 20).to(dtype)
    save_file({"a": tensor, "flat": tensor[0].clone()}, tmp_path / "acts.safetensors", {"by": "torch"})
    np.testing.assert_array_equal(read(tmp_path / "acts.safetensors"), tensor.float().numpy())


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_feature_maps_are_pooled_in_double_precision(tmp_path, dtype, order):
    maps = np.asarray(MAPS, dtype=dtype, order=order)
    np.save(tmp_path / "maps.npy", maps)
    expected = torch.tensor(maps.astype(np.float64)).mean(dim=(2, 3)).float().numpy()
    np.testing.assert_allclose(read(tmp_path / "maps.npy", pooling="mean"), expected, rtol=1e-6)
    np.testing.assert_array_equal(
        read(tmp_path / "maps.npy", pooling="max"), maps.max(axis=(2, 3)).astype(np.float32)
    )


def test_a_mean_of_half_precision_does_not_overflow(tmp_path):
    np.save(tmp_path / "maps.npy", np.full((9, 3, 8, 8), 60_000, np.float16))
    np.testing.assert_array_equal(read(tmp_path / "maps.npy", pooling="mean"), np.full((9, 3), 60_000))


def test_values_beyond_float32_become_infinite(tmp_path):
    np.save(tmp_path / "acts.npy", np.array([[1e300, 1.0], [-1e300, 2.0]] * 5))
    assert np.isinf(read(tmp_path / "acts.npy")[:2, 0]).all()


def test_a_wide_array_by_columns_is_read_in_spans(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.activations.activation_rows._CHUNK_BYTES", 256)
    np.save(tmp_path / "acts.npy", np.asfortranarray(VECTORS))
    np.testing.assert_array_equal(read(tmp_path / "acts.npy", step=13), VECTORS)


def test_the_only_array_of_two_axes_is_meant_and_a_name_chooses_another(tmp_path):
    np.savez(tmp_path / "a.npz", maps=MAPS, vectors=VECTORS, paths=np.array(["a"] * 60), flat=VECTORS[0])
    arrays = list_arrays(tmp_path / "a.npz")
    assert choose_array(arrays).name == "vectors"
    assert choose_array(arrays, "maps").shape == MAPS.shape
    np.savez(tmp_path / "b.npz", one=VECTORS, two=VECTORS)
    refuse("several arrays.*one, two", tmp_path / "b.npz")
    refuse("holds no array “vector”; did you mean 'vectors'", tmp_path / "a.npz", "vector")
    np.save(tmp_path / "c.npy", VECTORS)
    refuse("one array without a name", tmp_path / "c.npy", "vectors")
    np.savez(tmp_path / "d.npz", maps=MAPS)
    assert choose_array(list_arrays(tmp_path / "d.npz")).is_feature_maps


def refuse(pattern, file, name=None):
    with pytest.raises(ActivationImportError, match=pattern):
        choose_array(list_arrays(file), name)


@pytest.mark.parametrize(
    ("array", "pattern"),
    [
        (VECTORS[0], "has one axis"),
        (VECTORS[None], "three axes.*tokens"),
        (MAPS[None], "has 5 axes"),
        (np.float32(3), "no axes"),
        (VECTORS[:0], "holds no images"),
        (VECTORS[:, :0], "holds no neurons"),
        (MAPS[..., :0], "holds no values"),
        (VECTORS > 0, "true or false"),
        (VECTORS.astype(complex), "complex"),
        (np.array([["a", "b"]]), "texts"),
        (np.zeros(3, [("a", "f4")]), "records"),
        (np.array([[None, {}]], dtype=object), "pickled.*never loaded"),
    ],
)
def test_what_can_be_no_activations_is_refused_with_the_reason(tmp_path, array, pattern):
    np.save(tmp_path / "acts.npy", array, allow_pickle=True)
    refuse(pattern, tmp_path / "acts.npy")
    np.savez(tmp_path / "acts.npz", array, allow_pickle=True)
    refuse(pattern, tmp_path / "acts.npz", "arr_0")
    refuse(pattern, tmp_path / "acts.npz")


def test_pickles_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the file was unpickled",))

    np.save(tmp_path / "acts.npy", np.array([[Trap()]], dtype=object), allow_pickle=True)
    refuse("pickled", tmp_path / "acts.npy")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".safetensors"])
@pytest.mark.parametrize("keep", [0, 5, 60, -1])
def test_a_truncated_file_is_refused(tmp_path, suffix, keep):
    file = tmp_path / f"acts{suffix}"
    if suffix == ".npy":
        np.save(file, VECTORS)
    elif suffix == ".npz":
        np.savez(file, a=VECTORS)
    else:
        save_file({"a": torch.tensor(VECTORS)}, file)
    file.write_bytes(file.read_bytes()[:keep])
    refuse("truncated", file)


def test_a_compressed_file_that_is_damaged_inside_is_refused_when_read(tmp_path):
    file = tmp_path / "acts.npz"
    np.savez_compressed(file, a=np.random.default_rng(1).normal(size=(2000, 20)))
    content = bytearray(file.read_bytes())
    for place in range(len(content) // 2, len(content) // 2 + 200):
        content[place] ^= 0xFF
    file.write_bytes(bytes(content))
    rows = ActivationRows(choose_array(list_arrays(file)), None)
    with rows, pytest.raises(ActivationImportError, match="damaged"):
        for start in range(0, 2000, 50):
            rows.read(start, start + 50)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path):
    file = tmp_path / "acts.npy"
    np.save(file, VECTORS)
    with ActivationRows(choose_array(list_arrays(file)), None) as rows:
        rows.read(0, 10)
        file.write_bytes(file.read_bytes()[:500])
        with pytest.raises(ActivationImportError, match="ends too early"):
            rows.read(40, 50)


@pytest.mark.parametrize("name", ["acts.npy", "acts.npz", "acts.safetensors"])
def test_a_missing_file_and_a_folder_are_said(tmp_path, name):
    refuse("There is no file", tmp_path / name)
    (tmp_path / name).mkdir()
    refuse("cannot be read|damaged", tmp_path / name)


def test_another_kind_of_file_is_refused(tmp_path):
    (tmp_path / "acts.pt").write_bytes(b"x")
    refuse("save them as .npy, .npz or .safetensors", tmp_path / "acts.pt")


def test_a_safetensors_header_that_promises_too_much_is_refused(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    refuse("damaged", tmp_path / "a.safetensors")


def test_pooling_is_needed_for_maps_and_refused_for_vectors(tmp_path):
    np.save(tmp_path / "maps.npy", MAPS)
    np.save(tmp_path / "acts.npy", VECTORS)
    with pytest.raises(ActivationImportError, match="choose their pooling"):
        ActivationRows(choose_array(list_arrays(tmp_path / "maps.npy")), None)
    with pytest.raises(ActivationImportError, match="nothing to pool"):
        ActivationRows(choose_array(list_arrays(tmp_path / "acts.npy")), "max")


def test_a_large_compressed_array_by_columns_is_refused_without_reading_it(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.activations.activation_file._MOST_BYTES_IN_MEMORY", 100)
    np.savez_compressed(tmp_path / "acts.npz", a=np.asfortranarray(VECTORS))
    refuse("numpy.ascontiguousarray", tmp_path / "acts.npz")
