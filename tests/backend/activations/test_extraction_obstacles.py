"""What stops an extraction: no room, no permission, another process. It says so, and goes on afterwards."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from backend.activations import inference
from backend.activations.extraction import extract
from backend.errors import ExtractionError, ProjectError
from backend.project import Project
from backend.task import SilentTask
from tests.backend.small_projects import make_project, network

TWO_LAYERS = ["early", "late"]


@pytest.fixture(scope="module")
def loaded():
    found = network()
    # Whatever torch loads at its first use is loaded before children part.
    inference.Inference(found, TWO_LAYERS)
    return found


@pytest.fixture
def project(tmp_path):
    """30 images in blocks of 2."""
    with small_project(tmp_path) as project:
        yield project


def small_project(folder):
    return make_project(folder, n_classes=3, per_class=10, block_rows=2)


def bits(path):
    return {file.name: file.read_bytes() for file in (path / "activations").iterdir()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, loaded):
    """What the files hold after an extraction of the same images that nothing happened to."""
    with small_project(tmp_path_factory.mktemp("other")) as project:
        extract(project, loaded, TWO_LAYERS)
        return bits(project.path)


def said_by_a_child(function):
    """Run a function in a child process; return the name of what it raises, and its sentence."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        said = "nothing"
        try:
            function()
        except Exception as error:  # noqa: BLE001  (told to the parent)
            said = f"{type(error).__name__}: {error}"
        os.write(write_end, said.encode())
        os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        return pipe.read().decode()


class TestNoRoom:
    def test_for_what_is_on_record(self, tmp_path, loaded):
        with make_project(tmp_path, n_classes=4, per_class=60, block_rows=1) as project:
            database = project._database
            project.bind_model(loaded.weights_sha256, loaded.preprocessing)
            ((pages,),) = database.query("PRAGMA page_count")
            database.query(f"PRAGMA max_page_count = {pages}")
            with pytest.raises(ProjectError, match="the disk is full"):
                extract(project, loaded, TWO_LAYERS)
            n_done = [project.layer(layer).n_done for layer in TWO_LAYERS]
            assert 0 < n_done[0] == n_done[1] < 240
            database.query("PRAGMA max_page_count = 1000000")
            assert extract(project, loaded, TWO_LAYERS).n_computed == 240 - n_done[0]
            found = bits(project.path)
        with make_project(tmp_path / "other", n_classes=4, per_class=60, block_rows=1) as other:
            extract(other, loaded, TWO_LAYERS)
            assert bits(other.path) == found

    def test_for_the_index_at_the_end(self, project, loaded, undisturbed, monkeypatch):
        def full(*_arguments, **_arrays):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("backend.neurons.np.savez", full)
        with pytest.raises(ProjectError, match=r"neuron index .* cannot be written: No space left on device"):
            extract(project, loaded, TWO_LAYERS)
        assert all(record.complete for record in project.layers)
        assert not any(name.endswith(".part") for name in bits(project.path))
        monkeypatch.undo()
        assert extract(project, loaded, TWO_LAYERS).n_computed == 0
        assert bits(project.path) == undisturbed

    def test_as_the_operating_system_says_it(self, project, loaded, undisturbed):
        project.close()

        def extract_with_small_files():
            with Project.open(project.path) as here:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
                extract(here, loaded, TWO_LAYERS)

        said = said_by_a_child(extract_with_small_files)
        assert said.startswith(("ExtractionError: The activations cannot be", "ProjectError: The project"))
        assert "written" in said
        with Project.open(project.path) as again:
            extract(again, loaded, TWO_LAYERS)
        assert bits(project.path) == undisturbed


class TestNoPermission:
    def test_to_write_activations(self, project, loaded, undisturbed):
        """In a folder that others may use: root may write everywhere, and has to be somebody else."""
        project.close()
        shared = Path(tempfile.mkdtemp())
        try:
            here = Path(shutil.copytree(project.path.parent, shared / "here")) / project.path.name
            activations = here / "activations"
            activations.mkdir()
            for path in (shared, *shared.rglob("*")):
                path.chmod(0o777 if path.is_dir() else 0o666)
            activations.chmod(0o555)
            said = said_by_a_child(lambda: extract_as_nobody(here, loaded))
            assert said.startswith(f"ExtractionError: The activations cannot be written to {activations}")
            assert "(Permission denied). What was extracted so far is kept; continue when" in said
            activations.chmod(0o777)
            assert said_by_a_child(lambda: extract_as_nobody(here, loaded)) == "nothing"
            assert bits(here) == undisturbed
        finally:
            shutil.rmtree(shared)


def extract_as_nobody(path, loaded):
    if os.geteuid() == 0:
        os.setuid(65534)
    with Project.open(path) as project:
        extract(project, loaded, TWO_LAYERS)


class TestAnotherProcess:
    def test_is_refused_with_the_reason_while_one_extracts(self, project, loaded, undisturbed):
        program = (
            "import sys; from backend.project import Project\n"
            "try: Project.open(sys.argv[1])\nexcept Exception as error: print(type(error).__name__, error)"
        )

        class Intruder(SilentTask):
            said = ""

            def partial(self, result):
                if not self.said:
                    self.said = subprocess.run(
                        [sys.executable, "-c", program, project.path],
                        capture_output=True,
                        text=True,
                        check=True,
                    ).stdout

        task = Intruder()
        extract(project, loaded, TWO_LAYERS, task=task)
        assert task.said.startswith("ProjectInUseError The project")
        assert f"already open for writing, by process {os.getpid()} on " in task.said
        assert bits(project.path) == undisturbed

    def test_can_read_what_is_there_meanwhile(self, project, loaded):
        class Reader(SilentTask):
            n_done = ()

            def partial(self, result):
                with Project.open(project.path, read_only=True) as reader:
                    if reader.layers:
                        self.n_done = (*self.n_done, reader.layer("late").n_done)

        task = Reader()
        extract(project, loaded, TWO_LAYERS, task=task)
        assert task.n_done
        assert list(task.n_done) == sorted(task.n_done)


@pytest.mark.parametrize("obstacle", ["no such device", "other images"])
def test_what_is_there_stays_where_an_image_is_to_be_read_again_and_nothing_can_be(project, loaded, obstacle):
    lost = project.image_path(5)
    picture = lost.read_bytes()
    lost.unlink()
    extract(project, loaded, TWO_LAYERS)
    lost.write_bytes(picture)
    if obstacle == "other images":
        for row in range(10, 20):
            Image.new("RGB", (16, 16), "red").save(project.image_path(row))
    device = "meta" if obstacle == "no such device" else "cpu"
    with pytest.raises(ExtractionError):
        extract(project, loaded, TWO_LAYERS, device=device)
    assert all(layer.complete for layer in project.layers)
