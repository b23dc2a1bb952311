"""A small project whose answer is known, analysed once."""

import shutil

import pytest

from backend.evaluation.neuron_analysis import analyse_neuron
from backend.project import Project
from tests.app.planted_project import LAYER, TWO_CLUSTERS, make_project, write_images


@pytest.fixture(scope="session")
def planted_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchange")
    write_images(folder / "images")
    return make_project(folder, folder / "images")


@pytest.fixture
def project(planted_path, tmp_path):
    """A copy of the project of one's own; the images are shared."""
    with Project.open(shutil.copytree(planted_path, tmp_path / planted_path.name)) as project:
        yield project


@pytest.fixture
def analyse(project):
    def analyse(neuron, parameters=TWO_CLUSTERS, **options):
        return analyse_neuron(
            LAYER,
            project.activations(LAYER),
            neuron,
            parameters,
            index=project.neuron_index(LAYER),
            **options,
        )

    return analyse


@pytest.fixture
def analysis(analyse):
    """Neuron 0: two groups of 15, red and green."""
    return analyse(0)
