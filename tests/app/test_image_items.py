"""The files behind the pictures that the panels show."""

import shutil

from app.image_items import ImagePaths
from backend.project import Project


def test_paths_are_made_once_and_anew_after_the_images_have_moved(project_path, tmp_path):
    with Project.open(project_path) as project:
        files = ImagePaths(project)
        before = [files.path(row) for row in range(project.n_images)]
        assert before == [project.images_root / path for path in project.image_paths]
        assert files.path(3) is before[3]
        elsewhere = shutil.copytree(project.images_root, tmp_path / "elsewhere")
        project.relocate_images(elsewhere)
        assert files.path(3) == elsewhere / project.image_paths[3]
