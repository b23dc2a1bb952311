"""The images of a project: found again elsewhere, noticed when they change."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from backend.errors import ProjectError
from backend.project import Project
from tests.backend.small_projects import add_layer, make_project


@pytest.fixture
def project(tmp_path):
    with make_project(tmp_path) as project:
        yield project


def test_images_that_moved_are_taken_from_their_new_folder(project, tmp_path):
    moved = tmp_path / "другая" / "папка"
    moved.parent.mkdir()
    shutil.copytree(project.images_root, moved)  # a copy has other times of modification
    shutil.rmtree(project.images_root)
    assert len(project.changed_images()) == 12
    check = project.relocate_images(moved)
    assert (check.n_found, check.missing, check.different) == (12, (), ())
    assert project.image_path(0).is_file()
    assert project.changed_images() == ()
    project.close()
    with Project.open(project.path) as again:
        assert again.images_root == moved
        assert again.image_path(11) == moved / again.image_paths[11]


def test_a_folder_with_other_images_is_refused_and_named(project, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(project.images_root, moved)
    (moved / project.image_paths[3]).unlink()
    (moved / project.image_paths[7]).write_bytes(b"another size")
    check = project.check_images_root(moved)
    assert (check.n_found, check.missing, check.different) == (
        10,
        (project.image_paths[3],),
        (project.image_paths[7],),
    )
    with pytest.raises(ProjectError) as caught:
        project.relocate_images(moved)
    assert str(caught.value) == (
        f"{moved} does not hold the project's images: 1 are missing ({project.image_paths[3]}) and "
        f"1 are of another size ({project.image_paths[7]}), out of 12."
    )
    assert project.images_root == tmp_path / "images"


def test_a_skipped_image_need_not_be_there(project, tmp_path):
    crc32, skipped = {}, {5: "It is damaged."}
    project.extracted_layers.record_block(0, 12, crc32, skipped, {})
    moved = shutil.copytree(project.images_root, tmp_path / "moved")
    (moved / project.image_paths[5]).unlink()
    check = project.relocate_images(moved)
    assert (check.n_found, check.missing, check.different) == (11, (), ())
    assert project.images_root == moved


def test_a_folder_that_is_not_there_is_refused(project, tmp_path):
    with pytest.raises(ProjectError, match="12 are missing"):
        project.relocate_images(tmp_path / "nowhere")


def test_project_and_images_may_move_together(project, tmp_path):
    project.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("images", "Prüfung.prism"):
        shutil.move(tmp_path / name, elsewhere / name)
    with Project.open(elsewhere / "Prüfung.prism") as again:
        assert again.images_root == elsewhere / "images"
        assert again.changed_images() == ()


def test_changed_and_removed_images_are_noticed(project):
    assert project.changed_images() == ()
    Image.new("RGB", (5, 5)).save(project.image_path(2))
    os.utime(project.image_path(4), ns=(1, 1))
    project.image_path(9).unlink()
    assert project.changed_images() == (2, 4, 9)


def test_there_is_no_such_image(project):
    for row in (-1, 12):
        with pytest.raises(ProjectError, match=f"no image {row}"):
            project.image_path(row)


def test_a_change_that_was_noticed_is_not_forgotten_when_the_images_move(project, tmp_path):
    add_layer(project, np.ones((12, 3), np.float32))
    project.extracted_layers.record_block(0, 12, {"features.18": 1}, {3: "It was changed."}, {})
    Image.new("RGB", (16, 16), "red").save(project.image_path(3))
    assert project.check_freshness().rows == (3,)
    shutil.copytree(project.images_root, tmp_path / "moved")
    project.relocate_images(tmp_path / "moved")
    assert project.check_freshness().rows == (3,)


def test_rows_may_be_numpys_integers(tmp_path):
    with make_project(tmp_path / "blocks", block_rows=4) as project:
        add_layer(project, np.ones((12, 3), np.float32))
        project.set_excluded_images(np.array([2, 3]))
        project.recompute_images(np.array([5], np.int32))
        assert project.layer("features.18").n_done == 8
    with Project.open(project.path, read_only=True) as again:
        assert again.excluded_images == {2, 3}
