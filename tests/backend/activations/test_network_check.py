"""A network is believed to give imported activations only if it does, on the images themselves."""

import numpy as np
import pytest
import torch

from backend.activations.activation_import import (
    bind_network,
    create_import_project,
    import_activations,
)
from backend.activations.import_plan import ImportRequest, plan_import
from backend.activations.network_check import compare, try_network, try_network_on_layer
from backend.errors import ActivationImportError, ModelError, ProjectError
from backend.images import preprocess_image
from backend.project import Project
from tests.backend.small_projects import PREPROCESSING, network, write_images

N = 40


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp("check") / "images", n_classes=4, per_class=N // 4)


@pytest.fixture(scope="module")
def maps(images):
    """The output of layer ``late`` for every image in the order of their names, by PyTorch alone."""
    module = network().module
    paths = sorted(images.rglob("*.png"))
    pixels = np.stack([preprocess_image(path, PREPROCESSING) for path in paths])
    mean, std = torch.tensor(PREPROCESSING.mean), torch.tensor(PREPROCESSING.std)
    batch = ((torch.tensor(pixels) / 255 - mean) / std).permute(0, 3, 1, 2)
    with torch.no_grad():
        return module.late(module.early(batch)).numpy()


@pytest.fixture
def prepare(tmp_path, images):
    """Returns the plan of importing an array."""

    def prepare(array, *, layer="late", pooling=None, root=images):
        np.save(tmp_path / "acts.npy", array)
        listed = "\n".join(path.relative_to(images).as_posix() for path in sorted(images.rglob("*.png")))
        (tmp_path / "list.txt").write_text(listed, encoding="utf-8")
        request = ImportRequest(tmp_path / "acts.npy", tmp_path / "list.txt", root, layer, pooling=pooling)
        return plan_import(request)

    return prepare


def test_the_network_that_gave_them_is_recognised(prepare, maps):
    tried = try_network(prepare(maps.mean(axis=(2, 3))), network())
    assert tried.check.pooling == "mean"
    agreement = tried.check.agreement
    assert agreement.n_images == 32
    assert agreement.worst_cosine == pytest.approx(1, abs=1e-6)
    assert agreement.worst_relative_error < 1e-5


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_the_pooling_that_was_applied_elsewhere_is_found(prepare, maps, pooling):
    pooled = getattr(maps, pooling)(axis=(2, 3)).astype(np.float16)
    tried = try_network(prepare(pooled), network())
    assert tried.check.pooling == pooling
    assert tried.check.agreement.relative_error < 1e-3


def test_maps_are_compared_by_the_pooling_that_is_applied_here(prepare, maps):
    tried = try_network(prepare(maps, pooling="max"), network())
    assert (tried.check.pooling, tried.check.agreement.relative_error < 1e-5) == ("max", True)


@pytest.mark.parametrize("what", ["weights", "images", "noise"])
def test_another_network_or_other_images_are_refused_with_the_figures(prepare, maps, what):
    pooled = maps.mean(axis=(2, 3))
    if what == "images":
        pooled = np.roll(pooled, 7, axis=0)
    elif what == "noise":
        rng = np.random.default_rng(0)
        pooled = np.maximum(pooled + rng.normal(0, pooled.std() * 2, pooled.shape), 0)
    loaded = network(seed=1) if what == "weights" else network()
    with pytest.raises(ActivationImportError, match=r"does not give .* mean cosine 0\.\d+ .* relative error"):
        try_network(prepare(pooled), loaded)


def test_other_layers_are_refused(prepare, maps):
    pooled = maps.mean(axis=(2, 3))
    with pytest.raises(ActivationImportError, match="has 6 neurons, but the activations have 10"):
        try_network(prepare(pooled, layer="early"), network())
    with pytest.raises(ModelError, match="no layer 'lat'"):
        try_network(prepare(pooled, layer="lat"), network())


def test_without_images_nothing_is_believed(prepare, maps, tmp_path):
    pooled = maps.mean(axis=(2, 3))
    with pytest.raises(ActivationImportError, match="cannot be checked without images"):
        try_network(prepare(pooled, root=None), network())
    plan = prepare(np.full_like(pooled, np.nan))
    with pytest.raises(ActivationImportError, match="no row is finite"):
        try_network(plan, network())


def test_rows_that_are_not_finite_are_left_out_of_the_sample(prepare, maps):
    pooled = maps.mean(axis=(2, 3))
    pooled[::2] = np.nan
    assert try_network(prepare(pooled), network()).check.agreement.n_images == 20


def test_the_network_becomes_that_of_project_and_layer(prepare, maps, tmp_path):
    plan, loaded = prepare(maps.mean(axis=(2, 3))), network()
    with create_import_project(tmp_path / "new.prism", plan) as project:
        import_activations(project, plan, network=try_network(plan, loaded))
    with Project.open(tmp_path / "new.prism", read_only=True) as project:
        assert project.model_source == loaded.source
        assert (project.weights_sha256, project.preprocessing) == (loaded.weights_sha256, PREPROCESSING)
        assert project.class_names == loaded.class_names
        record = project.layer("late")
        assert record.binding.weights_sha256 == loaded.weights_sha256
        assert record.binding.pooling == "mean"
        assert record.origin.network_check.n_images == 32


def test_the_network_may_be_named_afterwards(prepare, maps, tmp_path):
    plan, loaded = prepare(maps.mean(axis=(2, 3))), network()
    with create_import_project(tmp_path / "new.prism", plan) as project:
        import_activations(project, plan)
        with pytest.raises(ActivationImportError, match="does not give these"):
            try_network_on_layer(project, "late", network(seed=1))
        assert project.model_source.is_imported
        bind_network(project, "late", try_network_on_layer(project, "late", loaded))
        assert project.model_source == loaded.source
        assert project.layer("late").binding.weights_sha256 == loaded.weights_sha256
        assert project.layer("late").origin.network_check is not None
        with pytest.raises(ProjectError, match="belongs to the network"):
            project.name_network(loaded.source)


def test_a_second_network_is_refused(prepare, maps, tmp_path):
    plan, loaded = prepare(maps.mean(axis=(2, 3))), network()
    with create_import_project(tmp_path / "new.prism", plan) as project:
        tried = try_network(plan, loaded)
        import_activations(project, plan, network=tried)
        other = network(seed=1)
        with pytest.raises(ProjectError, match="belongs to another model: its weights"):
            import_activations(project, plan, network=type(tried)(other, tried.check))


def test_figures_of_a_comparison():
    expected = np.array([[3, 4], [0, 0], [1, 0], [0, 2]], np.float32)
    found = np.array([[6, 8], [0, 0], [0, 1], [0, 2]], np.float32)
    agreement = compare(found, expected)
    assert agreement.mean_cosine == pytest.approx((1 + 1 + 0 + 1) / 4)
    assert agreement.worst_cosine == pytest.approx(0)
    assert agreement.relative_error == pytest.approx(np.sqrt((25 + 2) / (25 + 1 + 4)))
    assert agreement.worst_relative_error == pytest.approx(np.sqrt(2))
