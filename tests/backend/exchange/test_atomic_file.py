import errno
import os
import threading
from pathlib import Path

import pytest

from backend.errors import ExportError
from backend.exchange.atomic_file import atomic_file, write_bytes


def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "vectors.npz"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic_file(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_bytes() == b"old"
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["vectors.npz"]


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_bytes(b"old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match=r"report\.html cannot be written: the disk is full"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    for content in (b"first", b"second"):
        write_bytes(link, content)
        assert link.is_symlink()
        assert (tmp_path / "there" / "real.json").read_bytes() == content


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_bytes(pipe, b"content")
    reader.join(10)
    assert received == [b"content"]
    assert pipe.is_fifo()


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ExportError, match="is a file, not a folder"):
        write_bytes(tmp_path / "file" / "report.html", b"x")


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EROFS, "read-only"), (errno.EACCES, "no permission"), (errno.EIO, "Choose another folder")],
)
def test_every_reason_is_a_sentence_that_names_the_file(tmp_path, monkeypatch, number, reason):
    def refuse(self, *arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ExportError, match=reason) as caught:
        write_bytes(tmp_path / "a.csv", b"x")
    assert str(caught.value).startswith(str(tmp_path / "a.csv"))
    assert str(caught.value).endswith(".")
