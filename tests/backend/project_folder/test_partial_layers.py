"""A layer that is still being extracted, read as far as it is there."""

import numpy as np
import pytest

from backend.activations.store import ActivationWriter
from backend.errors import ProjectError
from backend.project import Project
from backend.project_folder import project_activations
from tests.backend.small_projects import BINDING, make_project

LAYER = "features.18"


@pytest.fixture
def growing(tmp_path):
    """A project of 12 images in blocks of 4, and what puts its blocks on disk one by one."""
    with make_project(tmp_path, block_rows=4) as project:
        project.bind_model(BINDING.weights_sha256, BINDING.preprocessing)
        record = project.extracted_layers.add(LAYER, 5, BINDING)
        values = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
        writer = ActivationWriter(record.file, 12, 5)

        def write(start):
            block = values[start : start + 4]
            crc32 = {LAYER: writer.write(start, block)}
            project.extracted_layers.record_block(start, start + 4, crc32, {}, {})

        yield project, values, write
        writer.close()


def assert_is_index_of(index, values):
    order = np.argsort(-values, axis=0, kind="stable").T
    assert np.array_equal(index.top_images, order)
    assert np.array_equal(index.top_activations, np.take_along_axis(values.T, order, axis=1))
    np.testing.assert_allclose(index.statistics.mean, values.mean(axis=0), rtol=1e-5)
    assert index.statistics.n_images == len(values)


def test_rows_and_index_grow_together(growing):
    project, values, write = growing
    for start in (0, 4):
        write(start)
        activations, index = project.rows_so_far(LAYER)
        assert np.array_equal(activations, values[: start + 4])
        assert_is_index_of(index, values[: start + 4])
        with pytest.raises(ProjectError, match="not complete yet"):
            project.activations(LAYER)
    write(8)
    activations, index = project.rows_so_far(LAYER)
    assert np.array_equal(activations, values)
    assert index is project.neuron_index(LAYER)
    assert_is_index_of(index, values)


def test_only_new_rows_are_read_again(growing, monkeypatch):
    project, _, write = growing
    read = []
    update = project_activations.NeuronIndexBuilder.update

    def noting(builder, start, rows):
        read.append((start, len(rows)))
        update(builder, start, rows)

    monkeypatch.setattr(project_activations.NeuronIndexBuilder, "update", noting)
    for start in (0, 4):
        write(start)
        project.rows_so_far(LAYER)
    assert read == [(0, 4), (4, 4)]


def test_what_lies_behind_a_gap_does_not_count(growing):
    project, values, write = growing
    write(0)
    write(8)
    activations, index = project.rows_so_far(LAYER)
    assert np.array_equal(activations, values[:4])
    assert_is_index_of(index, values[:4])


def test_of_a_layer_that_is_only_begun_there_is_nothing(growing):
    project, _, _ = growing
    activations, index = project.rows_so_far(LAYER)
    assert activations.shape == (0, 5)
    assert index.statistics.n_images == 0


def test_rows_that_were_forgotten_and_computed_anew_are_read_anew(growing):
    project, values, write = growing
    write(0)
    write(4)
    project.rows_so_far(LAYER)
    project.extracted_layers.forget_blocks(LAYER, [0])
    values[:4] += 10
    write(0)
    assert_is_index_of(project.rows_so_far(LAYER)[1], values[:8])
    project.recompute_images([5])
    values[4:8] -= 20
    write(4)
    assert_is_index_of(project.rows_so_far(LAYER)[1], values[:8])


def test_an_index_of_rows_that_are_forgotten_meanwhile_is_not_kept(growing, monkeypatch):
    project, _, write = growing
    for start in (0, 4, 8):
        write(start)
    build = project_activations.build_neuron_index

    def build_while_images_are_forgotten(*arguments, **options):
        index = build(*arguments, **options)
        project.recompute_images([5])
        return index

    monkeypatch.setattr(project_activations, "build_neuron_index", build_while_images_are_forgotten)
    with pytest.raises(ProjectError, match="not complete yet"):
        project.neuron_index(LAYER)
    assert not project.layer(LAYER).index_file.exists()


def test_who_reads_only_sees_rows_that_another_process_computed_anew(growing):
    project, values, write = growing
    write(0)
    with Project.open(project.path, read_only=True) as reader:
        assert_is_index_of(reader.rows_so_far(LAYER)[1], values[:4])
        project.recompute_images([1])
        values[:4] += 10
        for start in (0, 4, 8):
            write(start)
        assert_is_index_of(reader.rows_so_far(LAYER)[1], values)
        assert_is_index_of(reader.neuron_index(LAYER), values)
        project.recompute_images([5])
        values[4:8] -= 20
        write(4)
        assert_is_index_of(reader.neuron_index(LAYER), values)
