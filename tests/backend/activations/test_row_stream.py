"""Going once through an array or a memory map: every row once, in order for each worker."""

import itertools
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from backend.activations import row_stream
from backend.activations.row_stream import (
    chunk_rows,
    gather_rows,
    n_stream_workers,
    rows_in_memory,
    stream_rows,
)
from backend.errors import ProjectError
from backend.task import Cancelled, SilentTask


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 3 rows of 5 values, and three workers."""
    monkeypatch.setattr(row_stream, "_CHUNK_BYTES", 3 * 5 * 4)
    monkeypatch.setattr(row_stream, "available_cores", lambda: 3)


def numbered(n, d=5):
    return np.arange(n * d, dtype=np.float32).reshape(n, d)


class Seen:
    """What three workers were given."""

    def __init__(self):
        self.chunks = [[], [], []]

    def add(self, worker, start, rows):
        self.chunks[worker].append((start, rows.copy()))


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("n", [0, 1, 3, 4, 100])
def test_every_row_comes_once_and_in_order_for_each_worker(n, tmp_path):
    np.save(tmp_path / "rows.npy", numbered(n))
    for activations in (numbered(n), np.load(tmp_path / "rows.npy", mmap_mode="r")):
        seen = Seen()
        stream_rows(activations, seen.add)
        for worker, chunks in enumerate(seen.chunks):
            assert [start for start, _ in chunks] == list(range(3 * worker, n, 9))
        chunks = sorted(itertools.chain(*seen.chunks), key=lambda chunk: chunk[0])
        np.testing.assert_array_equal(
            np.concatenate([numbered(0), *(rows for _, rows in chunks)]), numbered(n)
        )


def test_workers_are_as_many_as_there_are_cores_and_chunks(monkeypatch):
    monkeypatch.setattr(row_stream, "_CHUNK_BYTES", 1000)
    rows = np.zeros((250, 1), np.float32)
    assert chunk_rows(rows) == 250
    for cores, n_chunks, expected in [(1, 9, 1), (2, 9, 2), (64, 9, 4), (64, 3, 3), (8, 1, 1), (8, 0, 1)]:
        monkeypatch.setattr(row_stream, "available_cores", lambda n=cores: n)
        assert n_stream_workers(np.zeros((250 * n_chunks, 1), np.float32)) == expected


@pytest.mark.usefixtures("small_chunks")
def test_a_task_stops_all_workers_and_is_asked_by_the_calling_thread(monkeypatch):
    class Stopping(SilentTask):
        told = ()

        def progress(self, done, total, message=""):
            self.told = (*self.told, (done, total, message))

        def check_cancelled(self):
            assert threading.current_thread() is caller
            if len(self.told) == 2:
                raise Cancelled

    class Signal(threading.Event):
        def set(self):
            super().set()
            others_may_go.release(100)

    others_may_go = threading.Semaphore(0)
    monkeypatch.setattr(row_stream, "threading", SimpleNamespace(Event=Signal))
    caller, task, seen = threading.current_thread(), Stopping(), Seen()

    def work(worker, start, rows):
        # The others are at their first chunk until all are told to stop.
        assert worker == 0 or others_may_go.acquire(timeout=10)
        seen.add(worker, start, rows)

    with pytest.raises(Cancelled):
        stream_rows(numbered(900), work, task=task, message="Reading")
    assert task.told == ((0, 900, "Reading"), (9, 900, "Reading"))
    assert [len(chunks) for chunks in seen.chunks] == [2, 1, 1]
    assert not any(thread.name.startswith("rows") for thread in threading.enumerate())


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("failing", [0, 2])
def test_what_a_worker_raises_comes_out(failing):
    def work(worker, _start, _rows):
        if worker == failing:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stream_rows(numbered(1000), work)


def test_parts_of_a_map_that_are_not_contiguous_are_read_all_the_same(tmp_path):
    np.save(tmp_path / "rows.npy", numbered(4000))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for view in (mapped[:, 2:4], mapped[::2], mapped[17:3000], np.asarray(mapped)[5:]):
        with rows_in_memory(view, 10, 900) as rows:
            np.testing.assert_array_equal(rows, np.array(view)[10:900])


def test_single_rows_are_those_that_were_asked_for(tmp_path):
    np.save(tmp_path / "rows.npy", numbered(3000, d=300))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    rows = np.array([2999, 0, 17, 17, -1, 1500])
    for activations in (
        numbered(3000, d=300),
        mapped,
        mapped[:, 10:20],
        mapped[5:],
        mapped.astype(np.float64),
    ):
        wanted = rows[rows < len(activations)]
        found = gather_rows(activations, wanted)
        np.testing.assert_array_equal(found, np.array(activations)[wanted])
        assert found.dtype == np.float32
        assert found.flags.writeable
    assert gather_rows(mapped, np.array([], np.int64)).shape == (0, 300)
    with pytest.raises(IndexError):
        gather_rows(mapped, np.array([3000]))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere pages are read when they are touched")
class TestPages:
    def test_a_map_is_let_go_of_after_use(self, tmp_path):
        np.save(tmp_path / "rows.npy", np.ones((16_000, 256), np.float32))
        mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
        sums, mapped_kib = [], []

        def work(_worker, _start, rows):
            sums.append(float(rows.sum()))
            mapped_kib.append(resident_kib(tmp_path / "rows.npy"))

        stream_rows(mapped, work)
        assert sum(sums) == mapped.size
        # Of 16 MB: at most a chunk for each worker, in whole pages.
        assert 0 < max(mapped_kib) <= 4 * (8 << 10) + 64
        assert resident_kib(tmp_path / "rows.npy") == 0

    def test_a_file_that_was_cut_off_is_an_error_and_not_the_end(self, tmp_path):
        file = tmp_path / "rows.npy"
        np.save(file, numbered(10_000))
        mapped = np.load(file, mmap_mode="r")
        with file.open("r+b") as cut:
            cut.truncate(5000)
        with pytest.raises(ProjectError, match="cannot be read from their file"):
            stream_rows(mapped, lambda _worker, _start, rows: rows.sum())

    def test_on_an_older_kernel_pages_are_read_when_touched(self, tmp_path, monkeypatch):
        monkeypatch.setattr(row_stream, "_MADV_POPULATE_READ", 9999)
        np.save(tmp_path / "rows.npy", numbered(3000))
        with rows_in_memory(np.load(tmp_path / "rows.npy", mmap_mode="r"), 100, 200) as rows:
            np.testing.assert_array_equal(rows, numbered(3000)[100:200])


def resident_kib(path):
    """Return how much of a mapped file is in this process's memory, as the kernel counts it."""
    resident, here = 0, False
    with open("/proc/self/smaps", encoding="utf-8") as lines:  # noqa: PTH123  (no file on a disk)
        for line in lines:
            if "-" in line.split()[0]:
                here = str(path) in line
            elif here and line.startswith("Rss:"):
                resident += int(line.split()[1])
    return resident
