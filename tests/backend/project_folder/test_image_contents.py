"""Images compared by content: a touched file is not changed, a changed one is found whatever its date."""

import hashlib
import os
import sqlite3

import pytest
from PIL import Image

from backend.project import Project
from backend.project_folder.file_content import file_sha256, hashes_of_files
from backend.task import Cancelled, SilentTask
from tests.backend.small_projects import make_project


@pytest.fixture
def project(tmp_path):
    with make_project(tmp_path) as project:
        yield project


def change_secretly(path):
    """Change a file's content, and leave its size and time of modification as they were."""
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def hashes_on_record(project):
    with sqlite3.connect(project.path / "project.sqlite") as database:
        return [sha256 for (sha256,) in database.execute("SELECT sha256 FROM images ORDER BY row")]


def test_every_image_gets_the_hash_of_its_bytes(project):
    result = project.hash_images()
    assert (result.n_hashed, result.n_known, result.n_left_out) == (12, 12, 0)
    assert hashes_on_record(project) == [
        hashlib.sha256(project.image_path(row).read_bytes()).hexdigest() for row in range(12)
    ]
    assert project.hash_images().n_hashed == 0


def test_what_changed_since_it_was_read_gets_no_hash(project):
    Image.new("RGB", (5, 5)).save(project.image_path(2))
    os.utime(project.image_path(4), ns=(1, 1))
    project.image_path(9).unlink()
    result = project.hash_images()
    assert (result.n_hashed, result.n_known, result.n_left_out) == (9, 9, 3)
    assert [row for row, sha256 in enumerate(hashes_on_record(project)) if sha256 is None] == [2, 4, 9]


def test_a_touched_file_is_not_changed_and_its_new_time_is_kept(project):
    project.hash_images()
    for row in (1, 4):
        os.utime(project.image_path(row), ns=(row, row))
    assert project.changed_images() == (1, 4)
    changes = project.images.changes(content=True)
    assert (changes.rows, changes.n_compared, changes.n_touched) == ((), 12, 2)
    assert project.changed_images() == ()


def test_a_changed_file_is_found_though_size_and_time_are_the_same(project):
    project.hash_images()
    change_secretly(project.image_path(7))
    project.image_path(3).unlink()
    assert project.changed_images() == (3,)
    changes = project.images.changes(content=True)
    assert (changes.changed, changes.gone) == ((7,), (3,))
    assert project.changed_images(content=True) == (3, 7)


def test_without_a_hash_on_record_the_time_decides(project):
    os.utime(project.image_path(4), ns=(1, 1))
    change_secretly(project.image_path(5))
    assert project.changed_images(content=True) == (4,)


def test_reading_a_project_records_nothing(project):
    project.hash_images()
    os.utime(project.image_path(4), ns=(1, 1))
    project.close()
    with Project.open(project.path, read_only=True) as reader:
        assert reader.changed_images(content=True) == ()
        assert reader.changed_images() == (4,)


def test_an_image_that_is_read_anew_loses_its_hash(project):
    project.hash_images()
    project.recompute_images([5])
    assert [row for row, sha256 in enumerate(hashes_on_record(project)) if sha256 is None] == [5]


def test_copies_elsewhere_are_compared_by_content(project, tmp_path):
    project.hash_images()
    moved = tmp_path / "moved"
    project.images_root.rename(moved)
    for row in range(12):
        os.utime(moved / project.image_paths[row], ns=(row, row))
    change_secretly(moved / project.image_paths[8])
    project.relocate_images(moved)
    assert project.changed_images() == ()
    assert project.changed_images(content=True) == (8,)


def test_pages_of_one_file_are_read_once(tmp_path, monkeypatch):
    import backend.project_folder.file_content as module

    (tmp_path / "stack.tif").write_bytes(b"pages")
    (tmp_path / "other.tif").write_bytes(b"other")
    read = []

    def noting(path, task=None):
        read.append(path.name)
        return file_sha256(path, task)

    monkeypatch.setattr(module, "file_sha256", noting)
    files = {row: tmp_path / ("stack.tif" if row < 600 else "other.tif") for row in range(700)}
    files[700] = tmp_path / "gone.tif"
    found = dict(hashes_of_files(files, "", SilentTask()))
    assert sorted(read) == ["gone.tif", "other.tif", "stack.tif"]
    assert found[0] == found[599] == hashlib.sha256(b"pages").hexdigest()
    assert (found[650], found[700]) == (hashlib.sha256(b"other").hexdigest(), None)


def test_hashing_can_be_stopped_and_keeps_what_it_has(project, monkeypatch):
    monkeypatch.setattr("backend.project_folder.project_images._HASHES_AT_ONCE", 3)
    monkeypatch.setattr("backend.project_folder.file_content._FILES_AT_ONCE", 4)

    class StopsAtTheThirdChunk(SilentTask):
        def progress(self, done, total, message=""):
            self.stop = done >= 8

        def check_cancelled(self):
            if getattr(self, "stop", False):
                raise Cancelled

    with pytest.raises(Cancelled):
        project.hash_images(task=StopsAtTheThirdChunk())
    assert sum(sha256 is not None for sha256 in hashes_on_record(project)) == 6
    assert project.hash_images().n_hashed == 6
