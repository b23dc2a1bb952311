"""Activation files: names, layout, checksums, and what is said when they cannot be written."""

import zlib

import numpy as np
import pytest

from backend.activations.store import (
    ActivationWriter,
    activation_bytes,
    layer_file_stem,
    layer_of_file_stem,
    open_activations,
    require_free_space,
)
from backend.errors import ExtractionError, ProjectError

LAYERS = [
    "features.18",
    "Mixed_7b",
    "blocks/11.mlp",
    "../../etc/passwd",
    "..",
    ".hidden",
    "ends.",
    "aux",
    "AUX.conv",
    "con",
    "com1.x",
    "Schicht ü 層",
    'a<b>c:d"e|f?g*h\\i',
    "100%",
    "%41",
    "a b",
]


class TestFileNames:
    @pytest.mark.parametrize("layer", LAYERS)
    def test_any_name_makes_a_safe_file_name_and_comes_back(self, layer, tmp_path):
        stem = layer_file_stem(layer)
        assert layer_of_file_stem(stem) == layer
        assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~%")
        assert not stem.startswith(".")
        assert not stem.endswith(".")
        assert stem.lower().split(".")[0] not in {"aux", "con", "com1"}
        (tmp_path / f"{stem}.npy").touch()

    def test_usual_names_stay_readable(self):
        assert [layer_file_stem(layer) for layer in LAYERS[:2]] == LAYERS[:2]

    def test_names_that_differ_by_case_only_get_different_files_everywhere(self):
        taken: list[str] = []
        layers = ["mixed", "Mixed", "MIXED", "miXed", "%4dixed", "%4Dixed"]
        for layer in layers:
            taken.append(layer_file_stem(layer, frozenset(taken)))
        assert len({stem.casefold() for stem in taken}) == len(layers)
        assert [layer_of_file_stem(stem) for stem in taken] == layers

    @pytest.mark.parametrize("layer", ["", "x" * 201, "層" * 30])
    def test_names_without_a_file_name_are_refused(self, layer):
        with pytest.raises(ProjectError, match="1 to 200 characters"):
            layer_file_stem(layer)


class TestWriting:
    def test_numpy_reads_what_was_written(self, tmp_path):
        values = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
        values[4] = np.nan
        writer = ActivationWriter(tmp_path / "new" / "a.npy", 10, 3)
        assert writer.write(6, values[6:]) == zlib.crc32(values[6:].tobytes())
        assert writer.write(0, values[:6]) == zlib.crc32(values[:6].tobytes())
        writer.close()
        np.testing.assert_array_equal(np.load(tmp_path / "new" / "a.npy"), values)
        assert (tmp_path / "new" / "a.npy").stat().st_size == activation_bytes(10, 3)

    def test_it_is_a_valid_file_of_full_size_from_the_start(self, tmp_path):
        ActivationWriter(tmp_path / "a.npy", 1000, 7).close()
        assert np.load(tmp_path / "a.npy", mmap_mode="r").shape == (1000, 7)

    def test_opening_again_keeps_the_rows(self, tmp_path):
        block = np.ones((2, 3), np.float32)
        for start in (0, 4):
            writer = ActivationWriter(tmp_path / "a.npy", 6, 3)
            writer.write(start, block)
            writer.close()
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy")[:, 0], [1, 1, 0, 0, 1, 1])

    def test_reading_back_gives_rows_and_their_checksum(self, tmp_path):
        block = np.arange(12, dtype=np.float32).reshape(4, 3)
        writer = ActivationWriter(tmp_path / "a.npy", 6, 3)
        crc32 = writer.write(2, block)
        read, read_crc32 = writer.read(2, 6)
        np.testing.assert_array_equal(read, block)
        assert read_crc32 == crc32
        assert writer.read(1, 5)[1] != crc32

    def test_arrays_in_any_memory_order_are_written_by_row(self, tmp_path):
        block = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(4, 3))
        writer = ActivationWriter(tmp_path / "a.npy", 4, 3)
        writer.write(0, block)
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), block)

    @pytest.mark.parametrize(
        ("start", "shape"), [(0, (2, 4)), (5, (2, 3)), (-1, (2, 3)), (0, (7, 3)), (0, (3,))]
    )
    def test_blocks_that_do_not_fit_are_refused(self, tmp_path, start, shape):
        writer = ActivationWriter(tmp_path / "a.npy", 6, 3)
        with pytest.raises(ExtractionError, match="does not fit"):
            writer.write(start, np.zeros(shape, np.float32))

    @pytest.mark.parametrize(
        ("number", "words"),
        [(28, "the disk is full"), (5, r"\(Input/output error\)"), (30, "Read-only file system")],
    )
    def test_errors_of_the_disk_are_sentences(self, tmp_path, monkeypatch, number, words):
        writer = ActivationWriter(tmp_path / "a.npy", 6, 3)

        def failing(_):
            raise OSError(number, __import__("os").strerror(number))

        monkeypatch.setattr("backend.activations.store.os.fsync", failing)
        with pytest.raises(ExtractionError, match=words):
            writer.write(0, np.zeros((2, 3), np.float32))

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(ExtractionError, match="cannot be written"):
            ActivationWriter(tmp_path / "file" / "a.npy", 6, 3)

    def test_space_that_is_not_there(self, tmp_path):
        require_free_space(tmp_path, 1)
        with pytest.raises(ExtractionError, match="need 1,000,000 TB more"):
            require_free_space(tmp_path, 10**18)

    def test_small_sizes_are_told_in_a_unit_that_shows_them(self, tmp_path, monkeypatch):
        usage = type("Usage", (), {"free": 40_000})
        monkeypatch.setattr("backend.activations.store.shutil.disk_usage", lambda folder: usage)
        with pytest.raises(ExtractionError, match=r"need 12 kB more .* only 40 kB are free and 67\.1 MB"):
            require_free_space(tmp_path, 12_000)


class TestMapping:
    def test_other_kinds_of_arrays_are_refused(self, tmp_path):
        for values in (
            np.zeros((6, 3), np.float64),
            np.zeros((6, 4), np.float32),
            np.zeros((6, 3), ">f4"),
            np.zeros(18, np.float32),
        ):
            np.save(tmp_path / "a.npy", values)
            with pytest.raises(ProjectError, match="not those of 6 images and 3 neurons"):
                open_activations(tmp_path / "a.npy", 6, 3)

    def test_objects_are_never_unpickled(self, tmp_path):
        np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
        with pytest.raises(ProjectError, match="are damaged"):
            open_activations(tmp_path / "a.npy", 1, 1)
