"""Going back to a backup that is older than the activations: no row is taken for another."""

import numpy as np
import pytest

from backend.activations.extraction import extract
from backend.activations.recomputation import forget_outdated
from backend.project import Project
from backend.project_folder.project_database import BACKUP_FILE, DATABASE_FILE
from tests.backend.small_projects import make_project, network


@pytest.fixture
def first(tmp_path):
    """A closed project with a complete layer: path, the rows, and its backup."""
    with make_project(tmp_path, block_rows=4) as project:
        extract(project, network(), ["early"])
        rows = np.array(project.activations("early"))
    return project.path, rows, (project.path / BACKUP_FILE).read_bytes()


def recovered(path, backup):
    (path / BACKUP_FILE).write_bytes(backup)
    (path / DATABASE_FILE).write_bytes(b"torn" * 1000)
    return Project.open(path, recover=True)


def test_rows_of_a_later_network_are_not_shown_as_those_of_the_former(first):
    path, rows, backup = first
    with Project.open(path) as project:
        forget_outdated(project, network(1), project.check_freshness())
        extract(project, network(1), ["early"])
        assert not np.array_equal(project.activations("early"), rows)
    with recovered(path, backup) as project:
        assert project.weights_sha256 == network().weights_sha256
        assert project.layer("early").n_done == 0
        assert not project.layer("early").index_file.exists()
        extract(project, network(), ["early"])
        np.testing.assert_array_equal(project.activations("early"), rows)


def test_rows_that_are_still_those_of_the_backup_stay(first):
    path, rows, backup = first
    file = next((path / "activations").glob("*.npy"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with recovered(path, backup) as project:
        assert [block.start for block in project.extracted_layers.blocks("early")] == [0, 4]
        found = project.activations("early", partial=True)
        np.testing.assert_array_equal(found, rows[:8])


def test_a_sound_backup_keeps_every_row_and_a_lost_file_none(first):
    path, rows, backup = first
    with recovered(path, backup) as project:
        np.testing.assert_array_equal(project.activations("early"), rows)
        project.layer("early").file.unlink()
    with recovered(path, backup) as project:
        assert project.layer("early").n_done == 0


def test_a_missing_database_is_recovered_and_it_is_said(first):
    path, rows, _ = first
    (path / DATABASE_FILE).unlink()
    with Project.open(path, recover=True) as project:
        assert project.recovered
        assert project.recovered_from is None
        np.testing.assert_array_equal(project.activations("early"), rows)
    with Project.open(path, recover=True) as project:
        assert not project.recovered
