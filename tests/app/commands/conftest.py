"""A project that was extracted by the command itself."""

import shutil

import pytest

from app.command_line import main
from tests.app.commands.toy_world import NETWORK, extract_words
from tests.app.planted_project import write_images


@pytest.fixture(autouse=True)
def collect_garbage_here():
    """No Qt runs here, so nothing of it can be collected in a wrong thread."""


@pytest.fixture(scope="package")
def world(tmp_path_factory):
    """A folder with images, a network's Python file, and a project extracted by the command."""
    folder = tmp_path_factory.mktemp("world")
    write_images(folder / "images")
    (folder / "images" / "red" / "broken.png").write_bytes(b"not an image")
    (folder / "net.py").write_text(NETWORK)
    assert main(extract_words(folder, folder / "toy.prism")) == 0
    return folder


@pytest.fixture
def toy(world, tmp_path):
    """A copy of the project of one's own."""
    return shutil.copytree(world / "toy.prism", tmp_path / "toy.prism")
