"""Adjustments and exclusions in the project: kept, checked, honoured by every index."""

import sqlite3

import numpy as np
import pytest

from backend.errors import ProjectError
from backend.method.adjustments import UNADJUSTED, Adjustments
from backend.project import Project, ProjectDamagedError
from backend.project_folder.project_schema import MIGRATIONS
from tests.backend.small_projects import add_layer, make_project

LAYER = "features.18"


@pytest.fixture
def activations() -> np.ndarray:
    return np.random.default_rng(4).random((12, 5), dtype=np.float32)


@pytest.fixture
def project(tmp_path, activations):
    with make_project(tmp_path) as project:
        add_layer(project, activations, LAYER)
        yield project


def _ranked(activations: np.ndarray, neuron: int, without=()) -> list[int]:
    order = np.argsort(-activations[:, neuron], kind="stable").tolist()
    return [row for row in order if row not in without]


def test_adjustments_are_kept_replaced_and_forgotten(project):
    first, second = Adjustments(((1, 2),), (5,)), Adjustments(((3,),))
    project.save_adjustments(LAYER, 2, first)
    project.save_adjustments(LAYER, 4, second)
    assert project.adjustments(LAYER) == {2: first, 4: second}
    project.save_adjustments(LAYER, 2, second)
    project.save_adjustments(LAYER, 4, UNADJUSTED)
    project.close()
    with Project.open(project.path, read_only=True) as again:
        assert again.adjustments(LAYER) == {2: second}
        with pytest.raises(ProjectError, match="read-only"):
            again.save_adjustments(LAYER, 2, first)


@pytest.mark.parametrize(
    ("layer", "neuron", "rows", "sentence"),
    [
        (LAYER, 5, [1], "no neuron 5"),
        ("other", 0, [1], "'other'"),
        (LAYER, 0, [12], "Image 12 cannot be moved"),
    ],
)
def test_rows_and_neurons_of_another_project_are_refused(project, layer, neuron, rows, sentence):
    with pytest.raises(ProjectError, match=sentence):
        project.save_adjustments(layer, neuron, UNADJUSTED.with_left_out(rows))
    assert project.adjustments(LAYER) == {}


def test_excluded_images_are_in_no_index_and_come_back(project, activations):
    neuron = 3
    gone = _ranked(activations, neuron)[:2]
    assert project.neuron_index(LAYER).top(neuron, 12).images.tolist() == _ranked(activations, neuron)
    project.set_excluded_images(gone)
    index = project.neuron_index(LAYER)
    assert index.top(neuron, 12).images.tolist() == _ranked(activations, neuron, gone)
    assert project.neuron_index(LAYER) is index, "made once"
    rows, so_far = project.rows_so_far(LAYER)
    assert len(rows) == 12 and so_far is index
    project.close()
    with Project.open(project.path) as again:
        assert again.excluded_images == set(gone)
        assert again.neuron_index(LAYER).statistics.n_images == 10
        again.set_excluded_images(())
        assert again.neuron_index(LAYER).top(neuron, 12).images.tolist() == _ranked(activations, neuron)


def test_an_index_made_anew_on_disk_is_of_all_images(project, activations):
    project.set_excluded_images([0])
    project.extracted_layers.record(LAYER).index_file.unlink(missing_ok=True)
    project.recompute_images(())
    assert project.neuron_index(LAYER).statistics.n_images == 11
    project.set_excluded_images(())
    assert project.neuron_index(LAYER).statistics.n_images == 12


@pytest.mark.parametrize("row", [-1, 12])
def test_an_image_that_is_not_there_cannot_be_excluded(project, row):
    project.set_excluded_images([3])
    with pytest.raises(ProjectError, match=f"no image {row} to exclude"):
        project.set_excluded_images([3, row])
    assert project.excluded_images == {3}
    assert project.images.excluded() == {3}


def test_a_project_of_the_version_before_has_nothing_adjusted(project, tmp_path):
    path = project.path
    project.close()
    database = sqlite3.connect(path / "project.sqlite")
    database.executescript(
        "DROP TABLE adjustments; ALTER TABLE images DROP COLUMN excluded;"
        "ALTER TABLE named_concepts DROP COLUMN by_hand; PRAGMA user_version = 2;"
    )
    database.close()
    with Project.open(path, read_only=True) as old:
        assert old.excluded_images == frozenset() and old.adjustments(LAYER) == {}
    with Project.open(path) as migrated:
        migrated.set_excluded_images([1])
        migrated.save_adjustments(LAYER, 0, Adjustments(((1, 2),)))
    assert len(MIGRATIONS) >= 3
    assert (path / "project.sqlite.version-2").is_file()


def test_adjustments_that_cannot_be_read_are_reported_as_damage(project):
    project.save_adjustments(LAYER, 1, Adjustments(((1,),)))
    with project._database.transaction() as connection:
        connection.execute("""UPDATE adjustments SET adjustments = '{"left_out": [-4]}'""")
    with pytest.raises(ProjectDamagedError, match=r"column adjustments\.adjustments"):
        project.adjustments(LAYER)
